"""`up42jobs:runjob`: submit a job, wait for its end, fetch its outputs."""

from __future__ import annotations

from typing import Any

from ..host.words import tr
from .base import Run
from .output_inputs import CollectingAlgorithm
from .request_inputs import SendingAlgorithm, sent_results, spending_help

WAIT_SECONDS = 24 * 3600


class RunJob(SendingAlgorithm, CollectingAlgorithm):
    """From request to files in one go. A Live Job with a price runs only up to MAX_CREDITS."""

    def name(self) -> str:
        return "runjob"

    def displayName(self) -> str:
        return tr("Run Job")

    def shortHelpString(self) -> str:
        return tr(
            "Runs a workflow on an AOI, waits, and unpacks the outputs into a folder: Submit Job and Collect Outputs in"
            " one. Where the wait is over before the job is, its ID is told and Collect Outputs fetches the rest later."
        ) + f"\n\n{spending_help()}"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_request()
        self.add_sending()
        self.add_collecting(WAIT_SECONDS)

    def work(self, run: Run) -> dict[str, Any]:
        place = self.place(run)
        sent = self.send(run, place)
        now = {job.id: job for job in sent.jobs}
        jobs = [now.get(job_id) or place.platform.job(place.project.id, job_id) for job_id in sent.job_ids]
        return {**sent_results(sent), **self.collect_all(run, place, jobs)}
