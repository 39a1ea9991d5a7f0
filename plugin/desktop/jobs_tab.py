"""The Jobs tab: a tree of jobs and their tasks, what can be done with the chosen one, and its details."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional

from qgis.PyQt.QtCore import QModelIndex, QPoint, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QResizeEvent
from qgis.PyQt.QtWidgets import QMenu, QWidget

from ..host.journey import Journey
from ..host.records import Catalogue, JobRecord
from ..host.settings import Settings
from ..host.words import number
from ..jobs.job import JobType, Task
from .in_turns import after_a_frame
from .job_words import details
from .jobs_actions import JobsActions
from .jobs_columns import JobsColumns
from .jobs_filter import JobFilter
from .jobs_filter_menu import FilterMenu
from .jobs_model import RECORD_ROLE, TASK_ROLE, Column, JobsModel
from .jobs_windows import JobsWindows
from .ui_files import set_up

TASKS_EVERY_MS = 2000  # of the chosen job only, and only while it runs
SEARCH_AFTER_MS = 150  # without a key


class JobsTab(QWidget):
    """Shows the journey's jobs of the project that is open."""

    chosen_changed = pyqtSignal(object)  # the JobRecord that is chosen now, also when only its state has changed
    form_wanted = pyqtSignal(object, object)  # JobRecord whose request goes into the form, as this JobType or as it was
    aoi_wanted = pyqtSignal(object)  # JobRecord whose AOI is to be shown on the map

    def __init__(self, journey: Journey, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "jobs_tab")
        self._journey = journey
        self._catalogue: Optional[Catalogue] = None
        self._tasks_of: Optional[tuple[str, str]] = None  # job id and status that tasks were last asked for
        self._wanted_job = ""
        self._model = JobsModel(self)
        self.jobsView.setModel(self._model)
        self.columns = JobsColumns(self.jobsView, Settings())
        self.jobsView.sortByColumn(int(Column.CREATED), Qt.SortOrder.DescendingOrder)
        self.filter_menu = FilterMenu(self.filterButton)
        self._timer = QTimer(self)
        self._timer.setInterval(TASKS_EVERY_MS)
        self._timer.timeout.connect(self._ask_for_tasks)
        self._search_timer = QTimer(self)
        self._search_timer.setSingleShot(True)
        self._search_timer.setInterval(SEARCH_AFTER_MS)
        self._search_timer.timeout.connect(self._filter)
        self._list_on_timer = after_a_frame(self._list_on, self)
        self.actions_ = JobsActions(journey, self)
        self.windows = JobsWindows(journey, self._model, self)
        self._connect_actions()
        self._connect_view()
        self._show_waiting(journey.resume.count)
        self._show_chosen()

    def _connect_actions(self) -> None:
        actions = self.actions_
        for button, action in (
            (self.loadButton, actions.load),
            (self.collectButton, actions.collect),
            (self.folderButton, actions.folder),
            (self.logButton, actions.log),
            (self.copyIdButton, actions.copy_id),
            (self.refreshButton, actions.refresh),
            (self.cancelButton, actions.cancel),
        ):
            button.setDefaultAction(action)
            button.setAccessibleName(action.text())
        more = QMenu(self)
        more.setObjectName("moreMenu")
        actions.fill(more)
        more.addSeparator()
        more.addActions([actions.export, actions.webhooks])
        self.moreButton.setMenu(more)
        actions.log.triggered.connect(self._show_log)
        actions.parameters.triggered.connect(lambda: self.windows.show_parameters(self.chosen) if self.chosen else None)
        actions.duplicate.triggered.connect(lambda: self._want_form(None))
        actions.again_test.triggered.connect(lambda: self._want_form(JobType.TEST_QUERY))
        actions.again_live.triggered.connect(lambda: self._want_form(JobType.LIVE_JOB))
        actions.show_aoi.triggered.connect(lambda: self.aoi_wanted.emit(self.chosen))
        actions.export.triggered.connect(lambda: self._with_catalogue(self.windows.show_export))
        actions.webhooks.triggered.connect(lambda: self._with_catalogue(self.windows.show_webhooks))

    def _connect_view(self) -> None:
        journey, model = self._journey, self._model
        self.jobsView.selectionModel().currentChanged.connect(lambda _now, _before: self._show_chosen())
        self.jobsView.activated.connect(lambda _index: self.actions_.load.trigger())
        self.jobsView.customContextMenuRequested.connect(self._open_menu)
        self.searchEdit.textChanged.connect(lambda _text: self._search_timer.start())
        self._filter_chosen = JobFilter()
        self.filter_menu.changed.connect(self._take_filter)
        self.checkNowButton.clicked.connect(journey.resume.check)
        model.tasks_wanted.connect(journey.fetch_tasks)
        model.more_wanted.connect(self._list_older)
        journey.book.changed.connect(self._jobs_changed)
        journey.job_actions.older_listed.connect(self._older_listed)
        journey.resume.waiting_changed.connect(self._show_waiting)

    @property
    def chosen(self) -> Optional[JobRecord]:
        """The record of the row that is chosen, or of the job of the chosen task."""
        index = self.jobsView.currentIndex()
        return index.data(RECORD_ROLE) if index.isValid() else None

    @property
    def chosen_task(self) -> Optional[Task]:
        """The task whose row is chosen."""
        index = self.jobsView.currentIndex()
        return index.data(TASK_ROLE) if index.isValid() else None

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Show the jobs of this connection and project."""
        self._catalogue = catalogue
        self.columns.show(catalogue.capabilities.credits)
        self._model.has_older = self._journey.job_actions.has_older(catalogue)
        self._model.set_source(self._journey.book.of(catalogue.connection.id, catalogue.project.id))
        self.actions_.webhooks.setVisible(catalogue.capabilities.webhooks)
        self.filter_menu.set_workflows(sorted({workflow.name for workflow in catalogue.workflows}))
        self._choose_something()

    def choose(self, job_id: str) -> None:
        """Choose that job, now or as soon as it is listed."""
        self._wanted_job = job_id
        index = self._model.index_of(job_id)
        if index.isValid():
            self._wanted_job = ""
            self.jobsView.setCurrentIndex(index)
            self.jobsView.scrollTo(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns that find no room are left out: the details say what they would."""
        super().resizeEvent(event)
        self.columns.show(self._catalogue is not None and self._catalogue.capabilities.credits)

    def _take_filter(self, chosen: JobFilter) -> None:
        self._filter_chosen = chosen
        self._filter()

    def _filter(self) -> None:
        self._search_timer.stop()
        self._model.set_filter(replace(self._filter_chosen, text=self.searchEdit.text()))
        self._choose_something()  # Qt says nothing when a task is chosen and its job goes

    def _jobs_changed(self, connection_id: str, project_id: str, changed: set[str]) -> None:
        catalogue = self._catalogue
        if catalogue is None or (connection_id, project_id) != (catalogue.connection.id, catalogue.project.id):
            return
        self._model.update(changed)
        self._choose_something(changed)

    def _choose_something(self, changed: Optional[set[str]] = None) -> None:
        if self._wanted_job:
            self.choose(self._wanted_job)
        elif not self.jobsView.currentIndex().isValid() and self._model.rowCount():
            self.jobsView.setCurrentIndex(self._model.index(0, 0))
        record = self.chosen
        if changed is None or record is None or record.job.id in changed:
            self._show_chosen()
        self._show_count()

    def _show_count(self) -> None:
        passing, known = self._model.shown_of_all
        more = "+" if self._model.has_older and known else ""
        if self._model.filter.is_on:
            text = self.tr("{n} of {all} jobs").format(n=number(passing), all=number(known) + more)
        elif known == 1 and not more:
            text = self.tr("1 job")
        else:
            text = self.tr("{n} jobs").format(n=number(known) + more)
        self.countLabel.setText(text)
        self.countLabel.setVisible(bool(known))

    def _list_older(self) -> None:
        if self._catalogue is not None:
            self._journey.job_actions.list_older(self._catalogue)

    def _older_listed(self, project_id: str, more: bool) -> None:
        if self._catalogue is not None and project_id == self._catalogue.project.id:
            self._model.has_older = more
            self._show_count()
            if more:
                self._list_on_timer.start()

    def _list_on(self) -> None:
        """The view asked while the page was on its way, and does not ask twice. By now it has laid out the page."""
        bar, root = self.jobsView.verticalScrollBar(), QModelIndex()
        if self.isVisible() and bar.value() >= bar.maximum() and self._model.canFetchMore(root):
            self._model.fetchMore(root)

    def _show_waiting(self, jobs: int) -> None:
        self.waitingRow.setVisible(jobs > 0)
        if jobs == 1:
            self.waitingLabel.setText(self.tr("1 job waits on another connection."))
        else:
            self.waitingLabel.setText(self.tr("{n} jobs wait on other connections.").format(n=number(jobs)))

    def _show_chosen(self) -> None:
        record, task = self.chosen, self.chosen_task
        self.actions_.show(record, task, self._catalogue.capabilities if self._catalogue else None)
        self.collectButton.setAccessibleName(self.actions_.collect.text())
        self.jobDetails.setText(details(record) if record else self.tr("No job yet."))
        if record is not None and self.windows.log is not None:
            self.windows.log.show_record(record)
        self._follow_tasks(record)
        self.chosen_changed.emit(record)

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

    def _want_form(self, job_type: Optional[JobType]) -> None:
        if self.chosen is not None:
            self.form_wanted.emit(self.chosen, job_type)

    def _show_log(self) -> None:
        if self.chosen is not None:
            self.windows.show_log(self.chosen, self.chosen_task)

    def _with_catalogue(self, do: Callable[[Catalogue], None]) -> None:
        if self._catalogue is not None:
            do(self._catalogue)

    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setObjectName("jobMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.actions_.fill(menu)
        menu.popup(self.jobsView.viewport().mapToGlobal(where))

    def stop(self) -> None:
        """For unload."""
        self._timer.stop()
        self._search_timer.stop()
        self._list_on_timer.stop()
        self.actions_.close()
        self.windows.close()
        self._journey.book.changed.disconnect(self._jobs_changed)
        self._journey.job_actions.older_listed.disconnect(self._older_listed)
        self._journey.resume.waiting_changed.disconnect(self._show_waiting)
