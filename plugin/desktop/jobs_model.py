"""The jobs of a project as a tree, tasks under each job; it changes in place: selection and scroll position stay.

The view is given the first rows only, and more as it comes to their end: however many jobs there are, a change costs
no more than what is shown.
"""

from __future__ import annotations

from itertools import count, islice
from typing import Any, Collection, Iterable, Mapping, Optional

from qgis.PyQt.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, pyqtSignal

from ..host.records import JobRecord
from ..jobs.job import Task
from .in_turns import after_a_frame
from .jobs_cells import ROLES, Cells, title
from .jobs_filter import JobFilter
from .jobs_order import Column, JobsOrder

__all__ = ["RECORD_ROLE", "TASK_ROLE", "Column", "JobsModel"]

RECORD_ROLE = Qt.ItemDataRole.UserRole
TASK_ROLE = Qt.ItemDataRole.UserRole + 1
ROWS_AT_ONCE = 200
MANY = 1000  # rows: to lay them out takes a view as long as the rest of what a page of jobs brings
RANGES_AT_MOST = 20  # of rows that leave one by one: each costs as much as all rows that are shown
COLUMNS = len(Column)


class JobsModel(QAbstractItemModel):
    """A row for each record that passes the filter; a row below it for each of its tasks that is known."""

    tasks_wanted = pyqtSignal(object)  # the JobRecord whose tasks are to be shown
    more_wanted = pyqtSignal()  # the view came to the end of all records that are known

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.has_older = False  # the platform has jobs that are not known yet
        self._records: Mapping[str, JobRecord] = {}
        self._order = JobsOrder()
        self._limit = ROWS_AT_ONCE
        self._asked = after_a_frame(self._show_more, self)
        self._more_below = after_a_frame(self._show, self)
        self._shown: list[str] = []
        self._rows: dict[str, int] = {}
        self._childless: set[str] = set()  # of those that are shown
        self._tasks: dict[str, tuple[Task, ...]] = {}  # as the view knows them
        self._serials = count(1)
        self._serial_of: dict[str, int] = {}  # a child's index carries its job's serial
        self._job_of: dict[int, str] = {}
        self._cells = Cells()

    def set_source(self, records: Mapping[str, JobRecord]) -> None:
        """Show these records by job id; they may change in place, then `update` is to be called."""
        self._asked.stop()
        self.beginResetModel()
        self._records, self._limit = records, ROWS_AT_ONCE
        self._order.set_records(records)
        self._set_shown(self._order.ids[: self._limit])
        self._tasks = {job_id: records[job_id].tasks for job_id in self._shown}
        self.endResetModel()

    def update(self, changed: Collection[str]) -> None:
        """Show what has changed of the records with these ids."""
        if self._order.update(changed):
            self._show_changes()
        rows = sorted(self._rows[job_id] for job_id in changed if job_id in self._rows)
        for first, last in _ranges(rows):
            self.dataChanged.emit(self.index(first, 0), self.index(last, COLUMNS - 1))
        for row in rows:
            self._show_tasks(self._shown[row], row)

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
        """Qt's wish, from a click on the header: whoever has come far down the table begins at its top again."""
        if column < 0:
            return
        self._limit = ROWS_AT_ONCE
        self._order.sort_by(Column(column), order == Qt.SortOrder.DescendingOrder)
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
        self._shown, self._rows, self._childless = [], {}, set()
        self._append(shown)

    def _append(self, more: list[str]) -> None:
        self._rows.update((job_id, row) for row, job_id in enumerate(more, start=len(self._shown)))
        records = self._records
        self._childless.update(job_id for job_id in more if job_id in records and records[job_id].unconfirmed)
        self._shown = self._shown + more

    def _show(self) -> None:
        """Become the first rows of the order."""
        wanted = self._wanted()
        if wanted != self._shown:
            self._become(wanted)

    def _show_changes(self) -> None:
        """The same; where there are many rows already and others come below, a frame later."""
        count = len(self._shown)
        if count >= MANY and self._wanted()[:count] == self._shown:
            self._more_below.start()
        else:
            self._show()

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
            self.beginRemoveRows(QModelIndex(), first, last)
            for job_id in self._shown[first : last + 1]:
                self._tasks.pop(job_id, None)
            self._set_shown(self._shown[:first] + self._shown[last + 1 :])
            self.endRemoveRows()
        here = set(self._shown)
        kept = [job_id for job_id in wanted if job_id in here]
        if kept != self._shown:
            self._move(kept)
        for first, last in _ranges([row for row, job_id in enumerate(wanted) if job_id not in here]):
            self._insert(first, wanted[first : last + 1])

    def _insert(self, row: int, job_ids: list[str]) -> None:
        below = self._shown[row:]
        self.beginInsertRows(QModelIndex(), row, row + len(job_ids) - 1)
        self._tasks.update((job_id, self._records[job_id].tasks) for job_id in job_ids)
        if below:
            self._set_shown(self._shown[:row] + job_ids + below)
        else:
            self._append(job_ids)
        self.endInsertRows()

    def _leaving(self, staying: set[str]) -> list[tuple[int, int]]:
        return list(_ranges([row for row, job_id in enumerate(self._shown) if job_id not in staying]))

    def _held(self) -> set[str]:
        """The jobs that are chosen or unfolded."""
        held = self.persistentIndexList()
        return {self._job_of[i.internalId()] if i.internalId() else self._shown[i.row()] for i in held if i.isValid()}

    def _move(self, ids: list[str]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = [index for index in self.persistentIndexList() if not index.internalId()]
        jobs = [self._shown[index.row()] for index in before]
        self._set_shown(ids)
        after = [self.index(self._rows[job_id], index.column()) for job_id, index in zip(jobs, before)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _show_tasks(self, job_id: str, row: int) -> None:
        before, now = self._tasks.get(job_id, ()), self._records[job_id].tasks
        parent = self.index(row, 0)
        if len(before) == len(now):
            self._tasks[job_id] = now
            if before != now:
                last = self.index(len(now) - 1, COLUMNS - 1, parent)
                self.dataChanged.emit(self.index(0, 0, parent), last)
            return
        if before:
            self.beginRemoveRows(parent, 0, len(before) - 1)
            self._tasks[job_id] = ()
            self.endRemoveRows()
        if now:
            self.beginInsertRows(parent, 0, len(now) - 1)
            self._tasks[job_id] = now
            self.endInsertRows()

    def index(self, row: int, column: int, parent: QModelIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        """Qt's question. A job's index carries 0, a task's the serial of its job."""
        if not parent.isValid():
            here = 0 <= row < len(self._shown) and 0 <= column < COLUMNS
            return self.createIndex(row, column, 0) if here else QModelIndex()
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, self._serial(self._shown[parent.row()]))

    def _serial(self, job_id: str) -> int:
        if job_id not in self._serial_of:
            serial = self._serial_of[job_id] = next(self._serials)
            self._job_of[serial] = job_id
        return self._serial_of[job_id]

    def parent(self, child: QModelIndex) -> QModelIndex:
        """Qt's question."""
        row = self._rows.get(self._job_of.get(child.internalId(), "")) if child.internalId() else None
        return QModelIndex() if row is None else self.createIndex(row, 0, 0)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        """Qt's question."""
        if not parent.isValid():
            return len(self._shown)
        if parent.internalId() or parent.column() or parent.row() >= len(self._shown):
            return 0
        return len(self._tasks.get(self._shown[parent.row()], ()))

    def columnCount(self, _parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Qt's question."""
        return COLUMNS

    def hasChildren(self, parent: QModelIndex = QModelIndex()) -> bool:  # noqa: B008
        """A job has tasks, also while they are not known. A view asks for each row, whenever it lays them out."""
        if parent.internalId() or parent.column() > 0:
            return False
        if not self._childless or not parent.isValid():
            return bool(self._shown)
        return parent.row() < len(self._shown) and self._shown[parent.row()] not in self._childless

    def canFetchMore(self, parent: QModelIndex) -> bool:
        """Whether there are more jobs than are shown, or tasks that are not known yet."""
        if not parent.isValid():
            return self._limit < len(self._order.ids) or self.has_older
        record = self._record(parent)
        return not parent.internalId() and record is not None and not record.unconfirmed and not record.tasks

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
        if index.internalId():
            job_id = self._job_of.get(index.internalId(), "")
        else:
            job_id = self._shown[index.row()] if index.row() < len(self._shown) else ""
        return self._records.get(job_id)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, icon, tooltip, and for our own use the record and the task."""
        if role not in ROLES and role not in (RECORD_ROLE, TASK_ROLE):
            return None
        record = self._record(index) if index.isValid() else None
        if record is None:
            return None
        if role == RECORD_ROLE:
            return record
        task = self._task(record, index)
        return task if role == TASK_ROLE else self._cells.data(record, task, Column(index.column()), role)

    def _task(self, record: JobRecord, index: QModelIndex) -> Optional[Task]:
        if not index.internalId():
            return None
        tasks = self._tasks.get(record.job.id, ())
        return tasks[index.row()] if index.row() < len(tasks) else None


def _ranges(rows: list[int]) -> Iterable[tuple[int, int]]:
    """Ascending numbers as (first, last) of those that follow each other."""
    start = 0
    for i in range(1, len(rows) + 1):
        if i == len(rows) or rows[i] != rows[i - 1] + 1:
            yield rows[start], rows[i - 1]
            start = i
