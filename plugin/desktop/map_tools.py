"""Map tools that draw an AOI: a polygon corner by corner, a rectangle by dragging or by two clicks."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsGeometry, QgsPointLocator, QgsPointXY, QgsRectangle
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsSnapIndicator
from qgis.PyQt.QtCore import QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import QApplication

from .outline import Outline

FEWEST_CORNERS = 3


class AoiTool(QgsMapTool):
    """What both tools share: the sketch on the map, the snap indicator, and how drawing ends.

    All geometries are in the map's CRS.
    """

    sketched = pyqtSignal(QgsGeometry)  # what is drawn so far
    finished = pyqtSignal(QgsGeometry)
    given_up = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._sketch = Outline(canvas)
        self._snap = QgsSnapIndicator(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def activate(self) -> None:
        """Begin with an empty sketch, and take the keyboard."""
        super().activate()
        self.forget()
        self.canvas().setFocus()

    def deactivate(self) -> None:
        """Another tool was chosen, or drawing has ended."""
        self.forget()
        super().deactivate()

    def forget(self) -> None:
        """Drop the sketch."""
        self._sketch.hide()
        self._snap.setMatch(QgsPointLocator.Match())

    def remove(self) -> None:
        """Take the sketch off the canvas; for unload."""
        self._sketch.remove()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives up."""
        if event.key() == Qt.Key.Key_Escape:
            event.accept()
            self.given_up.emit()

    def _snapped(self, event: QgsMapMouseEvent) -> QgsPointXY:
        point = event.snapPoint()
        self._snap.setMatch(event.mapPointMatch())
        return QgsPointXY(point)

    def _show(self, geometry: QgsGeometry) -> None:
        self._sketch.show(geometry)
        self.sketched.emit(geometry)


class PolygonTool(AoiTool):
    """Each click is a corner; right-click, double-click or Enter ends; Backspace takes the last corner back."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._corners: list[QgsPointXY] = []
        self._pointer: Optional[QgsPointXY] = None
        self._ends_at_release = False
        super().__init__(canvas)

    def forget(self) -> None:
        """Drop the sketch and its corners."""
        self._corners, self._pointer, self._ends_at_release = [], None, False
        super().forget()

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The edge to the pointer follows it."""
        self._pointer = self._snapped(event)
        self._draw()

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:
        """The first click of the two was the last corner, unless it was taken back meanwhile.

        The end waits for the release of the second, lest the next tool get it.
        """
        tolerance = QApplication.startDragDistance() * self.canvas().mapUnitsPerPixel()
        self._ends_at_release = bool(self._corners) and self._corners[-1].distance(self._snapped(event)) <= tolerance

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """Add a corner, or end."""
        if event.button() == Qt.MouseButton.RightButton or self._ends_at_release:
            self._end()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._corners.append(self._snapped(event))
            self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter ends, Backspace and Delete take the last corner back."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
            self._end()
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            event.accept()
            self._corners = self._corners[:-1]
            self._draw()
        else:
            super().keyPressEvent(event)

    def _draw(self) -> None:
        points = self._corners + ([self._pointer] if self._pointer and self._corners else [])
        self._show(QgsGeometry.fromPolygonXY([points]) if len(points) > 1 else QgsGeometry())

    def _end(self) -> None:
        self._ends_at_release = False
        if not self._corners:
            self.given_up.emit()
        elif len(self._corners) >= FEWEST_CORNERS:
            self.finished.emit(QgsGeometry.fromPolygonXY([self._corners]))


class RectangleTool(AoiTool):
    """Drag from corner to corner, or click one corner and then the opposite one."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._first: Optional[QgsPointXY] = None
        self._pressed_at = QPoint()
        self._second_click = False
        super().__init__(canvas)

    def forget(self) -> None:
        """Drop the sketch and its first corner."""
        self._first, self._second_click = None, False
        super().forget()

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """The first corner, or the click on the second one."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed_at = event.pos()
        self._second_click = self._first is not None
        if self._first is None:
            self._first = self._snapped(event)

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """The opposite corner follows the pointer."""
        point = self._snapped(event)
        if self._first is not None:
            self._show(self._rectangle(point))

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """End after a drag or a second click; a right-click gives up."""
        if event.button() == Qt.MouseButton.RightButton:
            self.given_up.emit()
            return
        dragged = (event.pos() - self._pressed_at).manhattanLength() > QApplication.startDragDistance()
        if self._first is not None and (dragged or self._second_click):
            rectangle = self._rectangle(self._snapped(event))
            if not rectangle.isEmpty():
                self.finished.emit(rectangle)

    def _rectangle(self, opposite: QgsPointXY) -> QgsGeometry:
        rectangle = QgsRectangle(self._first, opposite)
        return QgsGeometry() if rectangle.isEmpty() else QgsGeometry.fromRect(rectangle)
