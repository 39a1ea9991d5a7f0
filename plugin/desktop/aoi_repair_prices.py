"""What a Live Job would cost after each repair of the AOI: asked of the platform, for no price is reckoned here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Optional

from qgis.PyQt.QtCore import QObject, QTimer

from ..host.journey import Journey
from ..host.pricing import Price
from ..host.words import credit_range, tr
from ..host.work import Work
from ..jobs.aoi_repairs import Repair, RepairKind
from ..jobs.request import JobRequest
from .aoi_repairs_box import AoiRepairsBox
from .estimator import QUIET_MS
from .request_model import RequestModel


class RepairPrices(QObject):
    """Follows the repairs that are offered. Nothing is asked, and nothing said, where nothing has a price.

    There is no price before the repair to compare with: an AOI that breaks a rule is not sent, so its price is unknown.
    """

    def __init__(
        self, model: RequestModel, box: AoiRepairsBox, journey: Journey, parent: Optional[QObject] = None
    ) -> None:
        super().__init__(parent)
        self._model, self._box, self._journey = model, box, journey
        self._waiting: list[tuple[Repair, JobRequest]] = []
        self._asked: list[str] = []  # fingerprints
        self._work: Optional[Work] = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QUIET_MS)
        self._timer.timeout.connect(self._ask_next)
        box.offered.connect(self._begin)
        model.changed.connect(self._follow)

    def _begin(self) -> None:
        """Other repairs than before are offered."""
        self._asked = []
        self._follow()

    def _follow(self) -> None:
        wanted = self._wanted()
        asked = [request.fingerprint for _repair, request in wanted]
        if asked == self._asked:
            return
        self.stop()
        self._asked, self._waiting = asked, wanted
        for repair in self._box.repairs:
            self._box.state_price(repair, "")
        for repair, _request in wanted:
            self._box.state_price(repair, tr("credits …"))
        if wanted:
            self._timer.start()

    def _wanted(self) -> list[tuple[Repair, JobRequest]]:
        """A job of each polygon is priced, row by row, in the table where it is confirmed."""
        model = self._model
        if model.request is None or not model.has_price or model.price_unknown:
            return []
        return [
            (repair, replace(model.request, aoi=repair.aois[0]))
            for repair in self._box.repairs
            if repair.kind is not RepairKind.EACH_POLYGON
        ]

    def _ask_next(self) -> None:
        self._work = None
        while self._waiting:
            repair, request = self._waiting.pop(0)
            if self._model.parameters_readable and not request.problems() and self._model.catalogue is not None:
                self._work = self._journey.estimate(
                    self._model.catalogue, request, partial(self._got, repair), partial(self._failed, repair)
                )
                return
            self._unknown(repair)

    def _got(self, repair: Repair, price: Price) -> None:
        if price.estimate is None:
            self._unknown(repair)
        else:
            self._box.state_price(repair, tr("{n} credits").format(n=credit_range(price.estimate.credits)))
        self._ask_next()

    def _failed(self, repair: Repair, _why: str) -> None:
        self._unknown(repair)
        self._ask_next()

    def _unknown(self, repair: Repair) -> None:
        self._box.state_price(repair, tr("credits unknown"))

    def stop(self) -> None:
        """Ask no more."""
        self._timer.stop()
        self._waiting, self._asked = [], []
        if self._work is not None:
            self._work.cancel()
            self._work = None
