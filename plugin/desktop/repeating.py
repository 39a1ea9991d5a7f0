"""From the form to the same search of many months: one job of several windows, or a job each. Buys nothing."""

from __future__ import annotations

from datetime import date
from typing import Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..host.words import tell
from ..jobs import repeat
from ..jobs.repeat import IDS, SERIES, Month
from .orders import MOST_JOBS, Orders
from .repeat_dialog import Repeatable, RepeatDialog
from .request_model import RequestModel

LIMIT = "limit"


class Repeating(QObject):
    """Opens the dialog; one job goes into the form, many go to the table where they are confirmed."""

    told = pyqtSignal(str, str)  # level, text
    form_filled = pyqtSignal()

    def __init__(self, model: RequestModel, orders: Orders, window: QWidget) -> None:
        super().__init__(window)
        self._model, self._orders, self._window = model, orders, window
        self.dialog: Optional[RepeatDialog] = None

    def open(self) -> None:
        """Ask for the months; nothing where the form's data block searches by no dates."""
        form = self._repeatable()
        if form is None or self.dialog is not None:
            return
        self.dialog = RepeatDialog(form, self._window)
        self.dialog.wanted.connect(self._make)
        self.dialog.finished.connect(self._closed)  # it deletes itself
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None

    def _repeatable(self) -> Optional[Repeatable]:
        request, data = self._model.request, self._model.data_task
        if request is None or data is None or not repeat.can_repeat(request.workflow):
            return None
        given, today = request.parameters.get(data.name) or {}, date.today()
        now = Month(today.year, today.month)
        first, last = repeat.span_of(given) or (Month(now.year - 1, now.month), now)
        limit = given.get(LIMIT)
        return Repeatable(
            min(first, now),
            min(last, now),
            limit if isinstance(limit, int) else None,
            SERIES in data.block.parameters,
            bool(given.get(IDS)),
            MOST_JOBS,
        )

    def _make(self, chosen: list[Month], as_series: bool) -> None:
        request, data = self._model.request, self._model.data_task
        if request is None or request.workflow is None or data is None:
            return
        if as_series:
            self._model.set_parameters(data.name, repeat.as_series(request.workflow, chosen))
            self.form_filled.emit()
            return
        requests = repeat.as_jobs(request, chosen)
        problems = requests[0].problems()
        if problems:
            self.told.emit("warning", self.tr("These jobs can’t be made yet. {why}").format(why=tell(problems[0])))
        else:
            self._orders.each(requests)

    def stop(self) -> None:
        """For unload."""
        if self.dialog is not None:
            self.dialog.reject()
