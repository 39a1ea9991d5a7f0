"""The queue as the dock sees it: batches, and the timer that brings them on. GUI thread; the work is done by Works."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import groupby
from typing import Callable, Optional, Sequence

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ..net.cancel import Cancel
from .connections import Connection, Connections
from .errors import explain
from .ledger import Ledger
from .origin import CurrentProject, Origin
from .queue_step import advance
from .queue_store import Ordered, Queued, QueueStore, State
from .sessions import Sessions
from .words import tr
from .work import Work, Works

STEP_MS = {True: 1_500, False: 6_000}  # by Connection.is_local
LOOK_MS = 10_000  # for queues of a QGIS that ends meanwhile, and after trouble


@dataclass(frozen=True)
class Batch:
    """What was queued by one confirmation. `paused`: it waits for Continue or Discard, in no session that is alive."""

    id: str
    connection: str
    items: tuple[Queued, ...]
    paused: bool

    def count(self, *states: State) -> int:
        """How many have come so far."""
        return sum(item.state in states for item in self.items)

    @property
    def most(self) -> float:
        """The most that what waits may cost, in credits."""
        return sum(item.confirmed_credits or 0.0 for item in self.items if item.state is State.WAITING)

    @property
    def priced(self) -> bool:
        """True where something that waits was confirmed with a price."""
        return any(item.priced for item in self.items if item.state is State.WAITING)

    @property
    def confirmed_at(self) -> datetime:
        """When it was confirmed, UTC."""
        return datetime.fromtimestamp(self.items[0].confirmed_at, timezone.utc)

    @property
    def failed(self) -> tuple[Queued, ...]:
        """What can be sent again."""
        return tuple(item for item in self.items if item.state in (State.FAILED, State.STOPPED))

    @property
    def over(self) -> bool:
        """True where nothing more happens by itself."""
        return all(item.state.over for item in self.items)


class JobQueue(QObject):
    """Queues batches and brings them on, at most as many jobs at a time as their project may have."""

    changed = pyqtSignal()
    sent = pyqtSignal()  # something became a job, or its end was seen
    told = pyqtSignal(str, str)  # level, text

    def __init__(
        self, works: Works, connections: Connections, ledger: Ledger, project: CurrentProject, sessions: Sessions
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger, self._project = works, connections, ledger, project
        self._sessions = sessions
        self.session = uuid.uuid4().hex
        self._items: list[Queued] = []
        self._over: frozenset[str] = frozenset()  # sessions
        self._work: Optional[Work] = None
        self._again = False  # asked for while a step was under way
        self._troubles: list[str] = []
        self._stopped = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._step)

    @property
    def batches(self) -> list[Batch]:
        """All batches, oldest first."""
        found = []
        for batch_id, group in groupby(sorted(self._items, key=lambda item: (item.batch, item.id)), lambda i: i.batch):
            items = tuple(group)
            paused = any(i.state is State.WAITING for i in items) and items[0].session in self._over
            found.append(Batch(batch_id, items[0].connection, items, paused))
        return sorted(found, key=lambda batch: batch.items[0].id)

    def start(self) -> None:
        """Look what is there, from an earlier session too."""
        self._timer.start(0)

    def add(
        self,
        connection: Connection,
        ordered: Sequence[Ordered],
        done: Callable[[str], None],
        failed: Callable[[str], None],
    ) -> Work:
        """Queue a batch that was confirmed as a whole; each of its requests with its own confirmation.

        `failed` with the reason where nothing was queued.
        """
        origin = self._project.origin

        def queued(batch_id: str) -> None:
            done(batch_id)
            self._timer.start(0)

        return self._works.start(
            tr("Queue"),
            lambda _cancel, _progress: self._add(connection, ordered, origin),
            shown=False,
            succeeded=queued,
            failed=lambda error: failed(explain(error)),
        )

    def _add(self, connection: Connection, ordered: Sequence[Ordered], origin: Origin) -> str:
        """Worker thread. Others see by the locks that this QGIS will send it, and load what it delivers."""
        for token in (self.session, origin.token):
            self._sessions.hold(token)
        return QueueStore(self._ledger).add(connection.id, ordered, origin, self.session)

    def go_on(self, batch: Batch) -> None:
        """The user continues a batch of an earlier session, at most at what was confirmed then."""

        def take_over(store: QueueStore) -> None:
            self._sessions.hold(self.session)
            store.take_over(batch.id, batch.items[0].session, self.session)

        self._change(take_over)

    def discard(self, batch: Batch) -> None:
        """Take a batch off: what waits is not sent, what was sent goes on."""
        self._change(lambda store: store.discard(batch.id))

    def _change(self, change: Callable[[QueueStore], None]) -> None:
        self._works.start(
            tr("Queue"),
            lambda _cancel, _progress: change(QueueStore(self._ledger)),
            shown=False,
            succeeded=lambda _none: self._timer.start(0),
            failed=lambda error: self.told.emit("warning", explain(error)),
        )

    def _step(self) -> None:
        if self._stopped:
            return
        if self._work is not None:
            self._again = True
            return
        self._again = False
        self._work = self._works.start(
            tr("Queue"),
            lambda cancel, _progress: _step(self._connections, self._ledger, self._sessions, self.session, cancel),
            shown=False,
            succeeded=self._stepped,
            failed=self._failed,
        )

    def _stepped(self, result: tuple[list[Queued], frozenset[str], list[str]]) -> None:
        self._work = None
        before, over = self._items, self._over
        self._items, self._over, troubles = result
        for text in troubles:
            if text not in self._troubles:
                self.told.emit("warning", tr("The queue waits. {why}").format(why=text))
        self._troubles = troubles
        if _shown(before, over) != _shown(self._items, self._over):
            self.sent.emit()
            self.changed.emit()
        if not self._stopped and (self._items or self._again):
            self._timer.start(0 if self._again else self._interval())

    def _interval(self) -> int:
        own = [item for item in self._items if item.session == self.session and not item.state.over]
        if not own or self._troubles:
            return LOOK_MS
        by_id = {connection.id: connection for connection in self._connections.all()}
        return min(STEP_MS[item.connection in by_id and by_id[item.connection].is_local] for item in own)

    def _failed(self, error: Exception) -> None:
        self._work = None
        self.told.emit("warning", explain(error))
        if not self._stopped:
            self._timer.start(LOOK_MS)

    def stop(self) -> None:
        """For unload. What waits is there for the next session."""
        self._stopped = True
        self._timer.stop()
        if self._work is not None:
            self._work.cancel()


def _shown(items: Sequence[Queued], over: frozenset[str]) -> list[tuple[int, State, bool]]:
    """What of the queue is seen."""
    return [(item.id, item.state, item.session in over) for item in items]


def _step(
    connections: Connections, ledger: Ledger, sessions: Sessions, session: str, cancel: Cancel
) -> tuple[list[Queued], frozenset[str], list[str]]:
    """Advance, tidy up and look: what is queued, which sessions are over, and troubles.

    After a restart what sends nothing with a price goes on by itself.
    """
    store = QueueStore(ledger)
    items = store.all()
    over = _over(items, sessions, session)
    asks = {item.batch for item in items if item.priced and item.state is State.WAITING}
    for item in items:
        if item.session in over and item.batch not in asks and not item.state.over:
            sessions.hold(session)
            store.take_over(item.batch, item.session, session)
    troubles = advance(connections, ledger, session, cancel)
    items = store.all()
    done = {item.batch for item in items} - {item.batch for item in items if item.state is not State.DONE}
    for batch in done:
        store.discard(batch)
    items = [item for item in items if item.batch not in done]
    return items, _over(items, sessions, session), troubles


def _over(items: Sequence[Queued], sessions: Sessions, session: str) -> frozenset[str]:
    """The other sessions that have queued something and live no more."""
    others = {item.session for item in items} - {session}
    return frozenset(other for other in others if not sessions.lives_elsewhere(other))
