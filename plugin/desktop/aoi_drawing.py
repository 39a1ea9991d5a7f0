"""Drawing and editing an AOI on the map: starts the tools, shows the area meanwhile, gives the map its tool back."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.core import QgsGeometry
from qgis.gui import QgsMapCanvas, QgsMapTool
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QAbstractButton

from ..host.aoi_on_earth import aoi_from_map_geometry
from ..host.words import area
from ..jobs.aoi import AoiError
from .aoi_edit_tool import EditTool
from .map_tools import AoiTool, PolygonTool, RectangleTool


class AoiDrawing(QObject):
    """The three map tools, one button each: pressed while its tool is the map's tool."""

    drawn = pyqtSignal(QgsGeometry)  # in the map's CRS
    edited = pyqtSignal(QgsGeometry)  # after each change, in the map's CRS
    hint_changed = pyqtSignal(str)  # how to draw, while drawing; then ""

    def __init__(self, canvas: QgsMapCanvas, tell: Callable[[str], None], parent: Optional[QObject] = None) -> None:
        """`tell` shows a short text beside the map (the status bar) while drawing."""
        super().__init__(parent)
        self._canvas, self._tell = canvas, tell
        self._before: Optional[QgsMapTool] = None
        self.polygon_tool = PolygonTool(canvas)
        self.rectangle_tool = RectangleTool(canvas)
        self.edit_tool = EditTool(canvas)
        self.edit_tool.edited.connect(self.edited)
        canvas.destinationCrsChanged.connect(self.stop)  # what is sketched is in the CRS before
        for tool in self._tools:
            tool.sketched.connect(self._tell_area)
            tool.finished.connect(self._finished)
            tool.given_up.connect(self.stop)
            tool.deactivated.connect(self._ended)

    @property
    def _tools(self) -> tuple[AoiTool, ...]:
        return self.polygon_tool, self.rectangle_tool, self.edit_tool

    @property
    def under_way(self) -> bool:
        """True while one of the tools is the map's tool."""
        return self._canvas.mapTool() in self._tools

    def attach(self, tool: AoiTool, button: QAbstractButton) -> None:
        """`button` starts `tool`, and stops it when pressed again."""
        tool.setButton(button)
        button.clicked.connect(lambda checked: self._start(tool) if checked else self.stop())

    @property
    def editing(self) -> bool:
        """True while the corners are handles on the map."""
        return self._canvas.mapTool() is self.edit_tool

    def edit(self, geometry: QgsGeometry) -> None:
        """Make handles of the corners of `geometry`, which is in the map's CRS."""
        self._start(self.edit_tool)
        self.edit_tool.load(geometry)

    def _start(self, tool: AoiTool) -> None:
        if not self.under_way:
            self._before = self._canvas.mapTool()
        self._canvas.setMapTool(tool)
        self.hint_changed.emit(self._how_to(tool))

    def _how_to(self, tool: AoiTool) -> str:
        if tool is self.polygon_tool:
            return self.tr(
                "Click the corners. Right-click, double-click or Enter ends, Backspace takes one back, Esc quits."
            )
        if tool is self.rectangle_tool:
            return self.tr("Drag, or click two opposite corners. Esc quits.")
        return self.tr(
            "Drag corners; press on an edge for a new one; right-click a corner or press Delete to remove it."
            " Ctrl+Z takes back. Enter ends, Esc undoes all."
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
        self._canvas.destinationCrsChanged.disconnect(self.stop)
        for tool in self._tools:
            tool.remove()
            tool.deleteLater()  # they are the canvas's children, which outlives us

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
