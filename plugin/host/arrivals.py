"""Outputs arrive by themselves: what ended is delivered, loaded into its project, and told, once each."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path
from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ..delivery.errors import DeliveryError
from ..jobs.job import Job, JobState, Task
from ..net.cancel import Cancel
from ..net.errors import NetError
from ..platforms.contract import Unreachable
from . import followups
from .arrival_news import ArrivalNews
from .collect import Prepared, collect, log_reason
from .connections import Connection, Connections
from .endings import Ending, EndKind
from .errors import explain
from .later_overviews import LaterOverviews
from .ledger import Entry, Ledger
from .order import Key, Order
from .origin import CurrentProject, Origin, outputs_parent
from .placing import Placing
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

Paced = Callable[[Optional[float]], None]  # bytes per second


class Arrivals(QObject):
    """Takes each snapshot of the tracker and does what is due for the jobs that were started from this profile."""

    changed = pyqtSignal(str, str)  # connection id, job id: its delivery went on
    told = pyqtSignal(str, str)  # level, text
    ledger_damaged = pyqtSignal()  # found just now
    arrived = pyqtSignal(str, object)  # job id, the QgsLayerTreeGroup

    def __init__(
        self,
        works: Works,
        connections: Connections,
        ledger: Ledger,
        project: CurrentProject,
        settings: Settings,
        overviews: LaterOverviews,
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._project, self._settings = project, settings
        self.sessions = Sessions(ledger.folder)
        self._news = ArrivalNews(works, ledger)
        self._placing = Placing(works, connections, ledger, project, self._news, overviews)
        self.endings = self._news.endings
        self.delivery, self.forget_files = self._news.delivery, self._news.forget_files
        self.load, self.load_what_belongs_here = self._placing.load, self._placing.load_what_belongs_here
        for ours, theirs in (
            (self.changed, self._news.changed),
            (self.told, self._news.told),
            (self.ledger_damaged, self._news.ledger_damaged),
            (self.arrived, self._placing.arrived),
        ):
            theirs.connect(ours)
        self._queue: deque[Order] = deque()
        self._running = 0
        self._seen_running: set[Key] = set()
        self._handled: set[Key] = set()  # until something asks for another look
        self._tries: Counter[Key] = Counter()
        self._timers: set[QTimer] = set()

    def take(self, connection: Connection, snapshot: Snapshot) -> None:
        """Start what a new snapshot calls for. Jobs of scripts have no token: a script collects for itself."""
        for job in snapshot.jobs:
            entry = snapshot.entries.get(job.id)
            if entry is None or not entry.token:
                continue
            key = (connection.id, job.id)
            if not job.state.ended:
                if key not in self._seen_running and entry.token in self._project.tokens:
                    self._news.note(lambda token=entry.token: self.sessions.hold(token))
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

        self._news.note(lambda: self.sessions.lives_elsewhere(entry.token), looked)

    def _ended(self, connection: Connection, job: Job, entry: Entry) -> None:
        if job.state is not JobState.SUCCEEDED:
            self._tell_end(connection, job)
            return
        order = Order(connection, job, Origin(entry.project_file, entry.token))
        seen = order.key in self._seen_running or entry.token in self._project.tokens
        policy = "always" if seen else self._settings.collect_policy
        if entry.delivered and entry.folder:
            self._placing.bring(order, Path(entry.folder))
        elif policy == "always":
            self._order(order)
        else:
            text = tr("“{job}” has succeeded while QGIS was closed.").format(job=order.name)
            kind = EndKind.WAITING if policy == "ask" else EndKind.LOADED
            self._news.tell_once(order, Ending(kind, *order.key, "info", text))

    def collect(self, connection: Connection, job: Job, load: bool = True) -> None:
        """Deliver a job's outputs to disk, as the user asked; then, with `load`, put them into the open project."""
        self._order(Order(connection, job, self._project.origin, asked=True, load=load))

    def collect_task(self, connection: Connection, job: Job, task: Task) -> None:
        """Deliver one task's own output and put it on the map."""
        self._order(Order(connection, job, self._project.origin, asked=True, task=task))

    def _order(self, order: Order) -> None:
        self._news.show(order, Delivery(DeliveryState.DOWNLOADING))
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
            self._news.show(order, Delivery(DeliveryState.DOWNLOADING, fraction, speed=speed[-1]))

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
            self._connections, self._ledger, order.connection, order.job, parent, cancel, progress, order.task, paced,
            overviews=False,
        )  # fmt: skip
        if order.task is None:
            followups.end_delivery(self._ledger, *order.key)
        return prepared

    def _delivered(self, order: Order, prepared: Prepared) -> None:
        self._running -= 1
        self._placing.take(order, prepared)
        self._next()

    def _failed(self, order: Order, error: Exception) -> None:
        if isinstance(error, DeliveryError) and error.code == "busy":
            self._running -= 1  # another QGIS fetches it: the ledger tells when it is there
            self._news.drop(order.key)
            self._later(LOOK_AGAIN_MS, lambda: self._handled.discard(order.key))
            self._next()
            return
        self._tries[order.key] += 1
        if isinstance(error, (NetError, Unreachable)) and self._tries[order.key] < TRIES and not order.asked:
            self._later(TRY_AGAIN_MS * self._tries[order.key], lambda: self._handled.discard(order.key))
        self._not_delivered(order, explain(error), quiet=self._tries[order.key] > 1)

    def _not_delivered(self, order: Order, message: str, quiet: bool = False) -> None:
        self._running -= 1
        self._news.show(order, Delivery(DeliveryState.FAILED, message=message))
        text = tr("The outputs of “{job}” were not delivered. {why}").format(job=order.name, why=message)
        if order.asked or not quiet:
            self._news.endings.add(Ending(EndKind.NOT_DELIVERED, *order.key, "warning", text))
        self._next()

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
        self._news.show(order, Delivery(message=reason))
        self._news.tell_once(order, ending)

    def close(self) -> None:
        """No more timers; for unload."""
        self.endings.stop()
        self._placing.close()
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
