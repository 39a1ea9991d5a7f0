"""The area of interest: one polygon in WGS 84, its area and rules, and the three geometric filters.

shapely is imported when it is first needed: without it there is no AOI, but all that needs none works.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Mapping, Optional, Union

from .area import area_km2
from .date_line import DATE_LINE, crosses_date_line, longest_edge_degrees
from .problem import Problem

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

COORDINATE_DECIMALS = 7  # about 1 cm: finer than any map is drawn, and the text stays readable


class GeometricFilter(Enum):
    """How scenes are chosen by the AOI; the value is the parameter's name in the contract (3.1)."""

    INTERSECTS = "intersects"
    BBOX = "bbox"
    CONTAINS = "contains"


POLYGON_DEPTHS = {"Polygon": 2, "MultiPolygon": 3}  # lists around a position, RFC 7946 section 3.1
GEOMETRY_PARAMETERS = tuple(f.value for f in GeometricFilter)


@dataclass(frozen=True)
class AoiLimits:
    """A project's rules for an AOI. Areas in km²; None: no such limit. Defaults: contract section 6."""

    min_km2: float = 0.1
    max_km2: Optional[float] = None
    max_vertices: int = 1000


class AoiError(ValueError):
    """The given geometry can't be an AOI; `problem` says why."""

    def __init__(self, problem: Problem):
        super().__init__(problem.text)
        self.problem = problem


@dataclass(frozen=True)
class Aoi:
    """A geometry in EPSG:4326 (longitude, latitude) with a name. It may break the rules: `problems` says how."""

    geometry: BaseGeometry
    name: str = "AOI"

    @classmethod
    def from_geojson(cls, geojson: Mapping[str, Any], name: str = "AOI") -> Aoi:
        """Make an AOI of a GeoJSON geometry, Feature or FeatureCollection of one feature.

        Z is dropped and coordinates are rounded to `COORDINATE_DECIMALS`; a polygon as a whole on another turn of the
        globe (190° E) is named by its usual longitudes. Raises AoiError where there is no polygon, or no shapely.
        """
        need_shapely()
        return cls(_at_home(_single(_geometry_of(geojson))), name)

    def named(self, name: str) -> Aoi:
        """The same AOI by another name; what was computed of it stays."""
        other = replace(self, name=name)
        other.__dict__.update({key: value for key, value in self.__dict__.items() if key in _COMPUTED})
        return other

    def of_area(self, area_km2: float) -> Aoi:
        """This AOI, of which it is known already that its drawn area is `area_km2`."""
        self.__dict__["area_km2"] = area_km2
        return self

    @cached_property
    def area_km2(self) -> float:
        """The drawn area in km²."""
        return area_km2(self.geometry)

    @property
    def geojson(self) -> dict[str, Any]:
        """The geometry as a GeoJSON object of lists."""
        from shapely.geometry import mapping

        return _listed(mapping(self.geometry))

    def sent(self, geometric_filter: GeometricFilter) -> Union[list[float], dict[str, Any]]:
        """What goes into the data task's parameters: [west, south, east, north] or a GeoJSON geometry."""
        if geometric_filter is GeometricFilter.BBOX:
            return [round(c, COORDINATE_DECIMALS) for c in self.geometry.bounds]
        return self.geojson

    def sent_geometry(self, geometric_filter: GeometricFilter) -> BaseGeometry:
        """The geometry that is sent and billed: the AOI, or its rectangle for Bounding Box."""
        from shapely.geometry import box

        return box(*self.geometry.bounds) if geometric_filter is GeometricFilter.BBOX else self.geometry

    def sent_km2(self, geometric_filter: GeometricFilter) -> float:
        """The area in km² that is sent and billed; a bounding box is larger than its polygon."""
        return self._rectangle_km2 if geometric_filter is GeometricFilter.BBOX else self.area_km2

    @cached_property
    def _rectangle_km2(self) -> float:
        return area_km2(self.sent_geometry(GeometricFilter.BBOX))

    def problems(self, limits: AoiLimits, geometric_filter: GeometricFilter) -> list[Problem]:
        """Every rule of contract section 6 that this AOI breaks; areas are those that are sent."""
        found = _shape_problems(self.geometry, limits) or self._area_problems(limits, geometric_filter)
        if not found and geometric_filter is not GeometricFilter.BBOX:  # a rectangle's way round is known
            found = _edge_problems(self.geometry)
        return found

    def _area_problems(self, limits: AoiLimits, geometric_filter: GeometricFilter) -> list[Problem]:
        sent = self.sent_km2(geometric_filter)
        if sent < limits.min_km2:
            return [_problem("aoi_small", area=_km2(sent), minimum=_km2(limits.min_km2))]
        if limits.max_km2 is not None and sent > limits.max_km2:
            return [_problem("aoi_large", area=_km2(sent), maximum=_km2(limits.max_km2))]
        return []


_COMPUTED = ("area_km2", "_rectangle_km2")


def need_shapely() -> None:
    """Raises AoiError where shapely is missing or broken."""
    try:
        import shapely.geometry  # noqa: F401
    except (ImportError, OSError) as e:  # OSError: shapely is there, the library GEOS is not
        raise AoiError(Problem("aoi_no_shapely", where="aoi")) from e


def _problem(code: str, **values: object) -> Problem:
    return Problem(code, values, where="aoi")


def _km2(value: float) -> str:
    """Three digits below 1 km², one decimal above; never an exponent: `0.0000757`, `0.1`, `12.4`."""
    if value >= 1:
        return f"{value:.1f}".rstrip("0").rstrip(".")
    decimals = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{min(decimals, 12)}f}".rstrip("0").rstrip(".") or "0"


def _geometry_of(geojson: Mapping[str, Any]) -> BaseGeometry:
    kind = geojson.get("type") if isinstance(geojson, Mapping) else None
    if kind == "FeatureCollection":
        features = geojson.get("features") or []
        if len(features) != 1:
            raise AoiError(_problem("aoi_several" if features else "aoi_empty", count=len(features)))
        return _geometry_of(features[0])
    if kind == "Feature":
        return _geometry_of(geojson.get("geometry") or {})
    depth = POLYGON_DEPTHS.get(str(kind))
    if depth is None:
        raise AoiError(_problem("aoi_not_polygon", kind=str(kind or "?")))
    coordinates = geojson.get("coordinates")
    if coordinates == []:
        raise AoiError(_problem("aoi_empty"))
    if not _are_coordinates(coordinates, depth):
        raise AoiError(_problem("aoi_broken"))
    return _flat_and_rounded(str(kind), coordinates)


def _are_coordinates(value: Any, depth: int) -> bool:
    """True for lists of the given depth around positions of finite numbers, with rings of 4 positions or more."""
    if not isinstance(value, (list, tuple)):
        return False
    if depth == 0:
        return len(value) >= 2 and all(isinstance(c, (int, float)) and math.isfinite(c) for c in value)
    return len(value) >= (4 if depth == 1 else 1) and all(_are_coordinates(part, depth - 1) for part in value)


def _single(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.geom_type == "MultiPolygon" and len(geometry.geoms) == 1:
        return geometry.geoms[0]
    return geometry


def _flat_and_rounded(kind: str, coordinates: Any) -> BaseGeometry:
    def flat(part: Any) -> Any:
        if isinstance(part[0], (int, float)):
            return [round(float(c), COORDINATE_DECIMALS) for c in part[:2]]
        return [flat(inner) for inner in part]

    from shapely.geometry import shape

    return shape({"type": kind, "coordinates": flat(coordinates)})


def _at_home(geometry: BaseGeometry) -> BaseGeometry:
    """What lies wholly beyond the 180° meridian, by its longitudes from −180 to 180; all else as it is."""
    from shapely.affinity import translate

    west, _south, east, _north = geometry.bounds
    turns = math.floor((west + DATE_LINE) / 360)
    if turns == 0 or east - 360 * turns > DATE_LINE or abs(turns) > 1:
        return geometry
    return rounded(translate(geometry, -360 * turns))


def rounded(geometry: BaseGeometry) -> BaseGeometry:
    """A polygon or multipolygon of two dimensions with coordinates of `COORDINATE_DECIMALS`."""
    from shapely.geometry import mapping

    listed = mapping(geometry)
    return _flat_and_rounded(listed["type"], listed["coordinates"])


def _listed(geojson: Any) -> Any:
    """Tuples of shapely's mapping as the lists that JSON gives back."""
    if isinstance(geojson, dict):
        return {key: _listed(value) for key, value in geojson.items()}
    if isinstance(geojson, (tuple, list)):
        return [_listed(value) for value in geojson]
    return geojson


def _place(x: float, y: float) -> str:
    return f"{abs(y):.5f}° {'N' if y >= 0 else 'S'}, {abs(x):.5f}° {'E' if x >= 0 else 'W'}"


def _shape_problems(geometry: BaseGeometry, limits: AoiLimits) -> list[Problem]:
    found = _world_problems(geometry)
    if found:
        return found
    if geometry.geom_type == "MultiPolygon":
        return [_problem("aoi_several", count=len(geometry.geoms))]
    count = len(geometry.exterior.coords) - 1
    if count > limits.max_vertices:  # before what takes time
        return [_problem("aoi_vertices", count=count, maximum=limits.max_vertices)]
    if not geometry.is_valid:
        if geometry.convex_hull.area == 0:
            return [_problem("aoi_flat")]
        from shapely.validation import explain_validity

        reason, _, place = explain_validity(geometry).partition("[")
        return [_problem("aoi_invalid", reason=reason.strip().lower(), place=_invalid_place(place, geometry))]
    if geometry.interiors:
        return [_problem("aoi_hole", place=_place(*geometry.interiors[0].coords[0][:2]))]
    return []


def _edge_problems(geometry: BaseGeometry) -> list[Problem]:
    if longest_edge_degrees(geometry) > DATE_LINE:
        return [_problem("aoi_half_world", place=_place(*geometry.exterior.coords[0][:2]))]
    return []


def _world_problems(geometry: BaseGeometry) -> list[Problem]:
    west, south, east, north = geometry.bounds
    if crosses_date_line(geometry):
        return [_problem("aoi_date_line")]
    if west < -DATE_LINE or east > DATE_LINE or south < -90 or north > 90:
        return [_problem("aoi_outside", place=f"{west:.2f}, {south:.2f}, {east:.2f}, {north:.2f}")]
    return []


def _invalid_place(bracket: str, geometry: BaseGeometry) -> str:
    """The place that GEOS names in its reason, "Self-intersection[0.5 0.5]"; else the first vertex."""
    try:
        x, y = (float(part) for part in bracket.rstrip("]").split()[:2])
    except ValueError:
        x, y = geometry.exterior.coords[0][:2]
    return _place(x, y)
