"""Workers beside a GUI thread that handles its events, as in QGIS."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import QEventLoop

from up42_jobs.tests.servers.worker import Worker


def while_gui_turns(worker: Worker) -> Any:
    """The worker's result, with the GUI thread's events handled meanwhile, as in QGIS."""
    loop = QEventLoop()
    while worker.ended_at is None:
        loop.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    return worker.result()
