"""The paths of the jobs contract (section 2). Ids are parts of a path, whatever they hold."""

from __future__ import annotations

from typing import Optional
from urllib.parse import quote

from ..jobs.job import Job, Task
from ..jobs.workflow import Workflow


def part(text: str) -> str:
    """`text` as one part of a path."""
    return quote(text, safe="")


def of_project(project_id: str) -> str:
    """A project."""
    return f"projects/{part(project_id)}"


def of_workflow(workflow: Workflow) -> str:
    """A workflow."""
    return f"{of_project(workflow.project_id)}/workflows/{part(workflow.id)}"


def of_job(job: Job) -> str:
    """A job."""
    return f"{of_project(job.project_id)}/jobs/{part(job.id)}"


def of_workflow_job(job: Job) -> str:
    """A job below its workflow, where it is renamed and run again."""
    return f"{of_project(job.project_id)}/workflows/{part(job.workflow_id)}/jobs/{part(job.id)}"


def of_task(job: Job, task: Optional[Task]) -> str:
    """A job's task; the job itself without one."""
    return of_job(job) if task is None else f"{of_job(job)}/tasks/{part(task.id)}"
