"""Measures how long the GUI thread pauses, and whether code of the plugin was at work meanwhile."""

import sys
import threading
import time

from qgis.PyQt.QtCore import QObject, QTimer

BEAT_MS = 10
SAMPLE_SECONDS = 0.005
WORTH_TELLING = 0.1  # seconds
SAMPLES_ON_TIME = 0.5  # of those that a pause has room for
HARDLY = 0.04  # of a pause; a thread that wants a processor gets more of it on the busiest machine we met


class Heartbeat(QObject):
    """A timer beats on the GUI thread; a thread beside it looks at the GUI thread's stack while a beat is late.

    On a busy machine a beat is late for want of a processor, and that is nobody's fault. So a pause counts with the
    time that the GUI thread ran. It counts as a whole where the thread was blocked: the watching thread was on time,
    or the GUI thread did not run at all.
    """

    def __init__(self, plugin_folder):
        super().__init__()
        self._folder = plugin_folder
        self._gui = threading.main_thread().ident
        self._clock = time.pthread_getcpuclockid(self._gui)
        self._beat, self._ran = time.monotonic(), time.clock_gettime(self._clock)
        self._stack, self._samples = [], 0
        self.pauses = []
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _tick(self):
        now, ran = time.monotonic(), time.clock_gettime(self._clock)
        pause, worked = now - self._beat, ran - self._ran
        blocked = self._samples > SAMPLES_ON_TIME * pause / SAMPLE_SECONDS or worked < HARDLY * pause
        counted = pause if blocked else worked
        if counted > WORTH_TELLING:
            self.pauses.append({"seconds": round(counted, 3), "wall": round(pause, 3), "stack": self._stack})
        self._beat, self._ran, self._stack, self._samples = now, ran, [], 0

    def _watch(self):
        while True:
            time.sleep(SAMPLE_SECONDS)
            self._samples += 1
            if time.monotonic() - self._beat > WORTH_TELLING / 2 and not self._stack:
                self._stack = self._our_stack()

    def _our_stack(self):
        """The GUI thread's innermost frame and all of the plugin's; nothing where there is none of those."""
        frames, frame = [], sys._current_frames().get(self._gui)
        while frame is not None:
            frames.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
            frame = frame.f_back
        ours = [frame for frame in frames if frame[0].startswith(self._folder)]
        return [f"{file}:{line} {name}" for file, line, name in [*frames[:1], *ours]] if ours else []

    def until_now(self):
        """The pauses, the one that perhaps has just ended included."""
        self._tick()
        return self.pauses
