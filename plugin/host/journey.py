"""The use cases that the dock calls. Nothing here blocks: each answers by a callback or a signal on the GUI thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..jobs.job import Job, Task
from ..jobs.request import JobRequest
from ..jobs.workflow import Project
from ..net.cancel import Cancel
from .aoi_reader import AoiReader
from .arrivals import Arrivals
from .connections import Connection, Connections
from .errors import explain
from .followups import is_damage
from .forgotten import forget
from .handed_over import HandOver
from .job_actions import JobActions
from .job_book import JobBook, intent_id
from .later_overviews import LaterOverviews
from .ledger import Ledger
from .origin import CurrentProject, Origin, outputs_parent
from .parameter_files import ParameterFiles
from .poll import Snapshot
from .pricing import Price, price
from .queue_runner import JobQueue
from .records import Catalogue, JobRecord, Notice
from .resume import Resume
from .scene_folders import add_scene_folder
from .scene_search import SceneSearch
from .settings import Settings
from .stored_rasters import StoredRasters
from .submit import Confirmation, submit
from .tracker import Tracker
from .watches import Watches
from .webhooks import Webhooks
from .words import tr
from .work import Work, Works
from .workflow_edits import WorkflowEdits

Failed = Callable[[str], None]


class Journey(QObject):
    """Open a connection, estimate, submit, follow, collect, load. `failed` callbacks get a finished sentence."""

    jobs_changed = pyqtSignal(str)  # connection id: `records` has changed
    told = pyqtSignal(str, str)  # info, success, warning or critical; the text for the message bar
    noticed = pyqtSignal(object)  # Notice: how jobs have ended, with what can be done now
    arrived = pyqtSignal(str, object)  # job id, the layer tree group that was just added

    def __init__(self, works: Works, connections: Connections, ledger: Ledger, settings: Settings) -> None:
        super().__init__()
        self.connections = connections
        self.scene_search = SceneSearch(works, connections)
        self.overviews = LaterOverviews(works, settings)
        self.hand_over = HandOver(works, self.overviews)
        self.aois = AoiReader(works)
        self.parameter_files = ParameterFiles(works)
        self._works, self._ledger = works, ledger
        self._project = CurrentProject()
        self._tracker = Tracker(works, connections, ledger, lambda: [outputs_parent(Origin("", ""), settings)])
        self._arrivals = Arrivals(works, connections, ledger, self._project, settings, self.overviews)
        self.book = JobBook(self._arrivals.delivery)
        self.webhooks = Webhooks(works, connections)
        self.workflow_edits = WorkflowEdits(works, connections)
        self.stored_rasters = StoredRasters(works, connections)
        self.watches = Watches(works, connections, ledger)
        self.watches.noticed.connect(self.noticed)
        self.watches.refused.connect(self._warn)
        self.job_actions = JobActions(works, connections, ledger, self._tracker, self._arrivals, self.book)
        self.job_actions.noticed.connect(self.noticed)
        self.resume = Resume(works, connections, ledger, self._tracker, self._arrivals, self._project)
        self.resume.refused.connect(self._warn)
        self.resume.noticed.connect(self.noticed)
        self.queue = JobQueue(works, connections, ledger, self._project, self._arrivals.sessions)
        self.queue.sent.connect(self._tracker.refresh)
        self.queue.told.connect(self.told)
        self._asking_tasks: set[str] = set()  # job ids
        self._submitting: set[str] = set()  # fingerprints: a submit of ours under way is not Unconfirmed
        self._tracker.polled.connect(self._polled)
        self._tracker.trouble.connect(self._in_trouble)
        self.book.changed.connect(lambda connection_id, _project_id, _ids: self.jobs_changed.emit(connection_id))
        self._arrivals.changed.connect(self.book.delivery_changed)
        self._arrivals.endings.noticed.connect(self.noticed)
        self._arrivals.told.connect(self.told)
        for source in (self._arrivals, self.watches):
            source.ledger_damaged.connect(self.resume.tell_damage)
        self._arrivals.arrived.connect(self.arrived)

    def open(
        self, connection: Connection, done: Callable[[Catalogue], None], failed: Failed, project_id: str = ""
    ) -> Work:
        """Read a connection's projects, one project's workflows and the balance; may start the local engine.

        `project_id`: whose workflows; the first project's where it is not one of them.
        """
        return self._start(
            tr("Open {connection}").format(connection=connection.title),
            lambda cancel: read_catalogue(self.connections, connection, cancel, project_id),
            done,
            failed,
        )

    def estimate(
        self, catalogue: Catalogue, request: JobRequest, done: Callable[[Price], None], failed: Failed
    ) -> Work:
        """Credits and time of exactly this request, and what stands against it."""
        return self._start(
            tr("Estimate"),
            lambda cancel: price(self.connections, self._ledger, catalogue.connection, request, cancel),
            done,
            failed,
        )

    def submit(
        self,
        catalogue: Catalogue,
        request: JobRequest,
        confirmation: Optional[Confirmation],
        done: Callable[[Job], None],
        failed: Failed,
    ) -> Work:
        """Run the request, once. A priced Live Job needs a confirmation of exactly this request."""
        connection, origin = catalogue.connection, self._project.origin
        self._submitting.add(request.fingerprint)

        def sent(job: Job) -> None:
            self._submitting.discard(request.fingerprint)
            self._tracker.refresh()
            done(job)

        def not_sent(text: str) -> None:
            self._submitting.discard(request.fingerprint)
            self._tracker.refresh()
            failed(text)

        def do(cancel: Cancel) -> Job:
            self._arrivals.sessions.hold(origin.token)
            platform = self.connections.open(connection, cancel)
            return submit(platform, self._ledger, connection.id, request, origin, confirmation)

        return self._start(tr("Run {job}").format(job=request.name), do, sent, not_sent)

    def watch(self, catalogue: Catalogue) -> None:
        """Follow the jobs of this connection and project."""
        self._tracker.watch(catalogue.connection, catalogue.project)

    def refresh(self) -> None:
        """Ask for the jobs now."""
        self._tracker.refresh()

    def records(self, connection_id: str) -> list[JobRecord]:
        """All jobs known of a connection, newest first; submits whose answer was lost come first."""
        return self.book.newest_first(connection_id)

    def fetch_tasks(self, record: JobRecord) -> None:
        """Ask for a job's tasks; `jobs_changed` follows. A failure is not told: the tracker tells of trouble, once."""
        job_id = record.job.id
        if job_id in self._asking_tasks:
            return
        self._asking_tasks.add(job_id)

        def got(tasks: list[Task]) -> None:
            self._asking_tasks.discard(job_id)
            self.book.set_tasks(record, tuple(tasks))

        def failed(_text: str) -> None:
            self._asking_tasks.discard(job_id)

        self._ask(record, lambda platform: platform.tasks(record.job), got, failed)

    def fetch_log(self, record: JobRecord, task: Task, done: Callable[[str], None], failed: Failed) -> None:
        """Ask for a task's log."""
        self._ask(record, lambda platform: platform.log(record.job, task), done, failed)

    def forget(self, record: JobRecord) -> None:
        """The user decides that an unconfirmed submit became no job: its request can be run again.

        Its credits still count in the month's cap, for its job may exist.
        """
        self._works.start(
            "Forget",
            lambda _cancel, _progress: forget(self._ledger, intent_id(record)),
            shown=False,
            succeeded=lambda _none: self._tracker.refresh(),
            failed=lambda error: self.told.emit("warning", explain(error)),
        )

    def load(self, record: JobRecord) -> None:
        """Load a delivered folder into the open project."""
        connection, folder = self.connections.by_id(record.connection_id), record.delivery.folder
        if connection is not None and folder is not None:
            self._arrivals.load(connection, record.job, folder)

    def add_scene_folder(
        self, path: Path, done: Callable[[Any], None], failed: Failed, *, licence: str = "", attribution: str = ""
    ) -> Work:
        """Register a folder of the user's rasters as scenes of the local engine, with what to say of their rights."""
        return self._start(
            tr("Add scene folder"),
            lambda cancel: add_scene_folder(
                self.connections, path, cancel, licence=licence, attribution=attribution
            ),
            done,
            failed,
        )

    def close(self) -> None:
        """Stop polling and listening; for unload."""
        self.queue.stop()
        self.watches.stop()
        self._tracker.stop()
        self._arrivals.close()
        self.resume.close()
        self.hand_over.close()
        self.overviews.close()
        self._project.close()

    def _warn(self, text: str) -> None:
        self.told.emit("warning", text)

    def _in_trouble(self, connection: Connection, error: Exception) -> None:
        if is_damage(error):
            self.resume.tell_damage()
            return
        text = tr("The jobs on {connection} can't be followed just now: {why} They are asked for again by themselves.")
        self.noticed.emit(Notice("info", text.format(connection=connection.title, why=explain(error))))

    def _polled(self, connection: Connection, project: Project, snapshot: Snapshot) -> None:
        self._arrivals.take(connection, snapshot)
        self.book.take(connection, project.id, snapshot, self._submitting)

    def _ask(
        self, record: JobRecord, question: Callable[[Any], Any], done: Callable[[Any], None], failed: Failed
    ) -> None:
        connection = self.connections.by_id(record.connection_id)
        if connection is not None:
            self._start(tr("Ask"), lambda cancel: question(self.connections.open(connection, cancel)), done, failed)

    def _start(self, title: str, do: Callable[[Cancel], Any], done: Callable[[Any], None], failed: Failed) -> Work:
        return self._works.start(
            title,
            lambda cancel, _progress: do(cancel),
            shown=False,
            succeeded=done,
            failed=lambda error: failed(explain(error)),
        )


def read_catalogue(
    connections: Connections, connection: Connection, cancel: Cancel, project_id: str = ""
) -> Catalogue:
    """Projects, workflows and balance of a connection. Worker thread."""
    platform = connections.open(connection, cancel)
    projects = platform.projects()
    project = next((p for p in projects if p.id == project_id), projects[0])
    return Catalogue(
        connection,
        projects,
        project,
        platform.workflows(project),
        platform.balance(project) if platform.capabilities.credits else None,
        platform.capabilities,
        platform.refused_projects,
    )
