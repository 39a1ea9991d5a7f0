"""Which columns the jobs table shows: as many as find room, and those that the user chose in the header's menu."""

from __future__ import annotations

from functools import partial

from qgis.PyQt.QtCore import QObject, QPoint, Qt
from qgis.PyQt.QtWidgets import QHeaderView, QMenu, QTreeView

from ..host.settings import Settings
from .job_words import percent_word, speed_word
from .jobs_order import Column

WIDTH_NEEDED = {  # pixels of the table, where the user chose nothing
    Column.CREDITS: 430,
    Column.TYPE: 500,
    Column.CREATED: 640,
    Column.DURATION: 720,
    Column.WORKFLOW: 860,
}
MARGINS = 12  # pixels beside a cell's text
ALWAYS = (Column.STATUS, Column.NAME)
WIDTHS = {Column.STATUS: 122, Column.TYPE: 86, Column.WORKFLOW: 140, Column.CREATED: 122, Column.DURATION: 72,
          Column.CREDITS: 62, Column.OUTPUTS: 112}  # fmt: skip


class JobsColumns(QObject):
    """Columns that find no room are left out: the details say what they would."""

    def __init__(self, view: QTreeView, settings: Settings) -> None:
        super().__init__(view)
        self._view, self._settings = view, settings
        self._has_credits = False
        header = view.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(40)
        download = view.fontMetrics().horizontalAdvance(f"{percent_word(1.0)} · {speed_word(99.9e6)}") + MARGINS
        for column, width in WIDTHS.items():
            header.setSectionResizeMode(int(column), QHeaderView.ResizeMode.Interactive)
            header.resizeSection(int(column), max(width, download) if column is Column.OUTPUTS else width)
        header.setSectionResizeMode(int(Column.NAME), QHeaderView.ResizeMode.Stretch)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_menu)
        header.setToolTip(self.tr("Right-click to choose the columns"))

    def show(self, has_credits: bool) -> None:
        """Show what there is room for now."""
        self._has_credits = has_credits
        for column in WIDTH_NEEDED:
            self._view.setColumnHidden(int(column), not self._is_shown(column))

    def _is_shown(self, column: Column) -> bool:
        chosen = self._settings.job_columns.get(column.name.lower())
        if chosen is not None:
            return chosen
        if column is Column.CREDITS and not self._has_credits:
            return False
        return self._view.width() >= WIDTH_NEEDED[column]

    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self._view)
        menu.setObjectName("jobColumnsMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in Column:
            if column in ALWAYS:
                continue
            title = self._view.model().headerData(int(column), Qt.Orientation.Horizontal)
            action = menu.addAction(title)
            action.setObjectName(f"showColumn_{column.name.lower()}")
            action.setCheckable(True)
            action.setChecked(not self._view.isColumnHidden(int(column)))
            action.toggled.connect(partial(self._choose, column))
        menu.addSeparator()
        menu.addAction(self.tr("As Many as Fit")).triggered.connect(lambda: self._forget())
        menu.popup(self._view.header().viewport().mapToGlobal(where))

    def _choose(self, column: Column, on: bool) -> None:
        self._settings.job_columns = {**self._settings.job_columns, column.name.lower(): on}
        self._view.setColumnHidden(int(column), not on)

    def _forget(self) -> None:
        self._settings.job_columns = {}
        self._view.setColumnHidden(int(Column.OUTPUTS), False)
        self.show(self._has_credits)
