"""The polygons of any geometry (shapely): all of them, valid ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def valid_polygons(geometry: BaseGeometry) -> Optional[BaseGeometry]:
    """What a polygon or multipolygon encloses, as valid Polygon or MultiPolygon; None where that is nothing."""
    from shapely.validation import make_valid

    return only_polygons(geometry if geometry.is_valid else make_valid(geometry))


def only_polygons(geometry: BaseGeometry) -> Optional[BaseGeometry]:
    """The polygons of any geometry as Polygon or MultiPolygon; None where it has none."""
    from shapely.geometry import MultiPolygon

    found = [polygon for polygon in polygons_of(geometry) if polygon.area > 0]
    return None if not found else found[0] if len(found) == 1 else MultiPolygon(found)


def polygons_of(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Every polygon of a polygon, a multipolygon or a collection."""
    if geometry.geom_type == "Polygon":
        return [] if geometry.is_empty else [geometry]
    return [polygon for part in getattr(geometry, "geoms", ()) for polygon in polygons_of(part)]
