"""A search that costs nothing: a Test Query, run to its end for the scenes it finds. It is no job of the ledger."""

from __future__ import annotations

from typing import Optional

from ..jobs.job import Job, JobState, JobType, Scene
from ..jobs.request import JobRequest
from ..net.cancel import Cancel
from ..platforms.contract import Platform

ASK_EVERY_SECONDS = 0.5
NOTHING_FOUND = "NO_INPUT_ERROR"  # contract 3.2, rule 5: how some data blocks end that find nothing


def find_scenes(platform: Platform, request: JobRequest, cancel: Cancel) -> Optional[list[Scene]]:
    """The scenes that the request finds, whatever its job type; None where the search fails, or can't be made.

    Worker thread. Raises PlatformError, Cancelled.
    """
    found = search(platform, request, cancel)
    return found[1] if found is not None else None


def search(platform: Platform, request: JobRequest, cancel: Cancel) -> Optional[tuple[Job, list[Scene]]]:
    """The same, with the Test Query that has found them, which has their quicklooks."""
    request = request.of_type(JobType.TEST_QUERY)
    if request.problems():
        return None
    job = platform.submit(request)
    while not job.state.ended:
        cancel.wait(ASK_EVERY_SECONDS)
        cancel.check()
        job = platform.job(job.project_id, job.id)
    if job.state is JobState.SUCCEEDED:
        return job, platform.scenes(job)
    nothing = any(NOTHING_FOUND in platform.log(job, task) for task in platform.tasks(job))
    return (job, []) if nothing else None
