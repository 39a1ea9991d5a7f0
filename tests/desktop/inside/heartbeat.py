"""Measures how long the GUI thread pauses, and whether code of the plugin was at work meanwhile."""

import sys
import threading
import time

from qgis.PyQt.QtCore import QObject, QTimer

BEAT_MS = 10
SAMPLE_SECONDS = 0.005
WORTH_TELLING = 0.1  # seconds
FRAMES_TOLD = 6
FEWEST_SHARE = 0.25  # of the processor: below it the thread was waiting for something, not for a processor


class Heartbeat(QObject):
    """A timer beats on the GUI thread; a thread beside it looks at the GUI thread's stack while a beat is late.

    On a busy machine a thread is late for want of a processor. So a pause counts with the time that the thread ran;
    where it hardly ran, it was blocked, and the whole pause counts.
    """

    def __init__(self, plugin_folder):
        super().__init__()
        self._folder = plugin_folder
        self._gui = threading.main_thread().ident
        self._clock = time.pthread_getcpuclockid(self._gui)
        self._beat, self._ran = time.monotonic(), time.clock_gettime(self._clock)
        self._stack = []
        self._going = True
        self.pauses = []
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _tick(self):
        now, ran = time.monotonic(), time.clock_gettime(self._clock)
        pause, worked = now - self._beat, ran - self._ran
        counted = worked if worked > FEWEST_SHARE * pause else pause
        if counted > WORTH_TELLING:
            self.pauses.append({"seconds": round(counted, 3), "wall": round(pause, 3), "stack": self._stack})
        self._beat, self._ran, self._stack = now, ran, []

    def _watch(self):
        while self._going:
            time.sleep(SAMPLE_SECONDS)
            if time.monotonic() - self._beat > WORTH_TELLING / 2 and not self._stack:
                self._stack = self._our_stack()

    def _our_stack(self):
        """The GUI thread's innermost frames where one of the plugin's is among all of them, else nothing."""
        frames, frame = [], sys._current_frames().get(self._gui)
        while frame is not None:
            frames.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
            frame = frame.f_back
        ours = any(file.startswith(self._folder) for file, _line, _name in frames)
        return [f"{file}:{line} {name}" for file, line, name in frames[:FRAMES_TOLD]] if ours else []

    def stop(self):
        """End the watching."""
        self._going = False
        self._timer.stop()
