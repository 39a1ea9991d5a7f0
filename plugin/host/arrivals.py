"""Outputs arrive by themselves: what ended is delivered, loaded into its project, and told, once each."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional

from qgis.core import QgsProject
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ..delivery.errors import DeliveryError
from ..jobs.job import Job, JobState
from ..layers.load import JobLayers
from .collect import Prepared, collect, log_reason, prepare
from .connections import Connection, Connections
from .errors import explain
from .ledger import Entry, Ledger
from .origin import CurrentProject, Origin, outputs_parent
from .records import Delivery, DeliveryState
from .settings import Settings
from .tracker import Snapshot
from .words import tr
from .work import Works

DOWNLOADS_AT_ONCE = 2
LOOK_AGAIN_MS = 10_000  # after another QGIS was found to fetch the same outputs

Key = tuple[str, str]  # connection id, job id


class Arrivals(QObject):
    """Takes each snapshot of the tracker and does what is due for the jobs that were started from this profile."""

    changed = pyqtSignal(str)  # connection id: a delivery went on
    told = pyqtSignal(str, str)  # level, text
    arrived = pyqtSignal(str, object)  # job id, the QgsLayerTreeGroup

    def __init__(
        self, works: Works, connections: Connections, ledger: Ledger, project: CurrentProject, settings: Settings
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._project, self._settings = project, settings
        self._deliveries: dict[Key, Delivery] = {}
        self._queue: deque[tuple[Connection, Job, Origin]] = deque()
        self._running = 0
        self._told: set[Key] = set()

    def delivery(self, connection_id: str, job_id: str, entry: Optional[Entry]) -> Delivery:
        """How far a job's outputs have come."""
        found = self._deliveries.get((connection_id, job_id))
        if found is not None or entry is None or not entry.delivered:
            return found or Delivery()
        state = DeliveryState.LOADED if entry.loaded else DeliveryState.DELIVERED
        return Delivery(state, folder=Path(entry.folder) if entry.folder else None)

    def take(self, connection: Connection, snapshot: Snapshot) -> None:
        """Start what a new snapshot calls for."""
        for job in snapshot.jobs:
            entry = snapshot.entries.get(job.id)
            if entry is None or not job.state.ended or (connection.id, job.id) in self._told:
                continue
            if job.state is JobState.SUCCEEDED:
                self._succeeded(connection, job, entry)
            elif entry.told is None:
                self._told.add((connection.id, job.id))
                self._tell_end(connection, job)

    def _succeeded(self, connection: Connection, job: Job, entry: Entry) -> None:
        if (connection.id, job.id) in self._deliveries:
            return
        origin = Origin(entry.project_file, entry.token)
        if not entry.token:
            return  # started by a script, which collects for itself
        if not entry.delivered:
            self.collect(connection, job, origin)
        elif not entry.loaded and entry.folder and self._project.is_origin(origin):
            self.load(connection, job.id, Path(entry.folder))

    def collect(self, connection: Connection, job: Job, origin: Origin) -> None:
        """Deliver a job's outputs to disk, then load them if the project of `origin` is open."""
        self._set(connection.id, job.id, Delivery(DeliveryState.DOWNLOADING))
        self._queue.append((connection, job, origin))
        self._next()

    def _next(self) -> None:
        while self._queue and self._running < DOWNLOADS_AT_ONCE:
            connection, job, origin = self._queue.popleft()
            self._running += 1
            parent = outputs_parent(origin, self._settings)
            self._works.start(
                tr("Download {job}").format(job=job.name or job.id),
                lambda cancel, progress, c=connection, j=job, p=parent: collect(
                    self._connections, self._ledger, c, j, p, cancel, progress
                ),
                succeeded=lambda prepared, c=connection, j=job, o=origin: self._delivered(c, j, o, prepared),
                failed=lambda error, c=connection, j=job: self._failed(c, j, error),
                cancelled=lambda c=connection, j=job: self._not_delivered(c, j, tr("The download was cancelled.")),
                progressed=lambda fraction, c=connection, j=job: self._set(
                    c.id, j.id, Delivery(DeliveryState.DOWNLOADING, fraction)
                ),
            )

    def _delivered(self, connection: Connection, job: Job, origin: Origin, prepared: Prepared) -> None:
        self._running -= 1
        self._set(connection.id, job.id, Delivery(DeliveryState.DELIVERED, 1.0, prepared.folder))
        if self._project.is_origin(origin):
            self._put(connection.id, job.id, prepared)
        else:
            text = tr("“{job}” is ready in {folder}. It was started from another project: choose Load to have it here.")
            self.told.emit("info", text.format(job=job.name or job.id, folder=prepared.folder))
        self._next()

    def _failed(self, connection: Connection, job: Job, error: Exception) -> None:
        if isinstance(error, DeliveryError) and error.code == "busy":
            self._running -= 1  # another QGIS fetches it: look again later, the ledger tells when it is there
            QTimer.singleShot(LOOK_AGAIN_MS, lambda: self._deliveries.pop((connection.id, job.id), None))
            self._next()
        else:
            self._not_delivered(connection, job, explain(error))

    def _not_delivered(self, connection: Connection, job: Job, message: str) -> None:
        self._running -= 1
        self._set(connection.id, job.id, Delivery(DeliveryState.FAILED, message=message))
        text = tr("The outputs of “{job}” were not delivered. {why}")
        self.told.emit("warning", text.format(job=job.name or job.id, why=message))
        self._next()

    def load(self, connection: Connection, job_id: str, folder: Path) -> None:
        """Put a delivered folder on the map of the project that is open now, and of no other."""
        origin = self._project.origin
        self._set(connection.id, job_id, Delivery(DeliveryState.DELIVERED, 1.0, folder))

        def prepared_is(prepared: Prepared) -> None:
            if self._project.is_origin(origin):
                self._put(connection.id, job_id, prepared)

        self._works.start(
            tr("Prepare layers"),
            lambda _cancel, _progress: prepare(folder),
            shown=False,
            succeeded=prepared_is,
            failed=lambda error: self._not_loaded(connection.id, job_id, folder, explain(error)),
        )

    def _not_loaded(self, connection_id: str, job_id: str, folder: Path, message: str) -> None:
        self._set(connection_id, job_id, Delivery(DeliveryState.FAILED, 1.0, folder, message))
        text = tr("The outputs in {folder} were not loaded. {why}")
        self.told.emit("warning", text.format(folder=folder, why=message))

    def _put(self, connection_id: str, job_id: str, prepared: Prepared) -> None:
        """Add the layers, one each time that QGIS has nothing else to do."""
        layers = JobLayers(QgsProject.instance(), prepared.info, prepared.scan, prepared.look)
        timer = QTimer(self)

        def add_next() -> None:
            if not layers.add_next():
                timer.stop()
                timer.deleteLater()
                self._loaded(connection_id, job_id, prepared, layers)

        timer.timeout.connect(add_next)
        timer.start(0)

    def _loaded(self, connection_id: str, job_id: str, prepared: Prepared, layers: JobLayers) -> None:
        if sip.isdeleted(layers.group):
            return  # the project was closed, or the group removed, meanwhile: delivered, not loaded
        self._set(connection_id, job_id, Delivery(DeliveryState.LOADED, 1.0, prepared.folder))
        self._note(lambda: self._note_loaded(connection_id, job_id))
        self.told.emit(*prepared.sentence(layers.failed))
        self.arrived.emit(job_id, layers.group)

    def _note_loaded(self, connection_id: str, job_id: str) -> None:
        self._ledger.note_loaded(connection_id, job_id)
        self._ledger.note_told(connection_id, job_id, JobState.SUCCEEDED.value)

    def _tell_end(self, connection: Connection, job: Job) -> None:
        """Tell that a job failed or was cancelled, with the reason that its log gives."""
        self._works.start(
            tr("Read log"),
            lambda cancel, _progress: log_reason(self._connections.open(connection, cancel), job),
            shown=False,
            succeeded=lambda reason: self._ended(connection, job, reason),
            failed=lambda _error: self._ended(connection, job, ""),
        )

    def _ended(self, connection: Connection, job: Job, reason: str) -> None:
        name = job.name or job.id
        if job.state is JobState.CANCELLED:
            self.told.emit("info", tr("“{job}” was cancelled.").format(job=name))
        else:
            self.told.emit("critical", tr("“{job}” failed. {why}").format(job=name, why=reason))
        self._set(connection.id, job.id, Delivery(message=reason))
        self._note(lambda: self._ledger.note_told(connection.id, job.id, job.state.value))

    def _note(self, write: Callable[[], None]) -> None:
        self._works.start(
            "Note",
            lambda _cancel, _progress: write(),
            shown=False,
            succeeded=lambda _nothing: None,
            failed=lambda error: self.told.emit("warning", explain(error)),
        )

    def _set(self, connection_id: str, job_id: str, delivery: Delivery) -> None:
        before = self._deliveries.get((connection_id, job_id), Delivery())
        if delivery.state is DeliveryState.DOWNLOADING and before.folder and not delivery.folder:
            delivery = replace(delivery, folder=before.folder)
        self._deliveries[(connection_id, job_id)] = delivery
        self.changed.emit(connection_id)
