"""Wait for one job's end, for scripts; the dock's jobs are followed by the tracker. Worker thread."""

from __future__ import annotations

from typing import Callable

from ..jobs.job import Job
from ..net.cancel import Cancel
from ..platforms.contract import Platform

FASTEST_SECONDS = 0.5
SLOWEST_SECONDS = 15.0
GROWTH = 1.3


def follow(platform: Platform, job: Job, cancel: Cancel, changed: Callable[[Job], None]) -> Job:
    """Ask until the job has ended; `changed` is called at each new status. Raises PlatformError, Cancelled."""
    changed(job)
    seconds = FASTEST_SECONDS
    while not job.state.ended:
        if cancel.wait(seconds):
            cancel.check()
        now = platform.job(job.project_id, job.id)
        if now.raw_status != job.raw_status:
            changed(now)
            seconds = FASTEST_SECONDS
        else:
            seconds = min(SLOWEST_SECONDS, seconds * GROWTH)
        job = now
    return job
