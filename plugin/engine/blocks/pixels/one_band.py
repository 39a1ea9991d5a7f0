"""One band of floating point numbers computed from a raster's bands, window by window: what every index is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Callable, Mapping, Optional

import numpy as np
from osgeo import gdal

from ..processing import Progress
from .rasters import TILE, build_overviews, create_geotiff, kept_tags, layout_of, windows
from .reflectance import read_values

NODATA = -9999.0
Bands = Mapping[str, np.ndarray]


def write_one_band(
    dataset: gdal.Dataset,
    numbers: Mapping[str, int],
    name: str,
    compute: Callable[[Bands], np.ndarray],
    target: Path,
    tell: Progress,
    side: int = TILE,
) -> Optional[float]:
    """Write what `compute` makes of the bands (word -> number in the raster) as float32; gives its mean.

    The mean is None where no pixel is valid: all bands have to be, and the result has to be a number.
    """
    layout = replace(layout_of(dataset), data_type=gdal.GDT_Float32, nodata=NODATA, bands=(name,))
    output = create_geotiff(target, layout, kept_tags(dataset))
    total = count = 0.0
    for window in windows(layout.columns, layout.rows, side=side):
        read = {word: read_values(dataset.GetRasterBand(number), window) for word, number in numbers.items()}
        result = compute({word: values for word, (values, _) in read.items()})
        valid = np.isfinite(result)
        for _, good in read.values():
            valid &= good
        pixels = np.where(valid, result, NODATA).astype(np.float32)
        output.GetRasterBand(1).WriteArray(pixels, window.column, window.row)
        total += float(pixels[valid].sum(dtype=np.float64))
        count += float(np.count_nonzero(valid))
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)
    return total / count if count else None
