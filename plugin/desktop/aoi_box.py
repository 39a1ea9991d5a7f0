"""The AOI: where it comes from, its name and size, what is wrong with it and mends it, and the geometric filter."""

from __future__ import annotations

import importlib
from typing import Optional

from qgis.core import QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import QGroupBox, QWidget

from ..host.aoi_reader import AoiReader
from ..host.aoi_recent import RecentAois
from ..host.words import area, tell
from ..jobs.aoi import Aoi, AoiError, GeometricFilter, need_shapely
from ..jobs.problem import Problem
from .aoi_clip_checks import AoiClipChecks
from .aoi_drawing import AoiDrawing
from .aoi_drop import dropped
from .aoi_layer_row import AoiLayerRow
from .aoi_memory import AoiMemory
from .aoi_more_menu import AoiMoreMenu, example
from .aoi_on_map import AoiOnMap
from .aoi_repairs_box import AoiRepairsBox
from .aoi_taking import AoiTaking
from .filter_box import FilterBox
from .missing_packages import MissingPackages
from .problem_line import ProblemLine
from .request_model import RequestModel
from .ui_files import own_icon, set_up, theme_icon

NO_AREA_YET = ("aoi_invalid", "aoi_half_world")  # of what crosses itself, or may go either way round


class AoiBox(QGroupBox):
    """Shows what the model has; what its buttons ask for, `AoiTaking` does."""

    many_aois = pyqtSignal(object)  # sequence of Aoi: a job of each is wanted; offered only where somebody listens

    def __init__(
        self,
        model: RequestModel,
        canvas: QgsMapCanvas,
        drawing: AoiDrawing,
        on_map: AoiOnMap,
        reader: AoiReader,
        recent: Optional[RecentAois] = None,
        parent: Optional[QWidget] = None,
    ) -> None:
        """`recent`: where AOIs are remembered; None: nowhere."""
        super().__init__(parent)
        set_up(self, "aoi_box")
        self._model, self._canvas, self._drawing, self._on_map = model, canvas, drawing, on_map
        self._usual_hint = self.aoiHintLabel.text()
        self._how_to = ""
        self._dropped_layer: Optional[QgsVectorLayer] = None
        self.missing: Optional[MissingPackages] = None
        self._memory = AoiMemory(model, recent, self)
        self.taking = AoiTaking(model, canvas, drawing, reader, self._memory, self)
        self._add_parts(reader, recent)
        self._set_tab_order()
        self._set_icons()
        self._connect_sources()
        self._connect_tools()
        model.changed.connect(self._show)
        self._look_for_shapely()

    def _add_parts(self, reader: AoiReader, recent: Optional[RecentAois]) -> None:
        self.layer_row = AoiLayerRow()
        self.layerPlaceLayout.addWidget(self.layer_row)
        self.more = AoiMoreMenu(recent, self)
        self.moreSourcesButton.setMenu(self.more)
        self.problem = ProblemLine()
        self.problem.setObjectName("aoiProblem")
        self.repairs = AoiRepairsBox(self._model, reader, self._on_map)
        self.filter = FilterBox(self._model)
        self.clips = AoiClipChecks(self._model)
        for part in (self.problem, self.repairs, self.filter, self.clips):
            self.aoiLayout.addWidget(part)

    def _set_tab_order(self) -> None:
        """What was added at run time comes where the eye meets it."""
        row = self.layer_row
        in_order = [self.moreSourcesButton, row.layerCombo, row.readAgainButton, row.nameFieldCombo]
        in_order += [row.selectedOnlyCheck, row.followCheck, self.aoiNameEdit, self.zoomToAoiButton]
        in_order += [self.editAoiButton, self.saveAoiButton, self.clearAoiButton, self.exampleButton]
        in_order += [self.filter.intersectsRadio, self.filter.bboxRadio, self.filter.containsRadio]
        for before, after in zip(in_order, in_order[1:]):
            QWidget.setTabOrder(before, after)
        self.repairs.comes_after = self.exampleButton

    def _set_icons(self) -> None:
        self.drawPolygonButton.setIcon(own_icon("draw_polygon"))
        self.drawRectangleButton.setIcon(own_icon("draw_rectangle"))
        self.mapViewButton.setIcon(own_icon("map_view"))
        self.fromLayerButton.setIcon(own_icon("from_layer"))
        self.moreSourcesButton.setIcon(own_icon("more_sources"))
        self.zoomToAoiButton.setIcon(theme_icon("mActionZoomToArea"))
        self.editAoiButton.setIcon(theme_icon("mActionVertexTool"))
        self.saveAoiButton.setIcon(theme_icon("mActionFileSaveAs"))
        self.clearAoiButton.setIcon(theme_icon("mIconClearText"))

    def _connect_sources(self) -> None:
        taking = self.taking
        self._drawing.attach(self._drawing.polygon_tool, self.drawPolygonButton)
        self._drawing.attach(self._drawing.rectangle_tool, self.drawRectangleButton)
        self._drawing.hint_changed.connect(self._show_how_to)
        self.mapViewButton.clicked.connect(lambda _checked: taking.map_view())
        self.fromLayerButton.toggled.connect(self._show_layers)
        taking.begun.connect(lambda: self.fromLayerButton.setChecked(False))
        taking.layer_dropped.connect(self._take_dropped_layer)
        taking.sources.reading_changed.connect(self._show_hint)
        self.layer_row.wanted.connect(self._take_layer)
        self.layer_row.layers_changed.connect(self._show_whether_layers)
        self._show_whether_layers()
        self.more.file_chosen.connect(taking.file)
        self.more.paste_wanted.connect(taking.paste)
        self.more.recent_chosen.connect(taking.known)
        for wanted in (self.more.example_wanted, self.exampleButton.clicked):
            wanted.connect(lambda *_: taking.known(example().named(self.tr("Example"))))

    def _connect_tools(self) -> None:
        taking = self.taking
        self.aoiNameEdit.textEdited.connect(taking.rename)
        self.zoomToAoiButton.clicked.connect(self._on_map.zoom)
        self._drawing.edit_tool.setButton(self.editAoiButton)
        self.editAoiButton.clicked.connect(taking.edit)
        self.saveAoiButton.clicked.connect(lambda _checked: taking.save_as_layer())
        self.clearAoiButton.clicked.connect(lambda _checked: taking.clear())
        self.repairs.chosen.connect(taking.repair)
        taking.many_wanted.connect(self.many_aois)

    def _look_for_shapely(self) -> None:
        """Without shapely there is no AOI: say so, with the command that mends it; all the rest of the dock works."""
        importlib.invalidate_caches()
        try:
            need_shapely()
        except AoiError:
            if self.missing is None:
                self.missing = MissingPackages(ModuleNotFoundError(name="shapely"), for_what=self.tr("An AOI"))
                self.missing.look_again.connect(self._look_for_shapely)
                self.aoiLayout.insertWidget(0, self.missing)
        else:
            if self.missing is not None:
                self.missing.hide()
                self.missing.deleteLater()
                self.missing = None
        there = self.missing is None
        for part in (self.drawPolygonButton, self.drawRectangleButton, self.mapViewButton, self.fromLayerButton):
            part.setVisible(there)
        for part in (self.moreSourcesButton, self.aoiHintRow, self.filter):
            part.setVisible(there)
        self.setAcceptDrops(True)
        self._show()

    def _show_whether_layers(self) -> None:
        there = self.layer_row.has_layers
        self.fromLayerButton.setEnabled(there)
        self.fromLayerButton.setToolTip(
            self.tr("Use the polygons of a layer") if there else self.tr("The project has no polygon layer")
        )
        if not there:
            self.fromLayerButton.setChecked(False)

    def _show_layers(self, shown: bool) -> None:
        if shown:
            self._drawing.stop()
            self.layer_row.open(self._dropped_layer or self._canvas.currentLayer())
        else:
            self.taking.sources.stop()
            self.layer_row.close_row()

    def _take_layer(self) -> None:
        if self.fromLayerButton.isChecked():
            self.taking.layer(self.layer_row)

    def _take_dropped_layer(self, layer: QgsVectorLayer) -> None:
        self._dropped_layer = layer
        self.fromLayerButton.setChecked(True)
        self._dropped_layer = None

    def _show(self) -> None:
        request, workflow = self._model.request, self._model.workflow
        if request is None:
            return
        self.setVisible(workflow is None or workflow.needs_aoi)
        aoi = request.aoi
        self.repairs.each_polygon_wanted = self.receivers(self.many_aois) > 0
        self.aoiNameRow.setVisible(aoi is not None)
        self._show_hint()
        if aoi is not None and self.aoiNameEdit.text() != aoi.name:
            self.aoiNameEdit.setText(aoi.name)
        problem = next((p for p in self._model.problems if p.where == "aoi" and p.code != "aoi_missing"), None)
        self._show_size(aoi, request.geometric_filter, problem)
        self.problem.tell(tell(problem) if problem is not None and self.missing is None else "")

    def _show_size(self, aoi: Optional[Aoi], geometric_filter: GeometricFilter, problem: Optional[Problem]) -> None:
        """What was drawn and what is sent, which is what is billed."""
        shown = aoi is not None and (problem is None or problem.code not in NO_AREA_YET)
        self.aoiSizeLabel.setVisible(shown)
        if aoi is None or not shown:
            return
        drawn, sent = area(aoi.area_km2), area(aoi.sent_km2(geometric_filter))
        if drawn == sent:
            text = self.tr("{drawn} drawn and sent")
        else:
            text = self.tr("{drawn} drawn\n{sent} sent as a rectangle")
        self.aoiSizeLabel.setText(text.format(drawn=drawn, sent=sent))

    def _show_how_to(self, text: str) -> None:
        self._how_to = text
        self._show_hint()

    def _show_hint(self) -> None:
        none = self.taking.aoi is None
        reading = self.tr("Reading…") if self.taking.sources.reading else ""
        text = self._how_to or reading or self.taking.note or (self._usual_hint if none else "")
        self.aoiHintLabel.setText(text)
        self.aoiHintRow.setVisible(bool(text) and self.missing is None)
        self.exampleButton.setVisible(none and not self._how_to and not reading)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what may be an AOI."""
        if self.missing is None and dropped(event.mimeData()) is not None:
            event.acceptProposedAction()
            self._show_how_to(self.tr("Drop it here to use it as the AOI."))

    def dragLeaveEvent(self, _event: object) -> None:
        """It went elsewhere."""
        self._show_how_to("")

    def dropEvent(self, event: QDropEvent) -> None:
        """Use it as the AOI."""
        self._show_how_to("")
        given = dropped(event.mimeData())
        if given is not None:
            event.acceptProposedAction()
            self.taking.dropped(given)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+V with the keyboard on one of the buttons pastes an AOI."""
        if event.matches(QKeySequence.StandardKey.Paste) and self.missing is None:
            event.accept()
            self.taking.paste()
        else:
            super().keyPressEvent(event)

    def close_down(self) -> None:
        """Stop following a layer, reading and looking for repairs; for unload."""
        self.taking.sources.stop()
        self.layer_row.close_row()
        self.repairs.stop()
        self._memory.close_down()
