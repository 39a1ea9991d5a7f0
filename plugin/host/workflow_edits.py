"""Workflows made, copied, changed, deleted, written to a file and read from one. The platform says which blocks fit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from ..jobs.workflow import MAX_PROCESSING_BLOCKS, Block, Project, Workflow
from ..net.cancel import Cancel
from ..platforms.contract import PlatformError
from .connections import Connection, Connections
from .errors import HostError, explain
from .words import tr
from .work import Work, Works

Failed = Callable[[str], None]
MAX_FILE_BYTES = 1_000_000


class UnusableFile(HostError):
    """A file that is no workflow, or one that this project can't have."""


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
            name, description, names = read_file(path)
            by_name = {block.name: block for block in platform.blocks()}
            missing = [block for block in names if block not in by_name]
            if missing:
                text = tr("“{file}” needs blocks that are not to be had here: {blocks}. Nothing was made.")
                raise UnusableFile(text.format(file=path.name, blocks=", ".join(missing)))
            return create(platform, project, name, description, [by_name[block] for block in names])

        return self._start(connection, project, do, done, failed)

    def export_file(self, workflow: Workflow, path: Path, done: Callable[[Path], None], failed: Failed) -> Work:
        """Write the workflow to a file that `import_file` reads, anywhere."""

        def do(_cancel: Cancel, _progress: Any) -> Path:
            path.write_text(to_text(workflow), encoding="utf-8")
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
    fitting: Sequence[str] = ()
    if workflow is not None and workflow.tasks and len(workflow.tasks) <= MAX_PROCESSING_BLOCKS:
        fitting = platform.compatible_block_ids(workflow, workflow.tasks[-1])
    return Workshop(workflows, platform.blocks(), workflow.id if workflow else "", tuple(fitting))


def create(platform: Any, project: Project, name: str, description: str, blocks: Sequence[Block]) -> str:
    """Make a workflow of these blocks; gives its id. Where they don't fit, the empty one is taken away again."""
    workflow = platform.create_workflow(project, name, description)
    try:
        platform.set_tasks(workflow, blocks)
    except PlatformError:
        platform.delete_workflow(workflow)
        raise
    return str(workflow.id)


def to_text(workflow: Workflow) -> str:
    """The workflow as the text of a file: name, description and the names of its blocks. It names no server."""
    described = {
        "name": workflow.name,
        "description": workflow.description,
        "blocks": [task.block.name for task in workflow.tasks],
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def read_file(path: Path) -> tuple[str, str, list[str]]:
    """Name, description and block names of a file. Raises UnusableFile."""
    wrong = tr("“{file}” is no workflow: {why}. A workflow's file has “name” and “blocks”, a list of block names.")

    def unusable(why: str) -> UnusableFile:
        return UnusableFile(wrong.format(file=path.name, why=why))

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise unusable(tr("it is too large"))
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise unusable(e.strerror or str(e)) from e
    except ValueError as e:
        raise unusable(str(e)) from e
    blocks: Optional[Any] = found.get("blocks") if isinstance(found, dict) else None
    if not isinstance(blocks, list) or not blocks or not all(isinstance(block, str) for block in blocks):
        raise unusable(tr("its blocks are missing"))
    if len(blocks) > 1 + MAX_PROCESSING_BLOCKS:
        raise unusable(tr("it has more than one data block and five processing blocks"))
    name = str(found.get("name") or "").strip() or path.stem
    return name, str(found.get("description") or ""), blocks
