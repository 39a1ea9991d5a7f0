"""What was paid, and for what, in the store."""

from __future__ import annotations

from typing import Any

from .projects import Project
from .store import Store


def paid_tasks(store: Store, project: Project) -> list[dict[str, Any]]:
    """The tasks that were paid for, with their jobs, in the order in which they ended; `credits` is what each cost."""
    return store.rows(
        "SELECT t.id, t.name, t.block_name, t.finished_at, t.block_credits + t.machine_credits AS credits, t.job_id, "
        "j.name AS job_name, j.workflow_id FROM job_tasks t JOIN jobs j ON j.id = t.job_id "
        "WHERE j.kind = ? AND t.block_credits + t.machine_credits > 0 ORDER BY t.finished_at, t.id",
        project.kind.kind,
    )


def spent_on_workflow(store: Store, project: Project, workflow_id: str) -> int:
    """The credits that the jobs of one workflow have used."""
    return sum(task["credits"] for task in paid_tasks(store, project) if task["workflow_id"] == workflow_id)
