"""`up42jobs:collectoutputs`: wait for jobs, then fetch and unpack what they have delivered."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingException

from ..host.words import tr
from .base import Run, separated
from .output_inputs import CollectingAlgorithm


class CollectOutputs(CollectingAlgorithm):
    """Fetches the outputs of jobs that were submitted at any time, from here or elsewhere."""

    def name(self) -> str:
        return "collectoutputs"

    def displayName(self) -> str:
        return tr("Collect Outputs")

    def shortHelpString(self) -> str:
        return tr(
            "Downloads and unpacks the outputs of one or several jobs, each into a folder of its own, and waits for"
            " them as long as it may. STATUS tells the status of each job in the order of the IDs; one that has not"
            " ended is no error: collect it later. What was fetched before is not fetched again. It is an error if"
            " every job failed; where some did, the others are fetched and the log says why."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_text("JOB_ID", tr("Job ID"), tr("One job, or several with commas between."))
        self.add_text("JOB_IDS", tr("Job IDs"), tr("The same; what Submit Job gives as JOB_IDS."))
        self.add_collecting(wait_seconds=0)

    def work(self, run: Run) -> dict[str, Any]:
        wanted = separated(f"{self.text(run, 'JOB_ID')} {self.text(run, 'JOB_IDS')}")
        if not wanted:
            raise QgsProcessingException(tr("There is no job to collect: give JOB_ID or JOB_IDS."))
        place = self.place(run)
        jobs = [place.platform.job(place.project.id, job_id) for job_id in wanted]
        return self.collect_all(run, place, jobs)
