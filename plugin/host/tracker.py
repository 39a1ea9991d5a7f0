"""The tracker: one poll per project and interval, whatever the number of jobs; slower while nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Optional

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ..jobs.job import Job
from ..jobs.workflow import Project
from ..net.cancel import Cancel
from ..platforms.contract import Platform
from .connections import Connection, Connections
from .ledger import Entry, Intent, Ledger
from .submit import match
from .work import Progress, Work, Works

FASTEST_MS = {True: 1_000, False: 3_000}  # by Connection.is_local: asking our own engine costs nobody anything
SLOWEST_MS = 60_000
GROWTH = 1.5
MAX_JOBS_LISTED = 1_000
CREDITS_ASKED_AT_ONCE = 5  # jobs a poll


@dataclass(frozen=True)
class Snapshot:
    """One poll's answer: the jobs newest first, and what the ledger knows of them."""

    jobs: list[Job]
    entries: Mapping[str, Entry]
    intents: list[Intent]
    credits: Mapping[str, Optional[int]] = field(default_factory=dict)  # None: asked for, not told


class Tracker(QObject):
    """Follows the jobs of one connection and project at a time."""

    polled = pyqtSignal(str, object)  # connection id, Snapshot
    trouble = pyqtSignal(object)  # the exception; once, until a poll succeeds again

    def __init__(self, works: Works, connections: Connections, ledger: Ledger) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._watched: Optional[tuple[Connection, Project]] = None
        self._poll: Optional[Work] = None
        self._interval = SLOWEST_MS
        self._last: Optional[Snapshot] = None
        self._in_trouble = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    def watch(self, connection: Connection, project: Project) -> None:
        """Follow this project from now on, and no other."""
        self._watched = (connection, project)
        self._last = None
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self.refresh()

    def refresh(self) -> None:
        """Poll now, and often again for a while."""
        if self._watched is not None:
            self._interval = FASTEST_MS[self._watched[0].is_local]
            self._timer.start(0)

    def stop(self) -> None:
        """No more polls; for unload."""
        self._timer.stop()
        self._watched = None

    def _ask(self) -> None:
        if self._watched is None or self._poll is not None:
            return  # the poll under way starts the timer again when it ends
        connection, project = self._watched
        known = self._last.credits if self._last else {}
        do: Callable[[Cancel, Progress], Snapshot] = lambda cancel, _progress: take_snapshot(  # noqa: E731
            self._connections.open(connection, cancel), self._ledger, connection, project, known
        )
        work = self._works.start(
            "Poll",
            do,
            shown=False,
            succeeded=lambda snapshot: self._got(connection, snapshot),
            failed=self._failed,
            cancelled=lambda: None,
        )
        self._poll = work

    def _got(self, connection: Connection, snapshot: Snapshot) -> None:
        if self._watched is None or self._watched[0].id != connection.id:
            return
        self._poll = None
        self._in_trouble = False
        fastest = FASTEST_MS[connection.is_local]
        self._interval = fastest if snapshot != self._last else min(SLOWEST_MS, int(self._interval * GROWTH))
        self._last = snapshot
        self._timer.start(self._interval)
        self.polled.emit(connection.id, snapshot)

    def _failed(self, error: Exception) -> None:
        self._poll = None
        self._interval = min(SLOWEST_MS, int(self._interval * 2))
        self._timer.start(self._interval)
        if not self._in_trouble:
            self._in_trouble = True
            self.trouble.emit(error)


def take_snapshot(
    platform: Platform,
    ledger: Ledger,
    connection: Connection,
    project: Project,
    known_credits: Mapping[str, Optional[int]],
) -> Snapshot:
    """List the project's jobs, settle submits whose answer was lost, and ask what ended jobs have cost.

    The list is read down to the oldest job of ours that has not ended. Worker thread.
    """
    entries = ledger.entries(connection.id)
    waiting = {
        job_id
        for job_id, entry in entries.items()
        if entry.project == project.id and entry.told is None and not entry.delivered
    }
    jobs: list[Job] = []
    for job in platform.jobs(project):
        jobs.append(job)
        waiting.discard(job.id)
        if len(jobs) >= MAX_JOBS_LISTED or (len(jobs) >= 100 and not waiting):
            break
    settled = False
    for intent in ledger.intents(connection.id):
        job_found = match(intent, jobs, entries) if intent.lost else None
        if job_found is not None:
            ledger.settle(intent.id, job_found.id)
            settled = True
    credits = dict(known_credits)
    if platform.capabilities.credits:
        unasked = [job for job in jobs if job.state.ended and job.id in entries and job.id not in credits]
        for job in unasked[:CREDITS_ASKED_AT_ONCE]:
            credits[job.id] = platform.credits_used(job)
    if settled:
        entries = ledger.entries(connection.id)
    return Snapshot(jobs, entries, ledger.intents(connection.id), credits)
