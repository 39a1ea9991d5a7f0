"""The tracker: one poll per project and interval, whatever the number of jobs; slower while nothing changes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable, Optional, Sequence
from urllib.parse import urlsplit

from qgis.PyQt.QtCore import QObject, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtNetwork import QNetworkInterface

from ..jobs.workflow import Project
from ..net.proxy import is_loopback
from .connections import Connection, Connections
from .ledger import Ledger
from .poll import Snapshot, take_snapshot, waits
from .work import Work, Works

__all__ = ["Snapshot", "Tracker", "take_snapshot"]

FASTEST_MS = {True: 1_000, False: 3_000}  # by Connection.is_local: asking our own engine costs nobody anything
SLOWEST_MS = {True: 10_000, False: 60_000}
GROWTH = 1.5
GROWTH_IN_TROUBLE = 2.0
SLEPT_SECONDS = 30.0  # a timer that comes so much too late: the computer slept
AFTER_SLEEP_MS = 5_000  # until the network is there again

Key = tuple[str, str]  # connection id, project id


class Tracker(QObject):
    """Follows one project that is on the screen, and every other one in which jobs of ours have not ended."""

    polled = pyqtSignal(object, object, object)  # Connection, Project, Snapshot
    trouble = pyqtSignal(object, object)  # Connection, the exception; once, until a poll of it succeeds again

    def __init__(
        self,
        works: Works,
        connections: Connections,
        ledger: Ledger,
        output_roots: Callable[[], Sequence[Path]] = tuple,
        speed: float = 1.0,
        clock: Callable[[], float] = time.time,
        interfaces: Callable[[], Sequence[QNetworkInterface]] = QNetworkInterface.allInterfaces,
    ) -> None:
        """`output_roots`: see `take_snapshot`. `speed`: how much faster than real its timers go; for tests.

        `clock`: seconds since 1970, which go on while the computer sleeps. `interfaces`: those of this computer.
        """
        super().__init__()
        self.output_roots, self.clock, self.interfaces = output_roots, clock, interfaces
        self.works, self.connections, self.ledger, self.speed = works, connections, ledger, speed
        self._watches: dict[Key, _Watch] = {}
        self._on_screen: Optional[Key] = None
        self._stopped = False
        QGuiApplication.instance().applicationStateChanged.connect(self._focus_changed)

    def watch(self, connection: Connection, project: Project) -> None:
        """This project is on the screen now: follow it whether jobs of ours run there or not."""
        self._on_screen = (connection.id, project.id)
        self.follow(connection, project)
        self._drop_idle()

    def follow(self, connection: Connection, project: Project) -> None:
        """Follow this project while jobs of ours have not ended there."""
        key = (connection.id, project.id)
        before = self._watches.get(key)
        if before is not None and before.connection != connection:  # the user has changed it
            before.stop()
            before = None
        if before is None:
            self._watches[key] = _Watch(self, connection, project)
        self._watches[key].poll_soon()

    def follows(self, connection_id: str, project_id: str = "") -> bool:
        """True where that project, or any project of that connection, is followed."""
        return any(key[0] == connection_id and project_id in ("", key[1]) for key in self._watches)

    def is_on_screen(self, connection: Connection, project: Project) -> bool:
        """True for the project whose jobs the user looks at."""
        return (connection.id, project.id) == self._on_screen

    def refresh(self) -> None:
        """Poll now, and often again for a while."""
        for watch in self._watches.values():
            watch.poll_soon()

    def stop(self) -> None:
        """No more polls; for unload."""
        if not self._stopped:
            QGuiApplication.instance().applicationStateChanged.disconnect(self._focus_changed)
        self._stopped = True
        for watch in self._watches.values():
            watch.stop()
        self._watches.clear()

    def _focus_changed(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.refresh()

    def done(self, watch: _Watch, snapshot: Snapshot) -> None:
        """A poll succeeded."""
        self.polled.emit(watch.connection, watch.project, snapshot)
        self._drop_idle()

    def _drop_idle(self) -> None:
        for key, watch in list(self._watches.items()):
            if key != self._on_screen and watch.is_idle:
                watch.stop()
                del self._watches[key]


class _Watch(QObject):
    """One project that is followed: its timer, its poll under way, what it knows from the poll before."""

    def __init__(self, tracker: Tracker, connection: Connection, project: Project) -> None:
        super().__init__(tracker)
        self.connection, self.project = connection, project
        self._tracker = tracker
        self._last: Optional[Snapshot] = None
        self._poll: Optional[Work] = None
        self._again = False  # asked for while a poll was under way
        self._in_trouble = False
        self._interval = float(SLOWEST_MS[connection.is_local])
        self._due = 0.0  # seconds since 1970: time.monotonic may stand still while the computer sleeps
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    @property
    def is_idle(self) -> bool:
        """True where no job of ours is waited for."""
        last = self._last
        if last is None or self._poll is not None or last.intents:
            return False
        return not any(waits(entry, self.project.id) for entry in last.entries.values())

    def poll_soon(self) -> None:
        """Poll now, and often again for a while."""
        self._interval = FASTEST_MS[self.connection.is_local]
        if self._poll is not None:
            self._again = True
        else:
            self._wait(0)

    def stop(self) -> None:
        """No more polls."""
        self._timer.stop()
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self.deleteLater()

    def _wait(self, milliseconds: float) -> None:
        milliseconds /= self._tracker.speed
        self._due = self._tracker.clock() + milliseconds / 1000
        self._timer.start(int(milliseconds))

    def _ask(self) -> None:
        if self._tracker.clock() - self._due > SLEPT_SECONDS:
            self._wait(AFTER_SLEEP_MS)
            return
        if not self.connection.is_local and is_offline(self.connection.url, self._tracker.interfaces()):
            self._wait(self._interval)
            return
        connection, project, before = self.connection, self.project, self._last
        tracker, roots = self._tracker, self._tracker.output_roots()
        shown = tracker.is_on_screen(connection, project)
        self._again = False
        self._poll = tracker.works.start(
            "Poll",
            lambda cancel, _progress: take_snapshot(
                tracker.connections.open(connection, cancel), tracker.ledger, connection, project, before, roots, shown
            ),
            shown=False,
            succeeded=self._got,
            failed=self._failed,
        )

    def _got(self, snapshot: Snapshot) -> None:
        before = self._last
        self._poll, self._last, self._in_trouble = None, snapshot, False
        news = before is None or snapshot.changed or snapshot.gone or snapshot.intents != before.intents
        fastest, slowest = FASTEST_MS[self.connection.is_local], SLOWEST_MS[self.connection.is_local]
        self._interval = fastest if news else min(slowest, self._interval * GROWTH)
        self._wait(0 if self._again else self._interval)
        self._tracker.done(self, snapshot)

    def _failed(self, error: Exception) -> None:
        self._poll = None
        self._interval = min(SLOWEST_MS[False], self._interval * GROWTH_IN_TROUBLE)
        self._wait(self._interval)
        if not self._in_trouble:
            self._in_trouble = True
            self._tracker.trouble.emit(self.connection, error)


def is_offline(url: str, interfaces: Sequence[QNetworkInterface]) -> bool:
    """True where none of these network interfaces is up, so that a server elsewhere need not be asked."""
    if is_loopback(urlsplit(url).hostname or ""):
        return False
    flag = QNetworkInterface.InterfaceFlag
    return not any(
        interface.flags() & flag.IsUp and interface.flags() & flag.IsRunning and not interface.flags() & flag.IsLoopBack
        for interface in interfaces
    )
