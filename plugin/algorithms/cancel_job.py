"""`up42jobs:canceljob`: ask the platform to cancel a job."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingOutputString

from ..host.words import tr
from .base import JobAlgorithm, Run


class CancelJob(JobAlgorithm):
    """Asks for the cancellation and tells the status after it."""

    def name(self) -> str:
        return "canceljob"

    def displayName(self) -> str:
        return tr("Cancel Job")

    def shortHelpString(self) -> str:
        return tr(
            "Asks for a job to be cancelled and tells its status then. One that has ended is left as it is. Tasks that"
            " have succeeded may have cost credits all the same."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_text("JOB_ID", tr("Job ID"), optional=False)
        self.addOutput(QgsProcessingOutputString("STATUS", tr("Status")))

    def work(self, run: Run) -> dict[str, Any]:
        place = self.place(run)
        job = place.platform.job(place.project.id, self.text(run, "JOB_ID"))
        if job.state.ended:
            run.feedback.pushInfo(tr("The job has ended already."))
        else:
            place.platform.cancel(job)
            job = place.platform.job(place.project.id, job.id)
        run.feedback.pushInfo(job.state.value)
        return {"STATUS": job.state.value}
