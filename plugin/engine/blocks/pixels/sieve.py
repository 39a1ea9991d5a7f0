"""Small areas of classes to their largest neighbour, by GDAL; a large raster in strips, so memory stays bounded.

What is small is exact in strips too: they overlap by as many rows as an area may have pixels. Which neighbour is the
largest is judged within the strip.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np
from osgeo import gdal, gdal_array

STRIP_PIXELS = 24_000_000  # GDAL keeps up to 20 bytes for each, where no two neighbours are alike


def sieve(path: Path, fewest: int, connected: int, strip_pixels: int = STRIP_PIXELS) -> None:
    """Sieve the one band of a GeoTIFF in place: areas of fewer than `fewest` pixels go. `connected`: 4 or 8."""
    dataset = gdal.Open(str(path), gdal.GA_Update)
    band = dataset.GetRasterBand(1)
    columns, rows = dataset.RasterXSize, dataset.RasterYSize
    high = max(1, strip_pixels // columns)
    margin = min(fewest, high)
    if rows <= high + 2 * margin:
        high = rows
    before = None  # of the strip above, as it was: its rows are sieved in the file already
    for top in range(0, rows, high):
        first, last = max(0, top - margin), min(rows, top + high + margin)
        pixels = band.ReadAsArray(0, first, columns, last - first)
        if before is not None:
            pixels[: top - first] = before
        end = min(rows, top + high)
        kept = pixels[end - first - min(margin, end - first) : end - first].copy()
        sieved = _sieved(pixels, band.GetNoDataValue(), fewest, connected)
        band.WriteArray(sieved[top - first : end - first], 0, top)
        before = kept
    dataset.FlushCache()


def _sieved(pixels: np.ndarray, nodata: Optional[float], fewest: int, connected: int) -> np.ndarray:
    canvas = gdal_array.OpenArray(pixels)
    band = canvas.GetRasterBand(1)
    if nodata is not None:
        band.SetNoDataValue(nodata)
    gdal.SieveFilter(band, band.GetMaskBand(), band, fewest, connected)
    return np.asarray(canvas.ReadAsArray())
