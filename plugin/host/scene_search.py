"""What the scene list asks for, without waiting: the scenes that were found, and what a wider search would find."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from .connections import Connections
from .errors import explain
from .found_scenes import FoundScene, read_found_scenes
from .loosen import Count, count_without_each
from .records import JobRecord
from .words import tr
from .work import Work, Works

Failed = Callable[[str], None]


class SceneSearch:
    """Answers on the GUI thread; `failed` gets a finished sentence."""

    def __init__(self, works: Works, connections: Connections) -> None:
        self._works, self._connections = works, connections

    def read(self, folder: Path, done: Callable[[list[FoundScene]], None], failed: Failed) -> Work:
        """The scenes of a Test Query's output folder, with coverage and thumbnails."""
        return self._works.start(
            tr("Read scenes"),
            lambda _cancel, _progress: read_found_scenes(folder),
            shown=False,
            succeeded=done,
            failed=lambda error: failed(explain(error)),
        )

    def count(self, record: JobRecord, done: Callable[[list[Count]], None], failed: Failed) -> Work:
        """How many scenes there are without each of a Test Query's filters; runs further Test Queries."""
        connection = self._connections.by_id(record.connection_id)

        def ask(cancel, _progress):
            return count_without_each(self._connections.open(connection, cancel), record.job, cancel)

        return self._works.start(
            tr("Search with fewer filters"), ask, succeeded=done, failed=lambda error: failed(explain(error))
        )
