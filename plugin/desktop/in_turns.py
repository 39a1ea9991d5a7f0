"""Steps done one by one with the event loop in between: done in one go they would be felt as a jerk."""

from __future__ import annotations

from typing import Callable, Iterable, Optional

from qgis.PyQt.QtCore import QObject, QTimer


class InTurns(QObject):
    """One step, then a turn of the event loop for what Qt makes of it (layout, paint) and for the user, and so on.

    Without that turn the next step would begin right behind the layout of the one before, and both were one pause.
    """

    def __init__(self, steps: Iterable[Callable[[], None]], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._steps = list(steps)
        self._resting = False
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
        self._resting = not self._resting
        if self._resting:
            return
        step = self._steps.pop(0)
        step()
