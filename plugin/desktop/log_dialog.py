"""The logs of a job's tasks, one at a time."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QFontDatabase, QTextCursor
from qgis.PyQt.QtWidgets import QDialog, QWidget

from ..host.journey import Journey
from ..host.records import JobRecord
from ..jobs.job import Task
from .job_words import job_title, task_title
from .ui_files import set_up

TAIL_EVERY_MS = 2_000  # while the task runs


class LogDialog(QDialog):
    """Not modal; deleted when closed. `record` has its tasks already, or gets them by `show_record`.

    While the task runs its log is asked for again and again, and what is new is added at the end.
    """

    def __init__(self, record: JobRecord, journey: Journey, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "log_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Log of {job}").format(job=job_title(record)))
        self.logText.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._record, self._journey = record, journey
        self._open, self._wanted = True, ""
        self._text = ""  # as it came, for what is new in it
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TAIL_EVERY_MS)
        self._timer.timeout.connect(self._ask)
        self.finished.connect(self._closed)
        self.taskCombo.currentIndexChanged.connect(lambda _index: self._start())
        self.show_record(record)
        if not record.tasks:
            journey.fetch_tasks(record)

    def choose(self, task: Optional[Task]) -> None:
        """Show this task's log, as soon as the tasks are known."""
        self._wanted = task.id if task is not None else self._wanted
        for index in range(self.taskCombo.count()):
            if self.taskCombo.itemData(index).id == self._wanted:
                self.taskCombo.setCurrentIndex(index)

    def show_record(self, record: JobRecord) -> None:
        """The same job anew: its tasks are listed once they are known."""
        if record.job.id != self._record.job.id:
            return
        self._record = record
        if self.taskCombo.count():
            for index, task in enumerate(record.tasks[: self.taskCombo.count()]):
                self.taskCombo.setItemData(index, task)
            return
        self.logText.setPlaceholderText(self.tr("Asking for the log…"))
        for task in record.tasks:
            self.taskCombo.addItem(task_title(task), task)
        self.choose(None)

    def _start(self) -> None:
        self._text = ""
        self.logText.clear()
        self._ask()

    def _ask(self) -> None:
        task: Optional[Task] = self.taskCombo.currentData()
        if task is None or not self._open:
            return
        self._journey.fetch_log(
            self._record, task, lambda text: self._show_text(task, text), lambda text: self._show_text(task, text)
        )

    def _show_text(self, task: Task, text: str) -> None:
        now: Optional[Task] = self.taskCombo.currentData() if self._open else None
        if now is None or now.id != task.id:
            return
        if text.startswith(self._text) and self._text:
            self._add(text[len(self._text) :])
        elif text != self._text or not text:
            self.logText.setPlainText(text or self.tr("The log is empty."))
        self._text = text
        if not self._record.job.state.ended and not now.state.ended:
            self._timer.start()

    def _add(self, text: str) -> None:
        """Add at the end; whoever reads further up is not moved."""
        if not text:
            return
        bar = self.logText.verticalScrollBar()
        at_end, place = bar.value() == bar.maximum(), bar.value()
        cursor = QTextCursor(self.logText.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        bar.setValue(bar.maximum() if at_end else place)

    def _closed(self) -> None:
        self._open = False
        self._timer.stop()
