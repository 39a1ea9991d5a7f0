"""Scene IDs, dates, cloud cover and limit: those of the data block's parameters that are changed most."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QGroupBox, QSpinBox, QWidget

from ..host.words import number
from ..jobs import json_text
from ..jobs.workflow import Parameter, editable_parameters
from .parameters_dates import DatePair, dates_menu
from .request_model import RequestModel
from .ui_files import set_up, theme_icon

IDS, TIME, SERIES, CLOUD, LIMIT = "ids", "time", "time_series", "max_cloud_cover", "limit"
HIGHEST = 1_000_000  # where a parameter names no maximum


class QuickControls(QGroupBox):
    """Shows and changes the same parameters as the JSON; a value that fits no control is left to the JSON."""

    repeat_wanted = pyqtSignal()  # the same search for many months

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "quick_controls")
        self._model = model
        self._showing = False
        self._dates = DatePair(self.fromDate, self.toDate, self)
        self._dates.edited.connect(self._set_time)
        self.cloudSpin.valueChanged.connect(lambda value: self._set(CLOUD, value))
        self.limitSpin.valueChanged.connect(lambda value: self._set(LIMIT, value))
        self.idsEdit.textEdited.connect(self._set_ids)
        self.datesButton.setIcon(theme_icon("mIconFieldDate"))
        self._presets = dates_menu(
            self,
            self._set_time,
            self._set_series,
            lambda: self._known().get(TIME),
            lambda: SERIES in self._known(),
            self.repeat_wanted.emit,
        )
        self.datesButton.setMenu(self._presets)
        model.changed.connect(self._show)

    def _known(self) -> dict[str, Parameter]:
        task = self._model.data_task
        return editable_parameters(task) if task else {}

    def _given(self, name: str) -> Any:
        request, task = self._model.request, self._model.data_task
        return request.parameters.get(task.name, {}).get(name) if request and task else None

    def _set(self, name: str, value: Any) -> None:
        self._set_all({name: value})

    def _set_all(self, values: dict[str, Any]) -> None:
        task = self._model.data_task
        if not self._showing and task is not None:
            self._model.set_parameters(task.name, values)

    def _set_time(self, time: Optional[str]) -> None:
        """One range in place of several: a block takes either."""
        several = self._given(SERIES) is not None
        self._set_all({TIME: time, SERIES: None} if several else {TIME: time})

    def _set_series(self, ranges: list[str]) -> None:
        self._set_all({TIME: None, SERIES: ranges})

    def _set_ids(self, text: str) -> None:
        ids = [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
        self._set(IDS, ids or None)

    def _show(self) -> None:
        known = self._known()
        self._showing = True
        try:
            self._show_dates(known.get(TIME))
            self._show_number(self.cloudSpin, self.cloudLabel, CLOUD, known.get(CLOUD))
            self._show_number(self.limitSpin, self.limitLabel, LIMIT, known.get(LIMIT))
            self._show_ids(known.get(IDS))
        finally:
            self._showing = False
        self.setVisible(any(name in known for name in (IDS, TIME, CLOUD, LIMIT)))
        self.setEnabled(self._model.parameters_readable)
        mend = self.tr("The parameters below can't be read: mend them first.")
        self.setToolTip("" if self._model.parameters_readable else mend)

    def _show_dates(self, parameter: Optional[Parameter]) -> None:
        for widget in (self.fromLabel, self.fromDate, self.toLabel, self.toDate, self.datesButton):
            widget.setVisible(parameter is not None)
        if parameter is not None:
            series = self._given(SERIES)
            several = self.tr("{n} windows").format(n=number(len(series))) if isinstance(series, list) else ""
            self._dates.show_value(self._given(TIME), several)

    def _show_ids(self, parameter: Optional[Parameter]) -> None:
        """What is being typed stays as it is, spaces and commas included, while it says the same."""
        for widget in (self.idsLabel, self.idsEdit):
            widget.setVisible(parameter is not None)
        value = self._given(IDS)
        plain = value is None or (
            isinstance(value, list) and all(isinstance(i, str) and i.strip() == i and "," not in i for i in value)
        )
        self.idsEdit.setEnabled(plain)
        typed = [part.strip() for part in self.idsEdit.text().split(",") if part.strip()]
        if not plain:
            self.idsEdit.setText(json_text.dumps(value)[:200])
        elif typed != (value or []):
            self.idsEdit.setText(", ".join(value or []))
            self.idsEdit.setCursorPosition(0)

    def _show_number(self, spin: QSpinBox, label: QWidget, name: str, parameter: Optional[Parameter]) -> None:
        for widget in (spin, label):
            widget.setVisible(parameter is not None)
        if parameter is None:
            return
        value = self._given(name)
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= HIGHEST
        spin.setEnabled(whole or value is None)
        lowest = int(parameter.minimum) if parameter.minimum is not None else 0
        highest = int(parameter.maximum) if parameter.maximum is not None else HIGHEST
        if name == LIMIT and self._model.request is not None and self._model.request.project.max_scenes is not None:
            highest = min(highest, self._model.request.project.max_scenes)
        if value is None:  # a value below the lowest stands for "not set"
            spin.setSpecialValueText(self.tr("not set"))
            spin.setRange(lowest - 1, highest)
            _put(spin, lowest - 1)
        elif whole:  # a value out of bounds is shown as it is: the problem says what is wrong with it
            spin.setSpecialValueText("")
            spin.setRange(min(lowest, value), max(highest, value))
            _put(spin, value)


def _put(spin: QSpinBox, value: int) -> None:
    """Show `value`; what is being typed stays as it is while it says the same."""
    if spin.value() != value:
        spin.setValue(value)
