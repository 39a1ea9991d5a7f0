"""Compare the scenes of a job: one at a time on the map, by the arrow keys."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsLayerTreeGroup
from qgis.gui import QgsMapCanvas, QgsMapTool, QgsMapToolPan
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import QLabel

from ..layers.play import OneAtATime

FROM_EDGE = 8  # pixels
STEPS = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}


class CompareTool(QgsMapToolPan):
    """Pans like QGIS's own tool; the arrow keys step instead of moving the map, Esc ends."""

    stepped = pyqtSignal(int)
    ended = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is ignored here counts as done: the canvas does nothing more with it."""
        if event.key() in STEPS:
            event.ignore()
            self.stepped.emit(STEPS[event.key()])
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()
            self.ended.emit()
        else:
            super().keyPressEvent(event)


class ScenesCompare(QObject):
    """Under way from `start` until Esc, another map tool, or the end of the group."""

    def __init__(self, canvas: QgsMapCanvas, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.tool = CompareTool(canvas)
        self.tool.stepped.connect(self._step)
        self.tool.ended.connect(self.end)
        self.tool.deactivated.connect(self._deactivated)
        self._before: Optional[QgsMapTool] = None
        self._shown: Optional[OneAtATime] = None
        self._group: Optional[QgsLayerTreeGroup] = None
        self._label = QLabel(canvas)
        self._label.setObjectName("compareLabel")
        self._label.setMargin(6)
        self._label.setAutoFillBackground(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.hide()

    def start(self, group: QgsLayerTreeGroup) -> None:
        """Show the job's oldest scene alone and take the arrow keys."""
        self.end()
        shown = OneAtATime(group)
        if len(shown.passes) < 2:
            return
        self._shown, self._group = shown, group
        self._before = self._canvas.mapTool()
        self._canvas.setMapTool(self.tool)
        self._canvas.setFocus()
        self._show(0)

    def _step(self, by: int) -> None:
        if self._shown is None:
            return
        if sip.isdeleted(self._group):
            self._shown = None
            self.end()
        else:
            self._show(self._shown.current + by)

    def _show(self, place: int) -> None:
        self._shown.show(place)
        time = self._shown.times[self._shown.current]
        when = time.toString("yyyy-MM-dd HH:mm") + " UTC" if time is not None else self._shown.passes[0][0].name()
        self._label.setText(
            self.tr("{when}  ·  {n} of {count}  ·  ← → steps, Esc ends").format(
                when=when, n=self._shown.current + 1, count=len(self._shown.passes)
            )
        )
        self._label.adjustSize()
        self._label.move(FROM_EDGE, FROM_EDGE)
        self._label.show()
        self._label.raise_()

    def end(self) -> None:
        """Show again what was shown before, and give the map's tool back."""
        if self._canvas.mapTool() is self.tool:
            if self._before is not None and not sip.isdeleted(self._before):
                self._canvas.setMapTool(self._before)
            else:
                self._canvas.unsetMapTool(self.tool)
        self._deactivated()

    def _deactivated(self) -> None:
        self._label.hide()
        shown, self._shown = self._shown, None
        if shown is not None and not sip.isdeleted(self._group):
            shown.end()

    def remove(self) -> None:
        """Leave the canvas; for unload."""
        self.end()
        self._label.deleteLater()
