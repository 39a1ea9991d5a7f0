"""An AOI from a geometry of any CRS: what was drawn, as the platform will see it."""

from __future__ import annotations

import json
from typing import Any, Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
)

from ..jobs.aoi import Aoi, AoiError, need_shapely
from ..jobs.problem import Problem

AOI_CRS = "EPSG:4326"
MOST_VERTICES = 100_000  # of one geometry that are read at all; about 0.3 s, on a worker thread
BENT = 0.001  # of an edge's length: how far the edge as the platform sees it may be from the edge as it was drawn
FINEST = 6  # times that an edge is halved at most
SHORT_DEGREES = 0.1  # edges of polygons up to this size bend less than that, except near the poles
POLAR_DEGREES = 75.0


def aoi_problem(code: str, **values: object) -> Problem:
    """A problem of the AOI."""
    return Problem(code, values, where="aoi")


def aoi_from_map_geometry(
    geometry: QgsGeometry,
    crs: QgsCoordinateReferenceSystem,
    name: str,
    context: Optional[QgsCoordinateTransformContext] = None,
    corners_only: bool = False,
) -> Aoi:
    """An AOI of a geometry in any CRS. Raises AoiError where it has no polygon or can't be put into EPSG:4326.

    Curves become straight edges and Z and M are dropped. Where the CRS bends edges, corners are put in, so that the
    edges that the platform sees, straight in longitude and latitude, are those that were drawn; not with
    `corners_only`. Longitudes run on over the 180° meridian. One with far too many vertices is refused before it is
    converted.
    """
    need_shapely()
    count = geometry.constGet().nCoordinates() if not geometry.isNull() else 0
    if count > MOST_VERTICES:
        raise AoiError(aoi_problem("aoi_huge", name=name, count=count, maximum=MOST_VERTICES))
    if not crs.isValid():
        raise AoiError(aoi_problem("aoi_no_crs", name=name))
    copy = QgsGeometry(geometry)
    copy.convertToStraightSegment()
    abstract = copy.get()
    if abstract is not None:
        abstract.dropZValue()
        abstract.dropMValue()
    return Aoi.from_geojson(_on_earth(copy, crs, context, corners_only), name)


def _on_earth(
    geometry: QgsGeometry,
    crs: QgsCoordinateReferenceSystem,
    context: Optional[QgsCoordinateTransformContext],
    corners_only: bool,
) -> dict[str, Any]:
    """GeoJSON of its polygons in EPSG:4326."""
    world = QgsCoordinateReferenceSystem(AOI_CRS)
    if crs == world:
        return _listed(geometry)
    transform = QgsCoordinateTransform(crs, world, context or QgsProject.instance().transformContext())
    small = _small_on_earth(geometry, transform)
    listed = _listed(small or geometry)
    if small is not None or listed.get("type") not in ("Polygon", "MultiPolygon"):
        return listed
    polygons = listed["coordinates"] if listed["type"] == "MultiPolygon" else [listed["coordinates"]]
    try:
        moved = [[_Ring(transform, ring, corners_only).moved() for ring in polygon] for polygon in polygons]
    except AoiError:
        raise
    except (QgsCsException, ValueError, TypeError) as e:  # ValueError, TypeError: no numbers, or none on Earth
        place = geometry.boundingBox().toString(1)
        raise AoiError(aoi_problem("aoi_outside", place=place)) from e
    if listed["type"] == "MultiPolygon":
        return {"type": "MultiPolygon", "coordinates": moved}
    return {"type": "Polygon", "coordinates": moved[0]}


def _small_on_earth(geometry: QgsGeometry, transform: QgsCoordinateTransform) -> Optional[QgsGeometry]:
    """The geometry in EPSG:4326, all of it at once and fast; None where edges may bend or the 180° meridian is near."""
    moved = QgsGeometry(geometry)
    try:
        moved.transform(transform)
    except QgsCsException:
        return None
    box = moved.boundingBox()
    small = 0 <= box.width() <= SHORT_DEGREES and 0 <= box.height() <= SHORT_DEGREES
    far_from_poles = box.yMinimum() > -POLAR_DEGREES and box.yMaximum() < POLAR_DEGREES
    return moved if small and far_from_poles else None


def _listed(geometry: QgsGeometry) -> dict[str, Any]:
    return _only_polygons(json.loads(geometry.asJson(12) or "{}") or {})


def _only_polygons(geojson: dict[str, Any]) -> dict[str, Any]:
    """The polygons of a geometry collection as one MultiPolygon; anything else as it is."""
    if geojson.get("type") != "GeometryCollection":
        return geojson
    parts: list[Any] = []
    for inner in map(_only_polygons, geojson.get("geometries") or []):
        if inner.get("type") == "Polygon":
            parts.append(inner["coordinates"])
        elif inner.get("type") == "MultiPolygon":
            parts += inner["coordinates"]
    return {"type": "MultiPolygon", "coordinates": parts} if parts else geojson


Position = Sequence[float]


class _Ring:
    """One ring on its way to EPSG:4326."""

    def __init__(self, transform: QgsCoordinateTransform, ring: Sequence[Position], corners_only: bool) -> None:
        self._transform, self._ring = transform, ring
        self._bends = not corners_only and not transform.sourceCrs().isGeographic()

    def moved(self) -> list[list[float]]:
        """Its corners as [longitude, latitude]; raises QgsCsException, and AoiError where a pole is inside."""
        corners = [self._to_world(position) for position in self._ring]
        if self._bends and _may_bend(corners):
            found = [corners[0]]
            for a, b, lonlat in zip(self._ring, self._ring[1:], corners[1:]):
                found += [*self._between(a, b, found[-1], lonlat, FINEST), lonlat]
            corners = found
        run_on = _running_on(corners)
        if abs(run_on[-1][0] - run_on[0][0]) > 180:
            raise AoiError(aoi_problem("aoi_pole"))
        return run_on

    def _to_world(self, position: Position) -> list[float]:
        point = self._transform.transform(QgsPointXY(position[0], position[1]))
        if not (abs(point.x()) < 1e6 and abs(point.y()) < 1e6):  # also what is not a number
            raise ValueError(position)
        return [point.x(), point.y()]

    def _between(
        self, a: Position, b: Position, a_world: list[float], b_world: list[float], depth: int
    ) -> list[list[float]]:
        """The corners that an edge needs between its ends."""
        middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
        world = self._to_world(middle)
        length = max(_lon_between(a_world, b_world), abs(b_world[1] - a_world[1]))
        straight = [a_world[0] + _lon_step(a_world, b_world) / 2, (a_world[1] + b_world[1]) / 2]
        off = max(_lon_between(straight, world), abs(straight[1] - world[1]))
        if depth == 0 or off <= BENT * length:
            return []
        before = self._between(a, middle, a_world, world, depth - 1)
        return [*before, world, *self._between(middle, b, world, b_world, depth - 1)]


def _may_bend(corners: list[list[float]]) -> bool:
    longitudes, latitudes = [c[0] for c in corners], [c[1] for c in corners]
    size = max(max(longitudes) - min(longitudes), max(latitudes) - min(latitudes))
    return size > SHORT_DEGREES or max(map(abs, latitudes)) > POLAR_DEGREES


def _lon_step(a: Sequence[float], b: Sequence[float]) -> float:
    """From a to b in degrees of longitude, the short way round."""
    return (b[0] - a[0] + 180) % 360 - 180


def _lon_between(a: Sequence[float], b: Sequence[float]) -> float:
    return abs(_lon_step(a, b))


def _running_on(corners: list[list[float]]) -> list[list[float]]:
    """Longitudes that run on over the 180° meridian, where PROJ lets them jump."""
    found = [corners[0]]
    for corner in corners[1:]:
        found.append([found[-1][0] + _lon_step(found[-1], corner), corner[1]])
    jumped = any(abs(a[0] - b[0]) > 180 for a, b in zip(corners, corners[1:]))
    return found if jumped else corners  # else as they are, to the last digit
