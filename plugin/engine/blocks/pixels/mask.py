"""Pixels of some classes become nodata, window by window and without seams."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional, Sequence

import numpy as np
from osgeo import gdal, gdal_array

from ..band_words import say_bands, scl_band
from ..base import BlockFailure
from ..processing import Progress
from .casting import as_type, nodata_for
from .rasters import (
    TILE,
    Window,
    build_overviews,
    create_geotiff,
    descriptions,
    kept_tags,
    layout_of,
    open_raster,
    valid_pixels,
    windows,
)


def mask_classes(
    scene: str, source: Path, target: Path, classes: Sequence[int], buffer: int, tell: Progress, side: int = TILE
) -> Optional[float]:
    """Write the bands besides SCL with these classes, and `buffer` pixels around them, as nodata.

    Gives what part of the valid pixels went; None where none is left. A valid pixel that has nodata's value, which only
    now is nodata, is moved by one. Raises BlockFailure where there is no SCL band.
    """
    dataset = open_raster(source, scene)
    names = descriptions(dataset)
    scl = scl_band(names)
    kept = [number for number in range(1, len(names) + 1) if number != scl]
    if not scl or not kept:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"{scene} has {'no SCL band' if not scl else 'no band besides SCL'}. Its bands: {say_bands(names)}. Choose "
            "SCL and others as bands of the data block, such as B02, B03, B04, B08, SCL.",
        )
    layout = layout_of(dataset)
    kind = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(layout.data_type))
    nodata = nodata_for(kind) if layout.nodata is None else layout.nodata
    layout = replace(layout, nodata=nodata, bands=tuple(names[number - 1] for number in kept))
    output = create_geotiff(target, layout, kept_tags(dataset))
    _copy_scales(dataset, kept, output)
    before = after = 0
    for window in windows(layout.columns, layout.rows, side=side):
        clouds = _near_classes(dataset.GetRasterBand(scl), window, classes, buffer, (layout.columns, layout.rows))
        for place, number in enumerate(kept, start=1):
            band = dataset.GetRasterBand(number)
            pixels = band.ReadAsArray(*window.origin_and_size)
            valid = valid_pixels(band, pixels, window)
            if place == 1:
                before += int(np.count_nonzero(valid))
                after += int(np.count_nonzero(valid & ~clouds))
            masked = np.where(valid & ~clouds, as_type(pixels, kind, nodata), np.array(nodata, kind))
            output.GetRasterBand(place).WriteArray(masked, window.column, window.row)
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)
    return 1 - after / before if after else None


def _copy_scales(source: gdal.Dataset, numbers: Sequence[int], target: gdal.Dataset) -> None:
    for place, number in enumerate(numbers, start=1):
        old, new = source.GetRasterBand(number), target.GetRasterBand(place)
        new.SetColorInterpretation(old.GetColorInterpretation())
        if old.GetScale() not in (None, 1.0) or old.GetOffset() not in (None, 0.0):
            new.SetScale(1.0 if old.GetScale() is None else old.GetScale())
            new.SetOffset(old.GetOffset() or 0.0)


def _near_classes(
    band: gdal.Band, window: Window, classes: Sequence[int], buffer: int, size: tuple[int, int]
) -> np.ndarray:
    """Where a pixel of a window has one of the classes within `buffer` pixels, to the sides and diagonally."""
    left, top = max(0, window.column - buffer), max(0, window.row - buffer)
    right = min(size[0], window.column + window.columns + buffer)
    bottom = min(size[1], window.row + window.rows + buffer)
    found = np.isin(band.ReadAsArray(left, top, right - left, bottom - top), classes)
    for axis in (0, 1):
        wide = found.copy()
        for step in range(1, buffer + 1):
            ahead, behind = [slice(None), slice(None)], [slice(None), slice(None)]
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            wide[tuple(behind)] |= found[tuple(ahead)]
            wide[tuple(ahead)] |= found[tuple(behind)]
        found = wide
    down, across = window.row - top, window.column - left
    return found[down : down + window.rows, across : across + window.columns]
