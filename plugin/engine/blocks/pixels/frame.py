"""Where an AOI lies in a raster: its outline in the raster's CRS, and the pixels around that."""

from __future__ import annotations

import math
from typing import Optional

from shapely.geometry.base import BaseGeometry

from .crs import Reprojection
from .rasters import GeoTransform, Window, pixel_bounds

_EDGE_PARTS = 64  # an AOI's edge may bend in the raster's CRS: it is cut into steps of its size / 64


def in_crs(area: BaseGeometry, crs: str) -> BaseGeometry:
    """An area of EPSG:4326 in another CRS, its edges kept."""
    longest = max(area.bounds[2] - area.bounds[0], area.bounds[3] - area.bounds[1])
    return Reprojection("EPSG:4326", crs).polygon(area, longest / _EDGE_PARTS)


def frame_of(outline: BaseGeometry, geotransform: GeoTransform, columns: int, rows: int) -> Optional[Window]:
    """The pixels around an outline of the raster's CRS, within the raster; None where it lies beside."""
    if not all(math.isfinite(value) for value in outline.bounds):
        return None
    left, top, right, bottom = pixel_bounds(outline, geotransform)
    left, top, right, bottom = max(0, left), max(0, top), min(columns, right), min(rows, bottom)
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None
