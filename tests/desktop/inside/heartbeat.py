"""Measures how long the GUI thread pauses, and how much of that with code of the plugin at work."""

import signal
import sys
import threading
import time

from qgis.PyQt.QtCore import QCoreApplication, QObject, QTimer, pyqtSlot

BEAT_MS = 10
SAMPLE_SECONDS = 0.005
WORTH_TELLING = 0.1  # seconds
TICKS_PER_SECOND = 100  # of /proc/stat, see proc(5)
STOLEN = 8  # its column: what other machines took of this one's processors


class Heartbeat(QObject):
    """A timer beats on the GUI thread; a thread beside it looks at the GUI thread's stack all the while.

    QGIS itself pauses to paint its window, and what is ours for a moment of the same turn is not the cause. So `ours`
    is the time between two looks of which one saw a frame of the plugin. Of many short calls, as a view makes of its
    model, a look sees none: the GUI thread lets others have Python's lock between them only. For those an alarm rings
    as often, which Python answers in the next call on the GUI thread; `ours` is what rang in a frame of the plugin,
    where that is more.

    On a busy machine a beat is late for want of a processor, and that is nobody's fault: Linux counts how long a
    thread that could run waited for one, and that is not counted.
    """

    def __init__(self, plugin_folder):
        super().__init__()
        self._folder = plugin_folder
        self._gui = threading.main_thread()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._begin()
        self._looked, self._before = self._beat, []
        self.pauses = []
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._looker.start()
        signal.signal(signal.SIGALRM, self._alarm)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.setitimer(signal.ITIMER_REAL, SAMPLE_SECONDS, SAMPLE_SECONDS)
        QCoreApplication.instance().aboutToQuit.connect(self.stop)  # an alarm that nobody answers ends a process

    @pyqtSlot()
    def stop(self):
        """Measure no more."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._timer.stop()
        self._stopped.set()
        self._looker.join()  # a QObject must not die on that thread

    def until_now(self):
        """The pauses, the one that perhaps has just ended included."""
        self._tick()
        return self.pauses

    def _begin(self):
        self._beat, self._waited, self._stolen = time.monotonic(), _waited(), _stolen()
        self._ours, self._longest, self._stack, self._rung = 0.0, 0.0, [], 0

    def _tick(self):
        with self._lock:
            self._count([])
            wall = time.monotonic() - self._beat
            pause = wall - (_waited() - self._waited)
            if pause > WORTH_TELLING:
                ours = max(self._ours, self._rung * SAMPLE_SECONDS)
                self.pauses.append(
                    {
                        "seconds": round(pause, 3),
                        "wall": round(wall, 3),
                        "ours": round(min(ours, pause), 3),
                        "stolen": round(_stolen() - self._stolen, 3),
                        "stack": self._stack,
                    }
                )
            self._begin()

    def _look(self):
        while not self._stopped.wait(SAMPLE_SECONDS):
            with self._lock:
                self._count(self._our_stack(sys._current_frames().get(self._gui.ident)))

    def _alarm(self, _signal, frame):
        """On the GUI thread."""
        stack = self._our_stack(frame)
        if stack:
            self._rung += 1
            self._stack = self._stack or stack

    def _count(self, stack):
        """Add the time since the last look to `ours`, where it is; the stack of the longest such part is kept."""
        now = time.monotonic()
        part = now - max(self._looked, self._beat)
        if self._before or stack:
            self._ours += part
            if part > self._longest:
                self._longest, self._stack = part, stack or self._before
        self._looked, self._before = now, stack

    def _our_stack(self, frame):
        """The innermost frame and all of the plugin's; nothing where there is none of those."""
        frames = []
        while frame is not None:
            frames.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
            frame = frame.f_back
        ours = [frame for frame in frames if frame[0].startswith(self._folder)]
        return [f"{file}:{line} {name}" for file, line, name in [*frames[:1], *ours]] if ours else []


def _waited():
    """Seconds for which the GUI thread, the process's first one, could run and had no processor."""
    with open("/proc/self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


def _stolen():
    """Seconds that were stolen from all processors of this machine."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[STOLEN]) / TICKS_PER_SECOND
