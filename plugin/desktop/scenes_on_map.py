"""Scenes of the list on the map: the footprint of what is pointed at and chosen, and clicks that choose a scene."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsWkbTypes,
)
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsMapToolPan, QgsRubberBand
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QApplication

from ..host.found_scenes import FoundScene

# Map symbols lie on imagery, which has no theme. Vermillion and yellow of the Okabe–Ito set, on a dark edge.
CHOSEN, POINTED, EDGE = QColor("#d55e00"), QColor("#f0e442"), QColor(20, 20, 20, 200)
CHOSEN_WIDTH, POINTED_WIDTH = 3, 2
SCENES_CRS = "EPSG:4326"
ROOM_AROUND = 1.15


class PickSceneTool(QgsMapToolPan):
    """Pans like QGIS's own tool, but a click chooses the scene there instead of moving the map."""

    clicked = pyqtSignal(QgsPointXY)  # in the map's CRS
    pointed = pyqtSignal(QgsPointXY)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._pressed_at: Optional[QPoint] = None
        self._dragged = False

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """A click begins, or a drag."""
        self._pressed_at, self._dragged = event.pos(), False
        super().canvasPressEvent(event)

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """Pan with the button down, else point."""
        if self._pressed_at is None:
            self.pointed.emit(event.mapPoint())
            return
        far = (event.pos() - self._pressed_at).manhattanLength() > QApplication.startDragDistance()
        self._dragged = self._dragged or far
        if self._dragged:
            super().canvasMoveEvent(event)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """A click chooses; the end of a drag is QGIS's."""
        was_click = self._pressed_at is not None and not self._dragged
        self._pressed_at = None
        if was_click and event.button() == Qt.MouseButton.LeftButton:
            self.canvas().setCursor(Qt.CursorShape.OpenHandCursor)  # as the press found it
            self.clicked.emit(event.mapPoint())
        else:
            super().canvasReleaseEvent(event)


class ScenesOnMap(QObject):
    """Draws footprints on the canvas and tells which scene was clicked there."""

    picked = pyqtSignal(str)  # a scene's id

    def __init__(self, canvas: QgsMapCanvas, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.tool = PickSceneTool(canvas)
        self.tool.clicked.connect(self._clicked)
        self.tool.pointed.connect(self._pointed)
        self._before: Optional[QgsMapTool] = None
        self._outlines: dict[str, str] = {}  # scene id -> WKT in EPSG:4326
        self._drawn: dict[str, QgsGeometry] = {}  # the same in the map's CRS
        self._chosen: list[str] = []
        self._chosen_band = _band(canvas, CHOSEN, CHOSEN_WIDTH)
        self._pointed_band = _band(canvas, POINTED, POINTED_WIDTH)
        canvas.destinationCrsChanged.connect(self._crs_changed)

    def set_scenes(self, scenes: Sequence[FoundScene]) -> None:
        """Forget what was drawn; from now on these scenes can be shown and clicked."""
        self._outlines = {found.scene.id: found.outline for found in scenes if found.outline}
        self._chosen = []
        self._crs_changed()

    def show_chosen(self, ids: Sequence[str]) -> None:
        """Draw the footprints of these scenes, and of no others."""
        self._chosen = list(ids)
        _show(self._chosen_band, [self._geometry(scene_id) for scene_id in ids])

    def show_pointed(self, scene_id: str = "") -> None:
        """Draw the footprint that the mouse is on, if any."""
        _show(self._pointed_band, [self._geometry(scene_id)] if scene_id else [])

    def zoom_to(self, ids: Sequence[str]) -> None:
        """Move the map so that these footprints fill most of it."""
        geometry = QgsGeometry.collectGeometry([g for g in map(self._geometry, ids) if not g.isNull()])
        extent = geometry.boundingBox()
        if not geometry.isNull() and not extent.isEmpty():
            extent.scale(ROOM_AROUND)
            self._canvas.setExtent(extent)
            self._canvas.refresh()

    def take_clicks(self) -> None:
        """Make our tool the map's."""
        if self._canvas.mapTool() is not self.tool:
            self._before = self._canvas.mapTool()
            self._canvas.setMapTool(self.tool)

    def take_clicks_if_panning(self) -> None:
        """The same where the map's tool is the one for panning, which ours does as well; no other is pushed away."""
        if type(self._canvas.mapTool()) is QgsMapToolPan:
            self.take_clicks()

    def leave_clicks(self) -> None:
        """Give the map's tool back."""
        if self._canvas.mapTool() is self.tool:
            if self._before is not None and not sip.isdeleted(self._before):
                self._canvas.setMapTool(self._before)
            else:
                self._canvas.unsetMapTool(self.tool)
        self._before = None

    def remove(self) -> None:
        """Leave the canvas; for unload."""
        self.leave_clicks()
        self._canvas.destinationCrsChanged.disconnect(self._crs_changed)
        for band in (self._chosen_band, self._pointed_band):
            self._canvas.scene().removeItem(band)

    def _crs_changed(self) -> None:
        self._drawn = {}
        self.show_pointed()
        self.show_chosen(self._chosen)

    def _geometry(self, scene_id: str) -> QgsGeometry:
        if scene_id not in self._drawn and scene_id in self._outlines:
            self._drawn[scene_id] = self._in_map_crs(self._outlines[scene_id])
        return self._drawn.get(scene_id, QgsGeometry())

    def _in_map_crs(self, wkt: str) -> QgsGeometry:
        geometry = QgsGeometry.fromWkt(wkt)
        crs = self._canvas.mapSettings().destinationCrs()
        try:
            geometry.transform(
                QgsCoordinateTransform(QgsCoordinateReferenceSystem(SCENES_CRS), crs, QgsProject.instance())
            )
        except QgsCsException:  # outside of what the map's CRS can show
            return QgsGeometry()
        return geometry

    def _at(self, point: QgsPointXY) -> list[str]:
        """The scenes there, the smallest first."""
        here = QgsGeometry.fromPointXY(point)
        hits = [(self._geometry(scene_id), scene_id) for scene_id in self._outlines]
        inside = [(geometry.area(), scene_id) for geometry, scene_id in hits if geometry.contains(here)]
        return [scene_id for _area, scene_id in sorted(inside)]

    def _clicked(self, point: QgsPointXY) -> None:
        """Choose the scene there; where several lie on each other, each further click takes the next."""
        hits = self._at(point)
        if hits:
            before = self._chosen[0] if len(self._chosen) == 1 else ""
            following = hits.index(before) + 1 if before in hits else 0
            self.picked.emit(hits[following % len(hits)])

    def _pointed(self, point: QgsPointXY) -> None:
        self.show_pointed(next(iter(self._at(point)), ""))


def _band(canvas: QgsMapCanvas, colour: QColor, width: int) -> QgsRubberBand:
    band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
    band.setStrokeColor(colour)
    band.setSecondaryStrokeColor(EDGE)
    band.setFillColor(QColor(Qt.GlobalColor.transparent))
    band.setWidth(width)
    return band


def _show(band: QgsRubberBand, geometries: Sequence[QgsGeometry]) -> None:
    band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
    for geometry in geometries:
        if not geometry.isNull():
            band.addGeometry(geometry)
