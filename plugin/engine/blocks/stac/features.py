"""A STAC scene as a feature of `data.json`."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from ..base import Feature
from ..dates import iso, say_day
from ..features import make_feature
from .passes import Pass, coverage
from .rights import Rights
from .scenes import StacScene

PAN = "_pan"  # ends the id and the file of a scene's panchromatic raster
# What is kept of an item besides what every block gives: where it lies in the mission, and how it was made.
_KEPT = (
    "platform", "constellation", "instruments", "gsd", "grid:code", "proj:epsg", "proj:code", "created", "updated",
    "s2:processing_baseline", "s2:product_uri", "processing:version", "view:sun_azimuth", "view:sun_elevation",
    "sat:orbit_state", "sat:relative_orbit", "landsat:wrs_path", "landsat:wrs_row", "sar:polarizations",
)  # fmt: skip


def scene_feature(
    scene: StacScene,
    collection: str,
    area: Optional[BaseGeometry],
    of: Pass,
    cloud: Optional[float],
    rights: Rights,
    bands: Sequence[str],
    data_path: Optional[str],
    suffix: str = "",
) -> Feature:
    """A scene; its geometry is the whole scene's footprint, as the quicklook's. `cloud`: percent over the AOI.

    `suffix`: of its id, where this is one of its rasters (`PAN`).
    """
    taken = scene.acquired
    properties: dict[str, Any] = {
        "title": f"{scene.id}, {say_day(taken.start)}" if taken else scene.id,
        "datetime": iso(taken.start) if taken else None,
        "eo:cloud_cover": scene.cloud_cover,
        "collection": collection,
        "bands": list(bands),
        "aoi_coverage": _rounded(coverage(scene.footprint, area)),
        "aoi_cloud_cover": _rounded(cloud),
        "pass": of.id,
        "pass_scenes": len(of.scenes),
        "pass_aoi_coverage": _rounded(of.coverage),
        **rights.properties,
        **{name: scene.properties[name] for name in _KEPT if scene.properties.get(name) is not None},
    }
    if taken and taken.start < taken.end:
        properties["start_datetime"], properties["end_datetime"] = iso(taken.start), iso(taken.end)
    if scene.item_url:
        properties["stac_item"] = scene.item_url.partition("?")[0]
    return make_feature(f"{scene.id}{suffix}", scene.footprint, properties, data_path)


def mosaic_feature(of: Pass, parts: Sequence[Feature], data_path: str) -> Feature:
    """One raster of several scenes of a pass: the first scene's properties, and whose pixels are in it."""
    ids = [str(part["id"]) for part in parts]
    scenes = [scene for scene in of.scenes if scene.id in ids or f"{scene.id}{PAN}" in ids]
    properties: Mapping[str, Any] = parts[0]["properties"]
    clouds = [part["properties"]["eo:cloud_cover"] for part in parts]
    return make_feature(
        f"{ids[0]}_mosaic",
        unary_union([scene.footprint for scene in scenes]),
        {
            **properties,
            "title": f"Mosaic of {len(ids)} scenes, {say_day(scenes[0].acquired.start)}"
            if scenes[0].acquired
            else f"Mosaic of {len(ids)} scenes",
            "eo:cloud_cover": None if None in clouds else round(sum(clouds) / len(clouds), 2),
            "aoi_coverage": properties["pass_aoi_coverage"],
            "aoi_cloud_cover": None,
            "mosaic_of": ids,
        },
        data_path,
    )


def _rounded(share: Optional[float]) -> Optional[float]:
    return None if share is None else round(share, 1)
