"""`up42jobs:listjobs`: the jobs of a project as a table."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any, Optional

from qgis.core import QgsProcessingParameterNumber

from ..host.words import tr
from ..jobs.job import Job, JobState, JobType
from .base import JobAlgorithm, Run
from .tables import table_output, write_table

ANY, UNFINISHED = "any", "unfinished"
COLUMNS = (
    *(("id", str), ("name", str), ("status", str), ("job_type", str), ("workflow", str), ("workflow_id", str)),
    *(("created", str), ("started", str), ("finished", str), ("credits", float)),
)


class ListJobs(JobAlgorithm):
    """Lists the jobs that the filters let pass, newest first, and prints them too."""

    def name(self) -> str:
        return "listjobs"

    def displayName(self) -> str:
        return tr("List Jobs")

    def shortHelpString(self) -> str:
        return tr(
            "The jobs of a project, newest first, as a table and printed: ID, name, status, job type, workflow, times"
            " (ISO 8601, UTC) and the credits that a finished job has cost."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_choice("JOB_TYPE", tr("Job type"), [ANY, *(t.value for t in JobType)], ANY)
        self.add_choice("STATUS", tr("Status"), [ANY, UNFINISHED, *(s.value for s in JobState)], ANY)
        self.add_text("WORKFLOW", tr("Workflow"), tr("Name or ID. Empty: all."))
        self.add_text("SEARCH", tr("Text in the name or ID"))
        self.add(
            QgsProcessingParameterNumber("LIMIT", tr("At most"), defaultValue=100, minValue=1),
            tr("How many jobs to list."),
        )
        self.add(table_output("OUTPUT", tr("Jobs")))

    def work(self, run: Run) -> dict[str, Any]:
        place = self.place(run)
        wanted = (job for job in place.platform.jobs(place.project) if self._passes(run, job))
        rows = []
        for job in islice(wanted, int(self.number(run, "LIMIT"))):
            run.cancel.check()
            priced = place.platform.capabilities.credits and job.state.ended
            credits = place.platform.credits_used(job) if priced else None
            times = (_iso(job.created_at), _iso(job.started_at), _iso(job.finished_at))
            what = (job.id, job.name, job.state.value, job.job_type.value, job.workflow_name, job.workflow_id)
            rows.append((*what, *times, credits))
            run.feedback.pushInfo(f"{job.id}  {job.state.value}  {job.job_type.value}  {job.name}")
        return write_table(self, run, "OUTPUT", COLUMNS, rows)

    def _passes(self, run: Run, job: Job) -> bool:
        run.cancel.check()
        job_type, status = self.choice(run, "JOB_TYPE"), self.choice(run, "STATUS")
        workflow, search = self.text(run, "WORKFLOW").casefold(), self.text(run, "SEARCH").casefold()
        return (
            job_type in (ANY, job.job_type.value)
            and (status in (ANY, job.state.value) or (status == UNFINISHED and not job.state.ended))
            and (not workflow or workflow in (job.workflow_id.casefold(), job.workflow_name.casefold()))
            and (search in job.name.casefold() or search in job.id.casefold())
        )


def _iso(time: Optional[datetime]) -> Optional[str]:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
