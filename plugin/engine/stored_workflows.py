"""Workflows and their tasks in the store, and the built-in ones that both projects start with."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from .blocks.base import Block
from .projects import KINDS, Project
from .store import Store, new_id, now

BUILT_IN_FOLDER = Path(__file__).parents[2] / "resources" / "workflows"
BUILT_IN_NAMESPACE = uuid.UUID("6f5c6c4e-52f2-4d53-9d5b-5b6f2f6f1c42")  # ours, drawn once


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


def seed_workflows(store: Store, blocks: Mapping[str, Block], folder: Path = BUILT_IN_FOLDER) -> None:
    """Add each built-in workflow once to both projects, with an id that is the same everywhere.

    One that a user has deleted doesn't come back. One whose blocks this engine has not is left for a later start.
    The file that sorts first is added last, so that it is listed first: it is what a newcomer should run.
    """
    by_name = {block.description.name: block_id for block_id, block in blocks.items()}
    for path in sorted(folder.glob("*.json"), reverse=True):
        built_in = json.loads(path.read_text(encoding="utf-8"))
        names: list[str] = built_in["blocks"]
        if all(name in by_name for name in names):
            tasks = [(task_name(names, i), by_name[name]) for i, name in enumerate(names)]
            for kind in KINDS:
                _seed(store, kind, path.stem, built_in, tasks)


def task_name(block_names: Sequence[str], index: int) -> str:
    """`<block name>:<n>`, n counting the same block from 1 (contract 2.3)."""
    return f"{block_names[index]}:{block_names[: index + 1].count(block_names[index])}"


def _seed(store: Store, kind: str, key: str, built_in: Mapping[str, Any], tasks: Sequence[tuple[str, str]]) -> None:
    workflow_id = str(uuid.uuid5(BUILT_IN_NAMESPACE, f"{kind}/{key.partition('-')[2]}"))
    with store.transaction():
        if store.change("INSERT OR IGNORE INTO seeded (workflow_id) VALUES (?)", workflow_id):
            create_workflow(store, kind, built_in["name"], built_in["description"], workflow_id)
            replace_tasks(store, workflow_id, tasks)
