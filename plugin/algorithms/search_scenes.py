"""`up42jobs:searchscenes`: a Test Query, and its scenes as a vector layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingParameterFolderDestination

from ..host.collect import collect, log_reason
from ..host.follow import follow
from ..host.script_submit import Allowance, Wanted, submit_all
from ..host.words import state_word, tr
from ..jobs.job import JobState, JobType
from ..jobs.naming import job_name
from .base import Run
from .output_inputs import write_scenes
from .request_inputs import RequestAlgorithm
from .tables import scenes_output


class SearchScenes(RequestAlgorithm):
    """Costs nothing: finds what a Live Job would use."""

    def name(self) -> str:
        return "searchscenes"

    def displayName(self) -> str:
        return tr("Search Scenes")

    def shortHelpString(self) -> str:
        return tr(
            "Runs a Test Query, which costs 0 credits, and gives the scenes that it finds as a polygon layer:"
            " footprint, ID, acquisition time (UTC), cloud cover (%) and the path of the quicklook. The IDs can be"
            " given to a Live Job: PARAMETERS={example}."
        ).format(example='{"demo-s2-l2a:1": {"ids": ["…"]}}')

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_connection()
        self.add_request()
        self.add(
            QgsProcessingParameterFolderDestination("OUTPUT_FOLDER", tr("Output folder")),
            tr("Where the quicklooks are kept."),
        )
        self.add(scenes_output("SCENES", tr("Scenes"), optional=False))

    def work(self, run: Run) -> dict[str, Any]:
        place = self.place(run)
        request = self.with_aoi(run, self.request(run, place)).of_type(JobType.TEST_QUERY)
        workflow = request.workflow.name if request.workflow else ""
        request = request.named(job_name(request.aoi.name if request.aoi else "", workflow))
        sent = submit_all(
            place.platform, run.parts.ledger, place.connection.id, [Wanted(request)], Allowance(), run.cancel
        )
        job = follow(place.platform, sent.jobs[0], run.cancel, lambda now: None)
        if job.state is not JobState.SUCCEEDED:
            text = tr("The search {id} ended as {state}. {reason}")
            reason = log_reason(place.platform, job)
            raise QgsProcessingException(text.format(id=job.id, state=state_word(job.state), reason=reason))
        folder = Path(self.text(run, "OUTPUT_FOLDER")).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        prepared = collect(
            run.parts.connections,
            run.parts.ledger,
            place.connection,
            job,
            folder,
            run.cancel,
            lambda fraction: run.feedback.setProgress(100 * fraction),
        )
        run.feedback.pushInfo(tr("Scenes found: {count}").format(count=len(prepared.scan.scenes)))
        return {"OUTPUT_FOLDER": str(prepared.folder), **write_scenes(self, run, [(job, prepared)])}
