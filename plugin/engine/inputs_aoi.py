"""Checks the AOI of a job's inputs: one rectangle or polygon that keeps the rules (contract, section 6)."""

from __future__ import annotations

import math
from typing import Any

from shapely.geometry import box

from ..jobs.aoi import Aoi, AoiError, AoiLimits, GeometricFilter
from .refusal import Refusal, invalid


def check_aoi(task: str, name: str, value: Any, limits: AoiLimits) -> None:
    """Check the value of the geometric filter `name` (bbox, intersects or contains). Raises Refusal (400)."""
    aoi = _rectangle(task, value) if name == GeometricFilter.BBOX.value else _polygon(task, name, value)
    for problem in aoi.problems(limits, GeometricFilter(name)):
        raise invalid(f'Task "{task}", {name}: {problem.text}')


def _rectangle(task: str, value: Any) -> Aoi:
    if len(value) != 4 or not all(_is_finite(c) for c in value):
        raise invalid(f'Task "{task}": bbox must be [west, south, east, north] in degrees.')
    west, south, east, north = value
    if west >= east or south >= north:
        raise invalid(f'Task "{task}": bbox must be [west, south, east, north] with west < east and south < north.')
    return Aoi(box(west, south, east, north))


def _polygon(task: str, name: str, value: Any) -> Aoi:
    refusal = invalid(
        f'Task "{task}": {name} must be a GeoJSON geometry of type Polygon, with closed rings of [longitude, latitude].'
    )
    if not isinstance(value, dict) or value.get("type") != "Polygon":
        raise refusal
    rings = value.get("coordinates")
    if not isinstance(rings, list) or not rings or not all(_is_ring(ring) for ring in rings):
        raise refusal
    return _aoi(value, refusal)


def _aoi(value: dict[str, Any], refusal: Refusal) -> Aoi:
    try:
        return Aoi.from_geojson(value)
    except AoiError as e:
        raise refusal from e


def _is_ring(ring: Any) -> bool:
    """A list of at least four positions that ends where it begins."""
    return isinstance(ring, list) and len(ring) >= 4 and all(_is_position(p) for p in ring) and ring[0] == ring[-1]


def _is_position(position: Any) -> bool:
    return isinstance(position, list) and len(position) in (2, 3) and all(_is_finite(c) for c in position)


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
