"""Background work never stands in the way: not of the map, not of other tasks, not of the end."""

from __future__ import annotations

import gc
import threading

import pytest
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize, QThreadPool

from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.net.cancel import Cancelled
from up42_jobs.plugin.net.session import Session
from up42_jobs.tests.qgis.in_a_process import run_alone
from up42_jobs.tests.servers.tcp import SilentServer


@pytest.fixture
def works(qgis_app):
    works = Works()
    yield works
    works.stop()


class Ends:
    """Keeps what the three callbacks are told."""

    def __init__(self):
        self.values, self.errors, self.cancels, self.threads = [], [], 0, set()

    def callbacks(self):
        return {"succeeded": self._succeeded, "failed": self._failed, "cancelled": self._cancelled}

    def _succeeded(self, value):
        self.threads.add(threading.current_thread())
        self.values.append(value)

    def _failed(self, error):
        self.threads.add(threading.current_thread())
        self.errors.append(error)

    def _cancelled(self):
        self.cancels += 1


def test_the_result_comes_on_the_gui_thread(works, qtbot):
    ends = Ends()
    works.start("add", lambda _cancel, _progress: 1 + 1, **ends.callbacks())
    qtbot.waitUntil(lambda: ends.values == [2])
    assert ends.threads == {threading.main_thread()}


def test_an_exception_is_told_not_swallowed(works, qtbot):
    ends = Ends()
    works.start("divide", lambda _cancel, _progress: 1 / 0, **ends.callbacks())
    qtbot.waitUntil(lambda: len(ends.errors) == 1)
    assert isinstance(ends.errors[0], ZeroDivisionError)


def test_progress_reaches_the_task_manager(works, qtbot):
    seen, go_on = [], threading.Event()

    def do(_cancel, progress):
        progress(0.25)
        go_on.wait(10)

    works.start("steps", do, progressed=seen.append, **Ends().callbacks())
    manager = QgsApplication.taskManager()
    qtbot.waitUntil(lambda: [task.progress() for task in manager.tasks() if task.description() == "steps"] == [25.0])
    go_on.set()
    assert seen == [0.25]


def test_cancel_from_the_task_manager_ends_a_request_that_hangs(works, qtbot):
    ends = Ends()
    with SilentServer() as server:
        works.start(
            "hang", lambda cancel, _progress: Session().under(cancel).request("GET", server.url), **ends.callbacks()
        )
        qtbot.waitUntil(lambda: server.connections == 1)
        (task,) = [task for task in QgsApplication.taskManager().tasks() if task.description() == "hang"]
        task.cancel()
        qtbot.waitUntil(lambda: ends.cancels == 1, timeout=1000)
    assert ends.values == ends.errors == []


def test_the_map_is_drawn_while_requests_hang(works, qtbot):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "squares", "memory")
    square = QgsFeature()
    square.setGeometry(QgsGeometry.fromRect(QgsRectangle(0, 0, 10, 10)))
    layer.dataProvider().addFeatures([square])
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setOutputSize(QSize(200, 200))
    settings.setExtent(QgsRectangle(0, 0, 10, 10))
    count = 2 * QThreadPool.globalInstance().maxThreadCount() + 4
    with SilentServer() as server:
        for number in range(count):
            works.start(
                f"hang {number}",
                lambda cancel, _progress: Session().under(cancel).request("GET", server.url),
                **Ends().callbacks(),
            )
        qtbot.waitUntil(lambda: server.connections == count)
        job = QgsMapRendererParallelJob(settings)
        with qtbot.waitSignal(job.finished, timeout=5000):
            job.start()
        assert job.renderedImage().pixelColor(100, 100).alpha() == 255
        assert server.connections == count
        works.stop()


def test_the_pool_is_left_as_it_was_found(works, qtbot):
    pool, ends = QThreadPool.globalInstance(), Ends()
    before = pool.activeThreadCount()
    for _ in range(4):
        works.start("quick", lambda _cancel, _progress: None, **ends.callbacks())
    qtbot.waitUntil(lambda: len(ends.values) == 4)
    qtbot.waitUntil(lambda: QgsApplication.taskManager().countActiveTasks() == 0)
    qtbot.waitUntil(lambda: pool.activeThreadCount() == before)


def test_stop_takes_work_that_is_not_shown_and_has_no_progress(works, qtbot):
    go_on, ends = threading.Event(), Ends()
    work = works.start("quiet", lambda _cancel, _progress: go_on.wait(10), shown=False, **ends.callbacks())
    works.stop()
    go_on.set()
    qtbot.waitUntil(lambda: not work.alive)
    assert (ends.values, ends.errors, ends.cancels) == ([], [], 0)


def test_a_result_on_its_way_is_told_as_cancelled_after_a_cancel(works, qtbot):
    ends = Ends()
    work = works.start("quick", lambda _cancel, _progress: 1, shown=False, **ends.callbacks())
    assert work.over.wait(10)
    work.cancel()
    qtbot.waitUntil(lambda: ends.cancels == 1)
    assert (ends.values, ends.errors) == ([], [])


def test_a_result_on_its_way_is_not_told_after_stop(works, qtbot):
    ends = Ends()
    work = works.start("quick", lambda _cancel, _progress: 1, shown=False, **ends.callbacks())
    assert work.over.wait(10)
    while work.alive:  # the signal has been sent; the event loop has not run
        threading.Event().wait(0.001)
    works.stop()
    QgsApplication.processEvents()
    assert (ends.values, ends.errors, ends.cancels) == ([], [], 0)


def test_stop_forgets_the_callbacks_and_frees_the_sockets(works, qtbot):
    ends, ended = Ends(), threading.Event()

    def do(cancel, _progress):
        try:
            Session().under(cancel).request("GET", server.url)
        except Cancelled:
            ended.set()
            raise

    with SilentServer() as server:
        works.start("hang", do, **ends.callbacks())
        qtbot.waitUntil(lambda: server.connections == 1)
        works.stop()
        assert ended.wait(1)
    gc.collect()
    qtbot.waitUntil(lambda: QgsApplication.taskManager().countActiveTasks() == 0)
    assert (ends.values, ends.errors, ends.cancels) == ([], [], 0)


COLLECTED_MEANWHILE = """
    import gc, os, threading, time
    from qgis.core import QgsApplication

    application = QgsApplication([], False)
    application.initQgis()
    from up42_jobs.plugin.host.work import Works

    gc.collect()
    gc.freeze()  # so that a collection is short, and there are many

    def collect():
        while True:
            gc.collect()
            time.sleep(0.0005)

    threading.Thread(target=collect, daemon=True).start()
    told = []
    for round_ in range(1500):
        works = Works()
        for number in range(5):
            works.start("x", lambda _c, p: p(0.5), succeeded=told.append, failed=print, progressed=id, shown=False)
        for _ in range(round_ % 4):
            application.processEvents()
        while round_ % 3 == 2 and works._running:
            application.processEvents()
        works.stop()
    assert told
    print("all is well", flush=True)
    os._exit(0)
"""


def test_a_worker_may_collect_garbage_at_any_moment(tmp_path):
    """While connections are made, and between a work's end and its being told: each ended the process before."""
    run_alone(COLLECTED_MEANWHILE, tmp_path)
