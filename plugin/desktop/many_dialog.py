"""Many AOIs, one job for each: a table with areas, problems and estimates, and one confirmation of what is ticked."""

from __future__ import annotations

import time
from typing import Iterator, Optional, Sequence

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QBrush, QMovie, QPalette
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QTreeWidgetItem, QWidget

from ..host.journey import Journey
from ..host.pricing import Price
from ..host.records import Catalogue
from ..host.submit import Confirmation
from ..host.words import area, credit_range, duration_range
from ..host.work import Work
from ..jobs.job import JobType
from ..jobs.repeat import differ_in_dates_only
from ..jobs.request import JobRequest
from .confirm_many import ConfirmMany
from .many_rows import Row, each_overlap, each_row, total
from .many_words import overlaps_text, run_text, total_text
from .ui_files import set_up, theme_icon

ICON_SIZE = 16
LEAST_COLUMN = 70  # pixels
TURN_SECONDS = 0.02  # of the GUI thread, at once
NAME, AREA, CREDITS, TIME, REMARK = range(5)


class ManyDialog(QDialog):
    """Shows one frozen request for each AOI. `queued` is signalled with the batch once what was confirmed is queued."""

    queued = pyqtSignal(str)

    def __init__(
        self,
        requests: Sequence[JobRequest],
        catalogue: Catalogue,
        journey: Journey,
        parent: Optional[QWidget] = None,
    ) -> None:
        """`requests`: alike but for their names, and for their AOIs or their dates; of the catalogue's project."""
        super().__init__(parent)
        set_up(self, "many_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._catalogue, self._journey = catalogue, journey
        self.requests = tuple(requests)
        self.rows: list[Row] = []
        self.by_dates = differ_in_dates_only(requests)
        self._unread = each_row(requests, by_dates=self.by_dates)
        self._reader = QTimer(self)
        self._reader.timeout.connect(self._read_on)
        first = requests[0]
        self._live = first.job_type is JobType.LIVE_JOB
        self.priced = catalogue.capabilities.credits and self._live
        self._asking: Optional[Work] = None
        self._sending: Optional[Work] = None
        self._refused = ""
        self._comparing: Optional[Iterator[Optional[tuple[Row, Row]]]] = None
        self._pairs: list[tuple[Row, Row]] = []
        self.confirm: Optional[ConfirmMany] = None
        self._set_up_view()
        self._set_up_buttons()
        self._set_up_words(first)
        self._reader.start(0)
        self._show()

    def _set_up_words(self, first: JobRequest) -> None:
        workflow, count = first.workflow.name if first.workflow else "", len(self.requests)
        if not self.by_dates:
            text = self.tr("“{workflow}” on %n AOIs: a job is made for each that is ticked.", "", count)
            self.introLabel.setText(text.format(workflow=workflow))
            return
        self.setWindowTitle(self.tr("One Job for Each Window of Dates"))
        self.manyView.headerItem().setText(NAME, self.tr("Dates"))
        self.manyView.setAccessibleName(self.tr("Windows of dates, a job for each that is ticked"))
        text = self.tr("“{workflow}” on “{aoi}” in %n windows of dates: a job for each that is ticked.", "", count)
        self.introLabel.setText(text.format(workflow=workflow, aoi=first.aoi.name if first.aoi else ""))

    def _read_on(self) -> None:
        """A few rows, then QGIS has its turn: each AOI's rules and area take their time, and so does what overlaps."""
        until = time.monotonic() + TURN_SECONDS
        self.manyView.blockSignals(True)
        while self._reader.isActive() and time.monotonic() < until:
            if self._comparing is None:
                self._read_one()
            else:
                self._compare_one(self._comparing)
        self.manyView.blockSignals(False)
        self._show_sums()

    def _read_one(self) -> None:
        row = next(self._unread, None)
        if row is None:
            self._comparing = iter(()) if self.by_dates else each_overlap(self.rows)
            self._ask_next()
            return
        self.rows.append(row)
        self._add_item(row)

    def _compare_one(self, comparing: Iterator[Optional[tuple[Row, Row]]]) -> None:
        try:
            pair = next(comparing)
        except StopIteration:
            self._reader.stop()
            return
        if pair is not None:
            self._pairs.append(pair)

    def _add_item(self, row: Row) -> None:
        item = QTreeWidgetItem([row.name, area(row.km2)])
        for column in (AREA, CREDITS, TIME):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        self.manyView.addTopLevelItem(item)
        self._show_row(item, row)

    def _set_up_view(self) -> None:
        header = self.manyView.header()
        header.setStretchLastSection(True)
        for column in (NAME, AREA, CREDITS, TIME):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        for column in (AREA, CREDITS, TIME):
            self.manyView.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        header.setMinimumSectionSize(LEAST_COLUMN)
        self.manyView.setColumnHidden(CREDITS, not self.priced)
        self.manyView.setColumnHidden(TIME, not self.priced)
        self.manyView.itemChanged.connect(self._ticked)
        self.manyView.currentItemChanged.connect(lambda _now, _before: self._show_sums())
        self.remarkIcon.setPixmap(theme_icon("mIconWarning").pixmap(ICON_SIZE, ICON_SIZE))
        self._movie = QMovie(QgsApplication.iconPath("/mIconLoading.gif"))
        self._movie.setScaledSize(QSize(ICON_SIZE, ICON_SIZE))
        self.spinner.setMovie(self._movie)
        self._movie.start()

    def _set_up_buttons(self) -> None:
        self.runButton = self.buttonBox.addButton("", QDialogButtonBox.ButtonRole.ActionRole)
        self.runButton.setObjectName("manyRunButton")
        self.runButton.setIcon(theme_icon("mActionStart"))
        self.runButton.setAutoDefault(False)
        self.runButton.clicked.connect(self.run)
        cancel = self.buttonBox.button(QDialogButtonBox.StandardButton.Cancel)
        cancel.setObjectName("manyCancelButton")
        cancel.setDefault(True)
        self.buttonBox.rejected.connect(self.reject)
        self.askAgainButton.clicked.connect(self._ask_again)

    def _ask_again(self) -> None:
        for row in self.rows:
            row.error = ""
        self._ask_next()
        self._show()

    def _ask_next(self) -> None:
        """One estimate after the other: the platform's rate is for everybody."""
        self._asking = None
        row = next((r for r in self.rows if self.priced and not r.obstacle and r.price is None and not r.error), None)
        if row is None:
            return

        def got(price: Price) -> None:
            row.price = price
            row.ticked = row.ticked and row.can_run(self.priced)
            self._ask_next()
            self._show_one(row)

        def failed(text: str) -> None:
            row.error = text
            self._ask_next()
            self._show_one(row)

        self._asking = self._journey.estimate(self._catalogue, row.request, got, failed)

    def _ticked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == NAME:
            row = self.rows[self.manyView.indexOfTopLevelItem(item)]
            row.ticked = item.checkState(NAME) == Qt.CheckState.Checked and self._may_be_ticked(row)
            self._refused = ""
            self._show_one(row)

    def _may_be_ticked(self, row: Row) -> bool:
        return not row.remark or bool(row.error)

    def _show(self) -> None:
        self.manyView.blockSignals(True)
        for place, row in enumerate(self.rows):
            self._show_row(self.manyView.topLevelItem(place), row)
        self.manyView.blockSignals(False)
        self._show_sums()

    def _show_one(self, row: Row) -> None:
        """One has changed: to show 500 again takes too long."""
        place = next(place for place, one in enumerate(self.rows) if one is row)
        self.manyView.blockSignals(True)
        self._show_row(self.manyView.topLevelItem(place), row)
        self.manyView.blockSignals(False)
        self._show_sums()

    def _show_sums(self) -> None:
        """All that is around the table."""
        reading = self._reader.isActive()
        self.spinner.setVisible(reading or self._asking is not None or self._sending is not None)
        self.askAgainButton.setVisible(self._asking is None and any(row.error for row in self.rows))
        overlaps = "" if reading else self._overlaps()
        remark = "\n".join(text for text in (self._refused or overlaps, self._remark_of_current()) if text)
        self.remarkIcon.setVisible(bool(remark))
        self.remarkLabel.setVisible(bool(remark))
        self.remarkLabel.setText(remark)
        self.totalLabel.setText(
            total_text(self, total(self.rows), len(self.rows), priced=self.priced and not self._incomplete())
        )
        self.runButton.setText(self._run_text())
        self.runButton.setEnabled(self.possible)

    def _show_row(self, item: QTreeWidgetItem, row: Row) -> None:
        item.setCheckState(NAME, Qt.CheckState.Checked if row.ticked else Qt.CheckState.Unchecked)
        possible = self._may_be_ticked(row)
        reachable = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable  # to say why not
        item.setFlags(reachable | Qt.ItemFlag.ItemIsUserCheckable if possible else reachable)
        grey = QBrush(self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text))
        for column in (NAME, AREA, CREDITS, TIME):
            item.setData(column, Qt.ItemDataRole.ForegroundRole, None if possible else grey)
        estimate = row.price.estimate if row.price else None
        item.setText(CREDITS, credit_range(estimate.credits) if estimate else "")
        item.setText(TIME, duration_range(estimate.seconds) if estimate else "")
        item.setText(REMARK, row.remark)
        item.setToolTip(REMARK, row.remark)

    def _remark_of_current(self) -> str:
        """In whole, below: in the table it may be cut."""
        place = self.manyView.indexOfTopLevelItem(self.manyView.currentItem()) if self.manyView.currentItem() else -1
        row = self.rows[place] if place >= 0 else None
        return f"{row.name}: {row.remark}" if row is not None and row.remark else ""

    def _overlaps(self) -> str:
        pairs = [(one.name, other.name) for one, other in self._pairs if one.ticked and other.ticked]
        return overlaps_text(self, pairs, self.priced)

    def _run_text(self) -> str:
        free = not self._live and self._catalogue.capabilities.credits
        return run_text(self, total(self.rows), free=free, priced=self.priced, complete=not self._incomplete())

    def _incomplete(self) -> bool:
        return any(row.ticked and not row.can_run(self.priced) for row in self.rows)

    @property
    def possible(self) -> bool:
        """True where a click would ask for the confirmation, or queue where there is no price."""
        if self._reader.isActive() or self._sending is not None or self.confirm is not None:
            return False
        sums = total(self.rows)
        if not sums.count or self._incomplete():
            return False
        return not self.priced or sums.left is None or sums.left >= 0

    def run(self) -> None:
        """Queue what is ticked; where it has a price, after one confirmation of all of it."""
        if not self.possible:
            return
        ticked = [row for row in self.rows if row.ticked]
        if not self.priced:
            self._queue([(row.request, None) for row in ticked])
            return
        ordered: list[tuple[JobRequest, Optional[Confirmation]]] = [
            (row.request, Confirmation(row.request.fingerprint, row.price.most)) for row in ticked if row.price
        ]
        self.confirm = ConfirmMany(ticked, total(self.rows), self.by_dates, self)
        self.confirm.accepted.connect(lambda: self._queue(ordered))
        self.confirm.finished.connect(self._confirm_closed)  # it deletes itself
        self.confirm.open()

    def _confirm_closed(self) -> None:
        self.confirm = None
        self._show()

    def _queue(self, ordered: list[tuple[JobRequest, Optional[Confirmation]]]) -> None:
        self._sending = self._journey.queue.add(self._catalogue.connection, ordered, self._done, self._not_queued)
        self._show()

    def _done(self, batch_id: str) -> None:
        self._sending = None
        self.queued.emit(batch_id)
        self.accept()

    def _not_queued(self, text: str) -> None:
        self._sending = None
        self._refused = text
        self._show()

    def done(self, result: int) -> None:
        """Closing it ends what it reads and asks."""
        self._reader.stop()
        if self._asking is not None:
            self._asking.cancel()
        self._movie.stop()
        super().done(result)
