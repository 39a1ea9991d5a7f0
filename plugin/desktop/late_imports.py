"""Imports what is large on a thread of its own: QGIS starts without waiting for it, and the dock opens without a jerk.

Imports nothing of ours itself, so that it works where shapely or requests are missing.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from typing import Optional, Sequence

from qgis.PyQt.QtCore import QObject, pyqtSignal


class LateImports(QObject):
    """Imports `modules` (absolute names), then says so on the GUI thread.

    `beside`: what is imported with them to be at hand, and may be missing: whoever needs it says so.
    """

    done = pyqtSignal(object)  # None, or the exception

    def __init__(
        self, modules: Sequence[str], beside: Sequence[str] = (), parent: Optional[QObject] = None
    ) -> None:
        super().__init__(parent)
        self._modules, self._beside = modules, beside
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        """Begin, unless it is under way; returns at once."""
        if self._thread is None or not self._thread.is_alive():
            importlib.invalidate_caches()  # what was installed since the last try is to be found
            self._thread = threading.Thread(target=self._run, name="up42_jobs: imports", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        problem: Optional[Exception] = None
        try:
            with contextlib.suppress(ImportError, OSError):  # OSError: a shapely without its library
                for module in self._beside:
                    importlib.import_module(module)
            for module in self._modules:
                importlib.import_module(module)
        except Exception as e:  # also ValueError of an unfit numpy
            problem = e
        try:
            self.done.emit(problem)
        except RuntimeError:
            return  # the plugin was unloaded meanwhile
