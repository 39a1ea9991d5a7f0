"""What each cell of the jobs table shows: titles, texts, icons, tooltips."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QCoreApplication, Qt

from ..host.records import JobRecord
from ..host.words import job_type_word, number, state_word
from ..jobs.job import JobState, Task
from .job_words import (
    duration_word,
    job_title,
    local_time,
    outputs_word,
    progress_word,
    status_word,
    task_duration_word,
    task_title,
    utc_time,
)
from .jobs_order import Column
from .ui_files import as_int, state_icon, tooltip

ROLES = frozenset(
    (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.DecorationRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.TextAlignmentRole,
    )
)
RIGHT = (Column.CREDITS, Column.DURATION)


def title(column: Column) -> str:
    """The column's title."""
    tr = QCoreApplication.translate
    return {
        Column.STATUS: tr("JobsModel", "Status"),
        Column.NAME: tr("JobsModel", "Name"),
        Column.TYPE: tr("JobsModel", "Type"),
        Column.WORKFLOW: tr("JobsModel", "Workflow"),
        Column.CREATED: tr("JobsModel", "Created"),
        Column.DURATION: tr("JobsModel", "Duration"),
        Column.CREDITS: tr("JobsModel", "Credits"),
        Column.OUTPUTS: tr("JobsModel", "Progress"),
    }[column]


class Cells:
    """Text, icon, tooltip and alignment: `ROLES` has those that there is an answer to."""

    def __init__(self) -> None:
        self._icons = {state: state_icon(state.value) for state in JobState}

    def of_job(self, record: JobRecord, column: Column, role: int) -> Any:
        """What a job's row answers in this column; None where there is nothing to say."""
        if role == Qt.ItemDataRole.DisplayRole:
            return job_text(record, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return job_tooltip(record, column)
        return self._look(record.job.state, column, role)

    def of_task(self, task: Optional[Task], column: Column, role: int) -> Any:
        """The same for a task's row, or for the one in place of tasks that are not known."""
        if role == Qt.ItemDataRole.DisplayRole:
            return not_known(column) if task is None else task_text(task, column)
        return None if task is None else self._look(task.state, column, role)

    def _look(self, state: JobState, column: Column, role: int) -> Any:
        if role == Qt.ItemDataRole.DecorationRole and column is Column.STATUS:
            return self._icons[state]
        if role == Qt.ItemDataRole.TextAlignmentRole and column in RIGHT:
            return as_int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


def job_text(record: JobRecord, column: Column) -> str:
    """What a job's row says in this column."""
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
    if column is Column.DURATION:
        return duration_word(record.job)
    if column is Column.CREDITS:
        return "" if record.credits_used is None else number(record.credits_used)
    return progress_word(record)


def job_tooltip(record: JobRecord, column: Column) -> str:
    """The cell's text in full: it may be cut off, or said in fewer words."""
    if column is Column.CREATED:
        return utc_time(record.job.created_at)
    return tooltip(outputs_word(record) if column is Column.OUTPUTS else job_text(record, column))


def task_text(task: Task, column: Column) -> str:
    """What a task's row says in this column."""
    if column is Column.STATUS:
        return task.raw_status if task.state is JobState.UNKNOWN else state_word(task.state)
    if column is Column.NAME:
        return task_title(task)
    return task_duration_word(task) if column is Column.DURATION else ""


def not_known(column: Column) -> str:
    """What the row says that stands for tasks until they are known."""
    return QCoreApplication.translate("JobsModel", "Tasks not known yet") if column is Column.NAME else ""
