"""Workflows made, copied, changed, deleted, written to a file and read from one. The platform says which blocks fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Sequence

from ..jobs.workflow import MAX_PROCESSING_BLOCKS, Block, Project, Workflow
from ..net.cancel import Cancel
from ..platforms.contract import PlatformError
from .connections import Connection, Connections
from .errors import HostError, explain
from .words import tr
from .work import Work, Works
from .workflow_file import known_blocks, read_workflow, write_workflow

Failed = Callable[[str], None]


class EmptyLeft(HostError):
    """A workflow could not be made whole, and not be taken away either."""


@dataclass(frozen=True)
class Workshop:
    """A project's workflows, the public blocks, and the ids of those that can follow the chosen workflow's last task.

    `chosen` is the id of the workflow that was asked about, or of the one just made; "": none.
    """

    workflows: list[Workflow]
    blocks: list[Block]
    chosen: str
    fitting: tuple[str, ...]


class WorkflowEdits:
    """Every call changes one thing at the platform and reads everything anew. Nothing here blocks."""

    def __init__(self, works: Works, connections: Connections) -> None:
        self._works, self._connections = works, connections

    def read(
        self, connection: Connection, project: Project, chosen: str, done: Callable[[Workshop], None], failed: Failed
    ) -> Work:
        """What there is, and what can follow the workflow `chosen` (an id)."""
        return self._start(connection, project, lambda _platform: chosen, done, failed)

    def fitting(
        self, connection: Connection, workflow: Workflow, done: Callable[[tuple[str, ...]], None], failed: Failed
    ) -> Work:
        """The ids of the blocks that can follow the last task of a workflow, as it was read last: one question."""
        return self._works.start(
            tr("Workflows"),
            lambda cancel, _progress: fitting_ids(self._connections.open(connection, cancel), workflow),
            shown=False,
            succeeded=done,
            failed=lambda error: failed(explain(error)),
        )

    def create(
        self,
        connection: Connection,
        project: Project,
        name: str,
        blocks: Sequence[Block],
        done: Callable[[Workshop], None],
        failed: Failed,
        description: str = "",
    ) -> Work:
        """Make a workflow of these blocks, the data block first: whole, or not at all."""

        def do(platform: Any) -> str:
            return create(platform, project, name, description, blocks)

        return self._start(connection, project, do, done, failed)

    def set_blocks(
        self,
        connection: Connection,
        project: Project,
        workflow: Workflow,
        blocks: Sequence[Block],
        done: Callable[[Workshop], None],
        failed: Failed,
    ) -> Work:
        """Make the workflow a line of these blocks. Its jobs keep what they ran."""

        def do(platform: Any) -> str:
            platform.set_tasks(workflow, blocks)
            return workflow.id

        return self._start(connection, project, do, done, failed)

    def rename(
        self,
        connection: Connection,
        project: Project,
        workflow: Workflow,
        name: str,
        description: str,
        done: Callable[[Workshop], None],
        failed: Failed,
    ) -> Work:
        """Give the workflow another name and description."""

        def do(platform: Any) -> str:
            platform.rename_workflow(workflow, name, description)
            return workflow.id

        return self._start(connection, project, do, done, failed)

    def delete(
        self,
        connection: Connection,
        project: Project,
        workflow: Workflow,
        done: Callable[[Workshop], None],
        failed: Failed,
    ) -> Work:
        """Delete the workflow; its jobs stay."""

        def do(platform: Any) -> str:
            platform.delete_workflow(workflow)
            return ""

        return self._start(connection, project, do, done, failed)

    def import_file(
        self, connection: Connection, project: Project, path: Path, done: Callable[[Workshop], None], failed: Failed
    ) -> Work:
        """Make the workflow that a file describes, with the platform's blocks of the same names."""

        def do(platform: Any) -> str:
            name, description, names = read_workflow(path)
            blocks = known_blocks(path, names, platform.blocks())
            return create(platform, project, name, description, blocks)

        return self._start(connection, project, do, done, failed)

    def export_file(self, workflow: Workflow, path: Path, done: Callable[[Path], None], failed: Failed) -> Work:
        """Write the workflow to a file that `import_file` reads, anywhere; whole, or not at all."""

        def do(_cancel: Cancel, _progress: Any) -> Path:
            write_workflow(path, workflow)
            return path

        return self._works.start(
            tr("Export workflow"), do, shown=False, succeeded=done, failed=lambda error: failed(explain(error))
        )

    def _start(
        self,
        connection: Connection,
        project: Project,
        do: Callable[[Any], str],
        done: Callable[[Workshop], None],
        failed: Failed,
    ) -> Work:
        def work(cancel: Cancel, _progress: Any) -> Workshop:
            platform = self._connections.open(connection, cancel)
            return look(platform, project, do(platform))

        return self._works.start(
            tr("Workflows"), work, shown=False, succeeded=done, failed=lambda error: failed(explain(error))
        )


def look(platform: Any, project: Project, chosen: str) -> Workshop:
    """The project's workflows and what can follow the chosen one. Worker thread."""
    workflows = platform.workflows(project)
    workflow = next((each for each in workflows if each.id == chosen), None)
    fitting = fitting_ids(platform, workflow) if workflow is not None else ()
    return Workshop(workflows, platform.blocks(), workflow.id if workflow else "", fitting)


def fitting_ids(platform: Any, workflow: Workflow) -> tuple[str, ...]:
    """The ids of the blocks that can follow a workflow's last task; () where it is full, or empty. Worker thread."""
    if not workflow.tasks or len(workflow.tasks) > MAX_PROCESSING_BLOCKS:
        return ()
    return tuple(platform.compatible_block_ids(workflow, workflow.tasks[-1]))


def create(platform: Any, project: Project, name: str, description: str, blocks: Sequence[Block]) -> str:
    """Make a workflow of these blocks; gives its id. Where they don't fit, the empty one is taken away again.

    Raises PlatformError; EmptyLeft where it could not be taken away.
    """
    workflow = platform.create_workflow(project, name, description)
    try:
        platform.set_tasks(workflow, blocks)
    except PlatformError as refused:
        try:
            platform.delete_workflow(workflow)
        except PlatformError as e:
            text = tr("{why} The empty workflow “{name}” could not be taken away again: delete it.")
            raise EmptyLeft(text.format(why=explain(refused), name=name)) from e
        raise
    return str(workflow.id)
