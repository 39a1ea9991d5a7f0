"""Wait for one job's end, for scripts; the dock's jobs are followed by the tracker. Worker thread."""

from __future__ import annotations

from time import monotonic
from typing import Callable, Optional

from ..jobs.job import Job
from ..net.cancel import Cancel
from ..platforms.contract import Platform, Unreachable

FASTEST_SECONDS = 0.5
SLOWEST_SECONDS = 15.0
GROWTH = 1.3


def follow(
    platform: Platform, job: Job, cancel: Cancel, changed: Callable[[Job], None], until: Optional[float] = None
) -> Job:
    """Ask until the job has ended; `changed` is called at each new status. Raises PlatformError, Cancelled.

    `until` (of time.monotonic) ends the wait, and the job is given as it was last seen; in a wait of such an agreed
    length a network that is gone for a while is waited for too.
    """
    changed(job)
    seconds = FASTEST_SECONDS
    while not job.state.ended:
        left = seconds if until is None else until - monotonic()
        if left <= 0:
            return job
        if cancel.wait(min(seconds, left)):
            cancel.check()
        try:
            now = platform.job(job.project_id, job.id)
        except Unreachable:
            if until is None or monotonic() + SLOWEST_SECONDS > until:
                raise
            seconds = SLOWEST_SECONDS
            continue
        if now.raw_status != job.raw_status:
            changed(now)
            seconds = FASTEST_SECONDS
        else:
            seconds = min(SLOWEST_SECONDS, seconds * GROWTH)
        job = now
    return job
