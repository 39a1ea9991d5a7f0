"""Statistics of a raster over zones, window by window. A pixel belongs to a zone where its centre lies in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence

import numpy as np
from osgeo import gdal
from shapely.geometry import Polygon, mapping
from shapely.geometry.base import BaseGeometry

from ..base import Feature
from ..processing import Progress
from ..zones import Zone
from .crs import Reprojection
from .frame import in_crs
from .rasters import (
    TILE,
    Cutter,
    Layout,
    Window,
    descriptions,
    in_degrees,
    layout_of,
    open_raster,
    pixel_bounds,
    windows,
)
from .reflectance import read_values

_SLIVER = 0.5  # of a pixel, along the edge: a raster that was cut to the zone ends within its outermost pixels
_EDGE_DEGREES = 0.02  # edges are cut this fine before they are bent into the raster's CRS


class Totals:
    """Count, sum, extremes and squared deviations of values that come in parts (Chan, Golub and LeVeque 1979)."""

    def __init__(self) -> None:
        self.inside = self.count = 0
        self.sum = self.deviations = 0.0
        self.smallest, self.largest = math.inf, -math.inf

    def add(self, inside: int, values: np.ndarray) -> None:
        """A part: how many pixels it has, and the values of those that are valid."""
        self.inside += inside
        if not values.size:
            return
        total = float(values.sum(dtype=np.float64))
        mean = total / values.size
        near = values.dtype.type(mean)  # subtracted in the values' own type: a copy in float64 takes twice as long
        apart_from_near = values - near
        np.square(apart_from_near, out=apart_from_near)
        deviations = float(apart_from_near.sum(dtype=np.float64)) - values.size * (mean - float(near)) ** 2
        apart = mean - self.sum / self.count if self.count else 0.0
        together = self.count + values.size
        self.deviations += max(0.0, deviations) + apart * apart * self.count * values.size / together
        self.count, self.sum = together, self.sum + total
        self.smallest = min(self.smallest, float(values.min()))
        self.largest = max(self.largest, float(values.max()))


@dataclass(frozen=True)
class Row:
    """One zone, scene and band. `place` is the zone's GeoJSON geometry in EPSG:4326."""

    zone: str
    scene: str
    date: Optional[str]
    band: str
    totals: Totals
    place: dict

    @property
    def mean(self) -> Optional[float]:
        """Of the valid pixels; None where there is none."""
        return self.totals.sum / self.totals.count if self.totals.count else None

    @property
    def valid_percent(self) -> float:
        """Of the pixels in the zone, those outside of the raster not counted, unless the zone is the AOI."""
        return 100.0 * self.totals.count / self.totals.inside if self.totals.inside else 0.0

    def value(self, statistic: str) -> Optional[float]:
        """By its name in the block's parameter `stats`; None where it has none."""
        if statistic == "count":
            return self.totals.count
        if statistic == "valid_percent":
            return self.valid_percent
        if not self.totals.count:
            return None
        if statistic == "std":
            return math.sqrt(self.totals.deviations / self.totals.count)
        return {"mean": self.mean, "sum": self.totals.sum, "min": self.totals.smallest, "max": self.totals.largest}[
            statistic
        ]


def sum_up(feature: Feature, source: Path, zones: Sequence[Zone], tell: Progress, side: int = TILE) -> list[Row]:
    """A row for each zone and band of a raster. `side`: of the windows. Raises BlockFailure."""
    scene = str(feature["id"])
    dataset = open_raster(source, scene)
    layout = layout_of(dataset)
    numbers = [
        number
        for number in range(1, dataset.RasterCount + 1)
        if dataset.GetRasterBand(number).GetColorInterpretation() != gdal.GCI_AlphaBand
    ]
    names = descriptions(dataset)
    date = feature["properties"].get("datetime")
    rows = []
    for done, zone in enumerate(zones):
        place = in_degrees(layout) if zone.area is None else zone.area

        def within(part: float, done: int = done) -> None:
            tell((done + part) / len(zones))

        totals = _totals(dataset, layout, numbers, zone, within, side)
        rows += [
            Row(zone.name, scene, date, names[number - 1] or f"band {number}", one, dict(mapping(place)))
            for number, one in zip(numbers, totals)
        ]
    return rows


def _totals(
    dataset: gdal.Dataset,
    layout: Layout,
    numbers: Sequence[int],
    zone: Zone,
    tell: Progress,
    side: int,
) -> list[Totals]:
    totals = [Totals() for _ in numbers]
    outline = None if zone.area is None else _outline(zone.area, zone.whole, layout.crs)
    for window, inside, part in _parts(layout, outline, side):
        count = int(np.count_nonzero(inside))
        if not count:
            continue
        for number, total in zip(numbers, totals):
            values, valid = read_values(dataset.GetRasterBand(number), window)
            good = valid & inside
            total.add(count, values if good.all() else values[good])  # picking takes longer than all the rest
        tell(part)
    if zone.whole and outline is not None:
        beyond = _pixels_beyond(outline, layout)
        for total in totals:
            total.inside += beyond
    return totals


def _outline(area: BaseGeometry, whole: bool, crs: str) -> BaseGeometry:
    """A zone in the raster's CRS; the AOI exactly as scenes are cut to it."""
    return in_crs(area, crs) if whole else Reprojection("EPSG:4326", crs).polygon(area, _EDGE_DEGREES)


def _pixels_beyond(outline: BaseGeometry, layout: Layout) -> int:
    """How many pixels of a zone lie beyond the raster, by their area."""
    x, across, down, y, along, high = layout.geotransform
    corners = [(0, 0), (layout.columns, 0), (layout.columns, layout.rows), (0, layout.rows)]
    frame = Polygon([(x + c * across + r * down, y + c * along + r * high) for c, r in corners])
    beyond = outline.difference(frame).area / abs(across * high - down * along)
    return round(beyond) if beyond > _SLIVER * (outline.length / math.hypot(across, along)) else 0


def _parts(
    layout: Layout, outline: Optional[BaseGeometry], side: int
) -> Iterator[tuple[Window, np.ndarray, float]]:
    """The windows over a zone, which of their pixels are in it, and how much is done after each."""
    if outline is None:
        for window in windows(layout.columns, layout.rows, side=side):
            yield window, np.ones((window.rows, window.columns), bool), (window.row + window.rows) / layout.rows
        return
    left, top, right, bottom = pixel_bounds(outline, layout.geotransform)
    left, top, right, bottom = max(0, left), max(0, top), min(layout.columns, right), min(layout.rows, bottom)
    if right <= left or bottom <= top:
        return
    cutter = Cutter(outline, layout.geotransform, layout.crs)
    for part in windows(right - left, bottom - top, left, top, side):
        window = Window(part.column + left, part.row + top, part.columns, part.rows)
        yield window, cutter.mask(window), (part.row + part.rows) / (bottom - top)
