"""What a band's pixels mean: reflectance and other quantities, by the scale and offset that the file carries.

Every index must be computed on these values. The pixels of two Sentinel-2 scenes on either side of 25 January 2022
differ by 1000 for the same ground; their values here do not.
"""

from __future__ import annotations

import numpy as np
from osgeo import gdal

from .rasters import Window, valid_pixels


def read_values(band: gdal.Band, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """A window of a band in float32, scale and offset applied where the file has them, and where it is valid.

    Values that aren't valid are scaled like the others: mask them.
    """
    pixels = band.ReadAsArray(*window.origin_and_size)
    valid = valid_pixels(band, pixels, window)
    values = pixels.astype(np.float32)
    scale, offset = band.GetScale(), band.GetOffset()
    if scale not in (None, 1.0):
        values *= np.float32(scale)
    if offset:
        values += np.float32(offset)
    return values, valid
