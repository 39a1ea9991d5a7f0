"""How much of an AOI a scene covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

from .area import area_km2

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def polygon_of(geojson: Optional[Mapping[str, Any]]) -> Optional[BaseGeometry]:
    """A GeoJSON polygon or multipolygon (EPSG:4326) as a valid geometry; None for anything else, also broken ones.

    None for all of them where shapely is missing.
    """
    try:
        from shapely.errors import ShapelyError
        from shapely.geometry import shape
    except (ImportError, OSError):
        return None
    try:
        geometry = shape(geojson)
    except (ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return None  # what a platform or a block wrote: it may be anything
    if geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
        return None
    return geometry if geometry.is_valid else geometry.buffer(0)


def covered_percent(aoi: Optional[BaseGeometry], footprint: Optional[BaseGeometry]) -> Optional[float]:
    """The share of the AOI's area (on the ellipsoid) that lies inside of the footprint, 0 to 100; None if unknown."""
    whole = area_km2(aoi) if aoi is not None else 0.0
    if aoi is None or footprint is None or not whole:
        return None
    if footprint.contains(aoi):
        return 100.0
    shared = aoi.intersection(footprint)
    parts = [part for part in getattr(shared, "geoms", [shared]) if part.geom_type in ("Polygon", "MultiPolygon")]
    return max(0.0, min(100.0, 100.0 * sum(area_km2(part) for part in parts) / whole))
