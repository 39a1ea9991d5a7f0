"""The Jobs tab: a table that follows the jobs, what can be done with the chosen one, and its details."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.PyQt.QtCore import QPoint, QSortFilterProxyModel, Qt, QTimer, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices, QIcon, QResizeEvent
from qgis.PyQt.QtWidgets import QAction, QApplication, QFileDialog, QHeaderView, QMenu, QWidget

from ..host.journey import Journey
from ..host.records import Catalogue, DeliveryState, JobRecord
from ..host.save_archive import archive_name, with_suffix
from ..jobs.job import JobState
from .job_words import details
from .jobs_model import RECORD_ROLE, SORT_ROLE, Column, JobsModel
from .log_dialog import LogDialog
from .ui_files import set_up, theme_icon

WIDTH_NEEDED = {Column.CREDITS: 430, Column.TYPE: 500, Column.CREATED: 640, Column.WORKFLOW: 780}  # pixels of the table
TASKS_EVERY_MS = 2000  # of the chosen job only, and only while it runs


class JobsTab(QWidget):
    """Shows `journey.records` of the connection that is open."""

    chosen_changed = pyqtSignal(object)  # the JobRecord that is chosen now, also when only its state has changed

    def __init__(self, journey: Journey, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "jobs_tab")
        self._journey = journey
        self._catalogue: Optional[Catalogue] = None
        self._log: Optional[LogDialog] = None
        self._file_dialog: Optional[QFileDialog] = None
        self._tasks_of: Optional[tuple[str, str]] = None  # job id and status that tasks were last asked for
        self._wanted_job = ""
        self._model = JobsModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(SORT_ROLE)
        self.jobsView.setModel(self._sorted)
        self._set_up_columns()
        self._make_actions()
        self.jobsView.selectionModel().currentChanged.connect(lambda _now, _before: self._show_chosen())
        self.jobsView.doubleClicked.connect(lambda _index: self.load.trigger())
        self.jobsView.customContextMenuRequested.connect(self._open_menu)
        self._timer = QTimer(self)
        self._timer.setInterval(TASKS_EVERY_MS)
        self._timer.timeout.connect(self._ask_for_tasks)
        journey.jobs_changed.connect(self._jobs_changed)
        self._show_chosen()

    def _set_up_columns(self) -> None:
        header = self.jobsView.header()
        header.setStretchLastSection(False)
        for column in Column:
            header.setSectionResizeMode(int(column), QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(int(Column.NAME), QHeaderView.ResizeMode.Stretch)
        self.jobsView.sortByColumn(int(Column.CREATED), Qt.SortOrder.DescendingOrder)

    def _make_actions(self) -> None:
        self.load = self._action("loadAction", self.tr("Load"), theme_icon("mActionAddLayer"), self._load)
        self.collect = self._action(
            "collectAction", self.tr("Download Again"), theme_icon("downloading_svg"), self._journey.collect
        )
        self.folder = self._action("folderAction", self.tr("Open Folder"), theme_icon("mIconFolderOpen"), _open_folder)
        self.log = self._action("logAction", self.tr("Show Log…"), theme_icon("mActionOpenTable"), self._show_log)
        self.save_archive = self._action(
            "saveArchiveAction",
            self.tr("Save Archive As…"),
            theme_icon("mActionFileSaveAs"),
            self._ask_where_to_save,
        )
        self.copy_id = self._action(
            "copyIdAction",
            self.tr("Copy Job ID"),
            theme_icon("mActionEditCopy"),
            lambda r: QApplication.clipboard().setText(r.job.id),
        )
        self.refresh = QAction(theme_icon("mActionRefresh"), self.tr("Refresh"), self)
        self.refresh.setObjectName("refreshJobsAction")
        self.refresh.triggered.connect(self._journey.refresh)
        self.cancel = self._action("cancelJobAction", self.tr("Cancel Job"), theme_icon("mTaskCancel"), self._cancel)
        for button, action in (
            (self.loadButton, self.load),
            (self.collectButton, self.collect),
            (self.folderButton, self.folder),
            (self.logButton, self.log),
            (self.copyIdButton, self.copy_id),
            (self.refreshButton, self.refresh),
            (self.cancelButton, self.cancel),
        ):
            button.setDefaultAction(action)
            button.setAccessibleName(action.text())

    def _action(self, name: str, text: str, icon: QIcon, do: Callable[[JobRecord], None]) -> QAction:
        action = QAction(icon, text, self)
        action.setObjectName(name)
        action.triggered.connect(lambda: self._with_chosen(do))
        return action

    def _with_chosen(self, do: Callable[[JobRecord], None]) -> None:
        record = self.chosen
        if record is not None:
            do(record)

    @property
    def chosen(self) -> Optional[JobRecord]:
        """The record of the row that is chosen."""
        index = self.jobsView.currentIndex()
        return index.data(RECORD_ROLE) if index.isValid() else None

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Show the jobs of this connection."""
        self._catalogue = catalogue
        self._show_columns()
        self._jobs_changed(catalogue.connection.id)

    def choose(self, job_id: str) -> None:
        """Choose that job, now or as soon as it is listed."""
        self._wanted_job = job_id
        row = self._model.row_of(job_id)
        if row is not None:
            self._wanted_job = ""
            self.jobsView.setCurrentIndex(self._sorted.mapFromSource(self._model.index(row, 0)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns that find no room are left out: the details say what they would."""
        super().resizeEvent(event)
        self._show_columns()

    def _show_columns(self) -> None:
        credits = self._catalogue is not None and self._catalogue.capabilities.credits
        for column, width in WIDTH_NEEDED.items():
            unneeded = column is Column.CREDITS and not credits
            self.jobsView.setColumnHidden(int(column), unneeded or self.width() < width)

    def _jobs_changed(self, connection_id: str) -> None:
        if self._catalogue is None or connection_id != self._catalogue.connection.id:
            return
        self._model.set_records(self._journey.records(connection_id))
        if self._wanted_job:
            self.choose(self._wanted_job)
        elif not self.jobsView.currentIndex().isValid() and self._sorted.rowCount():
            self.jobsView.setCurrentIndex(self._sorted.index(0, 0))
        self._show_chosen()

    def _show_chosen(self) -> None:
        record = self.chosen
        there = record is not None
        delivery = record.delivery.state if record else DeliveryState.NONE
        ended_well = record is not None and record.job.state is JobState.SUCCEEDED
        on_disk = record is not None and record.delivery.folder is not None
        can = self._catalogue.capabilities if self._catalogue else None
        self.load.setEnabled(ended_well and delivery is not DeliveryState.DOWNLOADING)
        self.collect.setEnabled(ended_well and delivery is not DeliveryState.DOWNLOADING)
        self.folder.setEnabled(on_disk)
        self.save_archive.setEnabled(ended_well)
        self.log.setEnabled(there and not record.unconfirmed and can is not None and can.logs)
        self.copy_id.setEnabled(there and not record.unconfirmed)
        self._show_cancel(record, can is not None and can.cancel)
        self.jobDetails.setText(details(record) if record else self.tr("No job yet."))
        if record is not None and self._log is not None:
            self._log.show_record(record)
        self._follow_tasks(record)
        self.chosen_changed.emit(record)

    def _show_cancel(self, record: Optional[JobRecord], can_cancel: bool) -> None:
        if record is not None and record.unconfirmed:
            self.cancel.setText(self.tr("Forget"))
            self.cancel.setEnabled(True)
            return
        self.cancel.setText(self.tr("Cancel Job"))
        over = record is None or record.job.state.ended or record.job.state is JobState.CANCELLING
        self.cancel.setEnabled(can_cancel and not over)

    def _follow_tasks(self, record: Optional[JobRecord]) -> None:
        running = record is not None and not record.job.state.ended and not record.unconfirmed
        if running and self.isVisible():
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()
        if record is not None and self.isVisible() and self._tasks_of != (record.job.id, record.job.raw_status):
            self._ask_for_tasks()

    def _ask_for_tasks(self) -> None:
        record = self.chosen
        if record is None or record.unconfirmed or not self.isVisible():
            self._timer.stop()
            return
        self._tasks_of = (record.job.id, record.job.raw_status)
        self._journey.fetch_tasks(record)

    def _load(self, record: JobRecord) -> None:
        if record.delivery.folder is None:
            self._journey.collect(record)
        else:
            self._journey.load(record)

    def _cancel(self, record: JobRecord) -> None:
        if record.unconfirmed:
            self._journey.forget(record)
        else:
            self._journey.cancel_job(record)

    def _show_log(self, record: JobRecord) -> None:
        self._log = LogDialog(record, self._journey, self)
        self._log.finished.connect(self._log_closed)
        self._log.show()

    def _log_closed(self) -> None:
        self._log = None

    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setObjectName("jobMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.load, self.collect, self.folder, self.save_archive, self.log, self.copy_id])
        menu.addSeparator()
        menu.addAction(self.cancel)
        menu.popup(self.jobsView.viewport().mapToGlobal(where))

    def _ask_where_to_save(self, record: JobRecord) -> None:
        self._file_dialog = QFileDialog(self, self.tr("Save Archive As"))
        self._file_dialog.setObjectName("saveArchiveDialog")
        self._file_dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self._file_dialog.setNameFilter(self.tr("Archives (*.tar.gz)"))
        self._file_dialog.selectFile(archive_name(record.job))
        self._file_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._file_dialog.fileSelected.connect(lambda path: self._journey.save_archive(record, with_suffix(path)))
        self._file_dialog.open()

    def stop(self) -> None:
        """For unload."""
        self._timer.stop()
        self._journey.jobs_changed.disconnect(self._jobs_changed)
        if self._log is not None:
            self._log.close()


def _open_folder(record: JobRecord) -> None:
    if record.delivery.folder is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(record.delivery.folder)))
