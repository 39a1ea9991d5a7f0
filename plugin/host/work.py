"""Background work: what can block runs on a daemon thread of ours, and shows up in QGIS's task manager.

A `QgsTask.run` never does the work itself: on QGIS 3.22 tasks share the global thread pool with the map renderer, so
a blocked one leaves the map blank and holds QGIS's exit. The task here only waits beside the thread, gives its place
in the pool back meanwhile, and leaves at once when it is cancelled.

Signals lead to decorated slots only. For a plain function PyQt 5 keeps a go-between of its own, in a table that the
garbage collector reads on whatever thread it runs, without a lock: a connection made meanwhile ended QGIS.
"""

from __future__ import annotations

import _thread
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Callable, ClassVar, Optional

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QObject, Qt, QThreadPool, QTimer, pyqtSignal, pyqtSlot

from ..net.cancel import Cancel, Cancelled

WAIT_STEP_SECONDS = 0.1
FORGET_AFTER_MS = 200

Progress = Callable[[float], None]  # a fraction from 0 to 1, called from the worker thread
Do = Callable[[Cancel, Progress], Any]


class Work(QObject):
    """One piece of work on a daemon thread. It ends once: with a value, an exception or a cancel."""

    ended = pyqtSignal(object)  # this work
    progressed = pyqtSignal(object, float)  # this work, a fraction

    def __init__(self, title: str, do: Do) -> None:
        super().__init__()
        self.title = title
        self.cancel_flag = Cancel()
        self.over = threading.Event()
        self.value: Any = None
        self.error: Optional[Exception] = None
        self._do = do
        self._thread = threading.Thread(target=self._run, name=f"up42_jobs: {title}", daemon=True)

    def start(self) -> None:
        """Begin. Waits until the thread runs, so this is not for the GUI thread: see `_start_each`."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask for the end; sockets in use are closed at once."""
        self.cancel_flag.cancel()

    @property
    def alive(self) -> bool:
        """True until the thread has ended; also before it has begun."""
        return self._thread.ident is None or self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.value = self._do(self.cancel_flag, self._tell)
        except Cancelled:
            self.cancel_flag.cancel()
        except Exception as e:  # whatever went wrong is told to the user, never swallowed
            self.error = e
        self.over.set()
        self._emit(self.ended, self)

    def _tell(self, fraction: float) -> None:
        self._emit(self.progressed, self, fraction)

    @staticmethod
    def _emit(signal: Any, *values: Any) -> None:
        try:
            signal.emit(*values)
        except RuntimeError:
            return  # the Qt side is gone: QGIS is closing, nobody is left to be told


class ShownTask(QgsTask):
    """What the task manager shows of a `Work`: its title, its progress and a button to cancel it."""

    def __init__(self, work: Work) -> None:
        super().__init__(work.title, QgsTask.Flag.CanCancel | QgsTask.Flag.CancelWithoutPrompt)
        self._over = work.over
        self._cancel_flag = work.cancel_flag
        work.progressed.connect(self._show_progress, Qt.ConnectionType.QueuedConnection)

    @pyqtSlot(object, float)
    def _show_progress(self, _work: Work, fraction: float) -> None:
        self.setProgress(min(100.0, 100 * fraction))

    def run(self) -> bool:
        """Wait beside the work without keeping a place in the pool that the map renderer needs."""
        pool = QThreadPool.globalInstance()
        pool.releaseThread()
        try:
            while not self._over.wait(WAIT_STEP_SECONDS):
                if self.isCanceled():
                    return False
        finally:
            pool.reserveThread()
        return not self._cancel_flag.cancelled

    def cancel(self) -> None:
        """Cancel the work, then the task."""
        self._cancel_flag.cancel()
        super().cancel()


@dataclass(frozen=True)
class _Asked:
    """Who is told of a work, on the GUI thread."""

    succeeded: Callable[[Any], None]
    failed: Callable[[Exception], None]
    cancelled: Callable[[], None]
    progressed: Callable[[float], None]
    task: Optional[ShownTask]


class Works(QObject):
    """All work under way; keeps each `Work` and its task referenced until it has ended."""

    _leaving: ClassVar[list[tuple[Work, Optional[ShownTask]]]] = []  # ended or stopped, the thread perhaps not yet

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._running: dict[Work, _Asked] = {}
        self._to_start: SimpleQueue[Optional[Work]] = SimpleQueue()
        _thread.start_new_thread(_start_each, (self._to_start,))

    def start(
        self,
        title: str,
        do: Do,
        *,
        succeeded: Callable[[Any], None],
        failed: Callable[[Exception], None],
        cancelled: Optional[Callable[[], None]] = None,
        progressed: Optional[Callable[[float], None]] = None,
        shown: bool = True,
    ) -> Work:
        """Run `do(cancel, progress)` on a thread of its own; one of the three ends is told, on the GUI thread.

        `shown`: in QGIS's task manager too; polls and estimates are not.
        """
        work = Work(title, do)
        work.ended.connect(self._tell_end, Qt.ConnectionType.QueuedConnection)
        if progressed is not None:
            work.progressed.connect(self._tell_progress, Qt.ConnectionType.QueuedConnection)
        task = ShownTask(work) if shown else None
        self._running[work] = _Asked(succeeded, failed, cancelled or _nothing, progressed or _nothing, task)
        self._to_start.put(work)
        if task is not None:
            QgsApplication.taskManager().addTask(task)
        return work

    def stop(self) -> None:
        """Cancel everything and forget the callbacks; for unload. Waits for nothing; nothing is started after it."""
        for work in list(self._running):
            work.cancel()
            self._let_go(work)
        self._to_start.put(None)
        Works._forget_ended()

    @pyqtSlot(object)
    def _tell_end(self, work: Work) -> None:
        """Once for each work, unless `stop` came before its signal. A cancel counts until the very end is told."""
        asked = self._let_go(work)
        value, work.value = work.value, None  # whoever keeps the work doesn't keep what it gave
        if asked is None:
            return
        if work.cancel_flag.cancelled:
            asked.cancelled()
        elif work.error is not None:
            asked.failed(work.error)
        else:
            asked.succeeded(value)

    @pyqtSlot(object, float)
    def _tell_progress(self, work: Work, fraction: float) -> None:
        asked = self._running.get(work)
        if asked is not None and not work.cancel_flag.cancelled:
            asked.progressed(fraction)

    def _let_go(self, work: Work) -> Optional[_Asked]:
        """Drop `work` once its thread has ended: a QObject must not die on a thread that is not its own."""
        asked = self._running.pop(work, None)
        if asked is not None:
            self._leaving.append((work, asked.task))
        Works._leaving = [pair for pair in self._leaving if pair[0].alive]
        return asked

    @staticmethod
    def _forget_ended() -> None:
        """After the last stop nobody else lets go of what has ended since."""
        Works._leaving = [pair for pair in Works._leaving if pair[0].alive]
        if Works._leaving:
            QTimer.singleShot(FORGET_AFTER_MS, Works._forget_ended)


def _start_each(works: SimpleQueue[Optional[Work]]) -> None:
    """On a thread of its own: `Thread.start` waits until the new thread runs, which a busy machine makes felt."""
    for work in iter(works.get, None):
        work.start()


def _nothing(*_values: Any) -> None:
    """The callback of whoever gave none."""
