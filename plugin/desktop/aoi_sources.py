"""Reads the AOI from wherever the user says, one source at a time: what is asked for last is what counts."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.core import QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..host.aoi_reader import AoiReader
from ..host.aoi_source import FoundAois
from ..host.work import Work
from ..jobs.problem import Problem
from .aoi_drop import Dropped


class AoiSources(QObject):
    """Answers by `taken` or `refused`; by neither after `stop`."""

    taken = pyqtSignal(object, bool)  # FoundAois; True where the user has not seen it on the map yet
    refused = pyqtSignal(object)  # Problem
    reading_changed = pyqtSignal()

    def __init__(self, reader: AoiReader, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._work: Optional[Work] = None

    @property
    def reading(self) -> bool:
        """True from the question to the answer."""
        return self._work is not None

    def layer(self, layer: QgsVectorLayer, selected_only: bool, name_field: str) -> None:
        """A layer of the project."""
        self._begin(lambda done, refused: self._reader.layer(layer, selected_only, name_field, done, refused), False)

    def file(self, path: str) -> None:
        """A file."""
        self._begin(lambda done, refused: self._reader.file(path, done, refused), True)

    def text(self, text: str) -> None:
        """A text."""
        self._begin(lambda done, refused: self._reader.text(text, done, refused), True)

    def dropped(self, given: Dropped) -> None:
        """What was dropped or pasted; a layer of the project is for the layer row, not for here."""
        if given.source is not None:
            uri, provider, name = given.source
            self._begin(lambda done, refused: self._reader.layer_source(uri, provider, name, done, refused), True)
        elif given.file:
            self.file(given.file)
        else:
            self.text(given.text)

    def stop(self) -> None:
        """What is being read is not wanted any more: the AOI comes from elsewhere."""
        if self._work is not None:
            self._work.cancel()
            self._work = None
            self.reading_changed.emit()

    def _begin(
        self, start: Callable[[Callable[[FoundAois], None], Callable[[Problem], None]], Work], unseen: bool
    ) -> None:
        self.stop()

        def done(found: FoundAois) -> None:
            self._over()
            self.taken.emit(found, unseen)

        def refused(problem: Problem) -> None:
            self._over()
            self.refused.emit(problem)

        self._work = start(done, refused)
        self.reading_changed.emit()

    def _over(self) -> None:
        self._work = None
        self.reading_changed.emit()
