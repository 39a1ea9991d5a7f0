"""The logs of a job's tasks, one at a time."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import QDialog, QWidget

from ..host.journey import Journey
from ..host.records import JobRecord
from ..jobs.job import Task
from .job_words import job_title
from .ui_files import set_up


class LogDialog(QDialog):
    """Not modal; deleted when closed. `record` has its tasks already, or gets them by `show_record`."""

    def __init__(self, record: JobRecord, journey: Journey, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "log_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Log of {job}").format(job=job_title(record)))
        self.logText.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._record, self._journey = record, journey
        self._open = True
        self.finished.connect(self._closed)
        self.taskCombo.currentIndexChanged.connect(lambda _index: self._ask())
        self.show_record(record)
        if not record.tasks:
            journey.fetch_tasks(record)

    def show_record(self, record: JobRecord) -> None:
        """The same job anew: its tasks are listed once they are known."""
        if record.job.id != self._record.job.id or self.taskCombo.count():
            return
        self._record = record
        self.logText.setPlaceholderText(self.tr("Asking for the log…"))
        for task in record.tasks:
            self.taskCombo.addItem(task.block_name or task.name, task)

    def _ask(self) -> None:
        task: Optional[Task] = self.taskCombo.currentData()
        if task is None:
            return
        self.logText.clear()
        self._journey.fetch_log(
            self._record, task, lambda text: self._show_text(task, text), lambda text: self._show_text(task, text)
        )

    def _show_text(self, task: Task, text: str) -> None:
        if self._open and self.taskCombo.currentData() == task:
            self.logText.setPlainText(text or self.tr("The log is empty."))

    def _closed(self) -> None:
        self._open = False
