"""Steps done one by one with the event loop in between: done in one go they would be felt as a jerk."""

from __future__ import annotations

from typing import Callable, Iterable, Optional

from qgis.PyQt.QtCore import QObject, QTimer

FRAME_MS = 16  # of a screen


def after_a_frame(do: Callable[[], None], parent: QObject) -> QTimer:
    """A timer of `parent` that does it once, a frame after it was started: QGIS has painted by then."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(FRAME_MS)
    timer.timeout.connect(do)
    return timer


class InTurns(QObject):
    """One step for each turn of the event loop; or with a rest between, for steps that make Qt lay out much.

    Without the rest the next step may begin right behind that layout, and both are one pause (measured: 0.12 s).
    """

    def __init__(
        self, steps: Iterable[Callable[[], None]], parent: Optional[QObject] = None, rest_ms: int = 0
    ) -> None:
        super().__init__(parent)
        self._steps = list(steps)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(rest_ms)
        self._timer.timeout.connect(self._next)

    def start(self) -> None:
        """Begin with the next turn."""
        self._timer.start()

    def stop(self) -> None:
        """Do no more."""
        self._timer.stop()
        self._steps.clear()

    def _next(self) -> None:
        if not self._steps:
            return
        step = self._steps.pop(0)
        try:
            step()
        finally:
            if self._steps:
                self._timer.start()  # behind the step: what it took is no rest
