"""Quicklooks of a Test Query: small images without a position, placed on the map by their scene's footprint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional, Sequence

from osgeo import gdal, ogr

from ..jobs.job import Scene
from .scan import Found
from .strangers import RASTER, NotLoadable, kind_of, open_raster, quiet

PLACED = "placed"  # the folder of the georeferenced copies
CRS = "EPSG:4326"


def place_quicklooks(folder: Path, images: Sequence[Path], scenes: Sequence[Scene]) -> list[Found]:
    """Make a georeferenced copy of each image whose stem is a scene's id; transparent outside of the footprint.

    The image is taken to fill the footprint's bounding box in longitude and latitude (contract 5.3 says no more). The
    copies go to `<folder>/placed`. Images that belong to no scene, or can't be read, are left out.
    """
    by_id = {scene.id: scene for scene in scenes if scene.footprint}
    placed = []
    for image in images:
        scene = by_id.get(image.stem)
        target = folder / PLACED / f"{image.stem}.tif"
        if scene is not None and _place(image, scene, target):
            placed.append(Found(target, str(target), "gdal", RASTER, image.stem, scene.id, role="quicklook"))
    return placed


def _place(image: Path, scene: Scene, target: Path) -> bool:
    try:
        source = open_raster(image) if kind_of(image) == RASTER else None
    except NotLoadable:
        return False
    bounds = _bounds(scene)
    if source is None or bounds is None:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    west, east, south, north = bounds
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
                str(target),
                flat,
                format="GTiff",
                cutlineDSName=json.dumps(scene.footprint),
                dstAlpha=True,
                creationOptions=["COMPRESS=DEFLATE", "TILED=YES"],
            )
        except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
            written = None
    return written is not None


def _bounds(scene: Scene) -> Optional[tuple[float, float, float, float]]:
    """West, east, south, north of the footprint in degrees."""
    with quiet():
        try:
            footprint = ogr.CreateGeometryFromJson(json.dumps(scene.footprint))
        except RuntimeError:  # as above
            footprint = None
    if footprint is None or footprint.IsEmpty():
        return None
    west, east, south, north = footprint.GetEnvelope()
    return (west, east, south, north) if west < east and south < north else None
