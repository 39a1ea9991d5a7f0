"""The plugin is reloaded fifty times while jobs run: no crash, nothing is left behind. And QGIS can be left then."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Optional

import pytest
from qgis_desktop import Desktop
from test_desktop_restart import SUBMIT

ROUNDS, WARM, WITH_DOCK = 50, 5, 10  # the dock is shown in every tenth round
COUNTS = 15
QUIT_SECONDS = 2.0
COUNT = """
import gc, threading
from collections import Counter
import qgis.utils
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject, QTimer
from qgis.PyQt.QtWidgets import QAction, QApplication, QDockWidget, QMenu

def count():
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    window = iface.mainWindow()
    ours = [o for o in gc.get_objects() if type(o).__module__.startswith('up42_jobs.')]
    return {
        'qobjects': dict(Counter(o.metaObject().className() for o in window.findChildren(QObject))),
        'timers': len(window.findChildren(QTimer)),
        'docks': len(window.findChildren(QDockWidget)),
        'actions': len(window.findChildren(QAction)),
        'menus': len(window.findChildren(QMenu)),
        'windows': len(QApplication.topLevelWidgets()),
        'threads': sorted(t.name for t in threading.enumerate() if t.name.startswith('up42_jobs')),
        'our qobjects': sorted(type(o).__name__ for o in ours if isinstance(o, QObject)),
        'tasks': QgsApplication.taskManager().count(),
        'items on the map': len(iface.mapCanvas().scene().items()),
        'providers': len(QgsApplication.processingRegistry().providers()),
    }

def reload():
    qgis.utils.reloadPlugin('up42_jobs')
    globals()['plugin'] = qgis.utils.plugins['up42_jobs']
"""


@pytest.fixture
def desktop():
    if not os.environ.get("DISPLAY"):
        pytest.fail("These tests need a display: tools/test.sh desktop gives them one.")
    qgis = Desktop()
    try:
        qgis.do("plugin = plugins['up42_jobs']")
        qgis.wait("plugin._journey is not None")
        yield qgis
    finally:
        qgis.close()


def show(desktop: Desktop) -> None:
    """Show the dock, and wait until it is filled and its connection open."""
    desktop.do("plugin._dock.setUserVisible(True)")
    desktop.wait("plugin._content is not None and plugin._content.model.catalogue is not None")


def engines(desktop: Desktop) -> list[int]:
    """The processes of local engines on this desktop's data folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().decode(errors="replace")
        except OSError:
            continue
        if "up42_jobs" in line and "engine" in line and str(desktop.folder) in line:
            found.append(int(pid))
    return found


def reload(desktop: Desktop, with_dock: bool) -> None:
    desktop.do("reload()")
    desktop.wait("plugin._journey is not None")
    if with_dock:
        show(desktop)


def settled(desktop: Desktop, expected: Optional[dict] = None) -> dict:
    """The counts with the plugin unloaded, once they are `expected`, or else once they stay the same for a second."""
    desktop.do("qgis.utils.unloadPlugin('up42_jobs')")
    desktop.wait("not count()['threads'] and not count()['tasks']")
    counts: dict = {}
    for _ in range(COUNTS):  # what was under way ends soon; what leaks never does
        desktop.do("turns = []\nQTimer.singleShot(1000, lambda: turns.append(1))")
        desktop.wait("turns")
        last, counts = counts, desktop.get("count()")
        if counts == (last if expected is None else expected):
            break
    desktop.do("qgis.utils.loadPlugin('up42_jobs')\nqgis.utils.startPlugin('up42_jobs')")
    desktop.do("plugin = qgis.utils.plugins['up42_jobs']")
    desktop.wait("plugin._journey is not None")
    return counts


def test_fifty_reloads_with_jobs_running_leave_nothing_behind(desktop: Desktop) -> None:
    desktop.do(COUNT)
    show(desktop)
    desktop.do(SUBMIT)
    desktop.wait("len(sent) == 3 or refused")
    desktop.do("del sent, refused, catalogue, workflow, request, aoi")
    for round_ in range(WARM):
        reload(desktop, with_dock=round_ == 0)
    before = settled(desktop)
    for round_ in range(ROUNDS):
        reload(desktop, with_dock=round_ % WITH_DOCK == 0)
    after = settled(desktop, before)
    print({"before": before, "after": after})
    assert after == before, [
        {what: Counter(more[what]) - Counter(less[what]) for what in ("qobjects", "our qobjects", "threads")}
        for more, less in ((after, before), (before, after))
    ]
    assert len(engines(desktop)) <= 2  # the engine and a worker of it
    assert desktop.errors == ""
    assert desktop.quit() == 0


def test_qgis_is_left_at_once_while_jobs_run_and_outputs_arrive(desktop: Desktop) -> None:
    show(desktop)
    desktop.do(SUBMIT)
    desktop.wait("len(sent) == 3 or refused")
    desktop.wait("any(r.delivery.state.value != 'none' for r in plugin._journey.records('this-computer'))")
    asked = time.monotonic()
    assert desktop.quit() == 0
    took = time.monotonic() - asked
    assert desktop.errors == ""
    assert took < QUIT_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), took
