"""The use cases that the dock calls. Nothing here blocks: each answers by a callback or a signal on the GUI thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..jobs.job import Job, JobState, JobType, Task, parse_time
from ..jobs.request import JobRequest
from ..net.cancel import Cancel
from .aoi_reader import AoiReader
from .arrivals import Arrivals
from .connections import Connection, Connections
from .errors import explain
from .ledger import Intent, Ledger
from .origin import CurrentProject
from .pricing import Price, price
from .records import Catalogue, Delivery, DeliveryState, JobRecord
from .save_archive import save_archive
from .scene_folders import add_scene_folder
from .scene_search import SceneSearch
from .settings import Settings
from .submit import Confirmation, submit
from .tracker import Snapshot, Tracker
from .words import tr
from .work import Work, Works

Failed = Callable[[str], None]


class Journey(QObject):
    """Open a connection, estimate, submit, follow, collect, load. `failed` callbacks get a finished sentence."""

    jobs_changed = pyqtSignal(str)  # connection id: `records` has changed
    told = pyqtSignal(str, str)  # info, success, warning or critical; the text for the message bar
    arrived = pyqtSignal(str, object)  # job id, the layer tree group that was just added

    def __init__(self, works: Works, connections: Connections, ledger: Ledger, settings: Settings) -> None:
        super().__init__()
        self.connections = connections
        self.scene_search = SceneSearch(works, connections)
        self.aois = AoiReader(works)
        self._works, self._ledger = works, ledger
        self._project = CurrentProject()
        self._tracker = Tracker(works, connections, ledger)
        self._arrivals = Arrivals(works, connections, ledger, self._project, settings)
        self._snapshots: dict[str, Snapshot] = {}
        self._tasks: dict[str, tuple[Task, ...]] = {}
        self._asking_tasks: set[str] = set()  # job ids
        self._submitting: set[str] = set()  # fingerprints: a submit of ours under way is not Unconfirmed
        self._tracker.polled.connect(self._polled)
        self._tracker.trouble.connect(lambda error: self.told.emit("warning", explain(error)))
        self._arrivals.changed.connect(self.jobs_changed)
        self._arrivals.told.connect(self.told)
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

        return self._start(
            tr("Run {job}").format(job=request.name),
            lambda cancel: submit(
                self.connections.open(connection, cancel), self._ledger, connection.id, request, origin, confirmation
            ),
            sent,
            not_sent,
        )

    def watch(self, catalogue: Catalogue) -> None:
        """Follow the jobs of this connection and project."""
        self._tracker.watch(catalogue.connection, catalogue.project)

    def refresh(self) -> None:
        """Ask for the jobs now."""
        self._tracker.refresh()

    def records(self, connection_id: str) -> list[JobRecord]:
        """All jobs known of a connection, newest first; submits whose answer was lost come first."""
        snapshot = self._snapshots.get(connection_id)
        if snapshot is None:
            return []
        lost = [_unconfirmed(i) for i in snapshot.intents if i.lost or i.fingerprint not in self._submitting]
        return lost + [self._record(connection_id, job, snapshot) for job in snapshot.jobs]

    def _record(self, connection_id: str, job: Job, snapshot: Snapshot) -> JobRecord:
        entry = snapshot.entries.get(job.id)
        return JobRecord(
            connection_id,
            job,
            self._tasks.get(job.id, ()),
            snapshot.credits.get(job.id),
            entry is not None,
            self._arrivals.delivery(connection_id, job.id, entry),
        )

    def fetch_tasks(self, record: JobRecord) -> None:
        """Ask for a job's tasks; `jobs_changed` follows. A failure is not told: the tracker tells of trouble, once."""
        job_id = record.job.id
        if job_id in self._asking_tasks:
            return
        self._asking_tasks.add(job_id)

        def got(tasks: list[Task]) -> None:
            self._asking_tasks.discard(job_id)
            self._tasks[job_id] = tuple(tasks)
            self.jobs_changed.emit(record.connection_id)

        def failed(_text: str) -> None:
            self._asking_tasks.discard(job_id)

        self._ask(record, lambda platform: platform.tasks(record.job), got, failed)

    def fetch_log(self, record: JobRecord, task: Task, done: Callable[[str], None], failed: Failed) -> None:
        """Ask for a task's log."""
        self._ask(record, lambda platform: platform.log(record.job, task), done, failed)

    def cancel_job(self, record: JobRecord) -> None:
        """Ask the platform to cancel a job."""
        self._ask(
            record,
            lambda platform: platform.cancel(record.job),
            lambda _none: self._tracker.refresh(),
            self._warn,
        )

    def forget(self, record: JobRecord) -> None:
        """The user decides that an unconfirmed submit became no job: its request can be run again."""
        intent_id = int(record.job.id)
        self._works.start(
            "Forget",
            lambda _cancel, _progress: self._ledger.drop(intent_id),
            shown=False,
            succeeded=lambda _none: self._tracker.refresh(),
            failed=lambda error: self.told.emit("warning", explain(error)),
        )

    def collect(self, record: JobRecord) -> None:
        """Download a job's outputs (again), then load them into the open project."""
        connection = self.connections.by_id(record.connection_id)
        if connection is not None:
            self._arrivals.collect(connection, record.job, self._project.origin)

    def load(self, record: JobRecord) -> None:
        """Load a delivered folder into the open project."""
        connection, folder = self.connections.by_id(record.connection_id), record.delivery.folder
        if connection is not None and folder is not None:
            self._arrivals.load(connection, record.job.id, folder)

    def save_archive(self, record: JobRecord, target: Path) -> None:
        """Download a job's archive itself to a file of the user's choice; the end is told."""
        connection = self.connections.by_id(record.connection_id)
        if connection is None:
            return
        name = record.job.name or record.job.id
        self._works.start(
            tr("Save archive of {job}").format(job=name),
            lambda cancel, progress: save_archive(
                self.connections, connection, record.job, target, cancel, progress
            ),
            succeeded=lambda saved: self.told.emit(
                "success", tr("The archive of “{job}” is saved as {path}.").format(job=name, path=saved)
            ),
            failed=lambda error: self._warn(explain(error)),
        )

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
        self._tracker.stop()
        self._project.close()

    def _warn(self, text: str) -> None:
        self.told.emit("warning", text)

    def _polled(self, connection_id: str, snapshot: Snapshot) -> None:
        self._snapshots[connection_id] = snapshot
        connection = self.connections.by_id(connection_id)
        if connection is not None:
            self._arrivals.take(connection, snapshot)
        self.jobs_changed.emit(connection_id)

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
    )


def _unconfirmed(intent: Intent) -> JobRecord:
    request = intent.request
    workflow = request.get("workflow") or {}
    job = Job(
        id=str(intent.id),
        project_id=intent.project,
        name=str(request.get("name") or ""),
        state=JobState.UNKNOWN,
        raw_status=tr("Unconfirmed"),
        job_type=JobType(request["job_type"]),
        workflow_id=str(workflow.get("id") or ""),
        workflow_name=str(workflow.get("name") or ""),
        created_at=parse_time(intent.server_time),
        inputs=request.get("inputs") or {},
    )
    return JobRecord(intent.connection, job, ours=True, delivery=Delivery(DeliveryState.NONE), unconfirmed=True)
