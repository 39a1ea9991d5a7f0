"""Area on the WGS 84 ellipsoid of polygons whose edges are straight in longitude and latitude, as platforms see them.

An edge is not the shortest way between its ends: GeoJSON's are straight in longitude and latitude (RFC 7946, 3.1.1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Iterable, Sequence

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SEMI_MAJOR_M = 6378137.0  # WGS 84, EPSG:7030
FLATTENING = 1 / 298.257223563
_E2 = FLATTENING * (2 - FLATTENING)
_E = math.sqrt(_E2)
_POLE_Q = 1 + (1 - _E2) / (2 * _E) * math.log((1 + _E) / (1 - _E))
MAX_STEP_DEGREES = 0.5  # an edge is cut into steps over which Simpson's rule is exact to a millionth


def _equal_area_y(latitude: float) -> float:
    """Height of a parallel in the cylindrical equal-area projection, over a²/2 (Snyder 1987, equation 3-12)."""
    s = math.sin(math.radians(latitude))
    return (1 - _E2) * (s / (1 - _E2 * s * s) - math.log((1 - _E * s) / (1 + _E * s)) / (2 * _E))


def _ring_area_m2(ring: Sequence[Iterable[float]]) -> float:
    total = 0.0
    for (lon1, lat1), (lon2, lat2) in zip(ring, ring[1:]):
        steps = max(1, math.ceil(max(abs(lon2 - lon1), abs(lat2 - lat1)) / MAX_STEP_DEGREES))
        height = [_equal_area_y(lat1 + (lat2 - lat1) * i / (2 * steps)) for i in range(2 * steps + 1)]
        simpson = height[0] + height[-1] + 4 * sum(height[1::2]) + 2 * sum(height[2:-1:2])
        total += (lon2 - lon1) * simpson / (6 * steps)
    return abs(math.radians(total)) * SEMI_MAJOR_M**2 / 2


def area_km2(geometry: BaseGeometry) -> float:
    """Geodetic area in km² of a polygon or multipolygon in EPSG:4326 (x = longitude); 0 for anything else."""
    polygons = getattr(geometry, "geoms", [geometry])
    total = 0.0
    for polygon in polygons:
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        total += _ring_area_m2([c[:2] for c in polygon.exterior.coords])
        total -= sum(_ring_area_m2([c[:2] for c in hole.coords]) for hole in polygon.interiors)
    return total / 1e6
