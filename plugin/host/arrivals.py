"""Outputs arrive by themselves: what ended is delivered, loaded into its project, and told, once each."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Optional

from qgis.core import QgsProject
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ..delivery.errors import DeliveryError
from ..jobs.job import Job, JobState, JobType, Task
from ..layers.load import JobLayers
from ..net.cancel import Cancel
from ..net.errors import NetError
from ..platforms.contract import Unreachable
from . import followups
from .collect import Prepared, collect, log_reason, prepare
from .connections import Connection, Connections
from .endings import Ending, Endings, EndKind
from .errors import explain
from .followups import is_damage
from .ledger import Entry, Ledger
from .mend import mend_layers
from .origin import CurrentProject, Origin, outputs_parent
from .poll import Snapshot
from .records import Delivery, DeliveryState
from .sessions import Sessions
from .settings import Settings
from .words import tr
from .work import Progress, Works

DOWNLOADS_AT_ONCE = 2
LOOK_AGAIN_MS = 10_000  # after another QGIS was found to fetch the same outputs
TRY_AGAIN_MS = 30_000  # after the network failed; each time so much later
TRIES = 5

Key = tuple[str, str]  # connection id, job id
Paced = Callable[[Optional[float]], None]  # bytes per second


@dataclass(frozen=True)
class Order:
    """One download: of which job, for which project. `asked`: by the user just now, so it is loaded where they are."""

    connection: Connection
    job: Job
    origin: Origin
    asked: bool = False
    load: bool = True
    task: Optional[Task] = None

    @property
    def key(self) -> Key:
        """Connection and job."""
        return self.connection.id, self.job.id

    @property
    def name(self) -> str:
        """What it is called to people."""
        return self.job.name or self.job.id


class Arrivals(QObject):
    """Takes each snapshot of the tracker and does what is due for the jobs that were started from this profile."""

    changed = pyqtSignal(str, str)  # connection id, job id: its delivery went on
    told = pyqtSignal(str, str)  # level, text
    ledger_damaged = pyqtSignal()  # found just now
    arrived = pyqtSignal(str, object)  # job id, the QgsLayerTreeGroup

    def __init__(
        self, works: Works, connections: Connections, ledger: Ledger, project: CurrentProject, settings: Settings
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._project, self._settings = project, settings
        self.endings = Endings()
        self.sessions = Sessions(ledger.folder)
        self._deliveries: dict[Key, Delivery] = {}
        self._queue: deque[Order] = deque()
        self._running = 0
        self._seen_running: set[Key] = set()
        self._handled: set[Key] = set()  # until something asks for another look
        self._tries: Counter[Key] = Counter()
        self._timers: set[QTimer] = set()

    def delivery(self, connection_id: str, job_id: str, entry: Optional[Entry]) -> Delivery:
        """How far a job's outputs have come."""
        found = self._deliveries.get((connection_id, job_id))
        if found is not None or entry is None or not entry.delivered:
            return found or Delivery()
        state = DeliveryState.LOADED if entry.loaded else DeliveryState.DELIVERED
        return Delivery(state, folder=Path(entry.folder) if entry.folder else None)

    def take(self, connection: Connection, snapshot: Snapshot) -> None:
        """Start what a new snapshot calls for. Jobs of scripts have no token: a script collects for itself."""
        for job in snapshot.jobs:
            entry = snapshot.entries.get(job.id)
            if entry is None or not entry.token:
                continue
            key = (connection.id, job.id)
            if not job.state.ended:
                if key not in self._seen_running and entry.token in self._project.tokens:
                    self._note(lambda token=entry.token: self.sessions.hold(token))
                self._seen_running.add(key)
            elif entry.told is None and key not in self._handled:
                self._handled.add(key)
                if entry.token in self._project.tokens:
                    self._ended(connection, job, entry)
                else:
                    self._ended_elsewhere(connection, job, entry)

    def _ended_elsewhere(self, connection: Connection, job: Job, entry: Entry) -> None:
        """A job of another session is this one's only when that one is over: it has the project, and the user."""

        def looked(lives: bool) -> None:
            if lives:
                self._later(LOOK_AGAIN_MS, lambda: self._handled.discard((connection.id, job.id)))
            else:
                self._ended(connection, job, entry)

        self._note(lambda: self.sessions.lives_elsewhere(entry.token), looked)

    def _ended(self, connection: Connection, job: Job, entry: Entry) -> None:
        if job.state is not JobState.SUCCEEDED:
            self._tell_end(connection, job)
            return
        order = Order(connection, job, Origin(entry.project_file, entry.token))
        seen = order.key in self._seen_running or entry.token in self._project.tokens
        policy = "always" if seen else self._settings.collect_policy
        if entry.delivered and entry.folder:
            self._bring(order, Path(entry.folder))
        elif policy == "always":
            self._order(order)
        else:
            text = tr("“{job}” has succeeded while QGIS was closed.").format(job=order.name)
            kind = EndKind.WAITING if policy == "ask" else EndKind.LOADED
            self._tell_once(order, Ending(kind, *order.key, "info", text))

    def collect(self, connection: Connection, job: Job, load: bool = True) -> None:
        """Deliver a job's outputs to disk, as the user asked; then, with `load`, put them into the open project."""
        self._order(Order(connection, job, self._project.origin, asked=True, load=load))

    def collect_task(self, connection: Connection, job: Job, task: Task) -> None:
        """Deliver one task's own output and put it on the map."""
        self._order(Order(connection, job, self._project.origin, asked=True, task=task))

    def _order(self, order: Order) -> None:
        self._show(order, Delivery(DeliveryState.DOWNLOADING))
        self._queue.append(order)
        self._next()

    def _next(self) -> None:
        while self._queue and self._running < DOWNLOADS_AT_ONCE:
            self._running += 1
            self._download(self._queue.popleft())

    def _download(self, order: Order) -> None:
        parent = outputs_parent(order.origin, self._settings)
        speed: deque[Optional[float]] = deque([None], maxlen=1)  # the newest; written by the worker thread

        def progressed(fraction: float) -> None:
            self._show(order, Delivery(DeliveryState.DOWNLOADING, fraction, speed=speed[-1]))

        self._works.start(
            tr("Download {job}").format(job=order.name),
            lambda cancel, progress: self._fetch(order, parent, cancel, progress, speed.append),
            succeeded=lambda prepared: self._delivered(order, prepared),
            failed=lambda error: self._failed(order, error),
            cancelled=lambda: self._not_delivered(order, tr("The download was cancelled.")),
            progressed=progressed,
        )

    def _fetch(self, order: Order, parent: Path, cancel: Cancel, progress: Progress, paced: Paced) -> Prepared:
        """Worker thread. An interrupted download is gone on with where it was begun."""
        if order.task is None:
            parent = followups.begin_delivery(self._ledger, *order.key, parent)
        prepared = collect(
            self._connections, self._ledger, order.connection, order.job, parent, cancel, progress, order.task, paced
        )
        if order.task is None:
            followups.end_delivery(self._ledger, *order.key)
        return prepared

    def _delivered(self, order: Order, prepared: Prepared) -> None:
        self._running -= 1
        self._show(order, Delivery(DeliveryState.DELIVERED, 1.0, prepared.folder))
        if not self._mended(order, prepared.folder):
            self._place(order, prepared)
        self._next()

    def _mended(self, order: Order, folder: Path) -> bool:
        """Where layers in the open project had lost these files, they show them again; then no others are added."""
        if not order.asked or order.task is not None or not mend_layers(order.job.id, folder):
            return False
        self._show(order, Delivery(DeliveryState.LOADED, 1.0, folder))
        text = tr("The layers of “{job}” have their files again.").format(job=order.name)
        ending = Ending(EndKind.LOADED, *order.key, "success", text)
        self._note(lambda: self._ledger.note_loaded(*order.key), lambda _none: self._tell_asked(order, ending))
        return True

    def _place(self, order: Order, prepared: Prepared) -> None:
        """Put what was delivered on the map of its project, or say where it is."""
        if not order.load:
            text = tr("The outputs of “{job}” are in {folder}.").format(job=order.name, folder=prepared.folder)
            self._tell_asked(order, Ending(EndKind.LOADED, *order.key, "success", text))
        elif order.asked:
            self._put(order, prepared)
        elif self._project.is_origin(order.origin):
            self._note(
                lambda: followups.claim_loading(self._ledger, *order.key),
                lambda claimed: self._put(order, prepared) if claimed else None,
            )
        else:
            self._tell_ready(order, prepared.folder)

    def _tell_ready(self, order: Order, folder: Path) -> None:
        text = tr("“{job}” is ready in {folder}. It was started from another project.")
        text = text.format(job=order.name, folder=folder)
        self._tell_once(order, Ending(EndKind.READY, *order.key, "info", text))

    def _failed(self, order: Order, error: Exception) -> None:
        if isinstance(error, DeliveryError) and error.code == "busy":
            self._running -= 1  # another QGIS fetches it: the ledger tells when it is there
            self._deliveries.pop(order.key, None)
            self.changed.emit(*order.key)
            self._later(LOOK_AGAIN_MS, lambda: self._handled.discard(order.key))
            self._next()
            return
        self._tries[order.key] += 1
        if isinstance(error, (NetError, Unreachable)) and self._tries[order.key] < TRIES and not order.asked:
            self._later(TRY_AGAIN_MS * self._tries[order.key], lambda: self._handled.discard(order.key))
        self._not_delivered(order, explain(error), quiet=self._tries[order.key] > 1)

    def _not_delivered(self, order: Order, message: str, quiet: bool = False) -> None:
        self._running -= 1
        self._show(order, Delivery(DeliveryState.FAILED, message=message))
        text = tr("The outputs of “{job}” were not delivered. {why}").format(job=order.name, why=message)
        if order.asked or not quiet:
            self.endings.add(Ending(EndKind.NOT_DELIVERED, *order.key, "warning", text))
        self._next()

    def load(self, connection: Connection, job: Job, folder: Path) -> None:
        """Put a delivered folder on the map of the project that is open now, as the user asked."""
        self._bring(Order(connection, job, self._project.origin, asked=True), folder)

    def load_what_belongs_here(self) -> None:
        """Put on the map what was delivered for the open project while it was closed. No network."""
        origin = self._project.origin

        def found(unloaded: list[followups.Unloaded]) -> None:
            for one in unloaded:
                connection = self._connections.by_id(one.connection)
                busy = self._deliveries.get((one.connection, one.job), Delivery()).state is DeliveryState.DOWNLOADING
                if connection is not None and not busy:
                    job = Job(one.job, "", one.folder.name, JobState.SUCCEEDED, "", JobType.LIVE_JOB, "", "")
                    self._bring(Order(connection, job, origin), one.folder)

        self._note(
            lambda: [u for u in followups.unloaded(self._ledger, origin.project_file) if u.folder.is_dir()], found
        )

    def _bring(self, order: Order, folder: Path) -> None:
        """Make a delivered folder ready, then put it where it belongs."""
        self._show(order, Delivery(DeliveryState.DELIVERED, 1.0, folder))
        here = self._project.origin

        def prepared_is(prepared: Prepared) -> None:
            if not order.asked or self._project.is_origin(here):
                self._place(order, prepared)

        self._works.start(
            tr("Prepare layers"),
            lambda _cancel, _progress: prepare(folder),
            shown=False,
            succeeded=prepared_is,
            failed=lambda error: self._not_loaded(order, folder, explain(error)),
        )

    def _not_loaded(self, order: Order, folder: Path, message: str) -> None:
        self._show(order, Delivery(DeliveryState.FAILED, 1.0, folder, message))
        text = tr("The outputs in {folder} were not loaded. {why}").format(folder=folder, why=message)
        self.endings.add(Ending(EndKind.NOT_DELIVERED, *order.key, "warning", text))

    def _put(self, order: Order, prepared: Prepared) -> None:
        """Add the layers, one each time that QGIS has nothing else to do."""
        layers = JobLayers(QgsProject.instance(), prepared.info, prepared.scan, prepared.look)
        timer = self._keep(QTimer(self))

        def add_next() -> None:
            if not layers.add_next():
                self._drop(timer)
                self._loaded(order, prepared, layers)

        timer.timeout.connect(add_next)
        timer.start(0)

    def _loaded(self, order: Order, prepared: Prepared, layers: JobLayers) -> None:
        if sip.isdeleted(layers.group):  # the project was closed, or the group removed, meanwhile
            self._note(lambda: followups.give_up_loading(self._ledger, *order.key))
            self._tell_ready(order, prepared.folder)
            return
        ending = Ending(EndKind.LOADED, *order.key, *prepared.sentence(layers.failed))
        if order.task is not None:
            self.endings.add(ending)
        else:
            self._show(order, Delivery(DeliveryState.LOADED, 1.0, prepared.folder))
            self._note(lambda: self._ledger.note_loaded(*order.key), lambda _none: self._tell_asked(order, ending))
        self.arrived.emit(order.job.id, layers.group)

    def _tell_end(self, connection: Connection, job: Job) -> None:
        """Tell that a job failed or was cancelled, with the reason that its log gives."""
        self._works.start(
            tr("Read log"),
            lambda cancel, _progress: log_reason(self._connections.open(connection, cancel), job),
            shown=False,
            succeeded=lambda reason: self._not_succeeded(connection, job, reason),
            failed=lambda _error: self._not_succeeded(connection, job, ""),
        )

    def _not_succeeded(self, connection: Connection, job: Job, reason: str) -> None:
        order = Order(connection, job, self._project.origin)
        if job.state is JobState.CANCELLED:
            text = tr("“{job}” was cancelled.").format(job=order.name)
            ending = Ending(EndKind.CANCELLED, *order.key, "info", text)
        else:
            text = tr("“{job}” failed. {why}").format(job=order.name, why=reason)
            ending = Ending(EndKind.FAILED, *order.key, "critical", text)
        self._show(order, Delivery(message=reason))
        self._tell_once(order, ending)

    def _tell_once(self, order: Order, ending: Ending) -> None:
        """Tell it unless another QGIS on this profile has told it."""
        state = order.job.state.value
        self._note(
            lambda: followups.claim_telling(self._ledger, *order.key, state),
            lambda claimed: self.endings.add(ending) if claimed else None,
        )

    def _tell_asked(self, order: Order, ending: Ending) -> None:
        """Tell it: either the user asked for it, or this QGIS was the one that loaded it."""
        self._note(
            lambda: followups.claim_telling(self._ledger, *order.key, order.job.state.value),
            lambda _claimed: self.endings.add(ending),
        )

    def forget_files(self, connection_id: str, job_id: str) -> None:
        """The outputs are no longer on disk."""
        self._deliveries[(connection_id, job_id)] = Delivery()
        self.changed.emit(connection_id, job_id)

    def close(self) -> None:
        """No more timers; for unload."""
        self.endings.stop()
        self.sessions.close()
        for timer in list(self._timers):
            self._drop(timer)

    def _later(self, milliseconds: int, do: Callable[[], Any]) -> None:
        timer = self._keep(QTimer(self))
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: (self._drop(timer), do()))
        timer.start(milliseconds)

    def _keep(self, timer: QTimer) -> QTimer:
        self._timers.add(timer)
        return timer

    def _drop(self, timer: QTimer) -> None:
        timer.stop()
        self._timers.discard(timer)
        timer.deleteLater()

    def _note(self, write: Callable[[], Any], then: Callable[[Any], None] = lambda _none: None) -> None:
        self._works.start(
            "Note",
            lambda _cancel, _progress: write(),
            shown=False,
            succeeded=then,
            failed=self._not_noted,
        )

    def _not_noted(self, error: Exception) -> None:
        if is_damage(error):
            self.ledger_damaged.emit()
        else:
            self.told.emit("warning", explain(error))

    def _show(self, order: Order, delivery: Delivery) -> None:
        if order.task is not None:
            return
        before = self._deliveries.get(order.key, Delivery())
        if delivery.state is DeliveryState.DOWNLOADING and before.folder and not delivery.folder:
            delivery = replace(delivery, folder=before.folder)
        self._deliveries[order.key] = delivery
        self.changed.emit(*order.key)
