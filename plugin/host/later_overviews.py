"""Overviews of large images that came without: built in the background while the image is on the map already.

One image after the other, once the map is drawn: nothing appears later than it would have without. What is not built
when QGIS is closed is built when the layers are loaded, or their project opened, the next time.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Callable, Sequence

from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSlot

from ..delivery.errors import DeliveryError
from ..delivery.lock import exclusive
from ..layers.overviews import build_overviews, lacks_overviews
from ..layers.provenance import JOB_ID
from ..net.cancel import Cancel
from .settings import Settings
from .words import tr
from .work import Progress, Works

LOOK_AGAIN_MS = 500  # whether the map is drawn
WAITS = 60  # times that; a map that is moved all the time is not waited for


class LaterOverviews(QObject):
    """Give it the files of layers; those that need no overviews are left alone. For the GUI thread."""

    def __init__(self, works: Works, settings: Settings) -> None:
        super().__init__()
        self.is_drawing: Callable[[], bool] = lambda: False  # who has a map gives this
        self._works, self._settings = works, settings
        self._wanted: deque[Path] = deque()
        self._known: set[Path] = set()  # wanted, under way, or given up for this session
        self._busy = False
        self._waited = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_AGAIN_MS)
        self._timer.timeout.connect(self._next)

    def build(self, paths: Sequence[Path]) -> None:
        """Build what is missing of these files, unless the user wants none."""
        new = [path for path in dict.fromkeys(paths) if path not in self._known]
        if not new or not self._settings.make_overviews:
            return
        self._works.start(
            "Look for overviews",
            lambda cancel, _progress: _lacking(new, cancel),
            shown=False,
            succeeded=self._want,
            failed=lambda _error: None,  # the images are drawn slower, no more
        )

    def build_for_project(self) -> None:
        """The same for all layers of jobs in the open project."""
        layers = QgsProject.instance().mapLayers().values()
        self.build([Path(layer.source()) for layer in layers if _is_image_of_a_job(layer)])

    def _want(self, paths: list[Path]) -> None:
        self._wanted.extend(path for path in paths if path not in self._known)
        self._known.update(paths)
        self._timer.start()

    @pyqtSlot()
    def _next(self) -> None:
        if self._busy or not self._wanted:
            return
        if self.is_drawing() and self._waited < WAITS:
            self._waited += 1
            self._timer.start()
            return
        self._busy, self._waited = True, 0
        path = self._wanted.popleft()
        self._works.start(
            tr("Make {file} faster to draw").format(file=path.name),
            lambda cancel, progress: _build(path, cancel, progress),
            succeeded=lambda built: self._ended(path, built),
            failed=lambda _error: self._ended(path, False),
            cancelled=lambda: self._ended(path, False),
        )

    def _ended(self, path: Path, built: bool) -> None:
        self._busy = False
        if built:
            self._known.discard(path)
            for layer in QgsProject.instance().mapLayers().values():
                if isinstance(layer, QgsRasterLayer) and Path(layer.source()) == path:
                    layer.dataProvider().reloadData()  # opens the file anew; the layer's style stays as it is
                    layer.triggerRepaint()  # the map keeps its picture until the new one is drawn
        self._timer.start()

    def close(self) -> None:
        """Begin no more; what is under way ends with `Works`. For unload."""
        self._timer.stop()
        self._wanted.clear()


def _lacking(paths: Sequence[Path], cancel: Cancel) -> list[Path]:
    lacking = []
    for path in paths:
        cancel.check()
        if path.is_file() and lacks_overviews(path):
            lacking.append(path)
    return lacking


def _build(path: Path, cancel: Cancel, progress: Progress) -> bool:
    try:
        with exclusive(path.with_name(f".{path.name}.up42.lock")):
            return build_overviews(path, cancel, progress)
    except DeliveryError:  # another QGIS is at it, or nothing can be written there
        return False


def _is_image_of_a_job(layer: QgsMapLayer) -> bool:
    return isinstance(layer, QgsRasterLayer) and layer.isValid() and bool(layer.customProperty(JOB_ID))
