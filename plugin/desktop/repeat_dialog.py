"""*Repeat by Month*: which months of which years, and whether they become one job or a job each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from qgis.PyQt.QtCore import QLocale, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QWidget

from ..host.words import number
from ..jobs.repeat import MOST_IN_SERIES, Month, windows
from .ui_files import set_up

MONTHS = range(1, 13)
MOST_SHOWN = 4  # windows named one by one


@dataclass(frozen=True)
class Repeatable:
    """What the form has: the months that its dates span, scenes at most of each window (None: nobody says).

    `series`: one job can have all windows; `pinned`: scenes are chosen by their ids, which the windows replace;
    `most_jobs`: of one confirmation.
    """

    first: Month
    last: Month
    limit: Optional[int]
    series: bool
    pinned: bool
    most_jobs: int


class RepeatDialog(QDialog):
    """Window-modal, opened with `open`; deleted when closed. Says at every moment how many windows there are."""

    wanted = pyqtSignal(object, bool)  # list[Month], oldest first; True: as one job

    def __init__(self, form: Repeatable, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "repeat_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._form = form
        self.boxes: list[QCheckBox] = [getattr(self, f"month{month}Box") for month in MONTHS]
        for month, box in zip(MONTHS, self.boxes):
            box.setText(QLocale().standaloneMonthName(month, QLocale.FormatType.ShortFormat))
            box.setAccessibleName(QLocale().standaloneMonthName(month))
        for combo, spin, at in (
            (self.firstMonthCombo, self.firstYearSpin, form.first),
            (self.lastMonthCombo, self.lastYearSpin, form.last),
        ):
            combo.addItems([QLocale().standaloneMonthName(month) for month in MONTHS])
            combo.setCurrentIndex(at.month - 1)
            spin.setValue(at.year)
            combo.currentIndexChanged.connect(lambda _index: self._show())
            spin.valueChanged.connect(lambda _year: self._show())
        self.seriesRadio.setEnabled(form.series)
        if not form.series:
            self.seriesRadio.setToolTip(self.tr("This workflow’s data block takes one range of dates only"))
        (self.seriesRadio if form.series else self.jobsRadio).setChecked(True)
        self._connect()
        self._show()

    def _connect(self) -> None:
        for box in self.boxes:
            box.toggled.connect(lambda _on: self._show())
        self.allMonthsButton.clicked.connect(lambda: self._tick(True))
        self.noMonthsButton.clicked.connect(lambda: self._tick(False))
        self.seriesRadio.toggled.connect(lambda _on: self._show())
        self.okButton = self.repeatButtons.button(QDialogButtonBox.StandardButton.Ok)
        self.okButton.setObjectName("repeatOkButton")
        self.okButton.clicked.connect(self._accept)

    def _tick(self, on: bool) -> None:
        for box in self.boxes:
            box.setChecked(on)

    @property
    def windows(self) -> list[Month]:
        """The windows, oldest first."""
        first = Month(self.firstYearSpin.value(), self.firstMonthCombo.currentIndex() + 1)
        last = Month(self.lastYearSpin.value(), self.lastMonthCombo.currentIndex() + 1)
        return windows(first, last, {month for month, box in zip(MONTHS, self.boxes) if box.isChecked()})

    @property
    def _as_series(self) -> bool:
        return self.seriesRadio.isChecked()

    def _show(self) -> None:
        chosen = self.windows
        most = MOST_IN_SERIES if self._as_series else self._form.most_jobs
        self.okButton.setText(self.tr("Put into Form") if self._as_series else self.tr("List the Jobs…"))
        self.okButton.setEnabled(0 < len(chosen) <= most)
        self.repeatSummary.setText(self._summary(chosen, most))

    def _summary(self, chosen: list[Month], most: int) -> str:
        if not chosen:
            return self.tr("There is no such month: tick some, or change the first or the last.")
        if len(chosen) > most:
            text = self.tr("These are {n} windows, but there can be {most} at most: choose fewer.")
            return text.format(n=number(len(chosen)), most=number(most))
        names = [in_words(month) for month in chosen]
        shown = ", ".join(names) if len(names) <= MOST_SHOWN else f"{', '.join(names[:2])}, …, {names[-1]}"
        lines = [self.tr("Windows: {n} ({names}).").format(n=number(len(chosen)), names=shown)]
        if self._form.limit is not None:
            lines.append(self.tr("Scenes of each: at most {n} (limit).").format(n=number(self._form.limit)))
        if self._form.pinned:
            lines.append(self.tr("The chosen scene IDs are left out: each window is searched anew."))
        return " ".join(lines)

    def _accept(self) -> None:
        self.wanted.emit(self.windows, self._as_series)
        self.accept()


def in_words(month: Month) -> str:
    """`June 2018`."""
    return f"{QLocale().standaloneMonthName(month.month)} {month.year}"
