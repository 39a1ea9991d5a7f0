"""The AOI: where it comes from, its name and size, what is wrong with it, and the geometric filter."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from qgis.core import Qgis, QgsGeometry, QgsMapLayerProxyModel, QgsPointXY, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtWidgets import QGroupBox, QWidget
from shapely.geometry import box

from ..host.aoi_reader import AoiReader, one_of
from ..host.aoi_source import aoi_from_map_geometry
from ..host.words import area, tell
from ..host.work import Work
from ..jobs.aoi import Aoi, AoiError, GeometricFilter
from .aoi_drawing import AoiDrawing
from .aoi_on_map import AoiOnMap
from .filter_box import FilterBox
from .problem_line import ProblemLine
from .request_model import RequestModel
from .ui_files import own_icon, set_up, theme_icon

POLYGON_LAYERS = (Qgis.LayerFilter if hasattr(Qgis, "LayerFilter") else QgsMapLayerProxyModel.Filter).PolygonLayer
EXAMPLE = (-54.62, -25.44, -54.54, -25.37)  # west, south, east, north: the Itaipu dam, 8 km by 8 km


class AoiBox(QGroupBox):
    """Every way to an AOI ends in `RequestModel.set_aoi` or `refuse_aoi`. `read_aoi` is that of the journey."""

    def __init__(
        self,
        model: RequestModel,
        canvas: QgsMapCanvas,
        drawing: AoiDrawing,
        on_map: AoiOnMap,
        reader: AoiReader,
        parent: Optional[QWidget] = None,
    ) -> None:
        super().__init__(parent)
        set_up(self, "aoi_box")
        self._model, self._canvas, self._drawing, self._on_map = model, canvas, drawing, on_map
        self._reader = reader
        self._reading: Optional[Work] = None
        self._followed: Optional[QgsVectorLayer] = None
        self._usual_hint = self.aoiHintLabel.text()
        self.problem = ProblemLine()
        self.problem.setObjectName("aoiProblem")
        self.aoiLayout.addWidget(self.problem)
        self.filter = FilterBox(model)
        self.aoiLayout.addWidget(self.filter)
        self._set_icons()
        self._set_up_sources()
        self.aoiNameEdit.textEdited.connect(self._rename)
        self.zoomToAoiButton.clicked.connect(on_map.zoom)
        self.clearAoiButton.clicked.connect(self._clear)
        self.exampleButton.clicked.connect(self._use_example)
        model.changed.connect(self._show)

    def _set_icons(self) -> None:
        self.drawPolygonButton.setIcon(own_icon("draw_polygon"))
        self.drawRectangleButton.setIcon(own_icon("draw_rectangle"))
        self.mapViewButton.setIcon(own_icon("map_view"))
        self.fromLayerButton.setIcon(own_icon("from_layer"))
        self.zoomToAoiButton.setIcon(theme_icon("mActionZoomToArea"))
        self.clearAoiButton.setIcon(theme_icon("mIconClearText"))

    def _set_up_sources(self) -> None:
        self._drawing.attach(self._drawing.polygon_tool, self.drawPolygonButton)
        self._drawing.attach(self._drawing.rectangle_tool, self.drawRectangleButton)
        self._drawing.drawn.connect(self._take_drawn)
        self._drawing.hint_changed.connect(self._show_hint)
        self.mapViewButton.clicked.connect(self._take_map_view)
        self.layerCombo.setFilters(POLYGON_LAYERS)
        self.layerRow.hide()
        self.fromLayerButton.toggled.connect(self._show_layers)
        self.layerCombo.layerChanged.connect(lambda _layer: self._layer_chosen())
        self.selectedOnlyCheck.clicked.connect(lambda _checked: self._take_layer())
        layers = self.layerCombo.model()
        for signal in (layers.rowsInserted, layers.rowsRemoved, layers.modelReset):
            signal.connect(self._show_whether_layers)
        self._show_whether_layers()

    def _show_whether_layers(self) -> None:
        there = self.layerCombo.count() > 0
        self.fromLayerButton.setEnabled(there)
        self.fromLayerButton.setToolTip(
            self.tr("Use the polygon of a layer") if there else self.tr("The project has no polygon layer")
        )
        if not there:
            self.fromLayerButton.setChecked(False)

    def _take_drawn(self, geometry: QgsGeometry) -> None:
        self.fromLayerButton.setChecked(False)
        try:
            self._model.set_aoi(
                aoi_from_map_geometry(geometry, self._canvas.mapSettings().destinationCrs(), self._usual_name())
            )
        except AoiError as refused:
            self._model.refuse_aoi(refused.problem)

    def _take_map_view(self) -> None:
        self._drawing.stop()
        corners = [QgsPointXY(corner) for corner in self._canvas.mapSettings().visiblePolygon()]  # turned with the map
        self._take_drawn(QgsGeometry.fromPolygonXY([corners]))

    def _use_example(self) -> None:
        self._drawing.stop()
        self.fromLayerButton.setChecked(False)
        self._model.set_aoi(Aoi(box(*EXAMPLE), self.tr("Example")))
        self._on_map.zoom()

    def _show_layers(self, shown: bool) -> None:
        self.layerRow.setVisible(shown)
        if shown:
            self._drawing.stop()
            self._layer_chosen()
        else:
            self._stop_reading()
            self._follow(None)

    def _layer_chosen(self) -> None:
        layer = self.layerCombo.currentLayer()
        if not self.fromLayerButton.isChecked() or layer is None:
            return
        self.selectedOnlyCheck.setChecked(layer.selectedFeatureCount() > 0)
        self._follow(layer)
        self._take_layer()

    def _follow(self, layer: Optional[QgsVectorLayer]) -> None:
        """Another selection in the chosen layer is another AOI while only selected features are taken."""
        if self._followed is not None:
            self._followed.selectionChanged.disconnect(self._selection_changed)
            self._followed.willBeDeleted.disconnect(self._layer_goes)
        self._followed = layer
        if layer is not None:
            layer.selectionChanged.connect(self._selection_changed)
            layer.willBeDeleted.connect(self._layer_goes)

    def _selection_changed(self) -> None:
        if self.selectedOnlyCheck.isChecked():
            self._take_layer()

    def _layer_goes(self) -> None:
        self._followed = None

    def _take_layer(self) -> None:
        layer = self.layerCombo.currentLayer()
        if layer is None:
            return
        self._stop_reading()
        selected_only = self.selectedOnlyCheck.isChecked()
        self._reading = self._reader.layer(
            layer,
            selected_only,
            "",
            lambda found: self._model.set_aoi(one_of(found, layer.name())),
            self._model.refuse_aoi,
        )

    def _stop_reading(self) -> None:
        """What is read of a layer is not wanted any more: the AOI comes from elsewhere."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _usual_name(self) -> str:
        aoi = self._model.request.aoi if self._model.request else None
        return aoi.name if aoi else self.tr("AOI")

    def _rename(self, name: str) -> None:
        aoi = self._model.request.aoi if self._model.request else None
        if aoi is not None:
            self._model.set_aoi(replace(aoi, name=name))

    def _clear(self) -> None:
        self.fromLayerButton.setChecked(False)
        self._model.set_aoi(None)

    def _show(self) -> None:
        request, workflow = self._model.request, self._model.workflow
        if request is None:
            return
        self.setVisible(workflow is None or workflow.needs_aoi)
        aoi = request.aoi
        self.aoiNameRow.setVisible(aoi is not None)
        self.aoiSizeLabel.setVisible(aoi is not None)
        self._show_hint()
        if aoi is not None:
            if self.aoiNameEdit.text() != aoi.name:
                self.aoiNameEdit.setText(aoi.name)
            self.aoiSizeLabel.setText(self._size(aoi, request.geometric_filter))
        problems = [p for p in self._model.problems if p.where == "aoi" and p.code != "aoi_missing"]
        self.problem.tell(" ".join(tell(problem) for problem in problems))

    def _show_hint(self, how_to_draw: str = "") -> None:
        aoi = self._model.request.aoi if self._model.request else None
        self.aoiHintLabel.setText(how_to_draw or self._usual_hint)
        self.aoiHintRow.setVisible(aoi is None or bool(how_to_draw))
        self.exampleButton.setVisible(not how_to_draw)

    def _size(self, aoi: Aoi, geometric_filter: GeometricFilter) -> str:
        drawn = area(aoi.area_km2)
        sent = area(aoi.sent_km2(geometric_filter))
        if drawn == sent:
            return drawn
        return self.tr("{drawn} drawn, {sent} sent as a rectangle").format(drawn=drawn, sent=sent)

    def close_down(self) -> None:
        """Stop following a layer and reading it; for unload."""
        self._stop_reading()
        self._follow(None)
