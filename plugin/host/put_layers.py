"""The layers of a job go onto the map: made on a thread of their own, put into the project on the GUI thread."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Callable, Optional

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSlot

from ..layers.load import JobLayers, Made
from ..layers.maker import on_maker_thread
from .collect import Prepared

LOOK_EVERY_MS = 2  # whether the next one is made
STOP_SECONDS = 1.0  # for a layer that is being made; longer only where the disk doesn't answer


class PutLayers(QObject):
    """Adds the layers of one job, one each time that QGIS has nothing else to do; then calls `done` once."""

    def __init__(self, prepared: Prepared, done: Callable[[JobLayers], None], parent: QObject) -> None:
        super().__init__(parent)
        self._layers = JobLayers(QgsProject.instance(), prepared.info, prepared.scan, prepared.look)
        self._done = done
        self._made: SimpleQueue[Optional[Made]] = SimpleQueue()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._put)
        self._timer.start()
        self._awaited = False
        self._make()

    def _make(self) -> None:
        # Nothing of Qt's goes over there but the new layer: who lets go of a QObject last must be its own thread.
        layers, ready = self._layers, self._made

        def make() -> None:
            made: Optional[Made] = None
            try:
                made = layers.make_next()
            finally:
                ready.put(made)

        self._awaited = True
        on_maker_thread(make)

    @pyqtSlot()
    def _put(self) -> None:
        try:
            made = self._made.get_nowait()
        except Empty:
            return
        self._awaited = False
        if self._layers.put(made):
            self._make()
            return
        self.stop()
        self._done(self._layers)

    def stop(self) -> None:
        """Add no more; for unload. A layer under way is let go of here: it is a QObject of the GUI thread."""
        self._timer.stop()
        if self._awaited:
            with suppress(Empty):
                self._made.get(timeout=STOP_SECONDS)
        self.deleteLater()
