"""Pansharpening, window by window without seams.

SFIM: Liu 2000, colour x pan / (pan as coarse as colour). Brovey: colour x pan / (weighted mean of the colours).
Esri: colour + (pan - weighted mean of the colours).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np
from osgeo import gdal, gdal_array

from ..base import BlockFailure
from ..processing import Progress
from .casting import as_type, nodata_for
from .finer import FinerColours
from .pairs import Pair
from .rasters import (
    TILE,
    Layout,
    Window,
    build_overviews,
    copy_looks,
    create_geotiff,
    descriptions,
    kept_tags,
    layout_of,
    open_raster,
    valid_pixels,
    windows,
)

_LEAST = 1e-6  # below this a mean is 0


@dataclass(frozen=True)
class PanOptions:
    """The parameters, checked. `weights`: None for the same of each band."""

    method: str
    include_pan: bool
    weights: Optional[tuple[float, ...]]


def pansharpen(pair: Pair, target: Path, options: PanOptions, tell: Progress, side: int = TILE) -> float:
    """Write the colours on the grid of the panchromatic raster, in their own type; gives how much finer that is.

    Raises BlockFailure.
    """
    scene = str(pair.colour["id"])
    colour, pan = open_raster(pair.colour_path, scene), open_raster(pair.pan_path, str(pair.pan["id"]))
    layout = _layout(colour, pan, options)
    fine = FinerColours(colour, layout_of(pan), scene)
    ratio = _ratio(colour, layout, scene)
    count = colour.RasterCount
    weights = np.array(options.weights or (1.0,) * count)
    if len(weights) != count:
        raise BlockFailure("WRONG_INPUT_ERROR", f"weights has {len(weights)} numbers, but {scene} has {count} bands.")
    output = create_geotiff(target, layout, kept_tags(colour))
    copy_looks(colour, output)
    for window in windows(layout.columns, layout.rows, side=side):
        sharp = _sharpened(fine, pan, window, layout, options, weights / weights.sum(), ratio)
        for number, pixels in enumerate(sharp, start=1):
            output.GetRasterBand(number).WriteArray(pixels, window.column, window.row)
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)
    return ratio


def _layout(colour: gdal.Dataset, pan: gdal.Dataset, options: PanOptions) -> Layout:
    own, grid = layout_of(colour), layout_of(pan)
    kind = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(own.data_type))
    bands = descriptions(colour) + (("Panchromatic",) if options.include_pan else ())
    nodata = nodata_for(kind) if own.nodata is None else own.nodata
    return replace(grid, data_type=own.data_type, nodata=nodata, bands=bands)


def _ratio(colour: gdal.Dataset, layout: Layout, scene: str) -> float:
    there = gdal.AutoCreateWarpedVRT(colour, None, layout.crs)
    ratio = abs(there.GetGeoTransform()[1] / layout.geotransform[1])
    if not 1.0 < ratio <= 16.0:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"The panchromatic raster of {scene} is {ratio:.3g} times as fine: it must be finer, at most 16 times.",
        )
    return ratio


def _sharpened(
    fine: FinerColours,
    pan: gdal.Dataset,
    window: Window,
    layout: Layout,
    options: PanOptions,
    weights: np.ndarray,
    ratio: float,
) -> list[np.ndarray]:
    """A window's bands, in the output's type."""
    colours, valid = fine.read(window)
    light, smooth, light_valid = _pan_and_mean(pan, window, ratio if options.method == "SFIM" else None)
    valid &= light_valid
    kind = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(layout.data_type))
    nodata = layout.nodata if layout.nodata is not None else nodata_for(kind)
    mean = smooth if options.method == "SFIM" else sum(w * c for w, c in zip(weights.astype(np.float32), colours))
    if options.method == "Esri":
        sharp = [one + (light - mean) for one in colours]
    else:
        gain = np.divide(light, mean, out=np.ones_like(light), where=mean > _LEAST)
        sharp = [one * gain for one in colours]
    if options.include_pan:
        sharp.append(light)
    return [np.where(valid, as_type(one, kind, nodata), np.array(nodata, kind)) for one in sharp]


def _pan_and_mean(
    pan: gdal.Dataset, window: Window, ratio: Optional[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The panchromatic window, its mean over a colour pixel's width around each pixel (valid ones only), validity.

    `ratio`: how much finer it is than the colours; None where no mean is needed (the window itself stands in).
    """
    if ratio is None:
        pixels = pan.GetRasterBand(1).ReadAsArray(*window.origin_and_size)
        valid = valid_pixels(pan.GetRasterBand(1), pixels, window)
        light = np.where(valid, pixels, 0).astype(np.float32)
        return light, light, valid
    reach = max(1, math.ceil(ratio / 2))
    band = pan.GetRasterBand(1)
    left, top = max(0, window.column - reach), max(0, window.row - reach)
    right = min(pan.RasterXSize, window.column + window.columns + reach)
    bottom = min(pan.RasterYSize, window.row + window.rows + reach)
    wide = Window(left, top, right - left, bottom - top)
    pixels = band.ReadAsArray(*wide.origin_and_size)
    valid = valid_pixels(band, pixels, wide)
    light = np.where(valid, pixels, 0).astype(np.float32)
    smooth = _box(light, reach) / np.maximum(_box(valid.astype(np.float32), reach), 1.0)
    down, across = window.row - top, window.column - left
    inner = slice(down, down + window.rows), slice(across, across + window.columns)
    return light[inner], smooth[inner], valid[inner]


def _box(values: np.ndarray, reach: int) -> np.ndarray:
    """The sum over the square of 2 x reach + 1 pixels around each; beyond the edges there is nothing."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded = np.pad(values, padding)
        length = values.shape[axis]
        values = np.zeros_like(values)
        for n in range(2 * reach + 1):
            values += padded[n : n + length] if axis == 0 else padded[:, n : n + length]
    return values
