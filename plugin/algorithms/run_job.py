"""`up42jobs:runjob`: submit a job, wait for its end, fetch its outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..host.collect import collect, log_reason
from ..host.follow import follow
from ..host.origin import Origin
from ..host.parts import Parts
from ..host.submit import Confirmation, submit
from ..host.words import state_word, tr
from ..jobs.job import Job, JobState, JobType
from ..jobs.naming import job_name
from ..jobs.request import JobRequest
from ..net.cancel import Cancel
from .base import JobAlgorithm


class RunJob(JobAlgorithm):
    """One job from request to files. A Live Job with a price runs only up to MAX_CREDITS."""

    def name(self) -> str:
        return "runjob"

    def displayName(self) -> str:
        return tr("Run Job")

    def shortHelpString(self) -> str:
        return tr(
            "Runs a workflow on one AOI, waits, and unpacks the outputs into a folder. A Test Query costs nothing."
            " A Live Job on a connection with credits is run only if it may cost at most Maximum credits (0: never)."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_request()
        job_type = QgsProcessingParameterEnum(
            "JOB_TYPE", tr("Job type"), [t.value for t in JobType], defaultValue=JobType.TEST_QUERY.value
        )
        job_type.setUsesStaticStrings(True)
        self.addParameter(job_type)
        self.addParameter(QgsProcessingParameterString("NAME", tr("Name"), optional=True))
        self.addParameter(
            QgsProcessingParameterNumber("MAX_CREDITS", tr("Maximum credits"), defaultValue=0, minValue=0)
        )
        self.addParameter(QgsProcessingParameterFolderDestination("OUTPUT_FOLDER", tr("Output folder")))
        self.addOutput(QgsProcessingOutputString("JOB_ID", tr("Job ID")))
        self.addOutput(QgsProcessingOutputString("STATUS", tr("Status")))
        self.addOutput(QgsProcessingOutputRasterLayer("OUTPUT", tr("First raster")))

    def job_name(self, parameters: dict[str, Any], context: QgsProcessingContext, request: JobRequest) -> str:
        given = self.parameterAsString(parameters, "NAME", context)
        aoi_name = request.aoi.name if request.aoi else ""
        return given or job_name(aoi_name, request.workflow.name if request.workflow else "")

    def work(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        parts: Parts,
        cancel: Cancel,
    ) -> dict[str, Any]:
        catalogue, request = self.request(parameters, context, parts, cancel)
        request = request.of_type(JobType(self.parameterAsEnumString(parameters, "JOB_TYPE", context)))
        connection = catalogue.connection
        most = self.parameterAsDouble(parameters, "MAX_CREDITS", context)
        confirmation = Confirmation(request.fingerprint, most) if most > 0 else None
        parent = Path(self.parameterAsString(parameters, "OUTPUT_FOLDER", context))
        parent.mkdir(parents=True, exist_ok=True)
        platform = parts.connections.open(connection, cancel)
        job = submit(platform, parts.ledger, connection.id, request, Origin("", ""), confirmation)
        feedback.pushInfo(tr("Job {id} is submitted.").format(id=job.id))
        job = follow(platform, job, cancel, lambda now: feedback.pushInfo(state_word(now.state)))
        if job.state is not JobState.SUCCEEDED:
            raise QgsProcessingException(_not_succeeded(job, log_reason(platform, job)))
        prepared = collect(parts.connections, parts.ledger, connection, job, parent, cancel, _progress(feedback))
        rasters = [found for found in prepared.scan.found if found.kind == "raster"]
        return {
            "JOB_ID": job.id,
            "STATUS": job.state.value,
            "OUTPUT_FOLDER": str(prepared.folder),
            **({"OUTPUT": rasters[0].uri} if rasters else {}),
        }


def _not_succeeded(job: Job, reason: str) -> str:
    text = tr("The job {id} ended as {state}. {reason}")
    return text.format(id=job.id, state=state_word(job.state), reason=reason)


def _progress(feedback: QgsProcessingFeedback) -> Any:
    return lambda fraction: feedback.setProgress(100 * fraction)
