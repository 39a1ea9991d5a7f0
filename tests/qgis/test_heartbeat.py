"""The heartbeat that guards the desktop tests: it tells the plugin's own pauses from what lies beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from qgis.PyQt.QtCore import QAbstractTableModel, QEventLoop, QModelIndex, Qt, QTimer
from qgis.PyQt.QtWidgets import QTableView

from up42_jobs.tests.desktop.inside.heartbeat import Heartbeat

LONG, SHORT = 0.3, 0.005  # seconds
OURS = """
def for_a_while(wait, seconds):
    wait(seconds)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., None]:
    """A function whose file lies in the plugin's folder: it waits in the way given, so many seconds."""
    file = tmp_path / "ours.py"
    names: dict[str, Any] = {}
    exec(compile(OURS, str(file), "exec"), names)  # noqa: S102
    return names["for_a_while"]


@pytest.fixture
def heartbeat(qgis_app: object, tmp_path: Path) -> Iterator[Heartbeat]:
    """Beating, with the folder of `plugin` for the plugin's."""
    beating = Heartbeat(str(tmp_path))
    yield beating
    beating.stop()


def pauses_of(heartbeat: Heartbeat, *turn: Callable[[], None]) -> list[dict[str, Any]]:
    """The pauses felt while `turn` ran in one turn of the event loop, after some quick ones."""
    loop = QEventLoop()
    heartbeat.until_now().clear()

    def run() -> None:
        for step in turn:
            step()

    QTimer.singleShot(100, run)
    QTimer.singleShot(200, loop.quit)
    loop.exec()
    return heartbeat.until_now()


def at_work(seconds: float) -> None:
    """Keep the processor busy, with Python's lock given away at times as Python does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(100))


def keeping_the_lock(seconds: float) -> None:
    """Work as a library does that keeps Python's lock meanwhile: no other thread can look."""
    sum(range(int(seconds * 2e8)))


@pytest.mark.parametrize("way", [time.sleep, at_work, keeping_the_lock])
def test_a_pause_of_the_plugin_s_is_told(heartbeat: Heartbeat, plugin: Callable[..., None], way: Any) -> None:
    took = []

    def work() -> None:
        began = time.monotonic()
        plugin(way, LONG)
        took.append(time.monotonic() - began)

    (pause,) = pauses_of(heartbeat, work)
    assert pause["ours"] == pytest.approx(took[0], abs=0.05)
    assert pause["seconds"] >= pause["ours"]


def test_a_pause_beside_which_the_plugin_had_a_moment_is_not_the_plugin_s(
    heartbeat: Heartbeat, plugin: Callable[..., None]
) -> None:
    (pause,) = pauses_of(heartbeat, lambda: time.sleep(LONG), lambda: plugin(time.sleep, SHORT))
    assert pause["seconds"] == pytest.approx(LONG, abs=0.1)
    assert pause["ours"] < 0.1


def test_many_short_calls_of_a_view_are_the_plugin_s(heartbeat: Heartbeat, plugin: Callable[..., None]) -> None:
    """No look sees them: the GUI thread gives Python's lock away between them only."""
    spent = []

    class Model(QAbstractTableModel):
        def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
            return 0 if parent.isValid() else 40

        def columnCount(self, _parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
            return 20

        def data(self, _index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
            began = time.perf_counter()
            plugin(lambda _s: sum(range(5000)), 0)
            spent.append(time.perf_counter() - began)
            return "text" if role == Qt.ItemDataRole.DisplayRole else None

    view, model = QTableView(), Model()
    view.setWindowFlags(Qt.WindowType.ToolTip)  # which never becomes the active window
    view.setModel(model)
    view.resize(2000, 1000)
    view.show()
    pauses_of(heartbeat)
    spent.clear()
    (pause,) = pauses_of(heartbeat, view.viewport().update)
    view.hide()
    assert sum(spent) > 0.1
    assert pause["ours"] >= 0.8 * sum(spent)


def test_moments_of_the_plugin_s_add_up(heartbeat: Heartbeat, plugin: Callable[..., None]) -> None:
    (pause,) = pauses_of(heartbeat, *[lambda: plugin(time.sleep, 0.02)] * 10)
    assert pause["ours"] >= 0.15


def test_the_stack_is_that_of_the_longest_part(heartbeat: Heartbeat, plugin: Callable[..., None]) -> None:
    (pause,) = pauses_of(heartbeat, lambda: plugin(at_work, 0.05), lambda: plugin(time.sleep, LONG))
    assert any("for_a_while" in frame for frame in pause["stack"])


def test_want_of_a_processor_is_not_counted(heartbeat: Heartbeat, plugin: Callable[..., None]) -> None:
    """Ten others on the GUI thread's one processor: it works for a tenth of a second and takes far longer."""
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    busy = f"import os; os.sched_setaffinity(0, {{{one}}})\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(10)]
    try:
        os.sched_setaffinity(0, {one})
        ended = time.thread_time() + 0.15
        (pause,) = pauses_of(heartbeat, lambda: plugin(lambda _s: busy_until(ended), 0))
    finally:
        os.sched_setaffinity(0, allowed)
        for other in others:
            other.kill()
            other.wait()
    assert pause["wall"] > 0.5
    assert pause["ours"] == pytest.approx(0.15, abs=0.1)


def busy_until(thread_time: float) -> None:
    """Work until this thread has had so many seconds of a processor."""
    while time.thread_time() < thread_time:
        sum(range(100))
