"""The AOI: where it comes from, its name and size, what is wrong with it and mends it, and the geometric filter."""

from __future__ import annotations

import importlib
from typing import Optional

from qgis.core import QgsGeometry, QgsPointXY, QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QTimer, pyqtSignal
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from qgis.PyQt.QtWidgets import QApplication, QGroupBox, QWidget

from ..host.aoi_layer import save_as_layer
from ..host.aoi_reader import AoiReader
from ..host.aoi_recent import RecentAois
from ..host.aoi_source import FoundAois, aoi_from_map_geometry, aoi_to_map_geometry
from ..host.words import area, tell
from ..jobs.aoi import Aoi, AoiError, GeometricFilter, need_shapely
from ..jobs.aoi_repairs import Repair, RepairKind, each_polygon
from ..jobs.problem import Problem
from .aoi_clip_checks import AoiClipChecks
from .aoi_drawing import AoiDrawing
from .aoi_drop import Dropped, dropped
from .aoi_layer_row import AoiLayerRow
from .aoi_more_menu import AoiMoreMenu, example
from .aoi_on_map import AoiOnMap, zoom_to_aoi
from .aoi_repairs_box import AoiRepairsBox
from .aoi_sources import AoiSources
from .filter_box import FilterBox
from .missing_packages import MissingPackages
from .problem_line import ProblemLine
from .request_model import RequestModel
from .ui_files import own_icon, set_up, theme_icon

REMEMBER_MS = 1000  # after the last change; the settings need not follow every corner that is dragged


class AoiBox(QGroupBox):
    """Every way to an AOI ends in `RequestModel.set_aoi` or `refuse_aoi`."""

    many_aois = pyqtSignal(list)  # of Aoi: a job of each is wanted; offered only where somebody listens

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
        self._model, self._canvas, self._drawing, self._on_map, self._recent = model, canvas, drawing, on_map, recent
        self._found = FoundAois(())
        self._usual_hint = self.aoiHintLabel.text()
        self._how_to_draw = self._note = ""
        self._edited: Optional[Aoi] = None
        self._given_layer: Optional[QgsVectorLayer] = None  # dropped; else the current layer is the likely one
        self._kept: Optional[Aoi] = None  # what `recent` has as the last one
        self._restored = recent is None
        self.missing: Optional[MissingPackages] = None
        self._remember = QTimer(self)
        self._remember.setSingleShot(True)
        self._remember.setInterval(REMEMBER_MS)
        self._remember.timeout.connect(self._keep_last)
        self._add_parts(reader)
        self._set_tab_order()
        self._set_icons()
        self._connect_sources()
        self._connect_tools()
        self.setAcceptDrops(True)
        model.changed.connect(self._show)
        self._look_for_shapely()

    def _add_parts(self, reader: AoiReader) -> None:
        self.sources = AoiSources(reader, self)
        self.layer_row = AoiLayerRow()
        self.layerPlaceLayout.addWidget(self.layer_row)
        self.more = AoiMoreMenu(self._recent, self)
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
        self._drawing.attach(self._drawing.polygon_tool, self.drawPolygonButton)
        self._drawing.attach(self._drawing.rectangle_tool, self.drawRectangleButton)
        self._drawing.drawn.connect(self._take_drawn)
        self._drawing.hint_changed.connect(self._show_how_to_draw)
        self.mapViewButton.clicked.connect(self._take_map_view)
        self.fromLayerButton.toggled.connect(self._show_layers)
        self.layer_row.wanted.connect(self._take_layer)
        self.layer_row.layers_changed.connect(self._show_whether_layers)
        self._show_whether_layers()
        self.sources.taken.connect(self._take_found)
        self.sources.refused.connect(self._refuse)
        self.sources.reading_changed.connect(self._show_hint)
        self.more.file_chosen.connect(self.take_file)
        self.more.paste_wanted.connect(self.paste)
        self.more.recent_chosen.connect(self._take_known)
        for example_wanted in (self.more.example_wanted, self.exampleButton.clicked):
            example_wanted.connect(lambda *_: self._take_known(example().named(self.tr("Example"))))

    def _connect_tools(self) -> None:
        self.aoiNameEdit.textEdited.connect(self._rename)
        self.zoomToAoiButton.clicked.connect(self._on_map.zoom)
        self._drawing.edit_tool.setButton(self.editAoiButton)
        self.editAoiButton.clicked.connect(self._edit)
        self._drawing.edited.connect(self._take_edited)
        self.saveAoiButton.clicked.connect(self._save_as_layer)
        self.clearAoiButton.clicked.connect(self._clear)
        self.repairs.chosen.connect(self._take_repair)

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
        for part in (self.drawPolygonButton, self.drawRectangleButton, self.mapViewButton, self.moreSourcesButton):
            part.setVisible(there)
        for part in (self.fromLayerButton, self.aoiHintRow, self.filter, self.clips):
            part.setVisible(there)
        self.setAcceptDrops(there)
        self._show()

    def _show_whether_layers(self) -> None:
        there = self.layer_row.has_layers
        self.fromLayerButton.setEnabled(there)
        self.fromLayerButton.setToolTip(
            self.tr("Use the polygons of a layer") if there else self.tr("The project has no polygon layer")
        )
        if not there:
            self.fromLayerButton.setChecked(False)

    def _begin(self) -> None:
        """Another source: the one before gives nothing any more."""
        self._drawing.stop()
        self.fromLayerButton.setChecked(False)
        self.sources.stop()
        self._note, self._found = "", FoundAois(())

    def _take_drawn(self, geometry: QgsGeometry) -> None:
        self._begin()
        crs = self._canvas.mapSettings().destinationCrs()
        try:
            self._take(aoi_from_map_geometry(geometry, crs, self._usual_name()))
        except AoiError as refused:
            self._refuse(refused.problem)

    def _take_map_view(self) -> None:
        corners = [QgsPointXY(corner) for corner in self._canvas.mapSettings().visiblePolygon()]  # turned with the map
        self._take_drawn(QgsGeometry.fromPolygonXY([corners]))

    def _take_known(self, aoi: Aoi) -> None:
        self._begin()
        self._take(aoi)
        zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)

    def _take(self, aoi: Aoi) -> None:
        self._model.set_aoi(aoi)
        if self._recent is not None and not self._model_problem():
            self._recent.add(aoi)

    def _refuse(self, problem: Problem) -> None:
        self._found = FoundAois(())
        self._model.refuse_aoi(problem)

    def take_file(self, path: str) -> None:
        """Take the AOI from a file."""
        self._begin()
        self.sources.file(path)

    def paste(self) -> None:
        """Take the AOI from the clipboard."""
        given = dropped(QApplication.clipboard().mimeData())
        self.take_dropped(given if given is not None else Dropped(text=QApplication.clipboard().text()))

    def take_dropped(self, given: Dropped) -> None:
        """Take the AOI from what was dropped or pasted."""
        self._begin()
        if given.layer is None:
            self.sources.dropped(given)
            return
        self._given_layer = given.layer
        self.fromLayerButton.setChecked(True)
        self._given_layer = None

    def _show_layers(self, shown: bool) -> None:
        if shown:
            self._drawing.stop()
            self.layer_row.open(self._given_layer or self._canvas.currentLayer())
        else:
            self.sources.stop()
            self.layer_row.close_row()

    def _take_layer(self) -> None:
        row = self.layer_row
        if self.fromLayerButton.isChecked() and row.layer is not None:
            self._note = ""
            self.sources.layer(row.layer, row.selected_only, row.name_field)

    def _take_found(self, found: FoundAois, unseen: bool) -> None:
        name = self.layer_row.layer.name() if self.fromLayerButton.isChecked() and self.layer_row.layer else ""
        try:
            aoi = found.as_one(name or found.name or self.tr("AOI"))
        except AoiError as refused:
            self._refuse(refused.problem)
            return
        self._found = found
        self._note = self._left_out(found)
        self._take(aoi)
        if unseen:
            zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)

    def _left_out(self, found: FoundAois) -> str:
        parts = []
        if found.left_out:
            parts.append(self.tr("Left out, for they are no polygons: %n.", "", found.left_out))
        if found.refused:
            name, problem = found.refused[0]
            count = self.tr("Left out, for they can't be read: %n.", "", len(found.refused))
            parts.append(f"{count} {name}: {tell(problem)}")
        return " ".join(parts)

    def _usual_name(self) -> str:
        aoi = self._aoi()
        return aoi.name if aoi else self.tr("AOI")

    def _aoi(self) -> Optional[Aoi]:
        return self._model.request.aoi if self._model.request else None

    def _rename(self, name: str) -> None:
        aoi = self._aoi()
        if aoi is not None:
            self._edited = renamed = aoi.named(name)
            self._model.set_aoi(renamed)

    def _edit(self, checked: bool) -> None:
        aoi = self._aoi()
        if checked and aoi is not None:
            self.fromLayerButton.setChecked(False)
            self.sources.stop()
            self._edited = aoi
            crs = self._canvas.mapSettings().destinationCrs()
            zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)
            self._drawing.edit(aoi_to_map_geometry(aoi, crs, corners_only=True))
        else:
            self._drawing.stop()

    def _take_edited(self, geometry: QgsGeometry) -> None:
        crs = self._canvas.mapSettings().destinationCrs()
        try:
            self._edited = aoi_from_map_geometry(geometry, crs, self._usual_name(), corners_only=True)
        except AoiError as refused:
            self._edited = None
            self._model.refuse_aoi(refused.problem)
        else:
            self._found = FoundAois(())
            self._model.set_aoi(self._edited)

    def _save_as_layer(self) -> None:
        aoi = self._aoi()
        if aoi is not None:
            parts = self._found.aois if len(self._found.aois) > 1 else (aoi,)
            QgsProject.instance().addMapLayer(save_as_layer(parts, aoi.name))

    def _take_repair(self, repair: Repair) -> None:
        if repair.kind is RepairKind.EACH_POLYGON:
            named = [part for aoi in self._found.aois for part in each_polygon(aoi)]
            self.many_aois.emit(named if len(named) > 1 else list(repair.aois))
            return
        found = self._found
        self._begin()
        self._note = self._left_out(found)
        self._take(repair.aois[0])

    def _clear(self) -> None:
        self._begin()
        self._model.set_aoi(None)

    def _model_problem(self) -> Optional[Problem]:
        return next((p for p in self._model.problems if p.where == "aoi" and p.code != "aoi_missing"), None)

    def _show(self) -> None:
        request, workflow = self._model.request, self._model.workflow
        if request is None:
            return
        if not self._restored and workflow is not None:
            self._restore()
            request = self._model.request
        self.setVisible(workflow is None or workflow.needs_aoi)
        aoi = request.aoi
        if self._drawing.editing and aoi is not self._edited:
            self._drawing.stop()
        self.repairs.each_polygon_wanted = self.receivers(self.many_aois) > 0
        self.aoiNameRow.setVisible(aoi is not None)
        self._show_hint()
        if aoi is not None and self.aoiNameEdit.text() != aoi.name:
            self.aoiNameEdit.setText(aoi.name)
        problem = self._model_problem() if self.missing is None else None
        self._show_size(aoi, request.geometric_filter, problem)
        self.problem.tell(tell(problem) if problem is not None else "")
        if aoi is not self._kept and self._recent is not None:
            self._remember.start()

    def _show_size(self, aoi: Optional[Aoi], geometric_filter: GeometricFilter, problem: Optional[Problem]) -> None:
        """What was drawn and what is sent, which is what is billed; nothing where the area has no meaning yet."""
        meaningless = problem is not None and problem.code in ("aoi_invalid", "aoi_half_world")
        self.aoiSizeLabel.setVisible(aoi is not None and not meaningless)
        if aoi is None or meaningless:
            return
        drawn, sent = area(aoi.area_km2), area(aoi.sent_km2(geometric_filter))
        text = (
            self.tr("{drawn} drawn and sent") if drawn == sent else self.tr("{drawn} drawn\n{sent} sent as a rectangle")
        )
        self.aoiSizeLabel.setText(text.format(drawn=drawn, sent=sent))

    def _restore(self) -> None:
        """The AOI that the form had when it was last open."""
        self._restored = True
        last = self._recent.last if self._recent is not None and self._aoi() is None and self.missing is None else None
        if last is not None:
            self._kept = last
            self._model.set_aoi(last)

    def _keep_last(self) -> None:
        self._kept = self._aoi()
        if self._recent is not None:
            self._recent.last = self._kept

    def _show_how_to_draw(self, how: str) -> None:
        self._how_to_draw = how
        self._show_hint()

    def _show_hint(self) -> None:
        none = self._aoi() is None
        reading = self.tr("Reading…") if self.sources.reading else ""
        text = self._how_to_draw or reading or self._note or (self._usual_hint if none else "")
        self.aoiHintLabel.setText(text)
        self.aoiHintRow.setVisible(bool(text) and self.missing is None)
        self.exampleButton.setVisible(none and not self._how_to_draw and not reading)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what may be an AOI."""
        if dropped(event.mimeData()) is not None:
            event.acceptProposedAction()
            self._show_how_to_draw(self.tr("Drop it here to use it as the AOI."))

    def dragLeaveEvent(self, _event: object) -> None:
        """It went elsewhere."""
        self._show_how_to_draw("")

    def dropEvent(self, event: QDropEvent) -> None:
        """Use it as the AOI."""
        self._show_how_to_draw("")
        given = dropped(event.mimeData())
        if given is not None:
            event.acceptProposedAction()
            self.take_dropped(given)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+V with the keyboard on one of the buttons pastes an AOI."""
        if event.matches(QKeySequence.StandardKey.Paste) and self.missing is None:
            event.accept()
            self.paste()
        else:
            super().keyPressEvent(event)

    def close_down(self) -> None:
        """Stop following a layer, reading and looking for repairs; for unload."""
        self.sources.stop()
        self.layer_row.close_row()
        self.repairs.stop()
        if self._remember.isActive():
            self._remember.stop()
            self._keep_last()
