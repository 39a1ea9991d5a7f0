"""After a restart: go on with what is local at once, tell of the rest, and ask nobody before the user acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QGuiApplication

from ..jobs.workflow import Project
from . import followups
from .arrivals import Arrivals
from .connections import Connection, Connections
from .errors import explain
from .followups import Waiting
from .ledger import Ledger
from .mend import jobs_with_lost_layers
from .origin import CurrentProject
from .records import Notice, Offer
from .tracker import Tracker
from .vault import VaultLocked
from .words import tr
from .work import Works


class Resume(QObject):
    """Knows where jobs of ours wait. `begin` once; `check` when the user says so."""

    noticed = pyqtSignal(object)  # Notice
    refused = pyqtSignal(str)  # why a connection or the ledger could not be asked
    waiting_changed = pyqtSignal(int)  # so many jobs wait on connections that are not asked before the user acts

    def __init__(
        self,
        works: Works,
        connections: Connections,
        ledger: Ledger,
        tracker: Tracker,
        arrivals: Arrivals,
        project: CurrentProject,
    ) -> None:
        super().__init__()
        self._works, self._connections, self._ledger = works, connections, ledger
        self._tracker, self._arrivals, self._project = tracker, arrivals, project
        self.elsewhere: list[Waiting] = []
        self._locked: set[str] = set()  # ids of connections that can't be asked before the user has unlocked the vault
        tracker.polled.connect(lambda connection, project, _snapshot: self._asked(connection.id, project.id))
        tracker.trouble.connect(self._in_trouble)
        QGuiApplication.instance().applicationStateChanged.connect(self._focus_changed)
        QgsProject.instance().readProject.connect(self._project_opened)
        QgsProject.instance().projectSaved.connect(self._project_saved)

    def begin(self) -> None:
        """Look into the ledger: the local engine's jobs are followed at once, the others are counted. No network."""
        self._start(lambda: (followups.damage_to_tell(self._ledger), followups.waiting(self._ledger)), self._looked)

    def look_again(self) -> None:
        """Count again what waits: connections were changed, or another QGIS has been at work meanwhile. No network."""
        self._start(lambda: followups.waiting(self._ledger), self._found)

    def _in_trouble(self, connection: Connection, error: Exception) -> None:
        """A connection whose login can't be read is not followed any more: its jobs wait for the user."""
        if isinstance(error, VaultLocked):
            self._locked.add(connection.id)
            self.look_again()

    def _focus_changed(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.look_again()

    def tell_damage(self) -> None:
        """The ledger was found damaged: tell it, unless that was done."""
        self._start(lambda: followups.damage_to_tell(self._ledger), self._tell_damage)

    def _looked(self, found: tuple[Optional[Path], list[Waiting]]) -> None:
        damaged, waiting = found
        self._tell_damage(damaged)
        self._arrivals.load_what_belongs_here()
        self._found(waiting)

    def _tell_damage(self, damaged: Optional[Path]) -> None:
        if damaged is not None:
            text = tr(
                "The plugin’s record of its jobs was damaged. It was put aside as {path}, and is taken from the"
                " server and from the output folders again. None of these jobs is loaded by itself. What they cost"
                " this month counts again as soon as the jobs of each connection’s project are listed; till then a"
                " cap per month lets nothing be bought. Colleagues’ jobs can't be told from yours and count too."
            )
            self.noticed.emit(Notice("warning", text.format(path=damaged)))

    def check(self) -> None:
        """Follow the jobs that wait on all connections, as the user asked: now a password may be asked for."""
        for waiting in self.elsewhere:
            connection = self._connections.by_id(waiting.connection)
            if connection is not None and self._connections.unlock_or_tell(connection, self.refused.emit):
                self._follow(waiting)

    @property
    def count(self) -> int:
        """So many jobs wait elsewhere."""
        return sum(waiting.jobs for waiting in self.elsewhere)

    def _found(self, waiting: list[Waiting]) -> None:
        self.elsewhere = []
        for one in waiting:
            connection = self._connections.by_id(one.connection)
            if connection is None:
                continue
            open_already = self._tracker.follows(one.connection) and one.connection not in self._locked
            if not connection.is_local and not open_already:
                self.elsewhere.append(one)
            elif not self._tracker.follows(one.connection, one.project):
                self._follow(one)
        self.waiting_changed.emit(self.count)

    def _follow(self, waiting: Waiting) -> None:
        connection = self._connections.by_id(waiting.connection)
        if connection is not None:
            self._tracker.follow(connection, Project(waiting.project, ""))

    def _asked(self, connection_id: str, project_id: str) -> None:
        self._locked.discard(connection_id)
        left = [one for one in self.elsewhere if (one.connection, one.project) != (connection_id, project_id)]
        if left != self.elsewhere:
            self.elsewhere = left
            self.waiting_changed.emit(self.count)

    def _project_opened(self) -> None:
        self._arrivals.load_what_belongs_here()
        lost = jobs_with_lost_layers()
        if lost:
            self._start(lambda: followups.connections_of(self._ledger, lost), self._offer_to_fetch)

    def _offer_to_fetch(self, keys: list[tuple[str, str]]) -> None:
        """Layers of these jobs have lost their files."""
        if not keys:
            return
        if len(keys) == 1:
            text = tr("The files of a job’s layers are no longer on this computer. They can be fetched again.")
        else:
            text = tr("The files of {n} jobs’ layers are no longer on this computer. They can be fetched again.")
        self.noticed.emit(Notice("warning", text.format(n=len(keys)), tuple(keys), (Offer.FETCH, Offer.LATER)))

    def _project_saved(self) -> None:
        origin = self._project.origin
        if origin.project_file:
            self._start(lambda: followups.note_project_saved(self._ledger, origin.token, origin.project_file))

    def _start(self, do: Callable[[], object], done: Callable[[Any], None] = lambda _none: None) -> None:
        self._works.start(
            "Look for waiting jobs",
            lambda _cancel, _progress: do(),
            shown=False,
            succeeded=done,
            failed=lambda error: self.refused.emit(explain(error)),
        )

    def close(self) -> None:
        """Stop listening; for unload."""
        QGuiApplication.instance().applicationStateChanged.disconnect(self._focus_changed)
        QgsProject.instance().readProject.disconnect(self._project_opened)
        QgsProject.instance().projectSaved.disconnect(self._project_saved)
