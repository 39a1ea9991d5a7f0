"""A job's request back into the form: to change it, or to run it once more through estimate and confirmation."""

from __future__ import annotations

from typing import Optional

from ..host.collect import sent_geometry
from ..host.records import JobRecord
from ..host.words import tell, tr
from ..jobs import parameters
from ..jobs.aoi import Aoi, AoiError
from ..jobs.job import JobType
from ..jobs.request import JobRequest
from ..jobs.request_restore import from_inputs, from_record
from ..jobs.workflow import Project, Workflow
from .request_model import RequestModel


class NotRestored(Exception):
    """The request can't be put into the form; the text says why."""


def request_of(record: JobRecord, project: Project, workflow: Workflow) -> JobRequest:
    """What the job was asked for: as it was drawn where we started it, else as it was sent. Raises AoiError."""
    kept = record.entry.request if record.entry else None
    if kept and "geometric_filter" in kept:
        return from_record(project, workflow, kept)
    return from_inputs(project, workflow, record.job.inputs, job_type=record.job.job_type, name=record.job.name)


def aoi_of(record: JobRecord) -> Optional[Aoi]:
    """The job's AOI as it was drawn, else as it was sent; None where it has none that can be read."""
    kept = record.entry.request.get("aoi") if record.entry else None
    geometry = kept.get("geometry") if kept else sent_geometry(record.job)
    try:
        return Aoi.from_geojson(geometry, kept.get("name", "") if kept else "") if geometry else None
    except AoiError:
        return None


def fill_form(model: RequestModel, record: JobRecord, job_type: Optional[JobType]) -> None:
    """Make the form's request that of the job, as `job_type` or as it was. Nothing is sent. Raises NotRestored."""
    catalogue = model.catalogue
    if catalogue is None:
        raise NotRestored(tr("No connection is open."))
    workflow = next((w for w in catalogue.workflows if w.id == record.job.workflow_id), None)
    if workflow is None:
        text = tr("The workflow “{workflow}” of this job is no longer in the project.")
        raise NotRestored(text.format(workflow=record.job.workflow_name or record.job.workflow_id))
    try:
        request = request_of(record, catalogue.project, workflow)
    except AoiError as e:
        raise NotRestored(tell(e.problem)) from e
    put_into_form(model, request.of_type(job_type or request.job_type))


def put_into_form(model: RequestModel, request: JobRequest) -> None:
    """Make the form's request this one, of a workflow of the open catalogue."""
    model.set_workflow(request.workflow)
    model.set_job_type(request.job_type)
    model.set_filter(request.geometric_filter)
    model.set_aoi(request.aoi)
    model.set_text(parameters.to_text(request.parameters))
