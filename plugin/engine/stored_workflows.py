"""Workflows and their tasks in the store."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from .projects import Project
from .store import Store, new_id, now


def workflow_rows(store: Store, project: Project) -> list[dict[str, Any]]:
    """The project's workflows, most recent first (contract 2.2: the SDK takes the first that fits)."""
    return store.rows("SELECT * FROM workflows WHERE kind = ? ORDER BY seq DESC", project.kind.kind)


def workflow_row(store: Store, project: Project, workflow_id: str) -> Optional[dict[str, Any]]:
    """One workflow of the project; None if it has none of this id."""
    return store.row("SELECT * FROM workflows WHERE kind = ? AND id = ?", project.kind.kind, workflow_id)


def create_workflow(store: Store, kind: str, name: str, description: str, workflow_id: Optional[str] = None) -> str:
    """Add a workflow without tasks; returns its id."""
    workflow_id = workflow_id or new_id()
    moment = now()
    store.change(
        "INSERT INTO workflows (id, kind, name, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        workflow_id, kind, name, description, moment, moment,
    )  # fmt: skip
    return workflow_id


def change_workflow(store: Store, workflow_id: str, name: Optional[str], description: Optional[str]) -> None:
    """Change the name, the description or both; None leaves it."""
    store.change(
        "UPDATE workflows SET name = COALESCE(?, name), description = COALESCE(?, description), updated_at = ? "
        "WHERE id = ?",
        name, description, now(), workflow_id,
    )  # fmt: skip


def delete_workflow(store: Store, workflow_id: str) -> None:
    """Delete a workflow and its tasks; its jobs stay."""
    store.change("DELETE FROM workflows WHERE id = ?", workflow_id)


def task_rows(store: Store, workflow_id: str) -> list[dict[str, Any]]:
    """The tasks in order, the data task first."""
    return store.rows("SELECT * FROM workflow_tasks WHERE workflow_id = ? ORDER BY position", workflow_id)


def replace_tasks(store: Store, workflow_id: str, tasks: Sequence[tuple[str, str]]) -> None:
    """Give the workflow these tasks, (name, block id) in order, and no others."""
    moment = now()
    rows = [
        (new_id(), workflow_id, place, name, block_id, moment, moment) for place, (name, block_id) in enumerate(tasks)
    ]
    with store.transaction():
        store.change("DELETE FROM workflow_tasks WHERE workflow_id = ?", workflow_id)
        store.change_many(
            "INSERT INTO workflow_tasks (id, workflow_id, position, name, block_id, created_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        store.change("UPDATE workflows SET updated_at = ? WHERE id = ?", moment, workflow_id)
