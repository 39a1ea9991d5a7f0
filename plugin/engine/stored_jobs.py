"""Jobs and their tasks in the store: made, claimed, ended, charged. Nothing here starts a process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

from .blocks.base import BlockDescription
from .projects import Project
from .store import Store, new_id, now

LIVE = "DEFAULT"
DRY_RUN = "DRY_RUN"

NOT_STARTED = "NOT_STARTED"
RUNNING = "RUNNING"
CANCELLING = "CANCELLING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
CANCELLED = "CANCELLED"
ERROR = "ERROR"

SORT_FIELDS = ("createdAt", "name", "id", "mode", "status", "startedAt", "finishedAt")  # contract 2.5
_SORTED = """
SELECT * FROM (
    SELECT *, CASE ? WHEN 'name' THEN name WHEN 'id' THEN id WHEN 'mode' THEN mode WHEN 'status' THEN status
        WHEN 'startedAt' THEN started_at WHEN 'finishedAt' THEN finished_at ELSE created_at END AS sort_key
    FROM jobs WHERE kind = ?)
ORDER BY CASE WHEN ? THEN sort_key END DESC, CASE WHEN ? THEN NULL ELSE sort_key END ASC, seq DESC LIMIT ? OFFSET ?
"""


@dataclass(frozen=True)
class NewTask:
    """A task of a job to be made: its name, its block, its parameters with the defaults filled in."""

    name: str
    block: BlockDescription
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class NewJob:
    """A job to be made. `inputs` is what was sent; `held` is the most that it can cost, in credits.

    `estimate` (contract 2.7) is empty where nothing has a price: then nothing is held or charged.
    """

    workflow_id: str
    workflow_name: str
    name: Optional[str]
    mode: str
    inputs: Mapping[str, Any]
    estimate: Mapping[str, Any]
    held: int
    tasks: Sequence[NewTask]


def create_job(store: Store, kind: str, job: NewJob) -> str:
    """Add a job and its tasks, NOT_STARTED; returns its id."""
    job_id = new_id()
    moment = now()
    with store.transaction():
        store.change(
            "INSERT INTO jobs (id, kind, workflow_id, workflow_name, name, mode, status, inputs, estimate, held, "
            "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            job_id, kind, job.workflow_id, job.workflow_name, job.name, job.mode, NOT_STARTED,
            json.dumps(job.inputs), json.dumps(job.estimate), job.held, moment, moment,
        )  # fmt: skip
        rows = [
            (new_id(), job_id, place, task.name, task.block.id, task.block.name, task.block.version, task.block.type,
             json.dumps(dict(task.parameters)), NOT_STARTED, moment, moment)
            for place, task in enumerate(job.tasks)
        ]  # fmt: skip
        store.change_many(
            "INSERT INTO job_tasks (id, job_id, position, name, block_id, block_name, block_version, block_type, "
            "parameters, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    return job_id


def job_row(store: Store, job_id: str) -> dict[str, Any]:
    """A job that is known to exist."""
    return store.rows("SELECT * FROM jobs WHERE id = ?", job_id)[0]


def job_of_project(store: Store, project: Project, job_id: str) -> Optional[dict[str, Any]]:
    """A job of this project; None if it has none of this id."""
    return store.row("SELECT * FROM jobs WHERE kind = ? AND id = ?", project.kind.kind, job_id)


def job_rows(
    store: Store, project: Project, sort: str = "createdAt", descending: bool = True, limit: int = -1, offset: int = 0
) -> list[dict[str, Any]]:
    """The project's jobs; `sort` is one of `SORT_FIELDS`. A limit of -1 is none."""
    return store.rows(_SORTED, sort, project.kind.kind, descending, descending, limit, offset)


def unfinished_count(store: Store, project: Project) -> int:
    """How many jobs are waiting, running or being cancelled."""
    row = store.rows("SELECT COUNT(*) AS count FROM jobs WHERE kind = ? AND finished_at IS NULL", project.kind.kind)[0]
    return row["count"]


def rename_job(store: Store, job_id: str, name: str) -> None:
    """Give a job another name."""
    store.change("UPDATE jobs SET name = ?, updated_at = ? WHERE id = ?", name, now(), job_id)


def job_task_rows(store: Store, job_id: str) -> list[dict[str, Any]]:
    """The tasks in order, the data task first."""
    return store.rows("SELECT * FROM job_tasks WHERE job_id = ? ORDER BY position", job_id)


def waiting_job_ids(store: Store) -> list[str]:
    """Jobs to be worked on: those that an earlier engine was interrupted in, then first come, first served."""
    rows = store.rows(
        "SELECT id FROM jobs WHERE status IN (?, ?) ORDER BY status = ?, seq", RUNNING, NOT_STARTED, NOT_STARTED
    )
    return [row["id"] for row in rows]


def begin_job(store: Store, job_id: str) -> bool:
    """A job is RUNNING now; False if it must not be (cancelled meanwhile)."""
    moment = now()
    return bool(
        store.change(
            "UPDATE jobs SET status = ?, started_at = COALESCE(started_at, ?), updated_at = ? "
            "WHERE id = ? AND status IN (?, ?)",
            RUNNING, moment, moment, job_id, NOT_STARTED, RUNNING,
        )
    )  # fmt: skip


def begin_task(store: Store, task: Mapping[str, Any]) -> bool:
    """A task is RUNNING now; False if its job is not any more."""
    moment = now()
    with store.transaction():
        if job_row(store, task["job_id"])["status"] != RUNNING:
            return False
        store.change(
            "UPDATE job_tasks SET status = ?, started_at = ?, updated_at = ? WHERE id = ?",
            RUNNING, moment, moment, task["id"],
        )  # fmt: skip
        return True


def end_task(store: Store, task_id: str, status: str) -> None:
    """A task has come to its end without a success."""
    moment = now()
    store.change(
        "UPDATE job_tasks SET status = ?, finished_at = ?, updated_at = ? WHERE id = ?",
        status, moment, moment, task_id,
    )  # fmt: skip


def succeed_task(store: Store, task: Mapping[str, Any], block_credits: int, machine_credits: int, most: int) -> None:
    """A task has succeeded: charge its credits, and hold no longer the `most` that it could have cost."""
    charge = block_credits + machine_credits
    with store.transaction():
        end_task(store, task["id"], SUCCEEDED)
        store.change(
            "UPDATE job_tasks SET block_credits = ?, machine_credits = ? WHERE id = ?",
            block_credits, machine_credits, task["id"],
        )  # fmt: skip
        store.change("UPDATE jobs SET held = MAX(0, held - ?) WHERE id = ?", most, task["job_id"])
        store.change(
            "UPDATE projects SET balance = balance - ?, updated_at = ? "
            "WHERE balance IS NOT NULL AND kind = (SELECT kind FROM jobs WHERE id = ?)",
            charge, now(), task["job_id"],
        )  # fmt: skip


def end_job(store: Store, job_id: str, status: str) -> None:
    """A job has come to its end: nothing is held for it any more. One that was being cancelled is CANCELLED.

    Tasks that have not begun stay NOT_STARTED, unless they were cancelled as well.
    """
    moment = now()
    with store.transaction():
        if job_row(store, job_id)["status"] == CANCELLING:
            status = CANCELLED
        stopped = (NOT_STARTED, RUNNING) if status == CANCELLED else (RUNNING, RUNNING)
        store.change(
            "UPDATE job_tasks SET status = ?, finished_at = ?, updated_at = ? WHERE job_id = ? AND status IN (?, ?)",
            status, moment, moment, job_id, *stopped,
        )  # fmt: skip
        store.change(
            "UPDATE jobs SET status = ?, held = 0, finished_at = ?, updated_at = ? WHERE id = ?",
            status, moment, moment, job_id,
        )  # fmt: skip


def ask_to_cancel(store: Store, job_id: str) -> bool:
    """Cancel a job that waits, or mark one that runs; True if it runs and must be stopped. Ended jobs stay ended."""
    with store.transaction():
        status = job_row(store, job_id)["status"]
        if status == NOT_STARTED:
            end_job(store, job_id, CANCELLED)
        if status == RUNNING:
            store.change("UPDATE jobs SET status = ?, updated_at = ? WHERE id = ?", CANCELLING, now(), job_id)
        return status in (RUNNING, CANCELLING)


def finish_cancelling(store: Store) -> None:
    """End the jobs that an earlier engine was about to cancel when it ended."""
    for row in store.rows("SELECT id FROM jobs WHERE status = ?", CANCELLING):
        end_job(store, row["id"], CANCELLED)
