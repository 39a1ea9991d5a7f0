"""The NDVI of a raster, window by window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np
from osgeo import gdal

from ..bands import NIR, RED, band_of
from ..base import BlockFailure
from ..processing import Progress
from .rasters import (
    build_overviews,
    create_geotiff,
    descriptions,
    kept_tags,
    layout_of,
    open_raster,
    windows,
)
from .reflectance import read_values

NODATA = -9999.0


def compute_ndvi(scene: str, source: Path, target: Path, tell: Progress) -> Optional[float]:
    """Write the NDVI of a raster as float32; gives its mean, None where no pixel is valid.

    Raises BlockFailure where the bands' descriptions name no red or no near infrared band.
    """
    dataset = open_raster(source, scene)
    red, nir = _bands(scene, descriptions(dataset))
    layout = replace(layout_of(dataset), data_type=gdal.GDT_Float32, nodata=NODATA, bands=("NDVI",))
    output = create_geotiff(target, layout, kept_tags(dataset))
    total = count = 0.0
    for window in windows(layout.columns, layout.rows):
        red_values, red_valid = read_values(dataset.GetRasterBand(red), window)
        nir_values, nir_valid = read_values(dataset.GetRasterBand(nir), window)
        both = nir_values + red_values
        valid = red_valid & nir_valid & (both != 0)
        index = np.full(both.shape, NODATA, np.float32)
        np.divide(nir_values - red_values, both, out=index, where=valid)
        np.clip(index, -1, 1, out=index, where=valid)
        output.GetRasterBand(1).WriteArray(index, window.column, window.row)
        total += float(index[valid].sum(dtype=np.float64))
        count += float(np.count_nonzero(valid))
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)
    return total / count if count else None


def _bands(scene: str, names: tuple[str, ...]) -> tuple[int, int]:
    """The numbers of the red and the near infrared band."""
    red, nir = band_of(names, RED), band_of(names, NIR)
    if red is not None and nir is not None:
        return red, nir
    missing = " and no ".join(n for n, found in (("red", red), ("near infrared", nir)) if found is None)
    shown = ", ".join(f"“{name}”" if name else "one without a name" for name in names)
    raise BlockFailure(
        "WRONG_INPUT_ERROR",
        f"NDVI needs a red and a near infrared band, but {scene} has no {missing} band. Its bands: {shown}.",
    )
