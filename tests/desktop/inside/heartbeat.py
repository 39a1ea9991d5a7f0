"""Measures how long the GUI thread pauses, and how much of that with code of the plugin at work."""

import sys
import threading
import time

from qgis.PyQt.QtCore import QObject, QTimer

BEAT_MS = 10
SAMPLE_SECONDS = 0.005
WORTH_TELLING = 0.1  # seconds
KEPT_OUT_SECONDS = 0.03  # a sample so late waited for Python's lock, which QGIS's own code does not hold
TICKS_PER_SECOND = 100  # of /proc/stat, see proc(5)
STOLEN = 8  # its column: what other machines took of this one's processors


class Heartbeat(QObject):
    """A timer beats on the GUI thread; a thread beside it looks at the GUI thread's stack all the while.

    QGIS itself pauses to paint its window, and what is ours for a moment of the same turn is not the cause. So `ours`
    is the time between two looks of which one saw a frame of the plugin, and the time for which something in Python
    kept the looking thread out: no look tells what that was.

    On a busy machine a beat is late for want of a processor, and that is nobody's fault. Linux counts how long a
    thread that could run waited for one, and what was stolen from a virtual machine: neither counts.
    """

    def __init__(self, plugin_folder):
        super().__init__()
        self._folder = plugin_folder
        self._gui = threading.main_thread()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        with self._lock:
            self._looker.start()
            self._looked = self._beat = self._times()
            self._before, self._stack = [], []
            self._ours = self._longest = 0.0
        self.pauses = []
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def stop(self):
        """Measure no more."""
        self._timer.stop()
        self._stopped.set()

    def until_now(self):
        """The pauses, the one that perhaps has just ended included."""
        self._tick()
        return self.pauses

    def _times(self):
        """Seconds: of the clock, without want of a processor for the GUI thread, and for the looking thread."""
        stolen, now = _stolen(), time.monotonic()
        return now, now - stolen - _waited(self._gui), now - stolen - _waited(self._looker)

    def _tick(self):
        with self._lock:
            now = self._count([])
            pause = now[1] - self._beat[1]
            if pause > WORTH_TELLING:
                self.pauses.append({
                    "seconds": round(pause, 3),
                    "wall": round(now[0] - self._beat[0], 3),
                    "ours": round(self._ours, 3),
                    "stack": self._stack,
                })
            self._beat, self._ours, self._longest, self._stack = now, 0.0, 0.0, []

    def _look(self):
        while not self._stopped.wait(SAMPLE_SECONDS):
            stack = self._our_stack()
            with self._lock:
                self._count(stack)

    def _count(self, stack):
        """Add the time since the last look to `ours`, where it is; the stack of the longest such part is kept."""
        now = self._times()
        part, late = now[1] - self._looked[1], now[2] - self._looked[2]
        if self._before or stack or late > KEPT_OUT_SECONDS:
            self._ours += part
            if part > self._longest:
                self._longest, self._stack = part, stack or self._before
        self._looked, self._before = now, stack
        return now

    def _our_stack(self):
        """The GUI thread's innermost frame and all of the plugin's; nothing where there is none of those."""
        frames, frame = [], sys._current_frames().get(self._gui.ident)
        while frame is not None:
            frames.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
            frame = frame.f_back
        ours = [frame for frame in frames if frame[0].startswith(self._folder)]
        return [f"{file}:{line} {name}" for file, line, name in [*frames[:1], *ours]] if ours else []


def _waited(thread):
    """Seconds for which the thread could run and had no processor."""
    with open(f"/proc/self/task/{thread.native_id}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


def _stolen():
    """Seconds that were stolen from all processors of this machine."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[STOLEN]) / TICKS_PER_SECOND
