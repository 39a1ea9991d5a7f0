"""One poll of a project: its jobs as they are now, down to the oldest that has not ended. Worker thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Collection, Mapping, Optional, Sequence

from ..jobs.job import Job, JobState, Task
from ..jobs.workflow import Project
from ..platforms.contract import NotFound, Platform, PlatformError
from . import forgotten, rebuild
from .connections import Connection
from .ledger import Entry, Intent, Ledger
from .lost_spending import charges, jobs_of_month, still_unknown
from .spending import month_begin, note_charged
from .submit import match

MAX_PAGES = 10  # a poll; what has not ended and lies below is asked for by its id
SINGLY_ASKED_AT_ONCE = 5  # jobs a poll
CREDITS_ASKED_AT_ONCE = 5  # jobs a poll
TASKS_ASKED_AT_ONCE = 10  # jobs a poll; where more run, they take turns
GONE = "gone"  # told: the platform has no such job any more


@dataclass(frozen=True)
class Snapshot:
    """One poll's answer: the jobs newest first, and what the ledger knows of them.

    `changed`: ids of jobs that differ from the poll before, or are new. `gone`: ids that were listed then, and are no
    more. `pages`: list pages that were read; `whole`: the last page was among them. `tasks`: those of running jobs of
    ours, those that were asked for longest ago first; `tasks_asked`: whose tasks this poll has asked for.
    """

    jobs: list[Job]
    entries: Mapping[str, Entry]
    intents: list[Intent]
    credits: Mapping[str, Optional[int]] = field(default_factory=dict)  # None: asked for, not told
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    pages: int = 1
    whole: bool = False
    tasks: Mapping[str, tuple[Task, ...]] = field(default_factory=dict)
    tasks_asked: frozenset[str] = frozenset()

    @property
    def unfinished(self) -> frozenset[str]:
        """The ids of the jobs that have not ended."""
        return frozenset(job.id for job in self.jobs if not job.state.ended)


@dataclass(frozen=True)
class Page:
    """Older jobs, and where to read on; `next_page` None: there are none any more."""

    jobs: list[Job]
    entries: Mapping[str, Entry]
    next_page: Optional[int]


def waits(entry: Entry, project_id: str) -> bool:
    """True for a job of this project whose end the user has not been told of, and that no script collects."""
    return entry.project == project_id and entry.told is None and bool(entry.token)


def take_snapshot(
    platform: Platform,
    ledger: Ledger,
    connection: Connection,
    project: Project,
    before: Optional[Snapshot],
    output_roots: Sequence[Path] = (),
    with_tasks: bool = False,
) -> Snapshot:
    """List the project's jobs, settle submits whose answer was lost, and ask what ended jobs have cost.

    `output_roots`: where output folders are looked for after the ledger was damaged. `with_tasks`: ask for the tasks
    of running jobs of ours too, of at most `TASKS_ASKED_AT_ONCE`.
    """
    if rebuild.is_due(ledger, connection.id, project.id):
        since = month_begin(time.time())
        jobs = jobs_of_month(platform.job_pages(project), since, MAX_PAGES)
        charged = charges(platform, jobs, since)
        rebuild.rebuild(ledger, connection.id, project.id, jobs, output_roots, charged)
    entries = ledger.entries(connection.id)
    wanted = {job_id for job_id, entry in entries.items() if waits(entry, project.id)}
    jobs, pages, whole = _read(platform, project, wanted | (before.unfinished if before else frozenset()))
    listed = {job.id for job in jobs}
    jobs += _singly(platform, ledger, connection, project, sorted(wanted - listed))
    if _settle(ledger, connection, jobs, entries):
        entries = ledger.entries(connection.id)
    credits = _credits(platform, ledger, connection, project, jobs, entries, before.credits if before else {})
    intents = ledger.intents(connection.id)
    tasks, asked = _tasks(platform, jobs, entries, before) if with_tasks else ({}, frozenset())
    changed, gone = _difference(before, jobs, entries, credits, listed, whole)
    changed |= {job_id for job_id in asked if before is None or before.tasks.get(job_id) != tasks[job_id]}
    return Snapshot(jobs, entries, intents, credits, changed, gone, pages, whole, tasks, asked)


def older(platform: Platform, ledger: Ledger, connection: Connection, project: Project, page: int) -> Page:
    """One page further down the list than the polls read."""
    jobs = next(platform.job_pages(project, page), [])
    known = ledger.entries(connection.id) if jobs else {}
    return Page(jobs, {job.id: known[job.id] for job in jobs if job.id in known}, page + 1 if jobs else None)


def _read(platform: Platform, project: Project, wanted: Collection[str]) -> tuple[list[Job], int, bool]:
    """The first page, and more until all that is wanted was met."""
    jobs: list[Job] = []
    missing = set(wanted)
    for count, page in enumerate(platform.job_pages(project), 1):
        jobs += page
        missing -= {job.id for job in page}
        if not missing or count == MAX_PAGES:
            return jobs, count, False
    return jobs, max(1, count if jobs else 1), True


def _singly(platform: Platform, ledger: Ledger, connection: Connection, project: Project, ids: list[str]) -> list[Job]:
    """Jobs of ours too far down the list; one that the platform no longer has is waited for no longer."""
    found = []
    for job_id in ids[:SINGLY_ASKED_AT_ONCE]:
        try:
            found.append(platform.job(project.id, job_id))
        except NotFound:
            ledger.note_told(connection.id, job_id, GONE)
    return found


def _settle(ledger: Ledger, connection: Connection, jobs: list[Job], entries: Mapping[str, Entry]) -> bool:
    settled = False
    for intent in ledger.intents(connection.id):
        job_found = match(intent, jobs, entries) if intent.lost else None
        if job_found is not None:
            ledger.settle(intent.id, job_found.id)
            settled = True
    if settled:
        entries = ledger.entries(connection.id)
    return forgotten.find_again(ledger, connection.id, jobs, entries) or settled


def _credits(
    platform: Platform,
    ledger: Ledger,
    connection: Connection,
    project: Project,
    jobs: list[Job],
    entries: Mapping[str, Entry],
    known: Mapping[str, Optional[int]],
) -> Mapping[str, Optional[int]]:
    if not platform.capabilities.credits:
        return known
    credits = dict(known)
    unasked = [job for job in jobs if job.state.ended and job.id in entries and job.id not in credits]
    for job in unasked[:CREDITS_ASKED_AT_ONCE]:
        used = credits[job.id] = platform.credits_used(job)
        if used is not None and entries[job.id].charged != used:
            note_charged(ledger, connection.id, job.id, used)
    if len(unasked) < CREDITS_ASKED_AT_ONCE:
        _ask_for_lost(platform, ledger, connection, project, entries, credits)
    return credits


def _ask_for_lost(
    platform: Platform,
    ledger: Ledger,
    connection: Connection,
    project: Project,
    entries: Mapping[str, Entry],
    credits: dict[str, Optional[int]],
) -> None:
    """What more of this month's jobs cost, of those that were too many when the ledger was rebuilt."""
    unknown = still_unknown(entries, project.id, month_begin(time.time()))
    for job_id in [job_id for job_id in unknown if job_id not in credits][:CREDITS_ASKED_AT_ONCE]:
        try:
            used = credits[job_id] = platform.credits_used(platform.job(project.id, job_id))
        except NotFound:
            used = credits[job_id] = None
        if used is not None:
            note_charged(ledger, connection.id, job_id, used)


def _tasks(
    platform: Platform, jobs: Sequence[Job], entries: Mapping[str, Entry], before: Optional[Snapshot]
) -> tuple[dict[str, tuple[Task, ...]], frozenset[str]]:
    """Tasks of running jobs of ours, and once more of those that have just ended; whose were asked for now."""
    known = {job_id: tasks for job_id, tasks in before.tasks.items() if job_id in before.unfinished} if before else {}
    ours = [job for job in jobs if job.id in entries and (job.state is JobState.RUNNING or job.id in known)]
    turn = {job_id: place for place, job_id in enumerate(known, 1)}
    tasks = dict(known)
    asked = set()
    for job in sorted(ours, key=lambda job: (not job.state.ended, turn.get(job.id, 0)))[:TASKS_ASKED_AT_ONCE]:
        try:
            found = tuple(platform.tasks(job))
        except PlatformError:
            break  # the list of jobs was had all the same; the next poll tells if this is more than a moment
        tasks.pop(job.id, None)
        tasks[job.id] = found
        asked.add(job.id)
    return tasks, frozenset(asked)


def _difference(
    before: Optional[Snapshot],
    jobs: list[Job],
    entries: Mapping[str, Entry],
    credits: Mapping[str, Optional[int]],
    listed: Collection[str],
    whole: bool,
) -> tuple[frozenset[str], frozenset[str]]:
    """What changed and what is gone since the poll before."""
    if before is None:
        return frozenset(job.id for job in jobs), frozenset()
    known = {job.id: job for job in before.jobs}
    changed = {
        job.id
        for job in jobs
        if known.get(job.id) != job
        or before.entries.get(job.id) != entries.get(job.id)
        or before.credits.get(job.id) != credits.get(job.id)
    }
    oldest = min((job.created_at for job in jobs if job.id in listed and job.created_at), default=None)
    gone = {
        job.id
        for job in before.jobs
        if job.id not in listed and (whole or (oldest and job.created_at and job.created_at > oldest))
    }
    return frozenset(changed), frozenset(gone)
