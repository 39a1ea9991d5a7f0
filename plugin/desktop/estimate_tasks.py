"""What each task may cost and how long it may take: the rows below the estimate, unfolded when they are wanted."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtWidgets import QHeaderView, QToolButton, QTreeWidget, QTreeWidgetItem

from ..host.words import credit_range, duration_range
from ..jobs.request import Estimate

MOST_ROWS = 4  # without scrolling: a data block and three others
ROOM = 4  # pixels
LEAST_COLUMN = 80  # pixels


class EstimateTasks(QObject):
    """Fills `view` with an estimate's tasks; `button` folds and unfolds it."""

    def __init__(self, view: QTreeWidget, button: QToolButton) -> None:
        super().__init__(view)
        self._view, self._button = view, button
        self._shown: Optional[Estimate] = None
        header = view.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(LEAST_COLUMN)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            view.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        button.toggled.connect(lambda _on: self._fold())
        self._fold()

    def show(self, estimate: Optional[Estimate], *, stale: bool, priced: bool) -> None:
        """The rows of `estimate`, greyed where it is of another request; None: nothing to show."""
        if estimate != self._shown:
            self._view.clear()
            self._shown = estimate
            for task in estimate.tasks if estimate else ():
                row = QTreeWidgetItem([task.task, credit_range(task.credits), duration_range(task.seconds)])
                row.setToolTip(0, task.task)
                for column in (1, 2):
                    row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
                self._view.addTopLevelItem(row)
        self._view.setColumnHidden(1, not priced)
        self._view.setEnabled(not stale)
        self._button.setVisible(estimate is not None)
        self._fold()

    def _fold(self) -> None:
        unfolded = self._button.isChecked() and self._shown is not None
        self._button.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        if unfolded:
            rows = min(self._view.topLevelItemCount(), MOST_ROWS)
            row_height = self._view.sizeHintForRow(0)
            header = self._view.header().sizeHint().height()
            self._view.setFixedHeight(header + rows * row_height + 2 * self._view.frameWidth() + ROOM)
        self._view.setVisible(unfolded)
