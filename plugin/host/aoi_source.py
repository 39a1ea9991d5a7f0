"""An AOI from a geometry of any CRS, drawn on the map or read from elsewhere. And back onto the map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Iterable, Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsGeometry,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsWkbTypes,
)

from ..jobs.aoi import Aoi, AoiError, need_shapely
from ..jobs.date_line import crosses_date_line, sides_of_date_line
from ..jobs.polygons import polygons_of
from ..jobs.problem import Problem

AOI_CRS = "EPSG:4326"
MOST_VERTICES = 100_000  # of one geometry that are read at all; about 0.3 s, on a worker thread
MOST_POLYGONS = 20_000  # of one source
BENT = 0.001  # of an edge's length: how far the edge as the platform sees it may be from the edge as it was drawn
LONGEST_NAME = 80  # characters; a job's name has more parts
FINEST = 6  # times that an edge is halved at most
SHORT_DEGREES = 0.1  # edges of polygons up to this size bend less than that, except near the poles
POLAR_DEGREES = 75.0
SMOOTH_STEPS = 24  # of an edge on the map, where the map bends it
MOST_SMOOTHED = 400  # vertices; what has more has short edges


@dataclass(frozen=True)
class FoundAois:
    """What a source has: an AOI for each polygon feature, and how many features are no polygons.

    `refused`: name and problem of the features that are polygons but can't be put on Earth. `name`: the source's.
    """

    aois: tuple[Aoi, ...]
    left_out: int = 0
    refused: tuple[tuple[str, Problem], ...] = ()
    name: str = ""

    def as_one(self, name: str) -> Aoi:
        """All of them as one AOI, which says so where it has several polygons. Raises AoiError where there is none."""
        if not self.aois:
            raise AoiError(self.refused[0][1] if self.refused else _problem("aoi_no_polygon_in", name=name))
        return self.aois[0] if len(self.aois) == 1 else self.whole.named(name)

    @cached_property
    def whole(self) -> Aoi:
        """All polygons as one AOI without a name. Ten thousand take 0.3 s: the reader asks for it first."""
        from shapely.geometry import MultiPolygon

        parts = [part for aoi in self.aois for part in getattr(aoi.geometry, "geoms", [aoi.geometry])]
        whole = Aoi(MultiPolygon(parts), "")
        whole.__dict__["area_km2"] = sum(aoi.area_km2 for aoi in self.aois)  # known already
        return whole


def _problem(code: str, **values: object) -> Problem:
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
        raise AoiError(_problem("aoi_huge", name=name, count=count, maximum=MOST_VERTICES))
    if not crs.isValid():
        raise AoiError(_problem("aoi_no_crs", name=name))
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
        raise AoiError(_problem("aoi_outside", place=place)) from e
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
            raise AoiError(_problem("aoi_pole"))
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


def aoi_from_source(source: QgsFeatureSource) -> Aoi:
    """An AOI of the polygons of a Processing source, named like it. Raises AoiError."""
    name = source.sourceName() or "AOI"
    features = source.getFeatures(QgsFeatureRequest().setNoAttributes())
    found = find_aois(((feature.geometry(), name) for feature in features), source.sourceCrs(), name)
    if not found.aois and not found.refused:
        raise AoiError(_problem("aoi_empty"))
    if found.refused:
        raise AoiError(found.refused[0][1])
    return found.as_one(name)


def find_aois(
    named: Iterable[tuple[QgsGeometry, str]],
    crs: QgsCoordinateReferenceSystem,
    source_name: str,
    context: Optional[QgsCoordinateTransformContext] = None,
) -> FoundAois:
    """An AOI for each geometry that has polygons. Raises AoiError where there are more than MOST_POLYGONS."""
    aois: list[Aoi] = []
    refused: list[tuple[str, Problem]] = []
    left_out = vertices = 0
    for geometry, name in named:
        if geometry.isNull() or geometry.isEmpty():
            continue
        others = _others(geometry)
        left_out += others
        if others and not _has_polygons(geometry):
            continue
        try:
            aois.append(aoi_from_map_geometry(geometry, crs, " ".join(name.split())[:LONGEST_NAME], context))
        except AoiError as e:
            if e.problem.code in ("aoi_no_shapely", "aoi_no_crs"):
                raise
            refused.append((name, e.problem))
            continue
        vertices += geometry.constGet().nCoordinates()
        if len(aois) > MOST_POLYGONS:
            raise AoiError(_problem("aoi_too_many", name=source_name, maximum=MOST_POLYGONS))
        if vertices > 10 * MOST_VERTICES:
            raise AoiError(_problem("aoi_huge", name=source_name, count=vertices, maximum=10 * MOST_VERTICES))
        _ = aois[-1].area_km2  # computed here, on the worker thread, and kept
    return FoundAois(tuple(aois), left_out, tuple(refused), source_name)


def _parts(geometry: QgsGeometry) -> list[QgsGeometry]:
    mixed = geometry.type() == QgsWkbTypes.GeometryType.UnknownGeometry
    return geometry.asGeometryCollection() if mixed else [geometry]


def _has_polygons(geometry: QgsGeometry) -> bool:
    return any(part.type() == QgsWkbTypes.GeometryType.PolygonGeometry for part in _parts(geometry))


def _others(geometry: QgsGeometry) -> int:
    """How many of its parts are no polygons."""
    return sum(part.type() != QgsWkbTypes.GeometryType.PolygonGeometry for part in _parts(geometry))


def wkb_of(aoi: Aoi) -> bytes:
    """The geometry for `QgsGeometry.fromWkb`."""
    from shapely import wkb

    return wkb.dumps(aoi.geometry)


def aoi_to_map_geometry(aoi: Aoi, crs: QgsCoordinateReferenceSystem, corners_only: bool = False) -> QgsGeometry:
    """The AOI in the CRS of the map; empty where it can't be shown there.

    Edges are bent as the map bends them; not with `corners_only`, for what is to be edited.
    """
    shown = aoi.geometry
    if crosses_date_line(shown) and crs != QgsCoordinateReferenceSystem(AOI_CRS):
        from shapely.geometry import MultiPolygon

        shown = MultiPolygon([p for side in sides_of_date_line(shown) if side is not None for p in polygons_of(side)])
    geometry = QgsGeometry()
    geometry.fromWkb(wkb_of(Aoi(shown)))
    world = QgsCoordinateReferenceSystem(AOI_CRS)
    if crs == world or not crs.isValid():
        return geometry
    if not corners_only and geometry.constGet() is not None and geometry.constGet().nCoordinates() <= MOST_SMOOTHED:
        geometry = geometry.densifyByCount(SMOOTH_STEPS)
    try:
        geometry.transform(QgsCoordinateTransform(world, crs, QgsProject.instance()))
    except QgsCsException:
        return QgsGeometry()
    return geometry


def map_view(settings: QgsMapSettings) -> QgsGeometry:
    """What the map shows, turned with it, in its CRS; of a map that shows more than the world, only the world."""
    view = QgsGeometry.fromPolygonXY([[QgsPointXY(corner) for corner in settings.visiblePolygon()]])
    crs = settings.destinationCrs()
    known = crs.bounds()  # in degrees
    if known.width() < 360:
        return view
    to_map = QgsCoordinateTransform(QgsCoordinateReferenceSystem(AOI_CRS), crs, QgsProject.instance())
    try:
        world = to_map.transformBoundingBox(known)
    except QgsCsException:
        return view
    box = view.boundingBox()
    if box.width() < world.width():  # it may go over the 180° meridian
        world = QgsRectangle(box.xMinimum(), world.yMinimum(), box.xMaximum(), world.yMaximum())
    return view.intersection(QgsGeometry.fromRect(world)) if not world.contains(box) else view
