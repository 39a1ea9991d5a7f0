"""The chosen bands of a scene on one grid: that of the finest of them.

A coarser band (20 m beside 10 m) is put on the finer grid by repeating its pixels, never by interpolating: each value
is one that the file holds. That needs grids whose corners lie on each other, as Sentinel-2's do.
"""

from __future__ import annotations

import math
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Optional, Sequence

import numpy as np
from osgeo import gdal_array

from ..pixels.rasters import GeoTransform, Window
from .files import NotReadable, RemoteFiles
from .scenes import Asset

Submit = Callable[[Callable[[], Any]], Future]
_ALIGNED = 0.01  # of a fine pixel


@dataclass(frozen=True)
class BandSource:
    """One band to be read: of which asset, its number there, and its name in the output."""

    asset: Asset
    name: str
    number: int = 1


@dataclass(frozen=True)
class BandGrid:
    """A band as its file says it is. `factor`: fine pixels across one of its own."""

    source: BandSource
    columns: int
    rows: int
    geotransform: GeoTransform
    crs: str
    kind: np.dtype
    nodata: Optional[float]
    scale: Optional[float]
    offset: Optional[float]
    factor: int = 1


@dataclass(frozen=True)
class Stack:
    """Bands on one grid. `nodata` of the output: the first that a band declares and the output's type can hold."""

    bands: tuple[BandGrid, ...]
    columns: int
    rows: int
    geotransform: GeoTransform
    crs: str
    kind: np.dtype
    nodata: Optional[float]

    @property
    def data_type(self) -> int:
        """gdal.GDT_…"""
        return int(gdal_array.NumericTypeCodeToGDALTypeCode(self.kind.type))


def open_stack(files: RemoteFiles, sources: Sequence[BandSource], pool: Executor) -> Stack:
    """Look at the bands' files, at once. Raises NotReadable, also where their grids don't fit."""
    by_asset: dict[str, list[BandSource]] = {}
    for source in sources:
        by_asset.setdefault(source.asset.key, []).append(source)
    opened = pool.map(lambda bands: [(band, _grid(files, band)) for band in bands], by_asset.values())
    found = {band: grid for bands in opened for band, grid in bands}
    grids = [found[source] for source in sources]
    finest = min(grids, key=lambda grid: abs(grid.geotransform[1]))
    placed = tuple(_placed(grid, finest) for grid in grids)
    kind = np.result_type(*(grid.kind for grid in placed))
    nodata = next((g.nodata for g in placed if g.nodata is not None and _holds(kind, g.nodata)), None)
    return Stack(placed, finest.columns, finest.rows, finest.geotransform, finest.crs, kind, nodata)


def read_bands(files: RemoteFiles, stack: Stack, window: Window, submit: Submit) -> Callable[[], list[np.ndarray]]:
    """Begin to read a window of all bands, those of one file together; what is returned waits for them."""
    by_asset: dict[str, list[int]] = {}
    for place, band in enumerate(stack.bands):
        by_asset.setdefault(band.source.asset.key, []).append(place)

    def read(places: list[int]) -> list[np.ndarray]:
        return [read_band(files, stack.bands[place], window) for place in places]

    reading = [(places, submit(partial(read, places))) for places in by_asset.values()]

    def arrived() -> list[np.ndarray]:
        found = {place: pixels for places, future in reading for place, pixels in zip(places, future.result())}
        return [found[place] for place in range(len(stack.bands))]

    return arrived


def read_band(files: RemoteFiles, band: BandGrid, window: Window) -> np.ndarray:
    """A window of the stack's grid of one band, in the band's own type. Raises NotReadable."""
    factor = band.factor
    if factor == 1:
        return np.asarray(files.read(band.source.asset.key, band.source.number, window))
    left, top = window.column // factor, window.row // factor
    right = min(band.columns, math.ceil((window.column + window.columns) / factor))
    bottom = min(band.rows, math.ceil((window.row + window.rows) / factor))
    coarse = files.read(band.source.asset.key, band.source.number, Window(left, top, right - left, bottom - top))
    fine = coarse.repeat(factor, axis=0).repeat(factor, axis=1)
    down, across = window.row - top * factor, window.column - left * factor
    return np.asarray(fine[down : down + window.rows, across : across + window.columns])


def _grid(files: RemoteFiles, source: BandSource) -> BandGrid:
    dataset = files.dataset(source.asset.key)
    reference = dataset.GetSpatialRef()
    if reference is None or dataset.GetGeoTransform(can_return_null=True) is None:
        raise NotReadable(f"its file {source.asset.key} has no georeferencing")
    if dataset.RasterCount < source.number:
        raise NotReadable(f"its file {source.asset.key} has only {dataset.RasterCount} bands")
    band = dataset.GetRasterBand(source.number)
    asset, nodata = source.asset, band.GetNoDataValue()
    return BandGrid(
        source, dataset.RasterXSize, dataset.RasterYSize, tuple(dataset.GetGeoTransform()), reference.ExportToWkt(),
        np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(band.DataType)),
        asset.nodata if nodata is None else nodata,
        band.GetScale() if asset.scale is None else asset.scale,
        band.GetOffset() if asset.offset is None else asset.offset,
    )  # fmt: skip


def _placed(grid: BandGrid, finest: BandGrid) -> BandGrid:
    """The grid with its factor. Raises NotReadable where its pixels are no whole number of the finest's."""
    step_x, step_y = (grid.geotransform[n] / finest.geotransform[n] for n in (1, 5))
    factor = round(step_x)
    x = (grid.geotransform[0] - finest.geotransform[0]) / finest.geotransform[1]
    y = (grid.geotransform[3] - finest.geotransform[3]) / finest.geotransform[5]
    fits = (
        grid.crs == finest.crs
        and factor >= 1
        and all(abs(step - factor) * max(finest.columns, finest.rows) / factor < _ALIGNED for step in (step_x, step_y))
        and abs(x) < _ALIGNED
        and abs(y) < _ALIGNED
        and grid.columns * factor >= finest.columns
        and grid.rows * factor >= finest.rows
    )
    if not fits:
        raise NotReadable(
            f"its bands {finest.source.name} and {grid.source.name} lie on grids that don't fit on each other: "
            "choose bands of one resolution"
        )
    return replace(grid, factor=factor)


def _holds(kind: np.dtype, value: float) -> bool:
    if kind.kind == "f":
        return True
    limits: np.iinfo = np.iinfo(kind)
    return math.isfinite(value) and value == int(value) and limits.min <= value <= limits.max
