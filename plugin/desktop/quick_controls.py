"""Dates, cloud cover and limit: those of the data block's parameters that are changed most."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QDate
from qgis.PyQt.QtWidgets import QGroupBox, QMenu, QSpinBox, QWidget

from ..jobs.parameters import parse_range
from ..jobs.workflow import Parameter, editable_parameters
from .request_model import RequestModel
from .ui_files import set_up, theme_icon

TIME, CLOUD, LIMIT = "time", "max_cloud_cover", "limit"
HIGHEST = 1_000_000  # where a parameter names no maximum


class QuickControls(QGroupBox):
    """Shows and changes the same parameters as the JSON; a value that fits no control is left to the JSON."""

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "quick_controls")
        self._model = model
        self._showing = False
        for edit in (self.fromDate, self.toDate):
            edit.setNullRepresentation(self.tr("any date"))
        self.fromDate.dateValueChanged.connect(lambda _date: self._dates_changed(first=True))
        self.toDate.dateValueChanged.connect(lambda _date: self._dates_changed(first=False))
        self.cloudSpin.valueChanged.connect(lambda value: self._set(CLOUD, value))
        self.limitSpin.valueChanged.connect(lambda value: self._set(LIMIT, value))
        self.datesButton.setIcon(theme_icon("mIconFieldDate"))
        self._presets = self._make_presets()
        self.datesButton.setMenu(self._presets)
        model.changed.connect(self._show)

    def _make_presets(self) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName("datesMenu")
        menu.addAction(self.tr("Last 30 Days"), lambda: self._last(days=30))
        menu.addAction(self.tr("Last 12 Months"), lambda: self._last(days=365))
        menu.addAction(self.tr("This Year"), lambda: self._last(days=QDate.currentDate().dayOfYear() - 1))
        menu.addSeparator()
        menu.addAction(self.tr("Default Dates"), self._default_dates)
        menu.addAction(self.tr("Any Date"), lambda: self._set(TIME, None))
        return menu

    def _last(self, days: int) -> None:
        today = QDate.currentDate()
        self._set_dates(today.addDays(-days), today)

    def _default_dates(self) -> None:
        parameter = self._known().get(TIME)
        if parameter is not None:
            self._set(TIME, parameter.default)

    def _known(self) -> dict[str, Parameter]:
        task = self._model.data_task
        return editable_parameters(task) if task else {}

    def _given(self, name: str) -> Any:
        request, task = self._model.request, self._model.data_task
        return request.parameters.get(task.name, {}).get(name) if request and task else None

    def _set(self, name: str, value: Any) -> None:
        task = self._model.data_task
        if not self._showing and task is not None:
            self._model.set_parameter(task.name, name, value)

    def _dates_changed(self, first: bool) -> None:
        """One date given makes the other follow; one taken away is any date."""
        if self._showing:
            return
        start, end = self.fromDate, self.toDate
        changed, other = (start, end) if first else (end, start)
        if changed.isNull():
            self._set(TIME, None)
            return
        date = changed.date()
        far = date.addYears(1 if first else -1)
        opposite = other.date() if not other.isNull() else min(far, QDate.currentDate()) if first else far
        dates = (date, max(date, opposite)) if first else (min(date, opposite), date)
        self._set_dates(*dates)

    def _set_dates(self, first: QDate, last: QDate) -> None:
        day = "yyyy-MM-dd"
        self._set(TIME, f"{first.toString(day)}T00:00:00Z/{last.toString(day)}T23:59:59Z")

    def _show(self) -> None:
        known = self._known()
        self._showing = True
        try:
            self._show_dates(known.get(TIME))
            self._show_number(self.cloudSpin, self.cloudLabel, CLOUD, known.get(CLOUD))
            self._show_number(self.limitSpin, self.limitLabel, LIMIT, known.get(LIMIT))
        finally:
            self._showing = False
        self.setVisible(any(name in known for name in (TIME, CLOUD, LIMIT)))
        self.setEnabled(self._model.parameters_readable)
        mend = self.tr("The parameters below can't be read: mend them first.")
        self.setToolTip("" if self._model.parameters_readable else mend)

    def _show_dates(self, parameter: Optional[Parameter]) -> None:
        for widget in (self.fromLabel, self.fromDate, self.toLabel, self.toDate, self.datesButton):
            widget.setVisible(parameter is not None)
        if parameter is None:
            return
        value = self._given(TIME)
        dates = parse_range(value) if isinstance(value, str) else None
        for edit, moment in zip((self.fromDate, self.toDate), dates or (None, None)):
            edit.setEnabled(value is None or dates is not None)
            edit.setAllowNull(moment is None)  # else it has a button to clear it, and no room for its date
            edit.setDate(QDate(moment.year, moment.month, moment.day) if moment else QDate())

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
            spin.setValue(lowest - 1)
        elif whole:  # a value out of bounds is shown as it is: the problem says what is wrong with it
            spin.setSpecialValueText("")
            spin.setRange(min(lowest, value), max(highest, value))
            spin.setValue(value)
