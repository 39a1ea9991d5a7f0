"""A folder of the user's own rasters, given to the local engine to be found as scenes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..host.journey import Journey


class SceneFolders(QObject):
    """Adds folders and says what became of it."""

    told = pyqtSignal(str, str)  # level, text
    added = pyqtSignal()

    def __init__(self, journey: Journey, parent: QObject) -> None:
        super().__init__(parent)
        self._journey = journey

    def add(self, folder: Path) -> None:
        """Its rasters are found as scenes from now on."""
        self._journey.add_scene_folder(folder, partial(self._added, folder), partial(self.told.emit, "warning"))

    def _added(self, folder: Path, _folder_id: str) -> None:
        self.told.emit("success", self.tr("The rasters in {folder} are now found as scenes.").format(folder=folder))
        self.added.emit()
