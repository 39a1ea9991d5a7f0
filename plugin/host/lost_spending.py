"""What was spent this month before the ledger was damaged: from the platform again, and known to be unknown till then.

Without it the cap per month would begin at 0 in the middle of the month. Worker thread.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Sequence

from ..jobs.job import Job, JobType
from ..platforms.contract import Platform, PlatformError, Unreachable
from .ledger import DAMAGED
from .rebuild import NO_PROJECT
from .words import tr

ASKED_AT_MOST = 300  # jobs of the month whose charge is asked for; those below stay unknown
_STAMP = "%Y%m%d-%H%M%S"  # local time, the end of the name under which a damaged ledger was put aside


def charges(platform: Platform, jobs: Sequence[Job], since: float) -> dict[str, float]:
    """Job id -> credits charged, of jobs begun after `since` (seconds since 1970); one that is not told is left out.

    Raises Unreachable, Cancelled.
    """
    month = [job for job in jobs if job.created_at is not None and job.created_at.timestamp() >= since]
    if not platform.capabilities.credits:
        return {job.id: 0.0 for job in month}
    found = {job.id: 0.0 for job in month if job.job_type is JobType.TEST_QUERY}
    unknown = [job for job in month if job.id not in found and job.state.ended]
    for job in unknown[:ASKED_AT_MOST]:
        try:
            used = platform.credits_used(job)
        except Unreachable:
            raise
        except PlatformError:
            continue
        if used is not None:
            found[job.id] = float(used)
    return found


def refusal(db: sqlite3.Connection, connection: str, since: float) -> str:
    """Why a cap per month can't be kept on this connection after the ledger was damaged, or "".

    `since`: when the month began, in seconds since 1970. Inside a transaction of the ledger.
    """
    row = db.execute("SELECT value FROM state WHERE name = ?", (DAMAGED,)).fetchone()
    if row is None or _damaged_at(Path(row[0])) < since:
        return ""
    if db.execute("SELECT 1 FROM rebuilt WHERE connection = ?", (connection,)).fetchone() is None:
        return tr(
            "The plugin’s record of this month’s spending was damaged, so the cap per month can't be kept yet: open"
            " this connection’s jobs, so that it is taken from the server again, or remove the cap in the options."
        )
    unknown = db.execute(
        "SELECT COUNT(*) FROM entry WHERE connection = ? AND token = ? AND begun >= ?"
        " AND COALESCE(charged, confirmed_credits) IS NULL",
        (connection, NO_PROJECT, since),
    ).fetchone()[0]
    if not unknown:
        return ""
    text = tr(
        "The plugin’s record of this month’s spending was damaged, and what {n} of this month’s jobs cost is not known"
        " (unfinished ones are known at their end). So the cap per month can't be kept: wait for them, or remove the"
        " cap in the options."
    )
    return text.format(n=unknown)


def _damaged_at(aside: Path) -> float:
    """When it was put aside, in seconds since 1970; now, where its name does not tell."""
    try:
        return time.mktime(time.strptime(aside.stem[-15:], _STAMP))
    except (ValueError, OverflowError):
        return time.time()
