"""What was spent this month before the ledger was damaged: from the platform again, and known to be unknown till then.

Without it the cap per month would begin at 0 in the middle of the month. Worker thread.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Iterable, Mapping, Sequence

from ..jobs.job import Job, JobType
from ..platforms.closed import is_closed
from ..platforms.contract import Platform, PlatformError, Unreachable
from .connections import Kind
from .ledger import DAMAGED, Entry
from .rebuild import NO_PROJECT
from .servers import read_servers
from .words import number, tr

PRACTICE = Kind.PRACTICE.value
ASKED_AT_MOST = 300  # jobs of the month whose charge is asked for at once; later polls ask for the others
PAGES_AT_MOST = 500  # of the list of jobs
_STAMP = "%Y%m%d-%H%M%S"  # local time, the end of the name under which a damaged ledger was put aside


def jobs_of_month(pages: Iterable[list[Job]], since: float, at_least: int) -> list[Job]:
    """The jobs of these pages, newest first, down to where the month began; and of `at_least` so many pages."""
    found: list[Job] = []
    for count, page in enumerate(pages, 1):
        found += page
        older = any(job.created_at is not None and job.created_at.timestamp() < since for job in page)
        if count >= PAGES_AT_MOST or (count >= at_least and older):
            break
    return found


def still_unknown(entries: Mapping[str, Entry], project_id: str, since: float) -> list[str]:
    """The ids of this project's ended jobs of the month whose charge was not told yet when the ledger was rebuilt."""
    return [
        job_id
        for job_id, entry in entries.items()
        if entry.token == NO_PROJECT
        and entry.project == project_id
        and entry.told is not None
        and entry.charged is None
        and entry.begun >= since
    ]


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
    listed = {(row["connection"], row["project"]) for row in db.execute("SELECT connection, project FROM rebuilt")}
    if connection not in {one for one, _project in listed}:
        return tr(
            "The plugin’s record of this month’s spending was damaged, so the cap per month can't be kept yet: open"
            " this connection’s jobs, so that it is taken from the server again, or remove the cap in the options."
        )
    if connection != PRACTICE:
        unlisted = _unlisted(listed)
        if unlisted:
            text = tr(
                "The plugin’s record of this month’s spending was damaged, and what was spent on {places} is not known"
                " again. So the cap per month can't be kept yet: open the jobs there once, or remove the cap in the"
                " options."
            )
            return text.format(places=", ".join(unlisted))
    unknown = db.execute(
        "SELECT COUNT(*) FROM entry WHERE (connection = ?) = (? = ?) AND token = ? AND begun >= ?"
        " AND COALESCE(charged, confirmed_credits) IS NULL",
        (PRACTICE, connection, PRACTICE, NO_PROJECT, since),
    ).fetchone()[0]
    if not unknown:
        return ""
    text = tr(
        "The plugin’s record of this month’s spending was damaged, and what {n} of this month’s jobs cost is not known"
        " (ended ones are being asked for, unfinished ones are known at their end). So the cap per month can't be"
        " kept: wait for them, or remove the cap in the options."
    )
    return text.format(n=unknown)


def _unlisted(listed: set[tuple[str, str]]) -> list[str]:
    """The servers, or projects of servers, whose jobs were not listed since; those that are closed for good aside."""
    found = []
    for server in read_servers():
        if is_closed(server.url):
            continue
        if not server.project_ids:
            found += [] if any(one == server.id for one, _project in listed) else [server.name]
            continue
        missing = [project for project in server.project_ids if (server.id, project) not in listed]
        if len(missing) == len(server.project_ids):
            found.append(server.name)
        else:
            found += [f"{server.name} · {project}" for project in missing]
    return found


def doubt(db: sqlite3.Connection, connection: str, since: float) -> str:
    """That jobs of colleagues may be among those that count since the ledger was damaged; or ""."""
    credits = db.execute(
        "SELECT SUM(charged) FROM entry WHERE (connection = ?) = (? = ?) AND token = ? AND begun >= ?"
        " AND folder IS NULL",
        (PRACTICE, connection, PRACTICE, NO_PROJECT, since),
    ).fetchone()[0]
    if not credits:
        return ""
    text = tr(
        "{credits} of them are of jobs that may be a colleague’s: the plugin’s record was damaged this month, and only"
        " jobs whose outputs are on this computer are known to be yours."
    )
    return text.format(credits=number(credits))


def _damaged_at(aside: Path) -> float:
    """When it was put aside, in seconds since 1970; now, where its name does not tell."""
    try:
        return time.mktime(time.strptime(aside.stem[-15:], _STAMP))
    except (ValueError, OverflowError):
        return time.time()
