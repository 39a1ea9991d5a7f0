"""Blocks, and making, changing and deleting workflows of them (contract 2.2 to 2.4)."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from ..jobs.workflow import Block, Project, Workflow, WorkflowTask, task_names
from . import paths, wire
from .calls import Calls
from .contract import NotFound


class WorkflowCalls:
    """The part of the jobs contract that is about workflows. All methods raise PlatformError, Cancelled."""

    _calls: Calls

    def workflows(self, project: Project) -> list[Workflow]:
        """The project's workflows with tasks and blocks, in the platform's order: most recent first."""
        path = f"{paths.of_project(project.id)}/workflows"
        found = []
        for data in wire.dicts_of(self._calls.data("GET", path, "the workflows")):
            workflow_id = wire.text_of(data.get("id"))
            if workflow_id:
                tasks = self._workflow_tasks(f"{path}/{paths.part(workflow_id)}/tasks")
                if tasks is not None:
                    found.append(wire.workflow(project.id, data, tasks))
        return found

    def _workflow_tasks(self, path: str) -> Optional[list[Mapping[str, Any]]]:
        try:
            return wire.dicts_of(self._calls.data("GET", path, "the workflow's tasks"))
        except NotFound:
            return None  # deleted since the list was made

    def blocks(self) -> list[Block]:
        """All public blocks, in short: a list tells no parameters."""
        data = self._calls.data("GET", "blocks", "the blocks")
        return [wire.block(item) for item in wire.dicts_of(data) if wire.text_of(item.get("id"))]

    def block(self, block_id: str) -> Block:
        """One block with its parameters."""
        what = "the block"
        data = wire.dict_of(self._calls.data("GET", f"blocks/{paths.part(block_id)}", what))
        if not wire.text_of(data.get("id")):
            raise self._calls.refusals.not_the_contract(b"", what, "it has no id")
        return wire.block(data)

    def compatible_block_ids(self, workflow: Workflow, after: Optional[WorkflowTask] = None) -> list[str]:
        """The ids of the blocks that can follow a task of the stored workflow; of data blocks without one."""
        params = {"parentTaskName": after.name} if after else None
        path = f"{paths.of_workflow(workflow)}/compatible-blocks"
        data = wire.dict_of(self._calls.data("GET", path, "the compatible blocks", params=params))
        ids = [wire.text_of(item.get("blockId")) for item in wire.dicts_of(data.get("blocks"))]
        return [block_id for block_id in ids if block_id]

    def create_workflow(self, project: Project, name: str, description: str = "") -> Workflow:
        """Make a workflow without tasks."""
        body = {"name": name, "description": description}
        path = f"{paths.of_project(project.id)}/workflows"
        return self._one_workflow(project.id, self._calls.data("POST", path, _WHAT, json=body, changes=True))

    def rename_workflow(self, workflow: Workflow, name: str, description: Optional[str] = None) -> None:
        """Give a workflow another name, and another description unless that is None."""
        body = {"name": name, "description": description}
        self._calls.answer("PUT", paths.of_workflow(workflow), _WHAT, json=body, changes=True)

    def set_tasks(self, workflow: Workflow, blocks: Sequence[Block]) -> Workflow:
        """Make the workflow a line of these blocks, the data block first; gives it as the platform has it now."""
        names = task_names([block.name for block in blocks])
        body = [
            {"name": name, "parentName": parent, "blockId": block.id}
            for name, parent, block in zip(names, [None, *names], blocks)
        ]
        path = f"{paths.of_workflow(workflow)}/tasks"
        tasks = wire.dicts_of(self._calls.data("POST", path, "the workflow's tasks", json=body, changes=True))
        told = {"id": workflow.id, "name": workflow.name, "description": workflow.description}
        return wire.workflow(workflow.project_id, told, tasks)

    def delete_workflow(self, workflow: Workflow) -> None:
        """Delete a workflow."""
        self._calls.answer("DELETE", paths.of_workflow(workflow), _WHAT, changes=True)

    def _one_workflow(self, project_id: str, data: Any) -> Workflow:
        found = wire.workflow(project_id, wire.dict_of(data), ())
        if not found.id:
            raise self._calls.refusals.not_the_contract(b"", _WHAT, "it has no id")
        return found


_WHAT = "the workflow"
