"""The 180° meridian: what crosses it, its two sides, and edges of which nobody knows which way round they go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Iterable, Optional

from .polygons import only_polygons, valid_polygons

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

DATE_LINE = 180.0  # degrees of longitude; RFC 7946 section 3.1.9 wants what crosses it cut in two
LONGEST_STEP = 90.0  # degrees of longitude of an edge, where an edge is cut so that its way round is clear


def crosses_date_line(geometry: BaseGeometry) -> bool:
    """True for what goes over the 180° meridian, with longitudes that run on (179 → 181), and is on Earth otherwise."""
    west, south, east, north = geometry.bounds
    over = west < -DATE_LINE < east or west < DATE_LINE < east
    on_earth = -90 <= south <= north <= 90 and -3 * DATE_LINE <= west <= east <= 3 * DATE_LINE
    return over and on_earth and east - west <= 360


def longest_edge_degrees(polygon: BaseGeometry) -> float:
    """The longest edge of the outline in degrees of longitude; over 180 nobody can tell which way round it goes."""
    longitudes = [c[0] for c in polygon.exterior.coords]
    return max(abs(b - a) for a, b in zip(longitudes, longitudes[1:]))


def sides_of_date_line(geometry: BaseGeometry) -> tuple[Optional[BaseGeometry], Optional[BaseGeometry]]:
    """What lies west of the 180° meridian (longitudes up to 180) and what lies east of it (from −180)."""
    from shapely.affinity import translate
    from shapely.geometry import box

    line = DATE_LINE if geometry.bounds[2] > DATE_LINE else -DATE_LINE
    whole = valid_polygons(geometry)
    if whole is None:
        return None, None
    west = only_polygons(whole.intersection(box(line - 360, -90, line, 90)))
    east = only_polygons(whole.intersection(box(line, -90, line + 360, 90)))
    if line > 0:
        return west, translate(east, -360) if east is not None else None
    return translate(west, 360) if west is not None else None, east


def running_on(corners: Iterable[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """The corners with longitudes that run on where they would jump: 179, −179 → 179, 181."""
    turns, before = 0.0, None
    for lon, lat in corners:
        if before is not None and abs(lon - before) > DATE_LINE:
            turns += 360.0 if lon < before else -360.0
        before = lon
        yield lon + turns, lat


def in_steps(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners with more between them, so that every edge goes the way that it was given."""
    found = [corners[0]]
    for (x1, y1), (x2, y2) in zip(corners, corners[1:]):
        steps = max(1, math.ceil(abs(x2 - x1) / LONGEST_STEP))
        found += [(x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps) for i in range(1, steps)] + [(x2, y2)]
    return found
