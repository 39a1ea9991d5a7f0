"""Steps done one by one with the event loop in between: done in one go they would be felt as a jerk."""

from __future__ import annotations

from typing import Callable, Iterable, Optional

from qgis.PyQt.QtCore import QObject, QTimer


class InTurns(QObject):
    """One step for each turn of the event loop."""

    def __init__(self, steps: Iterable[Callable[[], None]], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._steps = list(steps)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)

    def start(self) -> None:
        """Begin with the next turn."""
        self._timer.start(0)

    def stop(self) -> None:
        """Do no more."""
        self._timer.stop()
        self._steps.clear()

    def _next(self) -> None:
        if not self._steps:
            self._timer.stop()
            return
        step = self._steps.pop(0)
        step()
