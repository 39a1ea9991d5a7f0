"""The colours on the grid of a finer raster, between their pixels interpolated (bilinear), read window by window."""

from __future__ import annotations

import math
from typing import Iterator, Optional

import numpy as np
from osgeo import gdal

from ..base import BlockFailure
from .crs import spatial_reference
from .rasters import Layout, Window, valid_pixels

Place = tuple[float, float, float, float]  # first column and row, columns, rows, in pixels of the colours

_REACH = 2  # pixels of the colours that an interpolation looks at beyond a window


class FinerColours:
    """Colours on `grid`.

    They are warped where they are read; where both have the same CRS and axes, and a window lies within the colours
    and away from nodata, a read in another size gives the same pixels (within 1, by rounding) in a fourth of the time.
    Beside nodata it would not: it fills it, and counts it in.
    """

    def __init__(self, colour: gdal.Dataset, grid: Layout, scene: str) -> None:
        """Raises BlockFailure where they can't be brought there."""
        self._colour, self._grid = colour, grid
        crs = spatial_reference(grid.crs)
        same = bool(colour.GetSpatialRef().IsSame(crs))  # then places are a linear function, which is not approximated
        turned = any(transform[n] for transform in (colour.GetGeoTransform(), grid.geotransform) for n in (2, 4))
        self._alike = same and not turned
        self._has_alpha = colour.GetRasterBand(1).GetNoDataValue() is None
        west, wide, _, north, _, high = grid.geotransform
        try:
            self._warped = gdal.Warp(
                "", colour, format="VRT", dstSRS=crs, resampleAlg="bilinear", errorThreshold=0.125 if same else 0.0,
                outputBounds=(west, north + grid.rows * high, west + grid.columns * wide, north), width=grid.columns,
                height=grid.rows, dstAlpha=self._has_alpha,
            )  # fmt: skip
        except RuntimeError as e:
            raise BlockFailure("WRONG_INPUT_ERROR", f"{scene} can't be brought onto its panchromatic grid.") from e

    def read(self, window: Window) -> tuple[list[np.ndarray], np.ndarray]:
        """The bands as float32 of shape (rows, columns), and where all of them hold a value."""
        place = self._place(window)
        if place is not None and self._all_valid(place):
            return self._resized(place, window), np.ones((window.rows, window.columns), bool)
        return self._read_warped(window)

    def _resized(self, place: Place, window: Window) -> list[np.ndarray]:
        size = {"buf_xsize": window.columns, "buf_ysize": window.rows, "resample_alg": gdal.GRIORA_Bilinear}
        return [band.ReadAsArray(*place, **size).astype(np.float32) for band in self._bands(self._colour)]

    def _read_warped(self, window: Window) -> tuple[list[np.ndarray], np.ndarray]:
        bands, valid = [], np.ones((window.rows, window.columns), bool)
        for band in self._bands(self._warped):
            pixels = band.ReadAsArray(*window.origin_and_size)
            valid &= valid_pixels(band, pixels, window)
            bands.append(pixels.astype(np.float32))
        if self._has_alpha:  # GDAL takes it for the mask of one or three bands only
            valid &= self._warped.GetRasterBand(self._warped.RasterCount).ReadAsArray(*window.origin_and_size) > 0
        return bands, valid

    def _bands(self, dataset: gdal.Dataset) -> Iterator[gdal.Band]:
        """Those of the colours."""
        return (dataset.GetRasterBand(number) for number in range(1, self._colour.RasterCount + 1))

    def _all_valid(self, place: Place) -> bool:
        """Whether each colour pixel that a read of this place looks at holds a value."""
        x, y, columns, rows = place
        left, top = max(0, math.floor(x) - _REACH), max(0, math.floor(y) - _REACH)
        right = min(self._colour.RasterXSize, math.ceil(x + columns) + _REACH)
        bottom = min(self._colour.RasterYSize, math.ceil(y + rows) + _REACH)
        around = Window(left, top, right - left, bottom - top)
        return all(
            valid_pixels(band, band.ReadAsArray(*around.origin_and_size), around).all()
            for band in self._bands(self._colour)
        )

    def _place(self, window: Window) -> Optional[Place]:
        """Where the window lies in the colours; None where it does not lie in them as a whole, or grids differ."""
        if not self._alike:
            return None
        west, wide, _, north, _, high = self._grid.geotransform
        own_west, own_wide, _, own_north, _, own_high = self._colour.GetGeoTransform()
        x = (west + window.column * wide - own_west) / own_wide
        y = (north + window.row * high - own_north) / own_high
        columns, rows = window.columns * wide / own_wide, window.rows * high / own_high
        # GDAL also looks at the rounded place, which must not be beyond the edge either.
        across = x >= 0 and math.ceil(x) + math.ceil(columns) <= self._colour.RasterXSize
        down = y >= 0 and math.ceil(y) + math.ceil(rows) <= self._colour.RasterYSize
        return (x, y, columns, rows) if across and down else None
