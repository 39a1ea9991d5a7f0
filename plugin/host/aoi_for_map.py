"""An AOI in the CRS of the map, and what the map shows as a geometry."""

from __future__ import annotations

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)

from ..jobs.aoi import Aoi
from ..jobs.date_line import crosses_date_line, sides_of_date_line
from ..jobs.polygons import polygons_of
from .aoi_on_earth import AOI_CRS

SMOOTH_STEPS = 24  # of an edge on the map, where the map bends it
MOST_SMOOTHED = 400  # vertices; what has more has short edges


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
