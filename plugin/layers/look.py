"""How the rasters of a job will look: measured on a worker thread, so that the GUI thread computes nothing."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Mapping, Optional, Sequence

import numpy as np
from osgeo import gdal

from ..net.cancel import Cancel
from .bands import index_of, natural_colour
from .classes import ClassColour, classes_of
from .clouds import without_clouds
from .coarse import read_coarsely
from .palettes import PALETTES
from .scan import Found
from .strangers import RASTER, NotLoadable, open_raster, quiet

CUT = (2.0, 98.0)  # percent: the cumulative cut of the stretch
SAMPLE = 512  # pixels on the longer side of what is read of one image, from its overviews where it has them
POOLED = 4_000_000  # pixels of all images of a job together
DARK_TENTH = 0.12  # of the brightness between black and white: what gamma lifts the tenth percentile of a job to
MOST_GAMMA = 1.5
COLLAR = 0.01  # share of pixels that are 0 in all bands from which an empty corner is taken for no data

COLOUR, GREY, INDEX, CLASSES, OWN = "colour", "grey", "index", "classes", "own"
Range = tuple[float, float]


@dataclass(frozen=True)
class RasterLook:
    """The look of one raster.

    `style`: COLOUR (three `bands`), GREY, CLASSES, INDEX (one; `palette` names which), or OWN: the file brings its
    colours, nothing is changed.
    `ranges` has the values that become black and white, for each band, in the units that QGIS shows (scaled); empty:
    values are shown as they are. `zero_is_empty`: the image has a collar of zeros and no nodata value.
    `gamma`: above 1 where woods and water make most of the job dark; black and white stay where they are.
    """

    style: str
    bands: tuple[int, ...] = ()
    ranges: tuple[Range, ...] = ()
    zero_is_empty: bool = False
    classes: tuple[ClassColour, ...] = ()
    palette: str = ""
    gamma: float = 1.0


@dataclass(frozen=True)
class Stretch:
    """What alike rasters share: the range of each band, and gamma."""

    ranges: tuple[Range, ...] = ()
    gamma: float = 1.0


@dataclass(frozen=True)
class Look:
    """The looks of a job's rasters by `Found.uri`; alike rasters share one stretch."""

    rasters: Mapping[str, RasterLook] = field(default_factory=dict)


@dataclass(frozen=True)
class _Measured:
    """One raster, read coarsely. `values` is bands × pixels, valid ones only; `alike` tells who shares a stretch."""

    style: str
    bands: tuple[int, ...]
    alike: tuple[object, ...]
    values: np.ndarray
    stretched: bool
    zero_is_empty: bool
    classes: tuple[ClassColour, ...] = ()
    palette: str = ""


def measure(found: Sequence[Found], cancel: Optional[Cancel] = None) -> Look:
    """One common stretch for all alike rasters of `found`: 2–98 % of all their pixels together, without nodata.

    So change on the screen is change on the ground. Indices have fixed palettes, images of bytes are shown as they are.
    A raster that can't be read gets no look. Raises Cancelled.
    """
    rasters = [item for item in found if item.kind == RASTER]
    size = max(64, min(SAMPLE, int((POOLED / max(1, len(rasters))) ** 0.5)))
    measured: dict[str, _Measured] = {}
    for item in rasters:
        if cancel is not None:
            cancel.check()
        try:
            one = _measure_one(item, size)
        except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
            one = None
        if one is not None:
            measured[item.uri] = one
    stretches = _common_stretches(list(measured.values()))
    return Look({uri: _look_of(one, stretches.get(one.alike, Stretch())) for uri, one in measured.items()})


def _look_of(one: _Measured, stretch: Stretch) -> RasterLook:
    ranges, gamma = stretch.ranges, stretch.gamma
    return RasterLook(one.style, one.bands, ranges, one.zero_is_empty, one.classes, one.palette, gamma)


def _measure_one(item: Found, size: int) -> Optional[_Measured]:
    try:
        dataset = open_raster(item.path)
    except NotLoadable:
        return None
    if item.uri != str(item.path):  # a variable of a NetCDF file, which has been checked as a whole
        with quiet():
            dataset = gdal.Open(item.uri)
    if dataset is None or dataset.RasterCount == 0:
        return None
    first = dataset.GetRasterBand(1)
    if first.GetColorTable() is not None:
        return _Measured(OWN, (), (), np.empty((0, 0)), False, False)
    bands = natural_colour(dataset) or (1,)
    sample = _sample(dataset, bands, size)
    if sample is None:
        return None
    values, zero_is_empty = sample
    highest = float(values.max()) if len(bands) == 1 and values.size else -1.0
    classes = classes_of(item.name, first, highest)
    if classes is not None:
        return _Measured(CLASSES, bands, (), values, False, False, classes)
    palette = "" if len(bands) > 1 else _palette_of(item, first, values)
    style = COLOUR if len(bands) > 1 else INDEX if palette else GREY
    alike = (style, bands, first.DataType, tuple(dataset.GetRasterBand(b).GetDescription() for b in bands))
    stretched = style == GREY or (style == COLOUR and first.DataType != gdal.GDT_Byte)
    return _Measured(style, bands, alike, values, stretched, zero_is_empty, palette=palette)


def _palette_of(item: Found, band: gdal.Band, values: np.ndarray) -> str:
    """The index whose palette one band gets; "" for none."""
    if values.size == 0:
        return ""
    summary = (float(values.min()), float(np.percentile(values, CUT[1])), float(values.max()))
    is_float = band.DataType in (gdal.GDT_Float32, gdal.GDT_Float64)
    index = index_of(item.name, band.GetDescription(), summary, is_float)
    return index if index in PALETTES else ""


def _sample(dataset: gdal.Dataset, bands: Sequence[int], size: int) -> Optional[tuple[np.ndarray, bool]]:
    """Valid pixels (bands × pixels) of a coarse reading, and whether there is a collar of zeros without nodata."""
    values, valid = [], None
    with quiet():
        for number in bands:
            band = dataset.GetRasterBand(number)
            pixels, mask = read_coarsely(band, size), read_coarsely(band.GetMaskBand(), size, band)
            if pixels is None or mask is None:
                return None
            good = (mask > 0) & np.isfinite(pixels)
            valid = good if valid is None else valid & good
            values.append(pixels)
    stack = np.stack(values)
    collar = _has_collar(dataset.GetRasterBand(bands[0]), stack)
    if collar:
        valid &= stack.any(axis=0)
    scaled = [
        stack[i][valid] * (band.GetScale() or 1.0) + (band.GetOffset() or 0.0)
        for i, band in enumerate(dataset.GetRasterBand(b) for b in bands)
    ]
    return np.stack(scaled), collar


def _has_collar(band: gdal.Band, stack: np.ndarray) -> bool:
    """True for satellite scenes (16 bits, no nodata, no mask) whose corner and a share of pixels are 0 in all bands."""
    if band.DataType != gdal.GDT_UInt16 or band.GetMaskFlags() != gdal.GMF_ALL_VALID:
        return False
    empty = ~stack.any(axis=0)
    corners = empty[[0, 0, -1, -1], [0, -1, 0, -1]]
    return bool(corners.any() and empty.mean() >= COLLAR)


def _common_stretches(measured: Sequence[_Measured]) -> dict[tuple[object, ...], Stretch]:
    pools: dict[tuple[object, ...], list[np.ndarray]] = defaultdict(list)
    for one in measured:
        if one.stretched and one.values.size:
            pools[one.alike].append(one.values)
    return {alike: _stretch_of(without_clouds(np.concatenate(pool, axis=1))) for alike, pool in pools.items()}


def _stretch_of(values: np.ndarray) -> Stretch:
    ranges = tuple(_range_of(band) for band in values)
    return Stretch(ranges, _gamma_of(values, ranges) if len(ranges) > 1 else 1.0)


def _gamma_of(values: np.ndarray, ranges: Sequence[Range]) -> float:
    """What brings the tenth percentile of brightness to `DARK_TENTH`, where it is darker: 1 to `MOST_GAMMA`."""
    parts = [np.clip((band - low) / (high - low), 0, 1) for band, (low, high) in zip(values, ranges)]
    dark = max(1e-3, float(np.percentile(np.mean(parts, axis=0), 10)))
    return round(min(MOST_GAMMA, max(1.0, math.log(dark) / math.log(DARK_TENTH))), 2)


def _range_of(values: np.ndarray) -> Range:
    low, high = (float(v) for v in np.percentile(values, CUT))
    if low == high:  # few values, such as a mask
        low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low, low + 1.0)
