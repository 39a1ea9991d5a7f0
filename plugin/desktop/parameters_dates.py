"""Two date edits that show and change one range of dates, and the menu of usual ranges."""

from __future__ import annotations

from datetime import date
from typing import Any, Callable, Optional

from qgis.gui import QgsDateEdit
from qgis.PyQt.QtCore import QDate, QLocale, QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMenu, QWidget

from ..host.words import tr
from ..jobs import parameter_dates
from ..jobs.parameters import parse_range
from ..jobs.workflow import Parameter

MONTHS_BACK = (3, 6, 12, 24)


class DatePair(QObject):
    """First and last day of a range. A value that is no range is left alone: the edits are off."""

    edited = pyqtSignal(object)  # the range as text, or None for any date

    def __init__(self, first: QgsDateEdit, last: QgsDateEdit, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._first, self._last = first, last
        self._showing = False
        first.dateValueChanged.connect(lambda _date: self._changed(is_first=True))
        last.dateValueChanged.connect(lambda _date: self._changed(is_first=False))

    def show_value(self, value: Any, none: str = "") -> bool:
        """Show a range; False where it is none. `none`: what no range stands for, where that is not any date."""
        dates = parse_range(value) if isinstance(value, str) else None
        self._showing = True
        try:
            for edit, moment in zip((self._first, self._last), dates or (None, None)):
                edit.setNullRepresentation(none or tr("any date"))
                edit.setEnabled(value is None or dates is not None)
                edit.setAllowNull(moment is None)  # else it has a button to clear it, and no room for its date
                wanted = QDate(moment.year, moment.month, moment.day) if moment else QDate()
                if edit.isNull() or edit.date() != wanted:
                    edit.setDate(wanted)
        finally:
            self._showing = False
        return value is None or dates is not None

    def _changed(self, is_first: bool) -> None:
        """One date given makes the other follow; one taken away is any date."""
        if self._showing:
            return
        changed, other = (self._first, self._last) if is_first else (self._last, self._first)
        if changed.isNull():
            self.edited.emit(None)
            return
        day = changed.date()
        far = day.addYears(1 if is_first else -1)
        opposite = other.date() if not other.isNull() else min(far, QDate.currentDate()) if is_first else far
        first, last = (day, max(day, opposite)) if is_first else (min(day, opposite), day)
        self.edited.emit(parameter_dates.as_range(_plain(first), _plain(last)))


def dates_menu(
    parent: QWidget,
    set_time: Callable[[Optional[str]], None],
    set_series: Callable[[list[str]], None],
    parameter: Callable[[], Optional[Parameter]],
    has_series: Callable[[], bool],
    repeat: Optional[Callable[[], None]] = None,
) -> QMenu:
    """The usual ranges, reckoned when the menu opens. `set_series` gets several ranges, where the block takes them.

    `repeat` asks for months of several years.
    """
    menu = QMenu(parent)
    menu.setObjectName("datesMenu")

    def fill() -> None:
        menu.clear()
        today = date.today()
        for words, text in _recent(today):
            menu.addAction(words, lambda text=text: set_time(text))
        month = QLocale().standaloneMonthName(today.month)
        past = menu.addMenu(tr("{month} in Past Years").format(month=month))
        years = parameter_dates.this_month_in_past_years(today)
        for year, text in years:
            past.addAction(f"{month} {year}", lambda text=text: set_time(text))
        if has_series():
            past.addSeparator()
            past.addAction(
                tr("All {n} of Them").format(n=len(years)), lambda: set_series([text for _year, text in years])
            )
            monthly = menu.addMenu(tr("Month by Month"))
            for count in MONTHS_BACK:
                windows = parameter_dates.month_by_month(today, count)
                words = tr("Last {n} Months and This One ({windows} Windows)").format(n=count, windows=len(windows))
                monthly.addAction(words, lambda windows=windows: set_series(windows))
        if repeat is not None:
            menu.addAction(tr("Repeat by Month…"), repeat)
        menu.addSeparator()
        default = parameter()
        if default is not None and isinstance(default.default, str):
            menu.addAction(tr("Default Dates"), lambda: set_time(default.default))
        menu.addAction(tr("Any Date"), lambda: set_time(None))

    fill()
    menu.aboutToShow.connect(fill)
    return menu


def _recent(today: date) -> list[tuple[str, str]]:
    return [
        (tr("Last 30 Days"), parameter_dates.last_days(today, 30)),
        (tr("Last 3 Months"), parameter_dates.last_months(today, 3)),
        (tr("Last 12 Months"), parameter_dates.last_months(today, 12)),
        (tr("This Year"), parameter_dates.this_year(today)),
    ]


def _plain(day: QDate) -> date:
    return date(day.year(), day.month(), day.day())
