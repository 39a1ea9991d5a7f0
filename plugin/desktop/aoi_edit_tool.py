"""The map tool that edits an AOI: its corners are handles to drag; a press on an edge makes a new one."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsGeometry, QgsPointXY, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsRubberBand
from qgis.PyQt.QtCore import QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import QApplication

from .map_tools import AoiTool
from .outline import EDGE, LINE

NEAR = 10  # pixels
HANDLE = 9
CORNERS_OF_A_TRIANGLE = 3
FAR = 100_000  # pixels


class EditTool(AoiTool):
    """`edited` after each change, in the map's CRS. Right-click on a corner or Delete removes it; Ctrl+Z takes back.

    Right-click elsewhere or Enter ends; Esc ends too, with everything as it was.
    """

    edited = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._before: list[QgsGeometry] = []  # the states to go back to; the first is that of the beginning
        self._geometry = QgsGeometry()
        self._dragged: Optional[int] = None
        self._dragged_from = QgsGeometry()
        self._pressed_at = QPoint()
        super().__init__(canvas)
        self._handles = self._points(HANDLE)
        self._near = self._points(HANDLE + 4)
        self.setCursor(Qt.CursorShape.ArrowCursor)

    def _points(self, size: int) -> QgsRubberBand:
        band = QgsRubberBand(self.canvas(), QgsWkbTypes.GeometryType.PointGeometry)
        band.setIcon(QgsRubberBand.IconType.ICON_FULL_BOX)
        band.setIconSize(size)
        band.setColor(LINE)
        band.setSecondaryStrokeColor(EDGE)
        band.setFillColor(EDGE)
        return band

    def load(self, geometry: QgsGeometry) -> None:
        """What is edited from now on, in the map's CRS."""
        self._geometry, self._before, self._dragged = QgsGeometry(geometry), [], None
        self._draw()

    def forget(self) -> None:
        """Drop geometry and handles."""
        super().forget()
        self._geometry, self._before, self._dragged = QgsGeometry(), [], None
        for band in (getattr(self, "_handles", None), getattr(self, "_near", None)):
            if band is not None:
                band.reset(QgsWkbTypes.GeometryType.PointGeometry)

    def remove(self) -> None:
        """Take everything off the canvas; for unload."""
        super().remove()
        for band in (self._handles, self._near):
            self.canvas().scene().removeItem(band)

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """Take a corner, or make one on the edge."""
        if event.button() != Qt.MouseButton.LeftButton or self._geometry.isNull():
            return
        self._dragged_from = QgsGeometry(self._geometry)
        point = event.mapPoint()
        corner = self._corner_near(point)
        if corner is None:
            edge = self._edge_near(point)
            if edge is None:
                return
            self._geometry.insertVertex(point.x(), point.y(), edge)
            corner = edge
        self._dragged, self._pressed_at = corner, event.pos()

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The taken corner follows the pointer; else the corner is shown that would be taken."""
        if self._dragged is None:
            self._show_near(event.mapPoint())
            return
        self._move_to(event)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """Let go of the corner; a right-click removes the corner under it, or ends."""
        if event.button() == Qt.MouseButton.RightButton:
            if self._dragged is None and not self._remove_corner(self._corner_near(event.mapPoint())):
                self.given_up.emit()
        elif self._dragged is not None:
            self._move_to(event)
            self._dragged = None
            if not self._geometry.equals(self._dragged_from):
                self._changed(self._dragged_from)

    def _move_to(self, event: QgsMapMouseEvent) -> None:
        """Not for a mere click: it would push the corner to where the pointer happens to be."""
        if (event.pos() - self._pressed_at).manhattanLength() >= QApplication.startDragDistance():
            self._pressed_at = QPoint(-FAR, -FAR)  # from now on it follows
            point = self._snapped(event)
            self._geometry.moveVertex(point.x(), point.y(), self._dragged)
            self._draw()
            self._mark(point)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes a corner, Ctrl+Z takes back, Enter ends, Esc ends with everything as it was."""
        if event.matches(QKeySequence.StandardKey.Undo):
            event.accept()
            self._take_back()
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            event.accept()
            self._remove_corner(self._corner_near(self.toMapCoordinates(self.canvas().mouseLastXY())))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
            self.given_up.emit()
        elif event.key() == Qt.Key.Key_Escape:
            event.accept()
            self._give_up()

    def _give_up(self) -> None:
        if self._dragged is not None:  # only this one corner
            self._dragged = None
            self._geometry = self._dragged_from
            self._draw()
            return
        if self._before:
            self.edited.emit(self._before[0])
        self.given_up.emit()

    def _take_back(self) -> None:
        if self._before and self._dragged is None:
            self._geometry = self._before.pop()
            self._draw()
            self.edited.emit(QgsGeometry(self._geometry))

    def _changed(self, before: QgsGeometry) -> None:
        self._before.append(before)
        self._draw()
        self.edited.emit(QgsGeometry(self._geometry))

    def _remove_corner(self, corner: Optional[int]) -> bool:
        """False where there is none to remove; the last three of a ring stay."""
        if corner is None:
            return False
        before = QgsGeometry(self._geometry)
        _found, identity = self._geometry.vertexIdFromVertexNr(corner)
        ring_corners = self._geometry.constGet().vertexCount(identity.part, identity.ring) - 1
        if ring_corners > CORNERS_OF_A_TRIANGLE and self._geometry.deleteVertex(corner):
            self._changed(before)
            self._near.reset(QgsWkbTypes.GeometryType.PointGeometry)
        return True

    def _tolerance(self) -> float:
        return NEAR * self.canvas().mapUnitsPerPixel()

    def _corner_near(self, point: QgsPointXY) -> Optional[int]:
        if self._geometry.isNull():
            return None
        _corner, number, _before, _after, square = self._geometry.closestVertex(point)
        return number if 0 <= square <= self._tolerance() ** 2 else None

    def _edge_near(self, point: QgsPointXY) -> Optional[int]:
        """The number of the corner that ends the edge at `point`."""
        square, _on_edge, after, _side = self._geometry.closestSegmentWithContext(point)
        return after if 0 <= square <= self._tolerance() ** 2 else None

    def _show_near(self, point: QgsPointXY) -> None:
        corner = self._corner_near(point)
        edge = self._edge_near(point) if corner is None and not self._geometry.isNull() else None
        if corner is None and edge is None:
            self._near.reset(QgsWkbTypes.GeometryType.PointGeometry)
            self.setCursor(Qt.CursorShape.ArrowCursor)
            return
        self.setCursor(Qt.CursorShape.SizeAllCursor if corner is not None else Qt.CursorShape.CrossCursor)
        self._mark(QgsPointXY(self._geometry.vertexAt(corner)) if corner is not None else point)

    def _mark(self, point: QgsPointXY) -> None:
        self._near.setToGeometry(QgsGeometry.fromPointXY(point))

    def _draw(self) -> None:
        self._show(self._geometry)
        corners = [QgsPointXY(corner) for corner in self._geometry.vertices()]
        self._handles.setToGeometry(QgsGeometry.fromMultiPointXY(corners))
