"""Background work: what can block runs on a daemon thread of ours, and shows up in QGIS's task manager.

A `QgsTask.run` never does the work itself: on QGIS 3.22 tasks share the global thread pool with the map renderer, so
a blocked one leaves the map blank and holds QGIS's exit. The task here only waits beside the thread, gives its place
in the pool back meanwhile, and leaves at once when it is cancelled.
"""

from __future__ import annotations

import _thread
import threading
from queue import SimpleQueue
from typing import Any, Callable, ClassVar, Optional

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QObject, QThreadPool, QTimer, pyqtSignal

from ..net.cancel import Cancel, Cancelled

WAIT_STEP_SECONDS = 0.1
FORGET_AFTER_MS = 200

Progress = Callable[[float], None]  # a fraction from 0 to 1, called from the worker thread
Do = Callable[[Cancel, Progress], Any]


class Work(QObject):
    """One piece of work on a daemon thread. Exactly one of the three ends is signalled, on the GUI thread."""

    succeeded = pyqtSignal(object)
    failed = pyqtSignal(object)  # the exception
    cancelled = pyqtSignal()
    progressed = pyqtSignal(float)

    def __init__(self, title: str, do: Do) -> None:
        super().__init__()
        self.title = title
        self.cancel_flag = Cancel()
        self.over = threading.Event()
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
        end: tuple[Any, ...]
        try:
            end = (self.succeeded, self._do(self.cancel_flag, self._tell))
        except Cancelled:
            end = (self.cancelled,)
        except Exception as e:  # whatever went wrong is told to the user, never swallowed
            end = (self.cancelled,) if self.cancel_flag.cancelled else (self.failed, e)
        if self.cancel_flag.cancelled:
            end = (self.cancelled,)
        self.over.set()
        self._emit(*end)

    def _tell(self, fraction: float) -> None:
        self._emit(self.progressed, fraction)

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
        work.progressed.connect(self._show_progress)

    def _show_progress(self, fraction: float) -> None:
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


class Works(QObject):
    """All work under way; keeps each `Work` and its task referenced until it has ended."""

    _leaving: ClassVar[list[tuple[Work, Optional[ShownTask]]]] = []  # ended or stopped, the thread perhaps not yet

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._running: dict[Work, Optional[ShownTask]] = {}
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
        """Run `do(cancel, progress)` on a thread of its own; the callbacks come on the GUI thread.

        `shown`: in QGIS's task manager too; polls and estimates are not.
        """
        work = Work(title, do)
        told_cancelled = self._unless_stopped(work, cancelled or _nothing)
        work.succeeded.connect(self._unless_cancelled(work, succeeded, told_cancelled))
        work.failed.connect(self._unless_cancelled(work, failed, told_cancelled))
        work.cancelled.connect(told_cancelled)
        work.progressed.connect(self._unless_cancelled(work, progressed or _nothing, _nothing))
        for signal in (work.succeeded, work.failed, work.cancelled):
            signal.connect(lambda *_ended, work=work: self._let_go(work))
        task = ShownTask(work) if shown else None
        self._running[work] = task
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

    def _unless_stopped(self, work: Work, slot: Callable[..., None]) -> Callable[..., None]:
        """`slot`, but not for a signal that was on its way when `stop` came."""
        return lambda *values: slot(*values) if work in self._running else None

    def _unless_cancelled(
        self, work: Work, slot: Callable[..., None], instead: Callable[[], None]
    ) -> Callable[..., None]:
        """`slot`, but not for a signal that was on its way when the work was cancelled; then `instead`."""
        slot = self._unless_stopped(work, slot)
        return lambda *values: instead() if work.cancel_flag.cancelled else slot(*values)

    def _let_go(self, work: Work) -> None:
        """Drop `work` once its thread has ended: a QObject must not die on a thread that is not its own."""
        if work in self._running:
            self._leaving.append((work, self._running.pop(work)))
        Works._leaving = [pair for pair in self._leaving if pair[0].alive]

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
