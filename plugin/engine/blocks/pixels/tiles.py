"""Cutting rasters into tiles: the grids, and the pixels of each tile, window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import numpy as np
from osgeo import gdal, gdal_array

from ..base import BlockFailure, Feature
from ..features import make_feature
from ..processing import Progress, make_room, safe_name
from ..tiling_options import TilingOptions
from .crs import spatial_reference
from .rasters import (
    Layout,
    build_overviews,
    copy_looks,
    create_geotiff,
    in_degrees,
    is_value,
    layout_of,
    open_raster,
    shifted,
    windows,
)

MAX_TILES = 10_000  # of a task: more than any folder is fit for
_ALIGNED = 0.01  # of a pixel


@dataclass(frozen=True)
class TilingInput:
    """A raster of the parent task, and how to tell the progress on it."""

    feature: Feature
    path: Path
    layout: Layout
    tell: Progress


@dataclass(frozen=True)
class Tile:
    """Place in the grid, its offset grid (0 without augmentation), and its first pixel in the raster (may be < 0)."""

    column: int
    row: int
    grid: int
    left: int
    top: int


def open_inputs(rasters: Iterable[tuple[Feature, Path, Progress]]) -> list[TilingInput]:
    """Look at the rasters to be cut. Raises BlockFailure where one is no GeoTIFF."""
    return [
        TilingInput(feature, path, layout_of(open_raster(path, str(feature["id"]))), tell)
        for feature, path, tell in rasters
    ]


def plan_tiles(inputs: Sequence[TilingInput], options: TilingOptions) -> list[list[Tile]]:
    """The tiles of each raster; with match_extents all have those of one frame around them. Raises BlockFailure."""
    places = [_place(raster, inputs[0]) if options.match_extents else (0, 0) for raster in inputs]
    frames = [
        (left, top, left + raster.layout.columns, top + raster.layout.rows)
        for (left, top), raster in zip(places, inputs)
    ]
    if options.match_extents:
        ends = list(zip(*frames))
        frames = [(min(ends[0]), min(ends[1]), max(ends[2]), max(ends[3]))] * len(inputs)
    count = sum(_count(right - left, bottom - top, options) for left, top, right, bottom in frames)
    if count > MAX_TILES:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"This would make {count} tiles, but at most {MAX_TILES} are made: use larger tiles."
        )
    return [
        _tiles(frame[2] - frame[0], frame[3] - frame[1], frame[0] - place[0], frame[1] - place[1], options)
        for frame, place in zip(frames, places)
    ]


def _place(raster: TilingInput, first: TilingInput) -> tuple[int, int]:
    """Where a raster's first pixel lies in the pixels of another. Raises BlockFailure where their grids differ."""
    one, other = first.layout, raster.layout
    x, y = gdal.ApplyGeoTransform(gdal.InvGeoTransform(one.geotransform), other.geotransform[0], other.geotransform[3])
    same_size = all(math.isclose(one.geotransform[n], other.geotransform[n], rel_tol=1e-9) for n in (1, 2, 4, 5))
    same_crs = spatial_reference(one.crs).IsSame(spatial_reference(other.crs))
    if not same_crs or not same_size or abs(x - round(x)) > _ALIGNED or abs(y - round(y)) > _ALIGNED:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"match_extents needs rasters on one grid, but {first.feature['id']} and {raster.feature['id']} differ in "
            "their coordinate reference system or pixels: set match_extents to false.",
        )
    return round(x), round(y)


def _grids(columns: int, rows: int, options: TilingOptions) -> Iterator[tuple[int, int, int, int]]:
    """Each grid of tiles over a frame: how far it is moved to the right and down, its tiles across and down."""
    for grid in range(options.augmentation):
        right = options.width * grid // options.augmentation
        down = options.height * grid // options.augmentation
        across = math.ceil(max(0, columns - right) / options.width)
        yield right, down, across, math.ceil(max(0, rows - down) / options.height)


def _count(columns: int, rows: int, options: TilingOptions) -> int:
    return sum(across * down for _, _, across, down in _grids(columns, rows, options))


def _tiles(columns: int, rows: int, left: int, top: int, options: TilingOptions) -> list[Tile]:
    """The tiles over a frame of columns x rows pixels whose first pixel is (left, top), grid by grid, row by row."""
    return [
        Tile(column, row, grid, left + right + column * options.width, top + down + row * options.height)
        for grid, (right, down, across, deep) in enumerate(_grids(columns, rows, options))
        for row in range(deep)
        for column in range(across)
    ]


def cut_tiles(output: Path, raster: TilingInput, tiles: Sequence[Tile], options: TilingOptions) -> Iterator[Feature]:
    """Write a raster's tiles and give a feature for each that is kept."""
    scene = str(raster.feature["id"])
    dataset = open_raster(raster.path, scene)
    nodata = _nodata(scene, raster.layout, options)
    folder = safe_name(scene)
    for number, tile in enumerate(tiles):
        place = f"{tile.column}-{tile.row}" + (f"_{tile.grid}" if tile.grid else "")
        name = f"{folder}/{options.prefix or folder}_{place}.tif"
        layout = _tile_layout(raster.layout, tile, options, nodata)
        if _write_tile(dataset, tile, layout, make_room(output, name), options.discard_empty):
            yield make_feature(f"{scene}_{place}", in_degrees(layout), raster.feature["properties"], name)
        raster.tell((number + 1) / len(tiles))


def _nodata(scene: str, layout: Layout, options: TilingOptions) -> float:
    """The tiles' nodata: as asked for, else the raster's, else 0. Raises BlockFailure where the type can't hold it."""
    if options.nodata is None:
        return 0.0 if layout.nodata is None else layout.nodata
    kind = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(layout.data_type))
    if kind.kind in "iu":
        limits: np.iinfo = np.iinfo(kind)
        if options.nodata != int(options.nodata) or not limits.min <= options.nodata <= limits.max:
            raise BlockFailure(
                "WRONG_INPUT_ERROR",
                f"nodata is {options.nodata:g}, but the pixels of {scene} go from {limits.min} to {limits.max}.",
            )
    return options.nodata


def _tile_layout(layout: Layout, tile: Tile, options: TilingOptions, nodata: float) -> Layout:
    return replace(
        layout,
        columns=options.width,
        rows=options.height,
        geotransform=shifted(layout.geotransform, tile.left, tile.top),
        nodata=nodata,
    )


def _write_tile(dataset: gdal.Dataset, tile: Tile, layout: Layout, path: Path, discard_empty: bool) -> bool:
    """Write one tile, window by window; False, and no file, where it is empty and such are not wanted."""
    if discard_empty and not _has_values(dataset, tile, layout):
        return False
    output = create_geotiff(path, layout, dataset.GetMetadata())
    copy_looks(dataset, output)
    for pixels, column, row in _pixels(dataset, tile, layout):
        output.WriteArray(pixels, column, row)
    output.FlushCache()
    del output
    build_overviews(path)
    return True


def _has_values(dataset: gdal.Dataset, tile: Tile, layout: Layout) -> bool:
    """Whether a tile has a pixel that is neither nodata nor zero."""
    nodata = 0.0 if layout.nodata is None else layout.nodata
    own = dataset.GetRasterBand(1).GetNoDataValue()
    for pixels, _, _ in _pixels(dataset, tile, layout):
        empty = is_value(pixels, nodata) | (pixels == 0)
        if own is not None:
            empty |= is_value(pixels, own)
        if not empty.all():
            return True
    return False


def _pixels(dataset: gdal.Dataset, tile: Tile, layout: Layout) -> Iterator[tuple[np.ndarray, int, int]]:
    """A tile's pixels (band, row, column) window by window, with their place; nodata where the raster has none."""
    size = dataset.RasterXSize, dataset.RasterYSize
    for window in windows(layout.columns, layout.rows):
        left, top = tile.left + window.column, tile.top + window.row
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(size[0], left + window.columns), min(size[1], top + window.rows)
        if x1 <= x0 or y1 <= y0:
            sample = dataset.ReadAsArray(0, 0, 1, 1)
            shape = (dataset.RasterCount, window.rows, window.columns)
            yield np.full(shape, layout.nodata, sample.dtype), window.column, window.row
            continue
        read = dataset.ReadAsArray(x0, y0, x1 - x0, y1 - y0)
        read = read if read.ndim == 3 else read[None]
        pixels = np.full((read.shape[0], window.rows, window.columns), layout.nodata, read.dtype)
        pixels[:, y0 - top : y1 - top, x0 - left : x1 - left] = read
        yield pixels, window.column, window.row
