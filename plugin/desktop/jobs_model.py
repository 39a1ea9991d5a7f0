"""The jobs of a project as a tree, tasks under each job; it changes in place: selection and scroll position stay.

The view is given the first rows only, and more as it comes to their end: however many jobs there are, a change costs
no more than what is shown.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Collection, Iterable, Mapping, Optional

from qgis.PyQt.QtCore import QModelIndex, QObject, QSignalBlocker, Qt, pyqtSignal
from qgis.PyQt.QtGui import QStandardItemModel

from ..host.records import JobRecord
from ..jobs.job import Task
from .in_turns import after_a_frame
from .jobs_cells import ROLES, Cells, title
from .jobs_filter import JobFilter
from .jobs_order import Column, JobsOrder

__all__ = ["RECORD_ROLE", "TASK_ROLE", "Column", "JobsModel"]

RECORD_ROLE = Qt.ItemDataRole.UserRole
TASK_ROLE = Qt.ItemDataRole.UserRole + 1
PLACE_ROLE = Qt.ItemDataRole.UserRole + 2  # where the row goes; Qt moves rows by it
ROWS_AT_ONCE = 200
RANGES_AT_MOST = 20  # of rows that leave one by one: each costs as much as all rows that are shown
COLUMNS = len(Column)


class JobsModel(QStandardItemModel):
    """A row for each record that passes the filter; below it one for each of its tasks, or one that says that they are
    not known.

    The rows are Qt's own, and empty: a view asks for each of them whenever it lays them out, and ten thousand answers
    of Python take 13 ms for each of its questions (measured; the answers of Qt together 0.5 ms). Only what a cell shows
    is asked of Python. So Qt's `flags` stand as well: it is the view that lets nobody edit.
    """

    tasks_wanted = pyqtSignal(object)  # the JobRecord whose tasks are to be shown
    more_wanted = pyqtSignal()  # the view came to the end of all records that are known

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(0, COLUMNS, parent)
        self.setSortRole(PLACE_ROLE)
        self.has_older = False  # the platform has jobs that are not known yet
        self._records: Mapping[str, JobRecord] = {}
        self._order = JobsOrder()
        self._limit = ROWS_AT_ONCE
        self._asked = after_a_frame(self._show_more, self)
        self._shown: list[str] = []
        self._rows: dict[str, int] = {}
        self._tasks: dict[str, tuple[Task, ...]] = {}  # of those that are shown and have some
        self._cells = Cells()
        self._coming: list[str] = []  # jobs whose rows are being inserted
        self.rowsInserted.connect(self._rows_inserted)  # before any view is told: it asks for what is there now
        self.rowsRemoved.connect(self._rows_removed)

    def set_source(self, records: Mapping[str, JobRecord]) -> None:
        """Show these records by job id; they may change in place, then `update` is to be called."""
        self._asked.stop()
        self.removeRows(0, self.rowCount())
        self._records, self._limit = records, ROWS_AT_ONCE
        self._order.set_records(records)
        self._show()

    def update(self, changed: Collection[str]) -> None:
        """Show what has changed of the records with these ids."""
        if self._order.update(changed):
            self._show()
        rows = sorted(self._rows[job_id] for job_id in changed if job_id in self._rows)
        for first, last in _ranges(rows):
            self.dataChanged.emit(self.index(first, 0), self.index(last, COLUMNS - 1))
        for row in rows:
            self._show_tasks(row)

    def set_records(self, records: Iterable[JobRecord]) -> None:
        """Become these records."""
        before, self._records = self._records, {record.job.id: record for record in records}
        self._order.replace_records(self._records)
        everything = [*before, *(job_id for job_id in self._records if job_id not in before)]
        self.update([job_id for job_id in everything if before.get(job_id) != self._records.get(job_id)])

    @property
    def filter(self) -> JobFilter:
        """What passes now."""
        return self._order.filter

    def set_filter(self, chosen: JobFilter) -> None:
        """Show what passes `chosen`."""
        self._order.set_filter(chosen)
        self._limit = ROWS_AT_ONCE
        self._show()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt's wish, from a click on the header: whoever has come far down the table begins at its top again.

        A view says it twice.
        """
        descending = order == Qt.SortOrder.DescendingOrder
        if column < 0 or (column, descending) == (self._order.column, self._order.descending):
            return
        self._limit = ROWS_AT_ONCE
        self._order.sort_by(Column(column), descending)
        self._show()

    @property
    def shown_of_all(self) -> tuple[int, int]:
        """How many records pass the filter, and how many are known."""
        return len(self._order.ids), len(self._records)

    @property
    def passing(self) -> list[JobRecord]:
        """Every record that passes the filter, in the order of the table."""
        return [self._records[job_id] for job_id in self._order.ids]

    def index_of(self, job_id: str) -> QModelIndex:
        """The job's row; more rows are shown where it lies below them. Invalid where it does not pass."""
        if job_id not in self._rows and job_id in self._order.ids:
            self._limit = self._order.ids.index(job_id) + ROWS_AT_ONCE
            self._show()
        row = self._rows.get(job_id)
        return QModelIndex() if row is None else self.index(row, 0)

    def _set_shown(self, shown: list[str]) -> None:
        self._shown, self._rows = shown, {job_id: row for row, job_id in enumerate(shown)}

    def _show(self) -> None:
        """Become the first rows of the order."""
        wanted = self._wanted()
        if wanted != self._shown:
            self._become(wanted)

    def _wanted(self) -> list[str]:
        """The first rows of the order, and below them the jobs that are chosen or unfolded."""
        ids, held = self._order.ids, self._held()
        return ids[: self._limit] + [job_id for job_id in islice(ids, self._limit, None) if job_id in held]

    def _become(self, wanted: list[str]) -> None:
        """In steps that Qt allows: remove, move, insert."""
        count = len(self._shown)
        if wanted[:count] == self._shown:  # more below, as older jobs come in
            self._insert(count, wanted[count:])
            return
        leaving = self._leaving(set(wanted))
        if len(leaving) > RANGES_AT_MOST:  # nearly all goes: only what the view holds on to stays
            leaving = self._leaving(self._held() & set(wanted))
        for first, last in reversed(leaving):
            self.removeRows(first, last - first + 1)
        here = set(self._shown)
        kept = [job_id for job_id in wanted if job_id in here]
        if kept != self._shown:
            self._move(kept)
        for first, last in _ranges([row for row, job_id in enumerate(wanted) if job_id not in here]):
            self._insert(first, wanted[first : last + 1])

    def _insert(self, row: int, job_ids: list[str]) -> None:
        self._coming = job_ids
        self.insertRows(row, len(job_ids))
        for place in range(row, row + len(job_ids)):
            self._show_tasks(place)

    def _leaving(self, staying: set[str]) -> list[tuple[int, int]]:
        return list(_ranges([row for row, job_id in enumerate(self._shown) if job_id not in staying]))

    def _rows_inserted(self, parent: QModelIndex, first: int, _last: int) -> None:
        if parent.isValid():
            return
        if first == len(self._shown):
            self._rows.update((job_id, row) for row, job_id in enumerate(self._coming, start=first))
            self._shown = self._shown + self._coming
        else:
            self._set_shown(self._shown[:first] + self._coming + self._shown[first:])

    def _rows_removed(self, parent: QModelIndex, first: int, last: int) -> None:
        if not parent.isValid():
            for job_id in self._shown[first : last + 1]:
                self._tasks.pop(job_id, None)
            self._set_shown(self._shown[:first] + self._shown[last + 1 :])

    def _held(self) -> set[str]:
        """The jobs that are chosen or unfolded."""
        return {self._shown[_job_row(index)] for index in self.persistentIndexList() if index.isValid()}

    def _move(self, job_ids: list[str]) -> None:
        """Qt moves the rows, with whatever holds on to them, by the places that they are told; tasks have none."""
        before = self._rows
        blocker = QSignalBlocker(self)  # a place is nothing that a view shows
        for place, job_id in enumerate(job_ids):
            self.setData(self.index(before[job_id], 0), place, PLACE_ROLE)
        blocker.unblock()
        self._set_shown(job_ids)
        super().sort(0)

    def _show_tasks(self, row: int) -> None:
        """As many rows below a job's as it has tasks; one where they are not known, none where there can be none."""
        record, job = self._records[self._shown[row]], self.index(row, 0)
        before, now = self._tasks.pop(record.job.id, ()), record.tasks
        if now:
            self._tasks[record.job.id] = now
        count, wanted = self.rowCount(job), 0 if record.unconfirmed else len(now) or 1
        same = all(was.id == task.id for was, task in zip(before, now)) and bool(before) == bool(now)
        if count and not same:
            self.removeRows(0, count, job)  # they become others: whoever has chosen one has the job then
            count = 0
        if wanted > count:
            if not count:
                self.insertColumns(0, COLUMNS - self.columnCount(job), job)
            self.insertRows(count, wanted - count, job)
        elif wanted < count:
            self.removeRows(wanted, count - wanted, job)
        if before != now and wanted:
            self.dataChanged.emit(self.index(0, 0, job), self.index(wanted - 1, COLUMNS - 1, job))

    def canFetchMore(self, parent: QModelIndex) -> bool:
        """Whether there are more jobs than are shown, or tasks that are not known yet."""
        if not parent.isValid():
            return self._limit < len(self._order.ids) or self.has_older
        record = self._record(parent)
        return not parent.parent().isValid() and record is not None and not record.unconfirmed and not record.tasks

    def fetchMore(self, parent: QModelIndex) -> None:
        """Show more, or ask for more; rows a frame later, for a view also asks while it takes up others."""
        if parent.isValid():
            self.tasks_wanted.emit(self._record(parent))
        elif not self._asked.isActive():
            self._asked.start()

    def _show_more(self) -> None:
        if self._limit < len(self._order.ids):
            self._limit += ROWS_AT_ONCE
            self._show()
        elif self.has_older:
            self.more_wanted.emit()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' titles."""
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return title(Column(section))

    def _record(self, index: QModelIndex) -> Optional[JobRecord]:
        row = _job_row(index)
        return self._records.get(self._shown[row]) if 0 <= row < len(self._shown) else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, icon, tooltip, and for our own use the record and the task."""
        if role not in ROLES and role not in (RECORD_ROLE, TASK_ROLE):
            return None
        record = self._record(index)
        if record is None or role == RECORD_ROLE:
            return record
        if not index.parent().isValid():
            return None if role == TASK_ROLE else self._cells.of_job(record, Column(index.column()), role)
        tasks = self._tasks.get(record.job.id, ())
        task = tasks[index.row()] if index.row() < len(tasks) else None
        return task if role == TASK_ROLE else self._cells.of_task(task, Column(index.column()), role)


def _job_row(index: QModelIndex) -> int:
    """The row of the job, for an index of its row or of one below it."""
    parent = index.parent()
    return (parent if parent.isValid() else index).row()


def _ranges(rows: list[int]) -> Iterable[tuple[int, int]]:
    """Ascending numbers as (first, last) of those that follow each other."""
    start = 0
    for i in range(1, len(rows) + 1):
        if i == len(rows) or rows[i] != rows[i - 1] + 1:
            yield rows[start], rows[i - 1]
            start = i
