"""The windows of the Jobs tab: log, parameters, webhooks, export. None of them holds up QGIS."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QWidget

from ..host.journey import Journey
from ..host.records import Catalogue, JobRecord
from ..jobs.job import Task
from .jobs_export_dialog import JobsExportDialog
from .jobs_model import JobsModel
from .log_dialog import LogDialog
from .parameters_dialog import ParametersDialog
from .webhooks_dialog import WebhooksDialog


class JobsWindows(QObject):
    """Opens them over `window`; `close` closes those that would outlive the tab."""

    def __init__(self, journey: Journey, model: JobsModel, window: QWidget) -> None:
        super().__init__(window)
        self._journey, self._model, self._window = journey, model, window
        self.log: Optional[LogDialog] = None
        self.export: Optional[JobsExportDialog] = None

    def show_log(self, record: JobRecord, task: Optional[Task]) -> None:
        """The log of a job, or of one of its tasks, as it grows."""
        if self.log is not None:
            self.log.close()
        self.log = LogDialog(record, self._journey, self._window)
        self.log.finished.connect(self._log_closed)
        self.log.choose(task)
        self.log.show()

    def _log_closed(self) -> None:
        self.log = None

    def show_parameters(self, record: JobRecord) -> None:
        """What the job was sent with."""
        ParametersDialog(record, self._window).show()

    def show_webhooks(self, catalogue: Catalogue) -> None:
        """The webhooks of the workspace."""
        WebhooksDialog(self._journey.webhooks, catalogue.connection, self._window).show()

    def show_export(self, catalogue: Catalogue) -> None:
        """The table as a file. What the filter leaves is proposed first, where one is on."""
        book, key = self._journey.book, (catalogue.connection.id, catalogue.project.id)
        here = self.tr("All of {connection}").format(connection=_words(catalogue))
        sources = [
            (here, lambda: list(book.of(*key).values())),
            (self.tr("All that was opened, of every connection"), book.everything),
        ]
        if self._model.filter.is_on:
            sources.insert(0, (self.tr("Those that the filter leaves in the table"), lambda: self._model.passing))
        if self.export is not None:
            self.export.close()
        self.export = JobsExportDialog(self._journey.job_actions, catalogue, sources, self._window)
        self.export.finished.connect(self._export_closed)
        self.export.show()

    def _export_closed(self, _result: int) -> None:
        self.export = None

    def close(self) -> None:
        """For unload."""
        for window in (self.log, self.export):
            if window is not None:
                window.close()


def _words(catalogue: Catalogue) -> str:
    """The connection, and the project where there are several."""
    if len(catalogue.projects) == 1 or not catalogue.project.name:
        return catalogue.connection.title
    return f"{catalogue.connection.title} · {catalogue.project.name}"
