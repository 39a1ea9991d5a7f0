"""The median of several rasters on one grid, window by window."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Sequence

import numpy as np
from osgeo import gdal, gdal_array

from ..band_words import is_class_band, say_bands
from ..base import BlockFailure
from ..processing import Progress
from .casting import as_type, nodata_for
from .crs import spatial_reference
from .rasters import (
    TILE,
    GeoTransform,
    Layout,
    Window,
    build_overviews,
    create_geotiff,
    descriptions,
    kept_tags,
    layout_of,
    open_raster,
    shifted,
    valid_pixels,
    windows,
)

_PIXELS_AT_ONCE = 8_000_000  # of all scenes together, of one band
FEW_SCENES = 9
_ALIGNED = 0.01  # of a pixel
_DATE = "TIFFTAG_DATETIME"


@dataclass(frozen=True)
class Composite:
    """What came of it: part of the pixels with a value (0 to 1), scenes for each of them; ids that were not on the
    grid, bands without a median."""

    valid: float
    depth: float
    warped: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Scene:
    """A raster and where its first pixel lies in the grid."""

    dataset: gdal.Dataset
    column: int
    row: int


def median_of(
    sources: Sequence[tuple[str, Path]], target: Path, tell: Progress, side: Optional[int] = None
) -> Composite:
    """Write the median of rasters (scene id, path) with the same bands, in the values and type of the first.

    The grid is the first's of those in the most frequent CRS, and reaches as far as all scenes. Where scale or offset
    differ between scenes, values are brought into the first's before. Raises BlockFailure.
    """
    opened = [(scene, open_raster(path, scene)) for scene, path in sources]
    names = _same_bands(opened)
    first = _first(opened)
    grid, scenes, warped = _on_one_grid(first, opened)
    numbers = [
        n
        for n, name in enumerate(names, start=1)
        if not is_class_band(name) and first.GetRasterBand(n).GetColorInterpretation() != gdal.GCI_AlphaBand
    ]
    if not numbers:
        raise BlockFailure("WRONG_INPUT_ERROR", "The scenes have only bands of classes, which have no median.")
    layout = replace(grid, bands=tuple(names[n - 1] for n in numbers))
    tags = {name: text for name, text in kept_tags(first).items() if name != _DATE or len(sources) == 1}
    output = create_geotiff(target, layout, tags)
    _copy_scales(first, numbers, output)
    side = side or max(64, min(TILE, int((_PIXELS_AT_ONCE / len(scenes)) ** 0.5) // 64 * 64))
    filled = depth = 0
    for window in windows(layout.columns, layout.rows, side=side):
        for place, number in enumerate(numbers, start=1):
            pixels, count = _median(scenes, number, window, first.GetRasterBand(number), layout)
            output.GetRasterBand(place).WriteArray(pixels, window.column, window.row)
            if place == 1:
                filled += int(np.count_nonzero(count))
                depth += int(count.sum())
        tell((window.row + window.rows) / layout.rows)
    output.FlushCache()
    del output
    build_overviews(target)
    left_out = tuple(name for n, name in enumerate(names, start=1) if n not in numbers)
    return Composite(filled / (layout.columns * layout.rows), depth / max(1, filled), warped, left_out)


def _same_bands(opened: Sequence[tuple[str, gdal.Dataset]]) -> tuple[str, ...]:
    first = descriptions(opened[0][1])
    for scene, dataset in opened[1:]:
        if descriptions(dataset) != first:
            raise BlockFailure(
                "WRONG_INPUT_ERROR",
                f"The scenes differ in their bands: {opened[0][0]} has {say_bands(first)}, {scene} "
                f"{say_bands(descriptions(dataset))}.",
            )
    return first


def _first(opened: Sequence[tuple[str, gdal.Dataset]]) -> gdal.Dataset:
    """The first raster in the CRS that most have."""
    systems = [dataset.GetSpatialRef().ExportToWkt() for _, dataset in opened]
    usual = Counter(systems).most_common(1)[0][0]
    return opened[systems.index(usual)][1]


def _on_one_grid(
    first: gdal.Dataset, opened: Sequence[tuple[str, gdal.Dataset]]
) -> tuple[Layout, list[_Scene], tuple[str, ...]]:
    """The grid around all, each scene in its place there, and the ids of those that had to be warped."""
    base = layout_of(first)
    scenes, warped = [], []
    for scene, dataset in opened:
        place = _place(base, layout_of(dataset))
        if place is None:
            warped.append(scene)
            dataset, place = _warp(base, dataset, scene)
        scenes.append(_Scene(dataset, *place))
    left, top = min(one.column for one in scenes), min(one.row for one in scenes)
    right = max(one.column + one.dataset.RasterXSize for one in scenes)
    bottom = max(one.row + one.dataset.RasterYSize for one in scenes)
    kind = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(base.data_type))
    grid = replace(
        base, columns=right - left, rows=bottom - top, geotransform=shifted(base.geotransform, left, top),
        nodata=nodata_for(kind) if base.nodata is None else base.nodata,
    )  # fmt: skip
    return grid, [_Scene(one.dataset, one.column - left, one.row - top) for one in scenes], tuple(warped)


def _place(base: Layout, other: Layout) -> Optional[tuple[int, int]]:
    """Where a raster's first pixel lies in the base's grid; None where it is not on it."""
    x, y = gdal.ApplyGeoTransform(gdal.InvGeoTransform(base.geotransform), *_corner(other.geotransform))
    longest = max(other.columns, other.rows)
    same_size = all(
        abs(base.geotransform[n] - other.geotransform[n]) * longest < _ALIGNED * abs(base.geotransform[1])
        for n in (1, 2, 4, 5)
    )
    same_crs = base.crs == other.crs or spatial_reference(base.crs).IsSame(spatial_reference(other.crs))
    if not same_crs or not same_size or abs(x - round(x)) > _ALIGNED or abs(y - round(y)) > _ALIGNED:
        return None
    return round(x), round(y)


def _corner(geotransform: GeoTransform) -> tuple[float, float]:
    return geotransform[0], geotransform[3]


def _warp(base: Layout, dataset: gdal.Dataset, scene: str) -> tuple[gdal.Dataset, tuple[int, int]]:
    """A raster on the base's grid, computed where it is read; outside of it there is no data."""
    wide, high = abs(base.geotransform[1]), abs(base.geotransform[5])
    has_nodata = dataset.GetRasterBand(1).GetMaskFlags() != gdal.GMF_ALL_VALID
    try:
        loose = gdal.Warp("", dataset, format="VRT", dstSRS=base.crs, xRes=wide, yRes=high)
        shift = layout_of(loose).geotransform
        x, y = gdal.ApplyGeoTransform(gdal.InvGeoTransform(base.geotransform), *_corner(shift))
        place = int(np.floor(x)), int(np.floor(y))
        west, north = _corner(shifted(base.geotransform, *place))
        columns, rows = loose.RasterXSize + 1, loose.RasterYSize + 1
        warped = gdal.Warp(
            "", dataset, format="VRT", dstSRS=base.crs, resampleAlg="near", errorThreshold=0.0, dstAlpha=not has_nodata,
            outputBounds=(west, north - rows * high, west + columns * wide, north), width=columns, height=rows,
        )  # fmt: skip
    except RuntimeError as e:
        raise BlockFailure("WRONG_INPUT_ERROR", f"{scene} can't be brought onto the grid of the others.") from e
    return warped, place


def _median(
    scenes: Sequence[_Scene], number: int, window: Window, first: gdal.Band, layout: Layout
) -> tuple[np.ndarray, np.ndarray]:
    """A window's median in the first's values and type, and how many scenes each pixel has."""
    parts = [part for part in (_values(scene, number, window, first) for scene in scenes) if part is not None]
    kind = np.dtype(gdal_array.GDALTypeCodeToNumericTypeCode(layout.data_type))
    nodata = layout.nodata if layout.nodata is not None else nodata_for(kind)
    count = np.zeros((window.rows, window.columns), np.uint16)
    if not parts:
        return np.full(count.shape, nodata, kind), count
    precise = np.float64 if kind.itemsize > 4 or (kind.kind in "iu" and kind.itemsize > 2) else np.float32
    stack = np.full((len(parts), *count.shape), np.inf, precise)
    for layer, (values, valid, rows, columns) in zip(stack, parts):
        np.copyto(layer[rows, columns], values, where=valid, casting="unsafe")
        count[rows, columns] += valid
    _sort(stack)
    if int(count.min()) == len(stack):
        low, high = stack[(len(stack) - 1) // 2], stack[len(stack) // 2]
    else:
        deep = np.maximum(count.astype(np.intp), 1)
        low = np.take_along_axis(stack, ((deep - 1) // 2)[None], axis=0)[0]
        high = np.take_along_axis(stack, (deep // 2)[None], axis=0)[0]
    middle = np.where(count > 0, low / 2 + high / 2, 0)
    return np.where(count > 0, as_type(middle, kind, nodata), np.array(nodata, kind)), count


def _sort(stack: np.ndarray) -> None:
    """Sort each pixel's values along the scenes; few scenes by comparing neighbours in turns, whole layers at once."""
    if len(stack) > FEW_SCENES:
        stack.sort(axis=0)
        return
    for turn in range(len(stack)):
        for lower in range(turn % 2, len(stack) - 1, 2):
            smaller = np.minimum(stack[lower], stack[lower + 1])
            np.maximum(stack[lower], stack[lower + 1], out=stack[lower + 1])
            stack[lower] = smaller


def _values(
    scene: _Scene, number: int, window: Window, first: gdal.Band
) -> Optional[tuple[np.ndarray, np.ndarray, slice, slice]]:
    """What a scene has of a window, in the first's scale; valid pixels; and where that lies in the window."""
    left, top = max(window.column, scene.column), max(window.row, scene.row)
    right = min(window.column + window.columns, scene.column + scene.dataset.RasterXSize)
    bottom = min(window.row + window.rows, scene.row + scene.dataset.RasterYSize)
    if right <= left or bottom <= top:
        return None
    own = Window(left - scene.column, top - scene.row, right - left, bottom - top)
    band = scene.dataset.GetRasterBand(number)
    pixels = band.ReadAsArray(*own.origin_and_size)
    valid = valid_pixels(band, pixels, own)
    scale, offset = _scale(band)
    other, other_offset = _scale(first)
    values = pixels
    if (scale, offset) != (other, other_offset):
        values = (pixels.astype(np.float64) * scale + (offset - other_offset)) / other
    rows = slice(top - window.row, bottom - window.row)
    return values, valid, rows, slice(left - window.column, right - window.column)


def _scale(band: gdal.Band) -> tuple[float, float]:
    scale = band.GetScale()
    return (1.0 if scale is None else scale), (band.GetOffset() or 0.0)


def _copy_scales(source: gdal.Dataset, numbers: Sequence[int], target: gdal.Dataset) -> None:
    for place, number in enumerate(numbers, start=1):
        band, (scale, offset) = target.GetRasterBand(place), _scale(source.GetRasterBand(number))
        band.SetColorInterpretation(source.GetRasterBand(number).GetColorInterpretation())
        if (scale, offset) != (1.0, 0.0):
            band.SetScale(scale)
            band.SetOffset(offset)
