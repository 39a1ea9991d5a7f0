"""The inputs that make a request: WORKFLOW, AOI, FILTER and PARAMETERS, and what sends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..host.aoi_source import aoi_from_source
from ..host.aois_per_feature import aois_per_feature
from ..host.batch import Batch
from ..host.errors import RequestProblems
from ..host.script_submit import Allowance, Sent, Wanted, submit_all
from ..host.words import tr
from ..jobs import parameters as job_parameters
from ..jobs.aoi import GeometricFilter
from ..jobs.job import Job, JobType
from ..jobs.naming import job_name
from ..jobs.request import JobRequest
from ..jobs.workflow import Workflow
from .base import JobAlgorithm, Place, Run, find_workflow, separated


class RequestAlgorithm(JobAlgorithm):
    """An algorithm that makes a request."""

    def add_request(self) -> None:
        """WORKFLOW, AOI, FILTER and PARAMETERS."""
        self.add_text("WORKFLOW", tr("Workflow"), tr("Name or ID; List Workflows tells them."), optional=False)
        self.add(
            QgsProcessingParameterFeatureSource(
                "AOI", tr("AOI"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            tr("A polygon layer, in any CRS. Workflows on storage data need none."),
        )
        self.add_choice(
            "FILTER",
            tr("Geometric filter"),
            [f.value for f in GeometricFilter],
            GeometricFilter.INTERSECTS.value,
            tr(
                "“intersects”: scenes that touch the AOI. “bbox”: the same for its rectangle, which is larger and may"
                " cost more. “contains”: scenes that cover it wholly."
            ),
        )
        self.add(
            QgsProcessingParameterString("PARAMETERS", tr("Parameters"), multiLine=True, optional=True),
            tr(
                "JSON text or the path of a JSON file: an object with a key for each task, such as {example}. What is"
                " left out keeps its default."
            ).format(example='{"ndvi:1": {"output_original_raster": true}}'),
        )

    def request(self, run: Run, place: Place) -> JobRequest:
        """The request without its AOI, as a Live Job. Raises RequestProblems, QgsProcessingException."""
        workflow = find_workflow(place.platform.workflows(place.project), self.text(run, "WORKFLOW"))
        return JobRequest(
            place.project,
            workflow,
            geometric_filter=GeometricFilter(self.choice(run, "FILTER")),
            parameters=read_parameters(self.text(run, "PARAMETERS"), workflow),
        )

    def with_aoi(self, run: Run, request: JobRequest) -> JobRequest:
        """The request on the one polygon of AOI. Raises AoiError."""
        source = self.parameterAsSource(run.parameters, "AOI", run.context)
        if source is None and run.parameters.get("AOI"):
            raise QgsProcessingException(self.invalidSourceError(run.parameters, "AOI"))
        return replace(request, aoi=aoi_from_source(source)) if source is not None else request


class SendingAlgorithm(RequestAlgorithm):
    """An algorithm that submits jobs."""

    def add_sending(self) -> None:
        """JOB_TYPE, NAME, MAX_CREDITS and what goes with them; the outputs that tell what was sent."""
        self.add_choice(
            "JOB_TYPE",
            tr("Job type"),
            [t.value for t in JobType],
            JobType.TEST_QUERY.value,
            tr("“test_query” searches only, for 0 credits. “live_job” delivers, and costs what the estimate says."),
        )
        self.add_text("NAME", tr("Name"), tr("Name of the job. Empty: made of AOI, workflow and date."))
        self.add(
            QgsProcessingParameterNumber("MAX_CREDITS", tr("Maximum credits"), defaultValue=0, minValue=0),
            tr("The most that this one run may cost in total, over all its jobs."),
        )
        self.add(
            QgsProcessingParameterBoolean("ALLOW_UNKNOWN_PRICE", tr("Allow unknown price"), defaultValue=False),
            tr("Also run Live Jobs that have no estimate (storage data)."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean("BUY_AGAIN", tr("Buy again"), defaultValue=False),
            tr("Also run a Live Job with a price whose very request was bought before; otherwise it is refused."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean("ONE_JOB_PER_FEATURE", tr("One job per feature"), defaultValue=False),
            tr("Submit a job for each polygon of the AOI layer. Otherwise the layer must have exactly one."),
        )
        self.add(
            QgsProcessingParameterString("FIDS", tr("Only these features"), optional=True),
            tr("With one job per feature: the FIDs to submit, with commas between; what NOT_SUBMITTED has told."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterString("BATCH", tr("Batch"), optional=True),
            tr(
                "A name of your choice for what is to be submitted once. Run again with the same one, also after an"
                " interruption, features that were submitted before are not submitted again, but their job IDs are"
                " told again; and the maximum of credits is the whole batch's."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean(
                "FORGET_UNCONFIRMED", tr("Forget unconfirmed submits of the batch"), defaultValue=False
            ),
            tr(
                "Your word that interrupted submits of this batch whose jobs can't be found have made no job: they are"
                " sent again. Where one did, it is run twice."
            ),
            advanced=True,
        )
        self.addOutput(QgsProcessingOutputString("JOB_ID", tr("Job ID")))
        self.addOutput(QgsProcessingOutputString("JOB_IDS", tr("Job IDs")))
        self.addOutput(QgsProcessingOutputString("NOT_SUBMITTED", tr("FIDs not submitted")))

    def send(self, run: Run, place: Place) -> Sent:
        """Submit what the inputs ask for."""

        def tell(wanted: Wanted, job: Job) -> None:
            text = tr("Job {id} is submitted for feature {fid}.")
            if wanted.fid is None:
                text = tr("Job {id} is submitted.")
            run.feedback.pushInfo(text.format(id=job.id, fid=wanted.fid))

        sent = submit_all(
            place.platform,
            run.parts.ledger,
            place.connection.id,
            self._wanted(run, place),
            Allowance(
                self.number(run, "MAX_CREDITS"), self.yes(run, "ALLOW_UNKNOWN_PRICE"), self.yes(run, "BUY_AGAIN")
            ),
            run.cancel,
            tell,
            self._batch(run, place),
        )
        if sent.not_submitted:
            text = tr("The project has as many unfinished jobs as it may have. Not submitted yet: features {fids}.")
            run.feedback.pushInfo(text.format(fids=fids_text(sent)))
        return sent

    def _batch(self, run: Run, place: Place) -> Optional[Batch]:
        name, forget = self.text(run, "BATCH"), self.yes(run, "FORGET_UNCONFIRMED")
        if forget and not name:
            raise QgsProcessingException(tr("FORGET_UNCONFIRMED is for a batch: give its name as BATCH."))
        return Batch(run.parts.ledger, place.connection.id, place.project.id, name, forget) if name else None

    def _wanted(self, run: Run, place: Place) -> list[Wanted]:
        request = self.request(run, place).of_type(JobType(self.choice(run, "JOB_TYPE")))
        name, workflow_name = self.text(run, "NAME"), request.workflow.name if request.workflow else ""
        if not self.yes(run, "ONE_JOB_PER_FEATURE"):
            request = self.with_aoi(run, request)
            own = job_name(request.aoi.name if request.aoi else "", workflow_name)
            return [Wanted(request.named(name or own))]
        source = self.parameterAsSource(run.parameters, "AOI", run.context)
        if source is None:
            raise QgsProcessingException(tr("ONE_JOB_PER_FEATURE needs a polygon layer as AOI."))
        return [
            Wanted(replace(request, aoi=aoi, name=f"{name} {fid}" if name else job_name(aoi.name, workflow_name)), fid)
            for fid, aoi in aois_per_feature(source, self._fids(run))
        ]

    def _fids(self, run: Run) -> Optional[list[int]]:
        given = separated(self.text(run, "FIDS"))
        try:
            return [int(fid) for fid in given] or None
        except ValueError:
            text = tr("FIDS must be whole numbers with commas between, not “{given}”.")
            raise QgsProcessingException(text.format(given=self.text(run, "FIDS"))) from None


def spending_help() -> str:
    """What MAX_CREDITS means, for the help of what submits."""
    return tr(
        "A Test Query costs nothing. Maximum credits (MAX_CREDITS) is the confirmation of those who can't be asked: the"
        " most that this one run may cost in total, over all its jobs. A Live Job with a price that may cost more is"
        " refused before anything is sent; with 0, each one is. Batch processing makes a run of each row, so it"
        " multiplies the maximum by the number of rows. What was bought before is refused too, unless BUY_AGAIN is set."
    )


def sent_results(sent: Sent) -> dict[str, str]:
    """The outputs that tell what was sent."""
    return {
        "JOB_ID": sent.job_ids[0] if sent.job_ids else "",
        "JOB_IDS": ",".join(sent.job_ids),
        "NOT_SUBMITTED": fids_text(sent),
    }


def fids_text(sent: Sent) -> str:
    """The FIDs that were not submitted, as FIDS takes them."""
    return ",".join(map(str, sent.not_submitted))


def read_parameters(text: str, workflow: Workflow) -> job_parameters.Values:
    """The workflow's defaults with what the JSON text (or the file it names) changes. Raises RequestProblems."""
    values = job_parameters.defaults(workflow)
    if not text:
        return values
    if not text.startswith(("{", "[")):
        text = _file_text(text)
    given, problems = job_parameters.from_text(text, workflow)
    problems = [p for p in problems if p.code != "task_missing"]  # a task left out keeps its defaults
    if given is None or problems:
        raise RequestProblems(problems)
    return {task: {**values[task], **given.get(task, {})} for task in values}


def _file_text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as e:
        text = tr("PARAMETERS is neither a JSON object nor a file that can be read: “{path}”.")
        raise QgsProcessingException(text.format(path=path[:200])) from e
