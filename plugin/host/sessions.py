"""Which QGIS started a job, and whether it still runs: a lock file for each token, let go of when its owner dies.

Another QGIS on the same profile leaves a job to the one that started it for as long as that one lives.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from ..delivery.errors import DeliveryError
from ..delivery.lock import exclusive

FOLDER = "sessions"  # beside the ledger


class Sessions:
    """The tokens that this QGIS has started jobs under, and a look at those of others. Worker threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._held: set[str] = set()
        self._locks = ExitStack()
        self._lock = threading.Lock()
        self._closed = False

    def hold(self, token: str) -> None:
        """Say that this QGIS lives. Where the disk refuses, nobody else is kept from the jobs."""
        with self._lock:
            if token in self._held or self._closed:
                return  # a worker may come late: what it took then would never be let go of
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._locks.enter_context(exclusive(self._folder / f"{token}.lock"))
            except (OSError, DeliveryError):
                return
            self._held.add(token)

    def lives_elsewhere(self, token: str) -> bool:
        """True where another QGIS that runs now has started jobs under this token."""
        path = self._folder / f"{token}.lock"
        with self._lock:
            if token in self._held or not path.exists():
                return False
        try:
            with exclusive(path):
                return False
        except DeliveryError as e:
            return e.code == "busy"

    def close(self) -> None:
        """Let go; for unload."""
        with self._lock:
            self._closed = True
            self._locks.close()
            self._held.clear()
