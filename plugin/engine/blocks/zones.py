"""Where to sum up: the zones of the parameters, as polygons with a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from .filters import read_area
from .parameter_readers import read_list, read_text, wrong

MAX_ZONES = 10_000
AOI = "AOI"  # what the one zone is called where no zones are given


@dataclass(frozen=True)
class Zone:
    """A place to sum up: its name in the table, and its polygon in EPSG:4326; None for the whole raster.

    `whole`: all of it counts, also what lies beyond a raster, as not valid.
    """

    name: str
    area: Optional[BaseGeometry]
    whole: bool = False


def read_zones(parameters: Mapping[str, Any], aoi: Mapping[str, Any]) -> Sequence[Zone]:
    """The zones; without any the AOI (the data task's geometric filter), or where there is none each whole raster.

    Raises BlockFailure naming the zone that is none.
    """
    given = read_list(parameters, "zones", ())
    if not given:
        return [Zone(AOI, read_area(aoi)[1], whole=True)]
    if len(given) > MAX_ZONES:
        raise wrong(f"zones has {len(given)} polygons, but at most {MAX_ZONES} are summed up.")
    attribute = read_text(parameters, "zones_attribute_id")
    return [_zone(number, one, attribute) for number, one in enumerate(given, start=1)]


def _zone(number: int, given: Any, attribute: Optional[str]) -> Zone:
    if not isinstance(given, dict):
        raise wrong(f"Zone {number} must be a GeoJSON polygon {{…}} or a feature with one.")
    is_feature = given.get("type") == "Feature"
    try:
        area = shape(given["geometry"] if is_feature else given)
        right = area.geom_type in ("Polygon", "MultiPolygon") and area.is_valid and not area.is_empty
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as e:
        raise wrong(f"Zone {number} can't be read as a GeoJSON polygon.") from e
    if not right:
        raise wrong(f"Zone {number} is no valid polygon: mend it, or leave it out.")
    west, south, east, north = area.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise wrong(f"Zone {number} is not in degrees: zones must be in EPSG:4326.")
    properties = (given.get("properties") or {}) if is_feature else {}
    if attribute and attribute not in properties:
        raise wrong(f"Zone {number} has no property {attribute}: choose another zones_attribute_id.")
    name = properties[attribute] if attribute else given.get("id")
    return Zone(str(number if name is None else name), area)
