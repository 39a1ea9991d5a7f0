"""The jobs of a connection as a table model that changes in place: selection and scroll position stay."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import IntEnum
from typing import Any, Optional

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from ..host.records import JobRecord
from ..host.words import job_type_word, number
from ..jobs.job import JobState
from .job_words import job_title, local_time, outputs_word, status_word, utc_time
from .ui_files import as_int, state_icon, tooltip

RECORD_ROLE = Qt.ItemDataRole.UserRole
SORT_ROLE = Qt.ItemDataRole.UserRole + 1
LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class Column(IntEnum):
    """The columns, from left to right."""

    STATUS = 0
    NAME = 1
    TYPE = 2
    WORKFLOW = 3
    CREATED = 4
    CREDITS = 5
    OUTPUTS = 6


class JobsModel(QAbstractTableModel):
    """One row for each record, in the order given (newest first)."""

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._records: list[JobRecord] = []
        self._icons = {state: state_icon(state.value) for state in JobState}

    def set_records(self, records: list[JobRecord]) -> None:
        """Become these records by removing, inserting and changing single rows."""
        wanted = {record.job.id for record in records}
        for row in reversed(range(len(self._records))):
            if self._records[row].job.id not in wanted:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._records[row]
                self.endRemoveRows()
        for row, record in enumerate(records):
            self._place(row, record)

    def _place(self, row: int, record: JobRecord) -> None:
        here = next((r for r in range(row, len(self._records)) if self._records[r].job.id == record.job.id), None)
        if here is None:
            self.beginInsertRows(QModelIndex(), row, row)
            self._records.insert(row, record)
            self.endInsertRows()
            return
        if here != row:
            self.beginMoveRows(QModelIndex(), here, here, QModelIndex(), row)
            self._records.insert(row, self._records.pop(here))
            self.endMoveRows()
        if self._records[row] != record:
            self._records[row] = record
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))

    def row_of(self, job_id: str) -> Optional[int]:
        """The row of a job, or None."""
        return next((row for row, record in enumerate(self._records) if record.job.id == job_id), None)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        """Qt's question."""
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Qt's question."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' titles."""
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return {
            Column.STATUS: self.tr("Status"),
            Column.NAME: self.tr("Name"),
            Column.TYPE: self.tr("Type"),
            Column.WORKFLOW: self.tr("Workflow"),
            Column.CREATED: self.tr("Created"),
            Column.CREDITS: self.tr("Credits"),
            Column.OUTPUTS: self.tr("Outputs"),
        }[Column(section)]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, icon, tooltip, and for our own use the record and what it is sorted by."""
        if not index.isValid():
            return None
        record, column = self._records[index.row()], Column(index.column())
        if role == RECORD_ROLE:
            return record
        if role == SORT_ROLE:
            return self._sort_key(record, column)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(record, column)
        if role == Qt.ItemDataRole.DecorationRole and column is Column.STATUS:
            return self._icons[record.job.state]
        if role == Qt.ItemDataRole.ToolTipRole:
            return utc_time(record.job.created_at) if column is Column.CREATED else tooltip(self._text(record, column))
        if role == Qt.ItemDataRole.TextAlignmentRole and column is Column.CREDITS:
            return as_int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _text(self, record: JobRecord, column: Column) -> str:
        if column is Column.STATUS:
            return status_word(record)
        if column is Column.NAME:
            return job_title(record)
        if column is Column.TYPE:
            return job_type_word(record.job.job_type)
        if column is Column.WORKFLOW:
            return record.job.workflow_name
        if column is Column.CREATED:
            return local_time(record.job.created_at)
        if column is Column.CREDITS:
            return "" if record.credits_used is None else number(record.credits_used)
        return outputs_word(record)

    def _sort_key(self, record: JobRecord, column: Column) -> Any:
        if column is Column.CREATED:
            return (record.job.created_at or LONG_AGO).isoformat()
        if column is Column.CREDITS:
            return record.credits_used if record.credits_used is not None else -1
        return self._text(record, column).casefold()
