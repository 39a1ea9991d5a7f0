"""Runs inside QGIS: how long the GUI thread leaves its event loop alone."""

import time

from qgis.PyQt.QtCore import QObject, QTimer

BEAT_MS = 2


class Beat(QObject):
    """A timer on the GUI thread; `longest` is the longest time between two beats, in milliseconds."""

    def __init__(self):
        super().__init__()
        self.gaps = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self):
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._last))
        self._last = now

    def stop(self):
        """The beats, the ten longest gaps and how many were over 50 ms."""
        self._tick()
        self._timer.stop()
        return {
            "beats": len(self.gaps),
            "longest": [round(gap, 1) for gap in sorted(self.gaps)[:-11:-1]],
            "over_50": sum(gap > 50 for gap in self.gaps),
        }
