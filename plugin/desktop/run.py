"""Running the request: once for each click, and a priced Live Job only after a confirmation of exactly that request."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QWidget

from ..host.journey import Journey
from ..host.pricing import Price
from ..host.records import Catalogue
from ..host.submit import Confirmation
from ..host.work import Work
from ..jobs.job import Job
from ..jobs.naming import job_name
from ..jobs.request import JobRequest
from .confirm_dialog import ConfirmDialog
from .estimator import Estimator
from .request_model import RequestModel


class Run(QObject):
    """`start` is what the button does. `busy` from the click until the answer, and for a double-click's time after."""

    changed = pyqtSignal()
    submitted = pyqtSignal(object, object)  # Job, JobRequest
    failed = pyqtSignal(str)

    def __init__(self, model: RequestModel, estimator: Estimator, journey: Journey, window: QWidget) -> None:
        super().__init__(window)
        self._model, self._estimator, self._journey, self._window = model, estimator, journey, window
        self._dialog: Optional[ConfirmDialog] = None
        self._work: Optional[Work] = None
        self.busy = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(QApplication.doubleClickInterval())
        self._rest.timeout.connect(lambda: self._set_busy(False))

    @property
    def sending(self) -> bool:
        """True while the job is on its way to the platform."""
        return self._work is not None

    @property
    def possible(self) -> bool:
        """True where a click would run something."""
        if self.busy or not self._model.ready:
            return False
        price = self._estimator.price
        return not self._model.has_price or (price is not None and not price.refusal)

    def start(self) -> None:
        """Run the request as it is now; a priced one is frozen here and asked about first."""
        request, catalogue, price = self._model.request, self._model.catalogue, self._estimator.price
        if not self.possible or request is None or catalogue is None:
            return
        self._set_busy(True)
        workflow = request.workflow.name if request.workflow else ""
        request = request.named(request.name or job_name(request.aoi.name if request.aoi else "", workflow))
        if not self._model.has_price:
            self._submit(catalogue, request, None)
        elif price is not None:
            self._confirm(catalogue, request, price)

    def _confirm(self, catalogue: Catalogue, request: JobRequest, price: Price) -> None:
        """What the dialog shows is what is agreed to: the price, or that it is unknown, and that it is bought again."""
        confirmation = Confirmation(request.fingerprint, price.most, again=price.before is not None)
        self._dialog = ConfirmDialog(request, price, self._window)
        self._dialog.accepted.connect(lambda: self._submit(catalogue, request, confirmation))
        self._dialog.rejected.connect(lambda: self._set_busy(False))
        self._dialog.finished.connect(self._dialog_closed)  # it deletes itself
        self._dialog.open()

    def _dialog_closed(self) -> None:
        self._dialog = None

    def _submit(self, catalogue: Catalogue, request: JobRequest, confirmation: Optional[Confirmation]) -> None:
        self._work = self._journey.submit(
            catalogue, request, confirmation, lambda job: self._done(job, request), self._refused
        )
        self.changed.emit()

    def _done(self, job: Job, request: JobRequest) -> None:
        self._work = None
        self._ask_anew()
        self._rest.start()
        self.changed.emit()
        self.submitted.emit(job, request)

    def _refused(self, text: str) -> None:
        self._work = None
        self._ask_anew()
        self._rest.start()
        self.changed.emit()
        self.failed.emit(text)

    def _ask_anew(self) -> None:
        """Price, balance or what was bought may have changed: the next confirmation is not for the old ones."""
        if self._model.has_price:
            self._estimator.ask_anew()

    def _set_busy(self, busy: bool) -> None:
        self.busy = busy
        self.changed.emit()

    def stop(self) -> None:
        """For unload: no timer, no dialog."""
        self._rest.stop()
        if self._dialog is not None:
            self._dialog.close()
