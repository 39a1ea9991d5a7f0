"""The scenes of the demo archive: a grid of slanted footprints over the whole Earth, moved a little at each pass.

A pass every fifth day since 2016 until now. Footprints are about 31 km x 31 km on a grid of 25 km, so that neighbours
overlap; each pass shifts the grid, so that an AOI lies now in one scene, now on a border.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Iterator, Optional

import numpy as np
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from ..dates import Span
from .clouds import Weather
from .noise import Places, hash_numbers, unit_of
from .view import world_units

RIGHTS = "Synthetic, not an observation"
FIRST_PASS = datetime(2016, 1, 1, tzinfo=timezone.utc)
PASS_DAYS = 5
GRID_KM = 25.0
OVERLAP = 0.12  # of the grid, on each side
SLANT = 0.10  # how far the upper edge lies east of the middle, of the grid
KM_PER_DEGREE = 111.32
MAX_LATITUDE = 89.5
_ROW_DEGREES = GRID_KM / KM_PER_DEGREE
_ROWS = math.ceil(180 / _ROW_DEGREES) + 1
_WORLD = box(-180, -MAX_LATITUDE, 180, MAX_LATITUDE)
_ID = re.compile(r"DEMO_S2_(\d{4})(\d{2})(\d{2})_T(\d{3})(\d{4})")
_CLOUD_SAMPLES = 20
_OPAQUE = 0.10  # the thickness from which a pixel counts as cloudy


@dataclass(frozen=True)
class DemoScene:
    """One scene: the cell (`row`, `column`) of the grid of pass `number`."""

    number: int
    row: int
    column: int

    @property
    def id(self) -> str:
        """Says that it is a demo, the date, and the cell."""
        return f"DEMO_S2_{pass_day(self.number):%Y%m%d}_T{self.row:03d}{self.column:04d}"

    @property
    def footprint(self) -> BaseGeometry:
        """A polygon in EPSG:4326, within the world."""
        return _footprint(self.number, self.row, self.column)

    @property
    def moment(self) -> datetime:
        """The acquisition, on the UTC day of the pass: about half past ten, the same for all scenes of a time zone."""
        hours = (10.5 - round(self.footprint.centroid.x / 15.0)) % 24
        return pass_day(self.number) + timedelta(hours=hours)

    @property
    def acquired(self) -> Span:
        """The acquisition as a span."""
        return Span(self.moment, self.moment)

    @property
    def cloud_cover(self) -> float:
        """Percent of the footprint under cloud: measured on the clouds that are drawn."""
        return _cloud_cover(self.number, self.row, self.column)

    @property
    def utm(self) -> int:
        """The EPSG code of the scene's UTM zone, of the polar stereographic grid beyond 84° N and 80° S."""
        centre = self.footprint.centroid
        if centre.y > 84:
            return 5041
        if centre.y < -80:
            return 5042
        zone = min(60, int((centre.x + 180) // 6) + 1)
        return (32600 if centre.y >= 0 else 32700) + zone


def pass_day(number: int) -> datetime:
    """The UTC day of a pass."""
    return FIRST_PASS + timedelta(days=PASS_DAYS * number)


def passes(span: Optional[Span], now: datetime) -> Iterator[int]:
    """The numbers of the passes in a span (None: of all) until `now`, newest first."""
    last, first = now, FIRST_PASS
    if span is not None:
        last, first = min(last, span.end), max(first, span.start)
    newest_pass = (last - FIRST_PASS) // timedelta(days=PASS_DAYS)
    oldest_pass = (first - FIRST_PASS) // timedelta(days=PASS_DAYS)
    return iter(range(newest_pass, max(-1, oldest_pass - 1), -1))


def scenes_over(area: BaseGeometry, span: Optional[Span], now: datetime) -> Iterator[DemoScene]:
    """The scenes whose footprints touch an area's bounds, newest first; of one moment, that with most of the area."""
    west, south, east, north = area.bounds
    frame = box(west, south, east, north)
    for number in passes(span, now):
        of_pass = [
            scene
            for row in _rows_between(number, south, north)
            for scene in _row_between(number, row, west, east)
            if scene.footprint.intersects(frame) and scene.moment <= now
        ]
        yield from sorted(
            of_pass, key=lambda scene: (-scene.moment.timestamp(), -scene.footprint.intersection(area).area, scene.id)
        )


def scene_by_id(scene_id: str, now: datetime) -> Optional[DemoScene]:
    """The scene of an id; None where there is none."""
    match = _ID.fullmatch(scene_id)
    if match is None:
        return None
    year, month, day, row, column = (int(group) for group in match.groups())
    try:
        days = (datetime(year, month, day, tzinfo=timezone.utc) - FIRST_PASS).days
    except ValueError:
        return None
    number, rest = divmod(days, PASS_DAYS)
    if rest or number < 0 or row >= _ROWS or column > _columns(number, row):
        return None
    scene = DemoScene(number, row, column)
    return None if scene.footprint.is_empty or scene.moment > now else scene


def _shift(number: int) -> tuple[float, float]:
    """How far a pass moves the grid to the east and north, in cells (0 to 1)."""
    return unit_of(hash_numbers(number, 11)), unit_of(hash_numbers(number, 12))


def _row_south(number: int, row: int) -> float:
    return -90.0 + (row - 1 + _shift(number)[1]) * _ROW_DEGREES


def _columns(number: int, row: int) -> int:
    """How many cells of about 25 km go around the Earth in a row."""
    middle = min(89.0, max(-89.0, _row_south(number, row) + _ROW_DEGREES / 2))
    return max(8, round(360 * math.cos(math.radians(middle)) / _ROW_DEGREES))


def _rows_between(number: int, south: float, north: float) -> range:
    first = math.floor((south - _row_south(number, 0)) / _ROW_DEGREES - 1 - OVERLAP)
    last = math.ceil((north - _row_south(number, 0)) / _ROW_DEGREES + OVERLAP)
    return range(max(0, first), min(_ROWS, last + 1))


def _row_between(number: int, row: int, west: float, east: float) -> list[DemoScene]:
    columns = _columns(number, row)
    wide = 360 / columns
    start = -180.0 + (_shift(number)[0] - 1) * wide
    first = math.floor((west - start) / wide - 1 - OVERLAP - SLANT)
    last = math.ceil((east - start) / wide + OVERLAP + SLANT)
    return [DemoScene(number, row, column) for column in range(max(0, first), min(columns, last) + 1)]


@functools.lru_cache(maxsize=20_000)
def _footprint(number: int, row: int, column: int) -> BaseGeometry:
    """A parallelogram, cut off at the antimeridian and short of the poles."""
    wide = 360 / _columns(number, row)
    west = -180.0 + (column - 1 + _shift(number)[0]) * wide
    west, east = west - OVERLAP * wide, west + (1 + OVERLAP) * wide
    south = _row_south(number, row) - OVERLAP * _ROW_DEGREES
    north = south + (1 + 2 * OVERLAP) * _ROW_DEGREES
    lean = SLANT * wide
    corners = [(west - lean, south), (east - lean, south), (east + lean, north), (west + lean, north)]
    return Polygon([(round(x, 7), round(y, 7)) for x, y in corners]).intersection(_WORLD)


@functools.lru_cache(maxsize=20_000)
def _cloud_cover(number: int, row: int, column: int) -> float:
    west, south, east, north = _footprint(number, row, column).bounds
    lean = SLANT / (1 + 2 * OVERLAP + 2 * SLANT) * (east - west)
    across, up = np.meshgrid(
        (np.arange(_CLOUD_SAMPLES) + 0.5) / _CLOUD_SAMPLES, (np.arange(_CLOUD_SAMPLES) + 0.5) / _CLOUD_SAMPLES
    )
    longitude = west + 2 * lean * up + across * (east - west - 2 * lean)
    latitude = south + up * (north - south)
    thickness = Weather(number).thickness(Places(*world_units(longitude, latitude), finest=5))
    return round(float((thickness > _OPAQUE).mean()) * 100, 1)
