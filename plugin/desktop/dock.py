"""What is inside the dock: header, New Job, Jobs; and how they come and go with a connection."""

from __future__ import annotations

from functools import partial
from typing import Optional

from qgis.core import QgsApplication, QgsLayerTreeGroup
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QSize, QTimer
from qgis.PyQt.QtGui import QMovie
from qgis.PyQt.QtWidgets import QWidget

from ..host.connections import Connection
from ..host.errors import HostError
from ..host.journey import Journey
from ..host.records import Catalogue, JobRecord, Notice, Offer
from ..host.settings import Settings
from ..host.work import Work
from ..jobs.aoi import Aoi
from ..jobs.job import Job, JobType
from ..jobs.request import JobRequest
from ..jobs.workflow import Workflow
from ..layers.load import extent_of
from .aoi_on_map import flash_aoi, zoom_to_aoi
from .balance_asking import BalanceAsking
from .form_from_job import NotRestored, aoi_of, fill_form
from .header import Header
from .in_turns import FRAME_MS, InTurns
from .job_drop import JobDrop
from .job_form import JobForm
from .job_words import job_title
from .jobs_tab import JobsTab
from .messages import Messages
from .options_factory import PAGE
from .orders import Orders
from .queue_strip import QueueStrip
from .raster_picking import RasterPicking
from .repeating import Repeating
from .request_model import RequestModel
from .scene_folders import SceneFolders
from .scenes_actions import SceneActions
from .scenes_list import ScenesList
from .ui_files import set_up, theme_icon
from .watching import Watching
from .workflows_dialog import WorkflowsDialog

NOTICE_ICON = 16


class DockContent(QWidget):
    """Joins its parts and opens the connection that was used last. `build` begins; `stop` ends it all."""

    def __init__(self, iface: QgisInterface, journey: Journey, settings: Settings, parent: Optional[QWidget] = None):
        super().__init__(parent)
        set_up(self, "dock")
        self._journey, self._settings = journey, settings
        self._built = False
        self._opening: Optional[Work] = None
        self._started: dict[str, Aoi] = {}  # job id -> AOI, until its outputs arrive
        self._iface, self._canvas = iface, iface.mapCanvas()
        self._messages = Messages(iface.messageBar())
        journey.arrived.connect(self._arrived)
        journey.book.ended.connect(self._job_ended)
        self.model = RequestModel(self)
        self.header = Header(self.model, journey.connections.all())
        self.headerPlace.addWidget(self.header)
        self.form = JobForm(self.model, journey, self._canvas, iface.statusBarIface().showMessage)
        self.orders = Orders(self.model, journey, self)
        self.watching = Watching(self.model, journey.watches, self)
        self.repeating = Repeating(self.model, self.orders, self)
        self.picking = RasterPicking(self.model, journey.stored_rasters, self._canvas, self)
        self.scene_folders = SceneFolders(journey, self)
        self.balance = BalanceAsking(self.model, journey)
        self.queue_strip = QueueStrip(journey.queue)
        self.dockLayout.insertWidget(self.dockLayout.indexOf(self.tabs), self.queue_strip)
        self.jobs: Optional[JobsTab] = None
        self.scenes: Optional[ScenesList] = None
        self.scene_actions: Optional[SceneActions] = None
        self.tabs.addTab(self.form, self.tr("New Job"))
        self._movie = QMovie(QgsApplication.iconPath("/mIconLoading.gif"))
        self._movie.setScaledSize(QSize(NOTICE_ICON, NOTICE_ICON))
        self._movie.start()
        self.tabs.setEnabled(False)
        self.noticeRow.hide()
        self.header.choose(settings.last_connection)
        steps = [*self.form.building_steps(), self._add_jobs, self._add_scenes, self._connect, self._open_first]
        self._building = InTurns(steps, self, rest_ms=FRAME_MS)

    def build(self) -> None:
        """Add what is within, one part after the other, then open the connection."""
        self._building.start()

    def _add_jobs(self) -> None:
        self.jobs = JobsTab(self._journey)
        self.tabs.addTab(self.jobs, self.tr("Jobs"))

    def _add_scenes(self) -> None:
        self.scenes = ScenesList(self._journey.scene_search, self._canvas)
        self.tabs.addTab(self.scenes, self.tr("Scenes"))
        self.jobs.chosen_changed.connect(self.scenes.show_record)
        self.scenes.show_record(self.jobs.chosen)
        self.scene_actions = SceneActions(self._iface, self._messages.tell, self)
        self.scene_actions.add_to(self.jobs.moreButton.menu())
        self.jobs.chosen_changed.connect(self.scene_actions.show_record)
        self._job_drop = JobDrop(self.model, self._journey.hand_over, self._messages, self._handed_over, self)
        self._job_drop.restored.connect(lambda: self.tabs.setCurrentWidget(self.form))
        self._job_drop.watch(self, self.form.aoi)

    def _connect(self) -> None:
        self.header.connection_chosen.connect(lambda _connection: self.open_connection())
        self.header.project_chosen.connect(self._choose_project)
        self.header.manage_wanted.connect(self._manage_connections)
        self.tryAgainButton.clicked.connect(lambda: self.open_connection())
        self.jobs.form_wanted.connect(self._fill_form)
        self.jobs.aoi_wanted.connect(self._show_aoi)
        self._connect_orders()
        self.form.run.submitted.connect(self._submitted)
        self.form.run.failed.connect(lambda text: self._messages.tell("warning", text))
        self.form.parameters_menu.tell = self._messages.tell
        self.form.workflow.scene_folder_chosen.connect(self.scene_folders.add)
        self.form.workflow.workflow_chosen.connect(self._remember_workflow)
        self.form.workflow.workflows_wanted.connect(self._edit_workflows)
        self.form.workflow.rasters_wanted.connect(self.picking.open)
        self.picking.folder_wanted.connect(self.form.workflow.ask_for_folder)
        self.scene_folders.told.connect(self._messages.tell)
        self.scene_folders.added.connect(self.picking.list_again)
        self.scene_folders.added.connect(self.form.estimator.ask_anew)

    def _connect_orders(self) -> None:
        for source in (self.orders, self.watching, self.repeating):
            source.told.connect(self._messages.tell)
            source.form_filled.connect(self._show_form)
        self.form.parameters_menu.watch_wanted.connect(self.watching.watch_this)
        self.form.parameters_menu.watches_wanted.connect(self.watching.show_watches)
        self.form.quick.repeat_wanted.connect(self.repeating.open)
        self.orders.job_wanted.connect(self._show_job)
        self.scenes.live_job_wanted.connect(self.orders.live_job)
        self.scenes.watch_wanted.connect(self.watching.watch_job)
        self.scenes.demo_wanted.connect(self.use_demo)
        self.form.footer.load_wanted.connect(self.orders.load_bought)
        self.queue_strip.again_wanted.connect(self.orders.send_again)
        self.form.aoi.many_aois.connect(self.orders.many)
        self._journey.queue.start()

    def _open_first(self) -> None:
        """The dock may have opened with QGIS: that is nobody's act, so nobody is asked for a password."""
        self._built = True
        self.open_connection(asked_for=False)

    def open_connection(self, asked_for: bool = True) -> None:
        """Read what the chosen connection offers; the form is off until then.

        `asked_for`: the user has just asked for it, so QGIS may ask for its master password.
        """
        if self._opening is not None:
            self._opening.cancel()
        connection = self.header.connection
        self.tabs.setEnabled(True)
        self.form.setEnabled(False)
        self._notice(self.tr("Opening {connection}…").format(connection=connection.title), busy=True)
        try:
            if asked_for:
                self._journey.connections.unlock(connection)
        except HostError as e:
            self._not_opened(str(e))
            return
        self._opening = self._journey.open(
            connection,
            lambda catalogue: self._opened(connection, catalogue),
            self._not_opened,
            self._settings.last_project(connection.id),
        )

    def _choose_project(self, project_id: str) -> None:
        self._settings.set_last_project(self.header.connection.id, project_id)
        self.open_connection()

    def _manage_connections(self) -> None:
        """Later, when the list of connections has closed; and by nobody's frame: the dialog runs a loop of its own."""
        QTimer.singleShot(0, partial(self._iface.showOptionsDialog, self._iface.mainWindow(), PAGE))

    def connections_changed(self) -> None:
        """The user has accepted the options: list what there is now, and open the chosen one anew if it is another."""
        before = self.header.connection
        self.header.set_connections(self._journey.connections.all())
        not_open = self.model.catalogue is None or self.model.catalogue.connection.id != before.id
        if self._built and (self.header.connection != before or not_open):
            self.open_connection()

    def _opened(self, connection: Connection, catalogue: Catalogue) -> None:
        self._opening = None
        self._notice("")
        self._settings.last_connection = connection.id
        self.model.set_catalogue(catalogue, self._settings.last_workflow(connection.id))
        self.jobs.set_catalogue(catalogue)
        self.form.setEnabled(True)
        self._journey.watch(catalogue)
        self._journey.watches.connection_opened(connection)

    def _not_opened(self, text: str) -> None:
        self._opening = None
        self._notice(text, busy=False)

    def _notice(self, text: str, busy: bool = False) -> None:
        self.noticeRow.setVisible(bool(text))
        self.noticeLabel.setText(text)
        self.tryAgainButton.setVisible(not busy)
        if busy:
            self.noticeIcon.setMovie(self._movie)
        else:
            self.noticeIcon.setPixmap(theme_icon("mIconWarning").pixmap(NOTICE_ICON, NOTICE_ICON))

    def _remember_workflow(self, workflow: Workflow) -> None:
        self._settings.set_last_workflow(self.header.connection.id, workflow.id)

    def _edit_workflows(self) -> None:
        if self.model.catalogue is None:
            return
        chosen = self.model.workflow.id if self.model.workflow else ""
        dialog = WorkflowsDialog(self._journey.workflow_edits, self.model.catalogue, chosen, self)
        dialog.left.connect(partial(self._workflows_edited, self.header.connection.id))
        dialog.show()

    def _workflows_edited(self, connection_id: str, workflow_id: str) -> None:
        """Take up what was edited last, with its blocks' defaults."""
        if self.header.connection.id == connection_id:
            self._settings.set_last_workflow(connection_id, workflow_id or None)
            self.model.forget_workflow()
            self.open_connection()

    def _submitted(self, job: Job, request: JobRequest) -> None:
        if request.aoi is not None:
            self._started[job.id] = request.aoi
        self.jobs.choose(job.id)
        self.tabs.setCurrentWidget(self.jobs)
        self._journey.refresh()
        self._ask_for_balance()

    def _arrived(self, job_id: str, group: QgsLayerTreeGroup) -> None:
        """The map moves for a job that was just started here, and for no other; so do the tabs to its scenes."""
        if self.scenes is not None:
            self.scenes.follow_layer(group)
        aoi = self._started.pop(job_id, None)
        if aoi is not None:
            zoom_to_aoi(self._canvas, aoi, only_if_unseen=True)
            if self.scenes is not None and self.scenes.shows(job_id) and self.tabs.currentWidget() is self.jobs:
                self.tabs.setCurrentWidget(self.scenes)

    def _handed_over(self, group: QgsLayerTreeGroup) -> None:
        """Somebody's job was dropped on the dock: show it."""
        extent = extent_of(group, self._canvas.mapSettings().destinationCrs())
        if not extent.isEmpty():
            self._canvas.setExtent(extent)
            self._canvas.refresh()

    def _job_ended(self, connection_id: str) -> None:
        """A job that has ended may have cost something else than was held for it."""
        if connection_id == self.header.connection.id:
            self._ask_for_balance()

    def _fill_form(self, record: JobRecord, job_type: Optional[JobType]) -> None:
        """A job's request into the form: running it takes the same way as any other."""
        try:
            fill_form(self.model, record, job_type)
        except NotRestored as e:
            self._messages.tell("warning", str(e))
            return
        self._show_form()

    def _show_form(self) -> None:
        self.tabs.setCurrentWidget(self.form)
        self.form.formScroll.verticalScrollBar().setValue(0)

    def _show_job(self, job_id: str) -> None:
        self.jobs.choose(job_id)
        self.tabs.setCurrentWidget(self.jobs)

    def _show_aoi(self, record: JobRecord) -> None:
        """Move the map to the AOI of a job and let its outline flash."""
        geometry = aoi_of(record)
        if geometry is None:
            self._messages.tell("info", self.tr("“{job}” has no AOI.").format(job=job_title(record)))
            return
        zoom_to_aoi(self._canvas, geometry)
        flash_aoi(self._canvas, geometry)

    def show_jobs(self, notice: Notice) -> None:
        """Show the jobs that a notice is about, on their connection; or the watches."""
        if Offer.WATCHES in notice.offers:
            self.watching.show_watches()
        if self.jobs is None or not notice.jobs:
            return
        self.tabs.setCurrentWidget(self.jobs)
        connection_id, job_id = notice.jobs[0]
        self.jobs.choose(job_id)
        if connection_id != self.header.connection.id:
            self.header.choose(connection_id)
            self.open_connection()

    def use_demo(self) -> None:
        """Imagery that needs no network into the form, in place of what could not be reached."""
        if self.model.choose_demo():
            self._show_form()
        else:
            text = self.tr("This connection has no demo imagery: choose This Computer first.")
            self._messages.tell("warning", text)

    def _ask_for_balance(self) -> None:
        if self._opening is None:
            connection = self.header.connection
            self.balance.ask(connection, self._settings.last_project(connection.id))

    def set_map_marks_visible(self, visible: bool) -> None:
        """Show or hide the AOI on the map: it is drawn while the dock is open."""
        self.form.on_map.set_visible(visible)

    def stop(self) -> None:
        """Timers, questions, map tools; for unload. The journey is stopped by whoever made it."""
        self._building.stop()
        self._journey.arrived.disconnect(self._arrived)
        self._journey.book.ended.disconnect(self._job_ended)
        if self._opening is not None:
            self._opening.cancel()
        self.balance.stop()
        self.orders.stop()
        self.watching.stop()
        self.repeating.stop()
        self.picking.stop()
        self.queue_strip.stop()
        if self.jobs is not None:
            self.jobs.stop()
        if self.scenes is not None:
            self.scenes.stop()
        if self.scene_actions is not None:
            self.scene_actions.remove()
        self.form.stop()
        self._movie.stop()
