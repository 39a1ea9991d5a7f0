"""Remembers the AOI of the form over restarts of dock and QGIS, and those that were used."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, QTimer

from ..host.aoi_recent import RecentAois
from ..jobs.aoi import Aoi, AoiError, need_shapely
from .request_model import RequestModel

QUIET_MS = 1000  # after the last change; the settings need not follow every corner that is dragged


class AoiMemory(QObject):
    """Gives the model its last AOI once, when its first workflow is there; keeps what follows."""

    def __init__(self, model: RequestModel, recent: Optional[RecentAois], parent: Optional[QObject] = None) -> None:
        """`recent`: where AOIs are kept; None: nowhere."""
        super().__init__(parent)
        self._model, self._recent = model, recent
        self._kept: Optional[Aoi] = None
        self._restored = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QUIET_MS)
        self._timer.timeout.connect(self._keep)
        if recent is not None:
            model.changed.connect(self._follow)

    def add(self, aoi: Aoi) -> None:
        """One more that was used, unless something is wrong with it."""
        wrong = any(problem.where == "aoi" for problem in self._model.problems)
        if self._recent is not None and not wrong:
            self._recent.add(aoi)

    def close_down(self) -> None:
        """Keep what is not kept yet; for unload."""
        if self._timer.isActive():
            self._timer.stop()
            self._keep()

    @property
    def _aoi(self) -> Optional[Aoi]:
        return self._model.request.aoi if self._model.request else None

    def _follow(self) -> None:
        if self._model.workflow is None:
            return
        if not self._restored:
            self._restored = True
            self._restore()
        if self._aoi is not self._kept:
            self._timer.start()

    def _restore(self) -> None:
        try:
            need_shapely()
        except AoiError:
            self._kept = self._aoi  # and what is kept stays, for when shapely is there
            return
        last = self._recent.last if self._recent is not None and self._aoi is None else None
        if last is not None:
            self._kept = last
            self._model.set_aoi(last)

    def _keep(self) -> None:
        self._kept = self._aoi
        if self._recent is not None:
            self._recent.last = self._kept
