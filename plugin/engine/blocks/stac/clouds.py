"""How cloudy a scene is over the AOI: counted in the scene classification, read coarsely from its overviews."""

from __future__ import annotations

import math
from typing import Optional

import numpy as np
from shapely.geometry.base import BaseGeometry

from ..pixels.frame import frame_of, in_crs
from ..pixels.rasters import Cutter, GeoTransform, Window
from .files import RemoteFiles

CLOUDS = (8, 9, 10)  # of Sentinel-2's scene classification: medium, high probability, thin cirrus (ESA)
NO_DATA = 0
LONGEST = 256  # pixels of the AOI's longer side that are looked at


def cloud_over(address: str, area: BaseGeometry) -> Optional[float]:
    """Percent of the AOI's valid pixels that are clouds; None where none is valid. Raises NotReadable."""
    files = RemoteFiles({"scl": address})
    try:
        dataset = files.dataset("scl")
        geotransform: GeoTransform = tuple(dataset.GetGeoTransform())
        crs = dataset.GetSpatialRef().ExportToWkt()
        outline = in_crs(area, crs)
        window = frame_of(outline, geotransform, dataset.RasterXSize, dataset.RasterYSize)
        if window is None:
            return None
        factor = max(1.0, max(window.columns, window.rows) / LONGEST)
        size = math.ceil(window.columns / factor), math.ceil(window.rows / factor)
        classes = files.read("scl", 1, window, size)
        inside = Cutter(outline, _coarse(geotransform, window, size), crs).mask(Window(0, 0, *size))
        valid = inside & (classes != NO_DATA)
        count = int(np.count_nonzero(valid))
        return 100.0 * int(np.count_nonzero(np.isin(classes, CLOUDS) & valid)) / count if count else None
    finally:
        files.close()


def _coarse(geotransform: GeoTransform, window: Window, size: tuple[int, int]) -> GeoTransform:
    """The geotransform of a window that is read as `size` pixels; of a raster whose north is up."""
    x, wide, _, y, _, high = geotransform
    return (
        x + window.column * wide, wide * window.columns / size[0], 0.0,
        y + window.row * high, 0.0, high * window.rows / size[1],
    )  # fmt: skip
