"""Drawing an AOI on the map: starts the tools, shows the area while drawing, and gives the map's tool back after it."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.core import QgsGeometry
from qgis.gui import QgsMapCanvas, QgsMapTool
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QAbstractButton

from ..host.aoi_source import aoi_from_map_geometry
from ..host.words import area
from ..jobs.aoi import AoiError
from .map_tools import AoiTool, PolygonTool, RectangleTool


class AoiDrawing(QObject):
    """The two map tools, one button each: pressed while its tool is the map's tool."""

    drawn = pyqtSignal(QgsGeometry)  # in the map's CRS
    hint_changed = pyqtSignal(str)  # how to draw, while drawing; then ""

    def __init__(
        self, canvas: QgsMapCanvas, tell: Callable[[str], None], parent: Optional[QObject] = None
    ) -> None:
        """`tell` shows a short text beside the map (the status bar) while drawing."""
        super().__init__(parent)
        self._canvas, self._tell = canvas, tell
        self._before: Optional[QgsMapTool] = None
        self.polygon_tool = PolygonTool(canvas)
        self.rectangle_tool = RectangleTool(canvas)
        for tool in self._tools:
            tool.sketched.connect(self._tell_area)
            tool.finished.connect(self._finished)
            tool.given_up.connect(self.stop)
            tool.deactivated.connect(self._ended)

    @property
    def _tools(self) -> tuple[AoiTool, AoiTool]:
        return self.polygon_tool, self.rectangle_tool

    @property
    def under_way(self) -> bool:
        """True while one of the tools is the map's tool."""
        return self._canvas.mapTool() in self._tools

    def attach(self, tool: AoiTool, button: QAbstractButton) -> None:
        """`button` starts `tool`, and stops it when pressed again."""
        tool.setButton(button)
        button.clicked.connect(lambda checked: self._start(tool) if checked else self.stop())

    def _start(self, tool: AoiTool) -> None:
        if not self.under_way:
            self._before = self._canvas.mapTool()
        self._canvas.setMapTool(tool)
        self.hint_changed.emit(
            self.tr("Click the corners. Right-click, double-click or Enter ends, Backspace takes one back, Esc quits.")
            if tool is self.polygon_tool
            else self.tr("Drag, or click two opposite corners. Esc quits.")
        )

    def stop(self) -> None:
        """Give the map back the tool that it had."""
        if not self.under_way:
            return
        if self._before is not None and not sip.isdeleted(self._before):
            self._canvas.setMapTool(self._before)
        else:
            self._canvas.unsetMapTool(self._canvas.mapTool())
        self._before = None

    def remove(self) -> None:
        """Stop, and leave the canvas; for unload."""
        self.stop()
        for tool in self._tools:
            tool.remove()

    def _ended(self) -> None:
        self._tell("")
        self.hint_changed.emit("")

    def _finished(self, geometry: QgsGeometry) -> None:
        self.stop()
        self.drawn.emit(geometry)

    def _tell_area(self, geometry: QgsGeometry) -> None:
        if geometry.isNull():
            self._tell("")
            return
        try:
            aoi = aoi_from_map_geometry(geometry, self._canvas.mapSettings().destinationCrs(), "")
        except AoiError:
            self._tell("")  # not a polygon yet
            return
        self._tell(self.tr("AOI: {area}").format(area=area(aoi.area_km2)))
