"""What clipping a scene to the AOI is, wherever its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from osgeo import gdal
from shapely.geometry.base import BaseGeometry

from .frame import frame_of, in_crs
from .rasters import Cutter, GeoTransform, Window


@dataclass(frozen=True)
class Clipped:
    """What came of a scene. `moved_values`: valid pixels that had the value chosen for nodata and now differ by 1."""

    columns: int
    rows: int
    valid: int
    moved_values: int
    repeated: tuple[str, ...] = ()  # bands whose pixels were repeated on a finer grid


def frame_in(
    area: Optional[BaseGeometry], crs: str, geotransform: GeoTransform, columns: int, rows: int
) -> Optional[tuple[Window, Optional[Cutter]]]:
    """The pixels of a raster around an area (EPSG:4326), and what tells which are inside; None where none is.

    Without an area that is the whole raster, and there is no cutter.
    """
    if area is None:
        return Window(0, 0, columns, rows), None
    outline = in_crs(area, crs)
    found = frame_of(outline, geotransform, columns, rows)
    return None if found is None else (found, Cutter(outline, geotransform, crs))


def set_scales(output: gdal.Dataset, scales: Sequence[tuple[Optional[float], Optional[float]]]) -> None:
    """Give each band its scale and offset, where it has any; in their order."""
    for number, (scale, offset) in enumerate(scales, start=1):
        if scale not in (None, 1.0) or offset not in (None, 0.0):
            output.GetRasterBand(number).SetScale(1.0 if scale is None else scale)
            output.GetRasterBand(number).SetOffset(offset or 0.0)
