"""An unsharp mask over a raster, window by window without seams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal

from ..processing import Progress
from .casting import as_type
from .rasters import (
    Window,
    build_overviews,
    copy_looks,
    create_geotiff,
    layout_of,
    open_raster,
    valid_pixels,
    windows,
)

RADIUS = 4  # pixels that a window reads beyond its edges
_STRENGTHS = {"light": (0.5, 1.0), "medium": (1.0, 1.0), "strong": (1.7, 1.4)}  # amount, sigma of the blur in pixels


def sharpen(scene: str, source: Path, target: Path, strength: str, tell: Progress) -> None:
    """Write the sharpened raster: type, nodata and bands as in the source. Raises BlockFailure."""
    dataset = open_raster(source, scene)
    layout = layout_of(dataset)
    output = create_geotiff(target, layout, dataset.GetMetadata())
    copy_looks(dataset, output)
    for window in windows(layout.columns, layout.rows):
        for number in range(1, dataset.RasterCount + 1):
            band = dataset.GetRasterBand(number)
            if band.GetColorInterpretation() == gdal.GCI_AlphaBand:
                pixels = band.ReadAsArray(*window.origin_and_size)
            else:
                pixels = _sharpened(band, window, (layout.columns, layout.rows), *_STRENGTHS[strength])
            output.GetRasterBand(number).WriteArray(pixels, window.column, window.row)
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)


def _sharpened(band: gdal.Band, window: Window, size: tuple[int, int], amount: float, sigma: float) -> np.ndarray:
    """The sharpened pixels of a window, in the band's own type; what is not valid stays as it was."""
    wide, inner = _with_margin(window, size)
    pixels = band.ReadAsArray(*wide.origin_and_size)
    valid = valid_pixels(band, pixels, wide)
    precise = np.float32 if pixels.dtype.itemsize <= 2 or pixels.dtype == np.float32 else np.float64
    values = np.where(valid, pixels, 0).astype(precise)
    weight = _blur(valid.astype(precise), sigma)
    blurred = _blur(values, sigma) / np.maximum(weight, 1e-6)
    sharp = values + amount * (values - blurred)
    return np.where(valid, as_type(sharp, pixels.dtype, band.GetNoDataValue()), pixels)[inner]


def _with_margin(window: Window, size: tuple[int, int]) -> tuple[Window, tuple[slice, slice]]:
    """The window with its margin, as far as the raster goes, and where the window lies in it."""
    left, top = max(0, window.column - RADIUS), max(0, window.row - RADIUS)
    right = min(size[0], window.column + window.columns + RADIUS)
    bottom = min(size[1], window.row + window.rows + RADIUS)
    down, across = window.row - top, window.column - left
    inner = slice(down, down + window.rows), slice(across, across + window.columns)
    return Window(left, top, right - left, bottom - top), inner


def _blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur of RADIUS pixels; beyond the edges there is nothing (0)."""
    offsets = np.arange(-RADIUS, RADIUS + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (RADIUS, RADIUS)
        padded = np.pad(values, padding)
        length = values.shape[axis]
        values = np.zeros_like(values)
        for n, share in enumerate(kernel):
            values += float(share) * (padded[n : n + length] if axis == 0 else padded[:, n : n + length])
    return values
