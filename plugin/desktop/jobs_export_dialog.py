"""*Export Table*: which jobs, of which period, as what; and what they cost together, before anything is written."""

from __future__ import annotations

from datetime import date
from enum import Enum
from pathlib import Path
from typing import Callable, Optional, Sequence

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QDate, QSignalBlocker, Qt, QTimer
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QTreeWidgetItem, QWidget

from ..host.job_actions import JobActions
from ..host.period import Period, today
from ..host.records import Catalogue, JobRecord
from ..host.table_totals import Total
from ..host.words import number
from .ui_files import as_int, set_up, soften

CONNECTION, WORKFLOW, JOBS, ESTIMATED, USED = range(5)
ADD_UP_AFTER_MS = 200  # without a change: older jobs come page by page
SUFFIXES = (".csv", ".xlsx")


class Span(Enum):
    """Periods that have a name."""

    THIS_MONTH = "this month"
    LAST_MONTH = "last month"
    THIS_YEAR = "this year"
    ALL = "all"
    OTHER = "other"


class JobsExportDialog(QDialog):
    """Not modal; deleted when closed. `sources`: what can be exported, with the words for it; the first is proposed.

    Where the period goes back beyond what is listed of `catalogue`, older jobs are listed first, page by page.
    """

    def __init__(
        self,
        actions: JobActions,
        catalogue: Catalogue,
        sources: Sequence[tuple[str, Callable[[], list[JobRecord]]]],
        parent: Optional[QWidget] = None,
    ) -> None:
        super().__init__(parent)
        set_up(self, "jobs_export_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions, self._catalogue = actions, catalogue
        self._asked, self._failed = 0, ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ADD_UP_AFTER_MS)
        self._timer.timeout.connect(self._add_up)
        for words, records in sources:
            self.exportJobsCombo.addItem(words, records)
        for words, span in (
            (self.tr("This Month"), Span.THIS_MONTH),
            (self.tr("Last Month"), Span.LAST_MONTH),
            (self.tr("This Year"), Span.THIS_YEAR),
            (self.tr("All"), Span.ALL),
            (self.tr("Other"), Span.OTHER),
        ):
            self.periodCombo.addItem(words, span)
        self.formatCombo.addItem(self.tr("CSV, two files: jobs and totals"), SUFFIXES[0])
        self.formatCombo.addItem(self.tr("Excel workbook (XLSX), two sheets: jobs and totals"), SUFFIXES[1])
        self.export_button = self.exportButtonBox.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.export_button.setObjectName("exportButton")
        self.export_button.setDefault(True)
        self._set_up_file()
        self._set_up_totals()
        soften(self.exportHint)
        self._connect()
        self._choose_span()
        self._add_up()

    def _set_up_file(self) -> None:
        self.exportFile.setStorageMode(QgsFileWidget.StorageMode.SaveFile)
        self.exportFile.setDialogTitle(self.tr("Export Table"))
        self.exportFile.setConfirmOverwrite(True)
        self._show_suffix()

    def _set_up_totals(self) -> None:
        header, titles = self.totalsTree.header(), self.totalsTree.headerItem()
        header.setStretchLastSection(False)
        for column in (CONNECTION, WORKFLOW):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for column in (JOBS, ESTIMATED, USED):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            titles.setTextAlignment(column, _right())
        titles.setToolTip(ESTIMATED, self.tr("The most that was confirmed, in credits"))
        titles.setToolTip(USED, self.tr("What was charged, in credits"))

    def _connect(self) -> None:
        self.exportJobsCombo.currentIndexChanged.connect(lambda _index: self._period_changed())
        self.periodCombo.currentIndexChanged.connect(lambda _index: self._choose_span())
        for edit in (self.fromDate, self.toDate):
            edit.dateChanged.connect(lambda _date: self._dates_edited())
        self.formatCombo.currentIndexChanged.connect(lambda _index: self._show_suffix())
        self.exportFile.fileChanged.connect(lambda _path: self._show_possible())
        self.exportButtonBox.accepted.connect(self._export)
        self._actions.older_listed.connect(self._older_listed)
        self._actions.older_not_listed.connect(self._older_not_listed)
        self.finished.connect(self._closed)

    @property
    def period(self) -> Period:
        """What is chosen."""
        if self.periodCombo.currentData() is Span.ALL:
            return Period()
        return Period(_day(self.fromDate.date()), _day(self.toDate.date()))

    @property
    def target(self) -> Optional[Path]:
        """Where the table goes, with the suffix of the format; None while there is no name."""
        path = self.exportFile.filePath().strip()
        suffix = self.formatCombo.currentData()
        if not path:
            return None
        known = Path(path).suffix.lower() in SUFFIXES
        return Path(path).with_suffix(suffix) if known else Path(path + suffix)

    def _choose_span(self) -> None:
        span, now = self.periodCombo.currentData(), today()
        named = {
            Span.THIS_MONTH: Period.month_of(now),
            Span.LAST_MONTH: Period.month_before(now),
            Span.THIS_YEAR: Period.year_of(now),
        }.get(span)
        if named is not None and named.first is not None and named.last is not None:
            with QSignalBlocker(self.fromDate), QSignalBlocker(self.toDate):
                self.fromDate.setDate(QDate(named.first.year, named.first.month, named.first.day))
                self.toDate.setDate(QDate(named.last.year, named.last.month, named.last.day))
        for widget in (self.fromDate, self.toDate, self.fromLabel, self.toLabel):
            widget.setEnabled(span is not Span.ALL)
        self._period_changed()

    def _dates_edited(self) -> None:
        with QSignalBlocker(self.periodCombo):
            self.periodCombo.setCurrentIndex(self.periodCombo.findData(Span.OTHER))
        self._period_changed()

    def _period_changed(self) -> None:
        self._failed = ""
        self._timer.start()
        self._list_on()

    def _records(self) -> list[JobRecord]:
        return self.exportJobsCombo.currentData()()

    def _list_on(self) -> None:
        """Have older jobs listed where the period goes back beyond the oldest that is known."""
        if self._lacks_older and not self._failed:
            self._actions.list_older(self._catalogue)
        self._show_possible()

    @property
    def _lacks_older(self) -> bool:
        if self.period.is_empty or not self._actions.has_older(self._catalogue):
            return False
        listed, first = self._actions.listed_back_to(self._catalogue), self.period.first
        return listed is None or first is None or listed.date() >= first

    def _older_listed(self, project_id: str, _more: bool) -> None:
        if project_id == self._catalogue.project.id:
            self._timer.start()
            QTimer.singleShot(0, self._list_on)  # whoever else is told of this page comes first

    def _older_not_listed(self, project_id: str, why: str) -> None:
        if project_id == self._catalogue.project.id and self._lacks_older:
            self._failed = why or self.tr("the listing was stopped")
            self._show_possible()

    def _show_suffix(self) -> None:
        suffix = self.formatCombo.currentData()
        self.exportFile.setFilter(f"{self.formatCombo.currentText().split(',')[0]} (*{suffix})")
        if self.target is not None:
            self.exportFile.setFilePath(str(self.target))
        self._show_possible()

    def _show_possible(self) -> None:
        """What stands against it, and what is still being done."""
        listing = self._lacks_older and not self._failed
        text = ""
        if self.period.is_empty:
            text = self.tr("The period ends before it begins: choose other days.")
        elif listing:
            text = self.tr("Older jobs are being listed: the totals grow.")
        elif self._failed:
            text = self.tr("Older jobs could not be listed, so the table would lack some: {why}")
            text = text.format(why=self._failed)
        elif self.target is not None and self.target.exists():
            text = self.tr("{file} is there already and will be replaced.").format(file=self.target.name)
        self.listingBar.setVisible(listing)
        self.listingLabel.setVisible(bool(text))
        self.listingLabel.setText(text)
        self.export_button.setEnabled(not listing and not self.period.is_empty and self.target is not None)

    def _add_up(self) -> None:
        self._asked += 1
        asked = self._asked
        self._actions.totals(
            self._records(), self.period, lambda found: self._show_totals(found) if asked == self._asked else None
        )

    def _show_totals(self, found: Sequence[Total]) -> None:
        self.totalsTree.clear()
        for total in found:
            of_all = total.workflow is None
            words = [self.tr("Total") if of_all else total.connection, total.workflow or ""]
            words += [number(total.jobs), number(total.estimated), number(total.used)]
            item = QTreeWidgetItem(self.totalsTree, words)
            for column in range(item.columnCount()):
                item.setToolTip(column, words[column])
                font = item.font(column)
                font.setBold(of_all)
                item.setFont(column, font)
                if column in (JOBS, ESTIMATED, USED):
                    item.setTextAlignment(column, _right())
        text = self.tr("Estimated is the most that was confirmed, used is what was charged; both in credits.")
        unknown = found[-1].unknown
        if unknown == 1:
            text += " " + self.tr("What 1 Live Job cost is not known: used is without it.")
        elif unknown:
            text += " " + self.tr("What {n} Live Jobs cost is not known: used is without them.").format(
                n=number(unknown)
            )
        self.exportHint.setText(text)

    def _export(self) -> None:
        target = self.target
        if target is not None:
            self._actions.export(self._records(), target, self.period)
            self.accept()

    def _closed(self, _result: int) -> None:
        self._timer.stop()
        self._asked += 1
        self._actions.older_listed.disconnect(self._older_listed)
        self._actions.older_not_listed.disconnect(self._older_not_listed)


def _day(given: QDate) -> date:
    return date(given.year(), given.month(), given.day())


def _right() -> int:
    return as_int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
