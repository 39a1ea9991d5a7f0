"""Watched searches: kept, looked at on request or by themselves, told of once. Lives on the GUI thread, never waits.

By itself it looks where no password is needed and nobody is asked: on this computer, and on connections that the user
has opened in this session.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Callable, Optional, Sequence

from qgis.PyQt.QtCore import QLocale, QObject, QTimer, pyqtSignal

from ..jobs.request import JobRequest
from ..net.cancel import Cancel, Cancelled
from .connections import Connection, Connections
from .errors import explain
from .followups import is_damage
from .ledger import Ledger, LedgerError
from .loosen import CLOUD, NO_CLOUD_LIMIT
from .records import Notice, Offer
from .watch_look import look
from .watch_store import Watch, WatchStore
from .words import number, tr
from .work import Work, Works

LOOK_FOR_DUE_MS = 60_000
Failed = Callable[[str], None]


class Watches(QObject):
    """`all` is what the ledger had last; `changed` says that it is another, or that a look has begun or ended."""

    changed = pyqtSignal()
    noticed = pyqtSignal(object)  # Notice: what looks by themselves have found
    ledger_damaged = pyqtSignal()  # found just now
    refused = pyqtSignal(str)  # why the ledger or a connection's login could not be used

    def __init__(
        self, works: Works, connections: Connections, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` gives seconds since 1970."""
        super().__init__()
        self._works, self._connections, self._store, self._clock = works, connections, WatchStore(ledger), clock
        self.all: list[Watch] = []
        self.errors: dict[int, str] = {}  # watch id -> why its last look failed
        self._opened: set[str] = set()
        self._looking: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_FOR_DUE_MS)
        self._timer.timeout.connect(self.look_where_due)

    def begin(self) -> None:
        """Read the watches, and look from now on where it is time to."""
        self._timer.start()
        self._do(lambda: None, self.look_where_due)

    def connection_opened(self, connection: Connection) -> None:
        """The user has opened this connection: from now on its watches look by themselves too."""
        if connection.id not in self._opened:
            self._opened.add(connection.id)
            self.look_where_due()

    def connection_of(self, watch: Watch) -> Optional[Connection]:
        """Where it looks; None where the connection was removed."""
        return self._connections.by_id(watch.connection)

    def looks(self, watch: Watch) -> bool:
        """True while a look at it is under way."""
        return watch.id in self._looking

    def add(self, connection: Connection, request: JobRequest, done: Callable[[int], None]) -> None:
        """Watch a request, and look at once: what there is now is not new. `done` gets the watch's id."""
        now = self._clock()

        def added(watch_id: int) -> None:
            done(watch_id)
            self.look([watch for watch in self.all if watch.id == watch_id])

        self._do(lambda: self._store.add(connection.id, request, now), added)

    def look(self, watches: Sequence[Watch]) -> None:
        """Look now, as the user asked: QGIS may ask for its master password."""
        ready = []
        for watch in watches:
            connection = self.connection_of(watch)
            if connection is None or self.looks(watch):
                continue
            if self._connections.unlock_or_tell(connection, self.refused.emit):
                ready.append((watch, connection))
        self._start(ready, by_itself=False)

    def look_where_due(self) -> None:
        """Look at what is due, where nobody has to be asked for it."""
        now, ready = self._clock(), []
        for watch in self.all:
            connection = self.connection_of(watch) if watch.due(now) and not self.looks(watch) else None
            if connection is not None and (connection.is_local or connection.id in self._opened):
                ready.append((watch, connection))
        self._start(ready, by_itself=True)

    def mark_seen(self, watch: Watch) -> None:
        """What is new of it is known now."""
        self._do(lambda: self._store.mark_seen(watch.id))

    def set_hours(self, watch: Watch, hours: Optional[float]) -> None:
        """Look every so many hours; None: only when asked."""
        self._do(lambda: self._store.set_hours(watch.id, hours))

    def remove(self, watch: Watch) -> None:
        """Watch it no more; its Test Queries stay where they are."""
        self._do(lambda: self._store.remove(watch.id))

    def stop(self) -> None:
        """For unload; the works are stopped by whoever made them."""
        self._timer.stop()

    def _start(self, ready: list[tuple[Watch, Connection]], by_itself: bool) -> Optional[Work]:
        """Look at one after the other: each is a job on its platform."""
        if not ready:
            return None
        ids, now = {watch.id for watch, _connection in ready}, self._clock()
        self._looking |= ids
        self.changed.emit()

        def ended() -> None:
            self._looking -= ids

        def succeeded(answer: tuple[dict[int, int], dict[int, str], list[Watch]]) -> None:
            ended()
            new, errors, self.all = answer
            self.errors = {**{at: why for at, why in self.errors.items() if at not in ids}, **errors}
            self.changed.emit()
            if by_itself:
                self._tell([watch for watch in self.all if new.get(watch.id)])

        def failed(error: Exception) -> None:
            cancelled()
            self._refuse(error)

        def cancelled() -> None:
            ended()
            self.changed.emit()

        return self._works.start(
            tr("Look for new scenes"),
            lambda cancel, _progress: self._look_each(ready, now, by_itself, cancel),
            succeeded=succeeded,
            failed=failed,
            cancelled=cancelled,
        )

    def _look_each(
        self, ready: list[tuple[Watch, Connection]], now: float, by_itself: bool, cancel: Cancel
    ) -> tuple[dict[int, int], dict[int, str], list[Watch]]:
        """Worker thread. How many scenes no look before had found, why looks failed, and all watches as they are."""
        new: dict[int, int] = {}
        errors: dict[int, str] = {}
        for before, connection in ready:
            cancel.check()
            watch = self._store.take(before.id, now, only_due=by_itself)
            if watch is None:
                continue
            try:
                scenes, more = look(self._connections.open(connection, cancel), watch, now, cancel)
                new[watch.id] = len(self._store.found(watch.id, scenes, more, now))
            except (Cancelled, LedgerError):
                raise
            except Exception as e:  # of one watch: the others are looked at all the same
                cancel.check()
                errors[watch.id] = explain(e)
        return new, errors, self._store.all()

    def _tell(self, watches: list[Watch]) -> None:
        """One message, however many watches have something new."""
        if not watches:
            return
        if len(watches) == 1:
            text = tr("{new}: {name}").format(new=new_in_words(watches[0]), name=watches[0].name)
        else:
            each = "; ".join(f"{watch.name} ({fresh_count(watch)})" for watch in watches)
            text = tr("{n} watches have new scenes: {each}").format(n=number(len(watches)), each=each)
        self.noticed.emit(Notice("info", text, (), (Offer.WATCHES, Offer.LATER)))

    def _do(self, do: Callable[[], Any], done: Callable[..., None] = lambda *_: None) -> None:
        """Change the ledger, then show what it has."""

        def succeeded(answer: tuple[Any, list[Watch]]) -> None:
            result, self.all = answer
            self.changed.emit()
            done(*(() if result is None else (result,)))

        self._works.start(
            "Watches",
            lambda _cancel, _progress: (do(), self._store.all()),
            shown=False,
            succeeded=succeeded,
            failed=self._refuse,
        )

    def _refuse(self, error: Exception) -> None:
        if is_damage(error):  # told of elsewhere, once for all
            self.ledger_damaged.emit()
        else:
            self.refused.emit(explain(error))


def new_in_words(watch: Watch) -> str:
    """`3 new scenes under 10 % cloud since 12 March`."""
    count, since = fresh_count(watch), day(watch.since)
    cloud = _cloud(watch)
    one = len(watch.fresh) == 1 and not watch.more
    if cloud is None:
        text = tr("{n} new scene since {day}") if one else tr("{n} new scenes since {day}")
    elif one:
        text = tr("{n} new scene under {cloud} % cloud since {day}")
    else:
        text = tr("{n} new scenes under {cloud} % cloud since {day}")
    return text.format(n=count, cloud=number(cloud or 0), day=since)


def fresh_count(watch: Watch) -> str:
    """How many are new, `100+` where there may be further ones."""
    return f"{number(len(watch.fresh))}+" if watch.more else number(len(watch.fresh))


def day(seconds: float) -> str:
    """A day of the local calendar, `12 March`, of another year `12 March 2025`.

    The long formats of locales begin with the weekday.
    """
    date = datetime.fromtimestamp(seconds).date()
    this_year = date.year == datetime.now().year
    return QLocale().toString(date, "d MMMM" if this_year else "d MMMM yyyy")


def _cloud(watch: Watch) -> Optional[float]:
    given = next(iter((watch.request.get("inputs") or {}).values()), None) or {}
    limit = given.get(CLOUD)
    return limit if isinstance(limit, (int, float)) and limit < NO_CLOUD_LIMIT else None
