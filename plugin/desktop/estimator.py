"""The price of the request at hand: asked for by itself, never shown as the price of another request."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ..host.journey import Journey
from ..host.pricing import Price
from ..host.work import Work
from ..jobs.job import JobType
from ..jobs.request import Estimate
from .request_model import RequestModel

QUIET_MS = 500  # after the last change


class Estimator(QObject):
    """Asks for the price half a second after the last change, and keeps the last answer with its fingerprint."""

    changed = pyqtSignal()

    def __init__(self, model: RequestModel, journey: Journey, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._model, self._journey = model, journey
        self._work: Optional[Work] = None
        self._price: Optional[Price] = None
        self._error = ""
        self._asked = ""  # the fingerprint of the last question
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QUIET_MS)
        self._timer.timeout.connect(self._ask)
        model.changed.connect(self._follow)
        model.catalogue_changed.connect(self.forget)

    @property
    def wanted(self) -> bool:
        """True where there is something to ask: a Live Job without problems that has a price or can be estimated."""
        model = self._model
        if not model.ready or model.request is None or model.catalogue is None:
            return False
        if model.request.job_type is not JobType.LIVE_JOB:
            return False
        needs_aoi = model.request.workflow is not None and model.request.workflow.needs_aoi
        return model.has_price or (model.catalogue.capabilities.estimate and needs_aoi)

    @property
    def latest(self) -> Optional[Estimate]:
        """The last estimate; it may be of an earlier request (stale)."""
        return self._price.estimate if self._price else None

    @property
    def price(self) -> Optional[Price]:
        """The price of exactly the request at hand, or None."""
        if self._price is None or not self.wanted or self._model.request is None:
            return None
        return self._price if self._price.is_for(self._model.request) else None

    @property
    def current(self) -> Optional[Estimate]:
        """The estimate of exactly the request at hand, or None."""
        return self.price.estimate if self.price else None

    @property
    def error(self) -> str:
        """Why the last question has no answer; "" while there is one or it is on its way."""
        return self._error

    @property
    def asking(self) -> bool:
        """True from the first change until the answer."""
        return self._work is not None or self._timer.isActive()

    def forget(self) -> None:
        """Drop the answer and the question under way."""
        self._drop_question()
        self._price = None
        self._error = self._asked = ""
        self.changed.emit()

    def ask_again(self) -> None:
        """Ask now, after a failure."""
        self._drop_question()
        self._ask()

    def ask_anew(self) -> None:
        """Ask now, whatever is known: what the answer rests on has changed."""
        self.forget()
        self.ask_again()

    def _follow(self) -> None:
        fingerprint = self._model.request.fingerprint if self.wanted and self._model.request else ""
        if not fingerprint or self.price is not None:
            self._drop_question()
            self._asked = fingerprint
            self._error = ""
        elif fingerprint != self._asked:
            self._drop_question()
            self._asked = fingerprint
            self._error = ""
            self._timer.start()
        self.changed.emit()

    def _drop_question(self) -> None:
        self._timer.stop()
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _ask(self) -> None:
        request, catalogue = self._model.request, self._model.catalogue
        if not self.wanted or request is None or catalogue is None:
            return
        self._error = ""
        self._asked = asked = request.fingerprint
        self._work = self._journey.estimate(
            catalogue, request, lambda price: self._got(asked, price), lambda text: self._failed(asked, text)
        )
        self.changed.emit()

    def _got(self, asked: str, price: Price) -> None:
        if asked != self._asked:
            return
        self._work = None
        self._price = price
        if price.balance is not None:
            self._model.set_balance(price.balance)
        self.changed.emit()

    def _failed(self, asked: str, text: str) -> None:
        if asked == self._asked:
            self._work = None
            self._error = text
            self.changed.emit()

    def stop(self) -> None:
        """Ask no more; for unload."""
        self._drop_question()
        self._model.changed.disconnect(self._follow)
