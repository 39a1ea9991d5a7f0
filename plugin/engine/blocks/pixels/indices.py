"""An expression over the bands of a raster, window by window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np
from osgeo import gdal

from ..band_index import Formula
from ..band_words import band_numbers, say_bands
from ..base import BlockFailure
from ..processing import Progress
from .rasters import (
    TILE,
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


def compute_index(
    scene: str, source: Path, target: Path, formula: Formula, tell: Progress, side: int = TILE
) -> Optional[float]:
    """Write the values as float32; gives their mean, None where no pixel is valid.

    A pixel is valid where all bands that the expression names are, and the result is a number. Raises BlockFailure.
    """
    dataset = open_raster(source, scene)
    numbers = _numbers(scene, descriptions(dataset), formula)
    layout = replace(layout_of(dataset), data_type=gdal.GDT_Float32, nodata=NODATA, bands=(formula.name,))
    output = create_geotiff(target, layout, kept_tags(dataset))
    total = count = 0.0
    for window in windows(layout.columns, layout.rows, side=side):
        read = {word: read_values(dataset.GetRasterBand(number), window) for word, number in numbers.items()}
        result = formula.expression.compute({word: values for word, (values, _) in read.items()})
        valid = np.isfinite(result)
        for _, good in read.values():
            valid &= good
        if formula.limits:
            np.clip(result, *formula.limits, out=result, where=valid)
        index = np.where(valid, result, NODATA).astype(np.float32)
        output.GetRasterBand(1).WriteArray(index, window.column, window.row)
        total += float(index[valid].sum(dtype=np.float64))
        count += float(np.count_nonzero(valid))
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)
    return total / count if count else None


def _numbers(scene: str, names: tuple[str, ...], formula: Formula) -> dict[str, int]:
    """The number of the band that each word of the expression means."""
    known = band_numbers(names)
    missing = [word for word in formula.expression.words if word not in known]
    if missing:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"{formula.name} needs {', '.join(missing)}, but {scene} has no such band. Its bands: {say_bands(names)}.",
        )
    return {word: known[word] for word in formula.expression.words}
