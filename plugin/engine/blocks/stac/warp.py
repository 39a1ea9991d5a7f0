"""Reprojection and mosaics: only where they are asked for, and said in the log. Nearest neighbour: no new values."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Optional, Sequence

from osgeo import gdal

from ..base import BlockFailure
from ..pixels.crs import spatial_reference
from ..pixels.rasters import build_overviews, copy_looks, layout_of, open_raster

_OPTIONS = [
    "TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=4", "BIGTIFF=IF_SAFER", "INTERLEAVE=BAND", "BLOCKXSIZE=512",
    "BLOCKYSIZE=512",
]  # fmt: skip
_MEMORY_MB = 128


def read_crs(value: Optional[str]) -> Optional[str]:
    """A CRS as the user wrote it ("EPSG:3857", 3857); None where none is asked for. Raises BlockFailure."""
    if value is None or not str(value).strip():
        return None
    text = str(value).strip()
    text = f"EPSG:{text}" if text.isdigit() else text
    try:
        spatial_reference(text).ExportToWkt()
        if not text.upper().startswith("EPSG:"):
            raise RuntimeError
    except RuntimeError:
        raise BlockFailure("WRONG_INPUT_ERROR", f"crs is {value!r}, but must be a code such as EPSG:3857.") from None
    return text.upper()


def usual_crs(paths: Sequence[Path]) -> str:
    """The CRS that most of the rasters have; of equally many the first's."""
    found = [open_raster(path, path.name).GetSpatialRef().ExportToWkt() for path in paths]
    return Counter(found).most_common(1)[0][0]


def warp_together(paths: Sequence[Path], target: Path, crs: str) -> None:
    """One raster of `crs` from rasters with the same bands; where they overlap the first is on top.

    Rasters that lie on one grid of that CRS already keep their pixels as they are. Raises BlockFailure.
    """
    first = open_raster(paths[0], paths[0].name)
    layout, tags = layout_of(first), first.GetMetadata()
    same_grid = spatial_reference(layout.crs).IsSame(spatial_reference(crs))
    wide, high = abs(layout.geotransform[1]), abs(layout.geotransform[5])
    try:
        gdal.Warp(
            str(target), [str(path) for path in reversed(paths)], format="GTiff", dstSRS=crs, resampleAlg="near",
            xRes=wide if same_grid else None, yRes=high if same_grid else None, targetAlignedPixels=same_grid,
            srcNodata=layout.nodata, dstNodata=layout.nodata, creationOptions=_OPTIONS, multithread=True,
            warpMemoryLimit=_MEMORY_MB, errorThreshold=0.0,
        )  # fmt: skip
    except RuntimeError as e:
        target.unlink(missing_ok=True)
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"The scenes can't be brought into {crs[:40]}: choose another CRS."
        ) from e
    _name(first, target, tags)
    build_overviews(target)


def _name(source: gdal.Dataset, target: Path, tags: dict[str, str]) -> None:
    """Give the bands of a file the descriptions, colours, scales and offsets of another's."""
    dataset = gdal.Open(str(target), gdal.GA_Update)
    dataset.SetMetadata({name: value for name, value in tags.items() if name != "AREA_OR_POINT"})
    for number in range(1, source.RasterCount + 1):
        dataset.GetRasterBand(number).SetDescription(source.GetRasterBand(number).GetDescription())
    copy_looks(source, dataset)
    dataset.FlushCache()
