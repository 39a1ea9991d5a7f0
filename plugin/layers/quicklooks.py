"""Quicklooks of a Test Query: small images without a position, placed on the map by their scene's footprint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional, Sequence

from osgeo import gdal, ogr

from ..jobs.job import Scene
from .scan import Found
from .strangers import RASTER, NotLoadable, open_raster, quiet

PLACED = "placed"  # the folder of the georeferenced copies
CRS = "EPSG:4326"


def place_quicklooks(folder: Path, images: Sequence[Path], scenes: Sequence[Scene]) -> list[Found]:
    """Make a georeferenced copy of each image whose stem is a scene's id; transparent outside of the footprint.

    The image is taken to fill the footprint's bounding box in longitude and latitude (contract 5.3 says no more). The
    copies go to `<folder>/placed`; one that is there is kept. Images that belong to no scene, or can't be read, are
    left out.
    """
    by_id = {scene.id: scene for scene in scenes}
    placed = []
    for image in images:
        scene = by_id.get(image.stem)
        target = folder / PLACED / f"{image.stem}.tif"
        if scene is None:
            continue
        if not _is_image(target):  # what is there may have come in the archive: looked at like any stranger
            _place(image, scene, target)
        if _is_image(target):
            placed.append(Found(target, str(target), "gdal", RASTER, image.stem, scene.id, role="quicklook"))
    return placed


def _is_image(path: Path) -> bool:
    try:
        return path.is_file() and open_raster(path) is not None
    except NotLoadable:
        return False


def _place(image: Path, scene: Scene, target: Path) -> None:
    footprint = _footprint(scene)
    if footprint is None or not _is_image(image):
        return
    source = open_raster(image)
    west, east, south, north = footprint.GetEnvelope()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)  # GDAL would open it and write into it
    with quiet():
        try:
            flat = gdal.Translate(
                "",
                source,
                format="MEM",
                outputSRS=CRS,
                outputBounds=[west, north, east, south],
                rgbExpand="rgb" if source.GetRasterBand(1).GetColorTable() is not None else None,
            )
            written = gdal.Warp(
                str(part),
                flat,
                format="GTiff",
                cutlineDSName=footprint.ExportToJson(),
                dstAlpha=True,
                creationOptions=["COMPRESS=DEFLATE", "TILED=YES"],
            )
        except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
            written = None
    if written is None:
        part.unlink(missing_ok=True)
        return
    del written  # closes the file
    part.replace(target)


def _footprint(scene: Scene) -> Optional[ogr.Geometry]:
    """The footprint, if it has an area."""
    with quiet():
        try:
            footprint = ogr.CreateGeometryFromJson(json.dumps(scene.footprint))
        except RuntimeError:  # as above
            footprint = None
    return footprint if footprint is not None and footprint.GetArea() > 0 else None
