"""From the form to a watch, and from what a watch has found back into the form. Buys nothing."""

from __future__ import annotations

import time
from typing import Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..host.connections import Connection
from ..host.errors import HostError
from ..host.records import JobRecord
from ..host.watch_look import watched_request, workflow_of
from ..host.watch_store import Watch
from ..host.watches import Watches
from ..host.words import number, tell
from ..jobs.aoi import AoiError
from ..jobs.job import JobType
from ..jobs.naming import SEPARATOR
from ..jobs.problem import Problem
from ..jobs.request import JobRequest
from .form_from_job import aoi_of, put_into_form, request_of
from .parameters_box import sentence
from .request_model import RequestModel
from .watches_dialog import WatchesDialog

IDS, LIMIT = "ids", "limit"


class Watching(QObject):
    """Opens the list of watches, which is one window at most."""

    told = pyqtSignal(str, str)  # level, text
    form_filled = pyqtSignal()

    def __init__(self, model: RequestModel, watches: Watches, window: QWidget) -> None:
        super().__init__(window)
        self._model, self._watches, self._window = model, watches, window
        self.dialog: Optional[WatchesDialog] = None

    def show_watches(self) -> None:
        """Open the list, or bring it to the front."""
        if self.dialog is None:
            self.dialog = WatchesDialog(self._watches, self._window)
            self.dialog.form_wanted.connect(self.put_in_form)
            self.dialog.finished.connect(self._closed)  # it deletes itself
        self.dialog.show()
        self.dialog.raise_()

    def _closed(self) -> None:
        self.dialog = None

    def watch_this(self) -> None:
        """Watch the search of the form; what keeps it from being a Test Query is told."""
        request, catalogue = self._model.request, self._model.catalogue
        if request is None or catalogue is None:
            return
        workflow = request.workflow.name if request.workflow else ""
        parts = (request.aoi.name.strip() if request.aoi else "", workflow.strip())
        request = request.of_type(JobType.TEST_QUERY).named(SEPARATOR.join(part for part in parts if part))
        self._watch(catalogue.connection, request, self._model.problems)

    def watch_job(self, record: JobRecord) -> None:
        """Watch the search of a Test Query, as it was made; the form stays as it is."""
        catalogue = self._model.catalogue
        if catalogue is None or catalogue.connection.id != record.connection_id:
            self.told.emit("warning", self.tr("This Test Query is of another connection: choose that one first."))
            return
        workflow = next((w for w in catalogue.workflows if w.id == record.job.workflow_id), None)
        if workflow is None or catalogue.project.id != record.job.project_id:
            self.told.emit("warning", self.tr("The workflow of this Test Query is not in the project that is open."))
            return
        try:
            request = request_of(record, catalogue.project, workflow)
        except AoiError as e:
            self.told.emit("warning", tell(e.problem))
            return
        aoi = aoi_of(record)
        parts = (aoi.name.strip() if aoi else "", workflow.name.strip())
        self._watch(catalogue.connection, request.named(SEPARATOR.join(part for part in parts if part)), [])

    def _watch(self, connection: Connection, request: JobRequest, known: list[Problem]) -> None:
        """`known`: what is wrong with it already, beyond what the request says itself."""
        problems = known or request.problems()
        if problems:
            why = sentence(problems[0])
            self.told.emit("warning", self.tr("This search can't be watched yet. {why}").format(why=why))
            return
        self.show_watches()
        self._watches.add(connection, request, self._added)

    def _added(self, watch_id: int) -> None:
        if self.dialog is not None:
            self.dialog.choose(watch_id)

    def put_in_form(self, watch: Watch) -> None:
        """Fill the form with the Live Job of exactly the new scenes. They stay new until they are marked as seen."""
        catalogue = self._model.catalogue
        if catalogue is None or catalogue.connection.id != watch.connection:
            self.told.emit("warning", self.tr("This watch is of another connection: choose that one first."))
            return
        if catalogue.project.id != watch.project:
            self.told.emit("warning", self.tr("This watch is of another project: choose that one first."))
            return
        try:
            workflow = workflow_of(watch, catalogue.workflows)
        except HostError as e:
            self.told.emit("warning", str(e))
            return
        request = watched_request(watch, catalogue.project, workflow, time.time()).of_type(JobType.LIVE_JOB)
        data, ids = workflow.data_task, [scene.id for scene in watch.fresh]
        known = data.block.parameters if data is not None else {}
        if data is not None and IDS in known:
            request = request.with_parameter(data.name, IDS, ids)
            if LIMIT in known:  # ids override it, but not every platform's estimate knows (contract 3.2)
                request = request.with_parameter(data.name, LIMIT, len(ids))
        put_into_form(self._model, request)
        self.form_filled.emit()
        if IDS in known:
            text = self.tr("The Live Job is in the form: it delivers exactly the new scenes ({n}).")
        else:
            text = self.tr("The Live Job is in the form, but its data block can't be asked for chosen scenes.")
        self.told.emit("info", text.format(n=number(len(ids))))

    def stop(self) -> None:
        """For unload."""
        if self.dialog is not None:
            self.dialog.reject()
