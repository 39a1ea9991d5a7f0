"""What mends an AOI that breaks a rule: each repair gives the mended AOI, for the user to see and to choose.

Nothing here is done silently: `repairs` only offers. It can take a second for large outlines: not for a GUI thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Callable, Optional, Sequence

from .aoi import Aoi, AoiLimits, GeometricFilter, rounded
from .date_line import DATE_LINE, in_steps, running_on, sides_of_date_line
from .many_aois import each_polygon
from .polygons import only_polygons, valid_polygons
from .problem import Problem

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SEARCH_STEPS = 24  # of a bisection: to a ten-millionth of what it searches in
ABOVE_MINIMUM = 1.0005  # of the least area, so that rounded coordinates stay above it
SQUARE, MITRE, MITRE_LIMIT = 3, 2, 3.0  # corners stay corners when an outline grows
METRES_PER_DEGREE = 111_320.0
FARTHEST = 85.0  # degrees of latitude; nearer to the poles a degree of longitude is too short to grow by


class RepairKind(Enum):
    """One way to mend an AOI."""

    MAKE_VALID = "make_valid"
    FILL_HOLES = "fill_holes"
    SIMPLIFY = "simplify"
    MERGE = "merge"
    LARGEST = "largest"
    HULL = "hull"
    BOX = "box"
    GROW = "grow"
    WEST_SIDE = "west_side"
    EAST_SIDE = "east_side"
    OVER_DATE_LINE = "over_date_line"
    AROUND_WORLD = "around_world"
    CUT_AT_WORLDS_END = "cut_at_worlds_end"
    EACH_POLYGON = "each_polygon"


@dataclass(frozen=True)
class Repair:
    """A mended AOI. `aois` is one, or several for one job each; `change_km2` is what is sent and billed more (or less).

    `change_km2` is None where the area before has no meaning: the outline crosses itself, or goes over an edge of the
    map.
    """

    kind: RepairKind
    aois: Sequence[Aoi]
    change_km2: Optional[float]
    _sent: dict[GeometricFilter, float] = field(default_factory=dict, compare=False, repr=False)

    def sent_km2(self, geometric_filter: GeometricFilter) -> float:
        """The area in km² that is sent after the repair, of all `aois` together; computed once."""
        if geometric_filter not in self._sent:
            self._sent[geometric_filter] = sum(aoi.sent_km2(geometric_filter) for aoi in self.aois)
        return self._sent[geometric_filter]


def repairs(aoi: Aoi, limits: AoiLimits, geometric_filter: GeometricFilter) -> list[Repair]:
    """The ways to mend the first problem of `aoi`, the one that changes least first; [] where there are none.

    A mended AOI can have a next problem: then that one is mended next.
    """
    problems = aoi.problems(limits, geometric_filter)
    if not problems:
        return []
    offers = _OFFERS.get(problems[0].code)
    found = offers(aoi, limits, geometric_filter) if offers else []
    before = None if problems[0].code in _AREA_HAS_NO_MEANING else aoi.sent_km2(geometric_filter)
    return [
        _repair(kind, aois, before, geometric_filter)
        for kind, aois in found
        if aois and not all(a.geometry.is_empty for a in aois)
    ]


Offer = tuple[RepairKind, Sequence[Aoi]]


def _repair(
    kind: RepairKind, aois: Sequence[Aoi], before_km2: Optional[float], geometric_filter: GeometricFilter
) -> Repair:
    after_km2 = sum(aoi.sent_km2(geometric_filter) for aoi in aois)
    change = None if before_km2 is None else after_km2 - before_km2
    return Repair(kind, aois, change, {geometric_filter: after_km2})


def _one(kind: RepairKind, aoi: Aoi, geometry: Optional[BaseGeometry]) -> Offer:
    whole = only_polygons(geometry) if geometry is not None else None
    return kind, (Aoi(rounded(whole), aoi.name),) if whole is not None else ()


def _hull(aoi: Aoi, limits: AoiLimits) -> Offer:
    hull = aoi.geometry.convex_hull
    if hull.geom_type == "Polygon" and len(hull.exterior.coords) - 1 > limits.max_vertices:
        hull = _simplified(hull, limits.max_vertices)
    return _one(RepairKind.HULL, aoi, hull)


def _invalid(aoi: Aoi, limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    return [
        _one(RepairKind.MAKE_VALID, aoi, valid_polygons(aoi.geometry)),
        _hull(aoi, limits),
    ]


def _holes(aoi: Aoi, _limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    from shapely.geometry import Polygon

    return [_one(RepairKind.FILL_HOLES, aoi, Polygon(aoi.geometry.exterior))]


def _vertices(aoi: Aoi, limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    hull = _hull(aoi, limits)
    if not aoi.geometry.is_valid:
        return [_one(RepairKind.MAKE_VALID, aoi, valid_polygons(aoi.geometry)), hull]
    return [_one(RepairKind.SIMPLIFY, aoi, _simplified(aoi.geometry, limits.max_vertices)), hull]


def _simplified(polygon: BaseGeometry, max_vertices: int) -> Optional[BaseGeometry]:
    """The outline with the least tolerance (in degrees) that leaves at most `max_vertices`."""
    west, south, east, north = polygon.bounds
    size = max(east - west, north - south)

    def simpler(logarithm: float) -> Optional[BaseGeometry]:
        made = polygon.simplify(size * 10**logarithm, preserve_topology=True)
        fits = made.geom_type == "Polygon" and len(made.exterior.coords) - 1 <= max_vertices
        return made if fits and made.is_valid else None

    return _least(simpler, -8.0, 0.0)


def _least(make: Callable[[float], Optional[BaseGeometry]], low: float, high: float) -> Optional[BaseGeometry]:
    """What `make` gives for the least number for which it gives anything; it does for all larger ones too."""
    best = make(high)
    if best is None:
        return None
    for _step in range(SEARCH_STEPS):
        middle = (low + high) / 2
        made = make(middle)
        if made is None:
            low = middle
        else:
            best, high = made, middle
    return best


def _several(aoi: Aoi, limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    from shapely.geometry import box
    from shapely.ops import unary_union

    parts = aoi.geometry.geoms
    if not all(part.is_valid for part in parts):
        parts = [valid for valid in map(valid_polygons, parts) if valid is not None]
    if not parts:
        return []
    merged = unary_union(parts)
    each = each_polygon(aoi)
    offers = []
    if merged.geom_type == "Polygon":
        offers.append(_one(RepairKind.MERGE, aoi, merged))
    offers.append((RepairKind.EACH_POLYGON, each))
    west, south, east, north = aoi.geometry.bounds
    if east - west <= DATE_LINE:  # else they are on both sides of the 180° meridian, and around them is the world
        offers.append(_hull(aoi, limits))
        offers.append(_one(RepairKind.BOX, aoi, box(west, south, east, north)))
    largest = max(each, key=lambda part: part.area_km2)
    offers.append((RepairKind.LARGEST, (largest.named(aoi.name),)))
    return offers


def _small(aoi: Aoi, limits: AoiLimits, geometric_filter: GeometricFilter) -> list[Offer]:
    return [(RepairKind.GROW, _grown(aoi, limits.min_km2, geometric_filter))]


def _grown(aoi: Aoi, km2: float, geometric_filter: GeometricFilter) -> tuple[Aoi, ...]:
    """The AOI with a margin all around that is just wide enough for `km2` to be sent.

    A margin and not a scale: a sliver must not become a longer sliver that leaves its place.
    """
    from shapely.affinity import scale

    middle = aoi.geometry.convex_hull.centroid
    if abs(middle.y) > FARTHEST or km2 <= 0:
        return ()
    squeeze = math.cos(math.radians(middle.y))
    hull = aoi.geometry.convex_hull
    flat = scale(aoi.geometry if hull.area > 0 else hull, squeeze, 1, origin=middle)  # a degree is as long each way
    wanted = km2 * ABOVE_MINIMUM

    def with_margin(degrees: float) -> Optional[BaseGeometry]:
        grown = flat.buffer(degrees, cap_style=SQUARE, join_style=MITRE, mitre_limit=MITRE_LIMIT)
        back = only_polygons(scale(grown, 1 / squeeze, 1, origin=middle))
        if back is None:
            return None
        return back if Aoi(back).sent_km2(geometric_filter) >= wanted else None

    widest = 2 * math.sqrt(wanted * 1e6) / METRES_PER_DEGREE
    grown = _least(with_margin, 0.0, widest)
    return () if grown is None else (Aoi(rounded(grown), aoi.name),)


def _date_line(aoi: Aoi, _limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    west, east = sides_of_date_line(aoi.geometry)
    offers = [_one(RepairKind.WEST_SIDE, aoi, west), _one(RepairKind.EAST_SIDE, aoi, east)]
    both = tuple(part for _kind, parts in offers for one in parts for part in each_polygon(one))
    numbered = tuple(part.named(f"{aoi.name} {number}") for number, part in enumerate(both, start=1))
    return [(RepairKind.EACH_POLYGON, numbered), *offers] if len(numbered) > 1 else offers


def _outside(aoi: Aoi, _limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    from shapely.geometry import box

    whole = valid_polygons(aoi.geometry)
    cut = only_polygons(whole.intersection(box(-DATE_LINE, -90, DATE_LINE, 90))) if whole is not None else None
    return [_one(RepairKind.CUT_AT_WORLDS_END, aoi, cut)]


def _half_world(aoi: Aoi, _limits: AoiLimits, _filter: GeometricFilter) -> list[Offer]:
    from shapely.geometry import Polygon

    corners = [tuple(c[:2]) for c in aoi.geometry.exterior.coords]
    offers = []
    over = list(running_on(corners))
    if over[0] == over[-1]:  # else the short ways end at a pole, not where they began
        offers.append(_one(RepairKind.OVER_DATE_LINE, aoi, Polygon(over)))
    offers.append(_one(RepairKind.AROUND_WORLD, aoi, Polygon(in_steps(corners))))
    return offers


_OFFERS: dict[str, Callable[[Aoi, AoiLimits, GeometricFilter], list[Offer]]] = {
    "aoi_invalid": _invalid,
    "aoi_hole": _holes,
    "aoi_vertices": _vertices,
    "aoi_several": _several,
    "aoi_small": _small,
    "aoi_flat": _small,
    "aoi_date_line": _date_line,
    "aoi_outside": _outside,
    "aoi_half_world": _half_world,
}
_AREA_HAS_NO_MEANING = ("aoi_invalid", "aoi_outside", "aoi_half_world")


def can_be_mended(problem: Problem) -> bool:
    """True where there may be repairs of this problem."""
    return problem.code in _OFFERS
