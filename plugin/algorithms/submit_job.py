"""`up42jobs:submitjob`: start a job, or one per feature, and return at once."""

from __future__ import annotations

from typing import Any

from ..host.words import tr
from .base import Run
from .request_inputs import SendingAlgorithm, sent_results, spending_help


class SubmitJob(SendingAlgorithm):
    """Sends and doesn't wait: Collect Outputs does, whenever that is."""

    def name(self) -> str:
        return "submitjob"

    def displayName(self) -> str:
        return tr("Submit Job")

    def shortHelpString(self) -> str:
        return tr(
            "Submits a job and returns at once with its ID; Collect Outputs fetches what it delivers. With one job per"
            " feature, the features that the platform has no place for now (its maximum of unfinished jobs) are told"
            " as NOT_SUBMITTED: give them to the next run as FIDS. "
            "On “local” and “practice” the jobs need an engine that goes on: Start Engine starts one that outlives this"
            " process, else the queue waits for the next start."
        ) + f"\n\n{spending_help()}"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_request()
        self.add_sending()

    def work(self, run: Run) -> dict[str, Any]:
        return sent_results(self.send(run, self.place(run)))
