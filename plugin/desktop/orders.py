"""Ways to jobs beside the form: from a Test Query, of many AOIs, of those that failed; and what was bought already."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Sequence

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..host.bought import Bought
from ..host.journey import Journey
from ..host.queue_runner import Batch
from ..host.records import JobRecord
from ..host.words import number
from ..jobs.aoi import Aoi
from ..jobs.naming import job_name
from ..jobs.request import JobRequest
from ..jobs.request_restore import from_record
from .form_from_job import NotRestored
from .live_from_query import fill_live_job
from .many_dialog import ManyDialog
from .request_model import RequestModel

MOST_JOBS = 500  # of one confirmation: more can't be looked through


class Orders(QObject):
    """Fills the form or opens the table of many AOIs; what costs something is confirmed there."""

    told = pyqtSignal(str, str)  # level, text
    form_filled = pyqtSignal()
    job_wanted = pyqtSignal(str)  # the id of a job to show

    def __init__(self, model: RequestModel, journey: Journey, window: QWidget) -> None:
        super().__init__(window)
        self._model, self._journey, self._window = model, journey, window
        self.dialog: Optional[ManyDialog] = None

    def live_job(self, record: JobRecord, ids: Optional[list[str]]) -> None:
        """Put the Live Job of a Test Query into the form; `ids`: the scenes to buy, None: it searches again."""
        try:
            text = fill_live_job(self._model, record, ids)
        except NotRestored as e:
            self.told.emit("warning", str(e))
            return
        self.form_filled.emit()
        self.told.emit("info", text)

    def many(self, aois: Sequence[Aoi]) -> None:
        """A job for each AOI, all else as it is in the form."""
        request = self._model.request
        if request is None or not aois:
            return
        if len(aois) > MOST_JOBS:
            text = self.tr("These are {n} AOIs, but at most {most} jobs can be made at once: choose fewer.")
            self.told.emit("warning", text.format(n=number(len(aois)), most=number(MOST_JOBS)))
            return
        workflow = request.workflow.name if request.workflow else ""
        self._open([replace(request, aoi=aoi, name=job_name(aoi.name, workflow)) for aoi in aois])

    def each(self, requests: Sequence[JobRequest]) -> None:
        """A job for each request; they are of the project that is open, at most `MOST_JOBS`."""
        if requests:
            self._open(list(requests))

    def send_again(self, batch: Batch) -> None:
        """Those of a batch that failed, estimated and confirmed anew; the others are not repeated."""
        catalogue = self._model.catalogue
        if catalogue is None or catalogue.connection.id != batch.connection:
            self.told.emit("warning", self.tr("These jobs are of another connection: choose that one first."))
            return
        workflows = {workflow.id: workflow for workflow in catalogue.workflows}
        requests = []
        for item in batch.failed:
            workflow = workflows.get(str((item.request.get("workflow") or {}).get("id")))
            if workflow is None or item.project != catalogue.project.id:
                self.told.emit("warning", self.tr("The workflow of these jobs is not in the project that is open."))
                return
            requests.append(from_record(catalogue.project, workflow, item.request))
        self._open(requests, batch)

    def _open(self, requests: list[JobRequest], instead_of: Optional[Batch] = None) -> None:
        catalogue = self._model.catalogue
        if catalogue is None or self.dialog is not None:
            return
        self.dialog = ManyDialog(requests, catalogue, self._journey, self._window)
        if instead_of is not None:
            self.dialog.queued.connect(lambda _batch: self._journey.queue.discard(instead_of))
        self.dialog.finished.connect(self._closed)  # it deletes itself
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None

    def load_bought(self, before: Bought) -> None:
        """Load what was bought, from this computer or the platform, in place of buying it again."""
        catalogue = self._model.catalogue
        record = self._journey.book.find(catalogue.connection.id, before.job) if catalogue is not None else None
        if record is None:
            text = self.tr("The platform lists the job {job} no more. Its output folder may still be there.")
            self.told.emit("warning", text.format(job=before.job))
            return
        self.job_wanted.emit(before.job)
        if not record.job.state.ended:
            self.told.emit("info", self.tr("That job is still running. Its outputs arrive by themselves."))
        elif record.delivery.folder is not None:
            self._journey.load(record)
        else:
            self._journey.job_actions.download(record)

    def stop(self) -> None:
        """For unload."""
        if self.dialog is not None:
            self.dialog.reject()
