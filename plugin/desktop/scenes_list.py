"""The Scenes tab: what a Test Query found, tied to the map, and the Live Job that is made of it."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsLayerTreeGroup, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QSize,
    QSortFilterProxyModel,
    Qt,
    pyqtSignal,
)
from qgis.PyQt.QtGui import QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from ..host.found_scenes import THUMBNAIL, FoundScene
from ..host.records import JobRecord
from ..host.scene_search import SceneSearch
from ..host.words import number
from ..host.work import Work
from ..jobs.job import JobType
from ..layers.load import FOOTPRINTS
from ..layers.provenance import ROLE
from .job_words import job_title
from .scenes_message import ScenesMessage
from .scenes_model import SCENE_ROLE, SORT_ROLE, SceneColumn, ScenesModel
from .scenes_on_map import ScenesOnMap
from .scenes_ticks import TickDelegate
from .ui_files import set_up, theme_icon

ID_NEEDS = 460  # pixels of the table, below which the ids stand below the dates
KEEP = QItemSelectionModel.SelectionFlag.NoUpdate
CHOOSE = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows


class ScenesList(QWidget):
    """Shows the scenes of the Test Query given last. Nothing is ticked at first; ticks last as long as the session."""

    # A JobRecord of a Test Query, and the ids (list[str]) of the scenes that the Live Job is to buy; None: it searches
    # again, with the same filters.
    live_job_wanted = pyqtSignal(object, object)
    watch_wanted = pyqtSignal(object)  # JobRecord: watch the search of this Test Query
    demo_wanted = pyqtSignal()  # imagery that needs no network, in place of what could not be reached

    def __init__(self, search: SceneSearch, canvas: QgsMapCanvas, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "scenes_list")
        self._search = search
        self._record: Optional[JobRecord] = None
        self._reading: Optional[Work] = None
        self._read_from: Optional[object] = None  # the folder that is shown
        self._narrow: Optional[bool] = None
        self._ticks: dict[str, list[str]] = {}  # job id -> ticked ids
        self.on_map = ScenesOnMap(canvas, self)
        self.model = ScenesModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.model)
        self._sorted.setSortRole(SORT_ROLE)
        self.scenesView.setModel(self._sorted)
        self.message = ScenesMessage(self, search)
        self._set_up_view()
        self._connect()
        self.message.tell(self.tr("Run a Test Query, or choose one in Jobs: its scenes are listed here."))

    def _set_up_view(self) -> None:
        self.scenesView.setIconSize(QSize(*THUMBNAIL))
        header = self.scenesView.header()
        header.setStretchLastSection(False)
        for column in (SceneColumn.DATE, SceneColumn.CLOUD, SceneColumn.COVERAGE):
            header.setSectionResizeMode(int(column), QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(int(SceneColumn.ID), QHeaderView.ResizeMode.Stretch)
        self.scenesView.sortByColumn(int(SceneColumn.DATE), Qt.SortOrder.DescendingOrder)
        self.scenesView.setItemDelegateForColumn(int(SceneColumn.DATE), TickDelegate(self))
        self.scenesView.setMouseTracking(True)
        self.scenesView.viewport().installEventFilter(self)
        self.pickButton.setIcon(theme_icon("mActionSelectRectangle"))
        self.zoomButton.setIcon(theme_icon("mActionZoomToSelected"))
        self.untickButton.setIcon(theme_icon("mActionDeselectAll"))
        self.watchButton.setIcon(theme_icon("propertyicons/temporal"))
        self.on_map.tool.setButton(self.pickButton)

    def _connect(self) -> None:
        self.model.ticks_changed.connect(self._ticks_changed)
        self.scenesView.entered.connect(lambda index: self.on_map.show_pointed(self._found(index).scene.id))
        self.scenesView.doubleClicked.connect(lambda _index: self._zoom())
        selection = self.scenesView.selectionModel()
        selection.selectionChanged.connect(lambda _new, _old: self._selection_changed())
        selection.currentChanged.connect(self._current_changed)
        self.on_map.picked.connect(self.choose)
        self.pickButton.clicked.connect(self._pick_clicked)
        self.zoomButton.clicked.connect(self._zoom)
        self.untickButton.clicked.connect(self.model.untick_all)
        self.message.told.connect(self._show_no_list)
        self.demoButton.clicked.connect(lambda: self.demo_wanted.emit())
        for button in (self.watchButton, self.watchEmptyButton):
            button.clicked.connect(lambda: self._record and self.watch_wanted.emit(self._record))
        self.tickedButton.clicked.connect(lambda: self._want(self.model.ticked))
        self.allButton.clicked.connect(lambda: self._want(self.model.ids))
        self.searchAgainButton.clicked.connect(lambda: self._want(None))

    @property
    def record(self) -> Optional[JobRecord]:
        """The Test Query whose scenes are shown."""
        return self._record

    def shows(self, job_id: str) -> bool:
        """True where the scenes (or why there are none) are those of that Test Query."""
        return self._record is not None and self._record.job.id == job_id

    def show_record(self, record: Optional[JobRecord]) -> None:
        """Show a Test Query's scenes, as soon as they are here. Anything else leaves what is shown."""
        if record is None or record.unconfirmed or record.job.job_type is not JobType.TEST_QUERY:
            return
        self._record = record
        self.message.begin(record)
        self.jobLabel.setText(job_title(record))
        folder = record.delivery.folder
        if folder is None or folder != self._read_from:
            self._stop_reading()  # else its scenes would come up as those of this one
        if folder is None:
            self._read_from = None
            self.message.tell_why_not_yet(record)
        elif folder != self._read_from:
            self._read_from = folder
            self.message.tell(self.tr("Reading the scenes…"))
            self._reading = self._search.read(folder, lambda scenes: self._read(record, scenes), self.message.tell)

    def _read(self, record: JobRecord, scenes: list[FoundScene]) -> None:
        self._reading = None
        self.model.set_scenes(scenes, self._ticks.get(record.job.id, ()))
        self.on_map.set_scenes(scenes)
        if not scenes:
            self.message.tell_why_empty(record)
            return
        self.message.leave()
        self.pages.setCurrentWidget(self.listPage)
        self._ticks_changed()
        self._take_clicks()

    def _show_no_list(self) -> None:
        self.model.set_scenes([])
        self.on_map.set_scenes([])
        self.pages.setCurrentWidget(self.messagePage)

    def choose(self, scene_id: str) -> None:
        """Choose that scene's row and show it."""
        row = self.model.row_of(scene_id)
        if row is not None:
            index = self._sorted.mapFromSource(self.model.index(row, 0))
            self.scenesView.selectionModel().setCurrentIndex(index, CHOOSE)
            self.scenesView.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    @property
    def chosen(self) -> list[str]:
        """The ids of the rows that are chosen."""
        return [self._found(index).scene.id for index in self.scenesView.selectionModel().selectedRows()]

    def follow_layer(self, group: QgsLayerTreeGroup) -> None:
        """Footprints that are selected on the map with QGIS's own tools choose their rows."""
        for node in group.findLayers():
            layer = node.layer()
            if isinstance(layer, QgsVectorLayer) and layer.customProperty(ROLE) == FOOTPRINTS:
                layer.selectionChanged.connect(lambda _new, _old, _clear, layer=layer: self._choose_selected(layer))

    def _choose_selected(self, layer: QgsVectorLayer) -> None:
        rows = [self.model.row_of(str(feature["scene_id"])) for feature in layer.selectedFeatures()]
        selection = self.scenesView.selectionModel()
        flag = CHOOSE
        for row in rows:
            if row is not None:
                selection.select(self._sorted.mapFromSource(self.model.index(row, 0)), flag)
                flag = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows

    def _found(self, index: QModelIndex) -> FoundScene:
        return index.data(SCENE_ROLE)

    def _selection_changed(self) -> None:
        chosen = self.chosen
        self.on_map.show_chosen(chosen)
        self.zoomButton.setEnabled(bool(chosen))

    def _current_changed(self, now: QModelIndex, _before: QModelIndex) -> None:
        """The current cell is the one with the tick, so that Space ticks whichever column was clicked."""
        if now.isValid() and now.column() != SceneColumn.DATE:
            first = now.sibling(now.row(), int(SceneColumn.DATE))
            self.scenesView.selectionModel().setCurrentIndex(first, KEEP)

    def _ticks_changed(self) -> None:
        ticked, count = self.model.ticked, len(self.model.scenes)
        if self._record is not None and count:
            self._ticks[self._record.job.id] = ticked
        self.summaryLabel.setText(
            self.tr("Found: {n} · ticked: {ticked}").format(n=number(count), ticked=number(len(ticked)))
        )
        self.untickButton.setEnabled(bool(ticked))
        self.tickedButton.setEnabled(bool(ticked))
        tick_first = self.tr("Tick the scenes that the Live Job is to be made of")
        self.tickedButton.setToolTip(
            self.tr("Fill the form with a Live Job of exactly the ticked scenes") if ticked else tick_first
        )
        self.tickedButton.setText(self.tr("{n} Ticked").format(n=number(len(ticked))))
        self.allButton.setText(self.tr("All {n} Found").format(n=number(count)))

    def _want(self, ids: Optional[list[str]]) -> None:
        if self._record is not None:
            self.live_job_wanted.emit(self._record, ids)

    def _zoom(self) -> None:
        self.on_map.zoom_to(self.chosen)

    def _pick_clicked(self, checked: bool) -> None:
        if checked:
            self.on_map.take_clicks()
        else:
            self.on_map.leave_clicks()

    def _take_clicks(self) -> None:
        if self.isVisible() and self.model.scenes:
            self.on_map.take_clicks_if_panning()

    def showEvent(self, event: QShowEvent) -> None:
        """A click on the map chooses a scene while the list is seen."""
        super().showEvent(event)
        self._take_clicks()
        self.on_map.show_chosen(self.chosen)

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the map to others."""
        super().hideEvent(event)
        self.on_map.leave_clicks()
        self.on_map.show_pointed()
        self.on_map.show_chosen([])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The mouse has left the table, or its width has changed."""
        if event.type() == QEvent.Type.Leave:
            self.on_map.show_pointed()
        elif event.type() == QEvent.Type.Resize:
            self._fit_columns()
        return super().eventFilter(watched, event)

    def _fit_columns(self) -> None:
        narrow = self.scenesView.width() < ID_NEEDS
        if narrow == self._narrow:
            return  # what follows resizes the view's inside again
        self._narrow = narrow
        self.scenesView.setColumnHidden(int(SceneColumn.ID), narrow)
        modes = QHeaderView.ResizeMode
        self.scenesView.header().setSectionResizeMode(
            int(SceneColumn.DATE), modes.Stretch if narrow else modes.ResizeToContents
        )
        self.model.set_ids_below(narrow)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def stop(self) -> None:
        """For unload."""
        self._stop_reading()
        self.message.stop()
        self.scenesView.viewport().removeEventFilter(self)
        self.on_map.remove()
