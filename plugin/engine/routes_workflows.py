"""Workflows and their tasks (contract 2.2, 2.3)."""

from __future__ import annotations

from typing import Any, Optional

from . import stored_workflows
from .answers import Answer, enveloped, nothing
from .blocks.base import Block, BlockDescription
from .built_in import in_order
from .chains import DATA, MAX_NAME_LENGTH, given_capabilities, missing_capabilities, read_chain
from .refusal import Refusal, invalid, not_found
from .routing import Call, Route
from .shapes import workflow_shape, workflow_task_shape, workspace_id
from .wishes import as_wished


def workflow_of(call: Call) -> dict[str, Any]:
    """The stored workflow {w} of the caller's project. Raises Refusal (404)."""
    row = stored_workflows.workflow_row(call.engine.store, call.project, call.name("w"))
    if row is None:
        raise not_found(
            f"Workflow not found for id {call.name('w')} and projectId {call.project.id} "
            f"and userId {workspace_id(call.project)}"
        )
    return row


def tasks_of(call: Call, workflow_id: str) -> list[tuple[str, Block]]:
    """The workflow's tasks as (name, block), in order. Raises Refusal (400) where it can't run."""
    rows = stored_workflows.task_rows(call.engine.store, workflow_id)
    if not rows:
        raise invalid("The workflow has no tasks: give it a data block first.")
    tasks = [(row["name"], call.engine.blocks.get(row["block_id"])) for row in rows]
    lost = [name for name, block in tasks if block is None]
    if lost:
        raise invalid(f"This engine has the block of {', '.join(lost)} no more: replace it in the workflow.")
    return [(name, block) for name, block in tasks if block is not None]


def list_workflows(call: Call) -> Answer:
    """`GET /projects/{p}/workflows`: the user's, most recent first, then the built-in ones."""
    rows = in_order(stored_workflows.workflow_rows(call.engine.store, call.project), call.project.kind.kind)
    return enveloped([workflow_shape(call.project, row) for row in rows])


def get_workflow(call: Call) -> Answer:
    """`GET /projects/{p}/workflows/{w}`."""
    return enveloped(workflow_shape(call.project, workflow_of(call)))


def post_workflow(call: Call) -> Answer:
    """`POST /projects/{p}/workflows`: {"name", "description"}; with the id of one that exists, change that one."""
    name, description = _texts(call)
    if name is None:
        raise invalid("A workflow needs a name.")
    store = call.engine.store
    workflow_id = call.request.json().get("id")
    if workflow_id is None:
        workflow_id = stored_workflows.create_workflow(store, call.project.kind.kind, name, description or "")
    else:
        row = stored_workflows.workflow_row(store, call.project, str(workflow_id))
        if row is None:
            raise not_found(f"Workflow not found for id {workflow_id} and projectId {call.project.id}")
        stored_workflows.change_workflow(store, row["id"], name, description)
    row = stored_workflows.workflow_row(store, call.project, workflow_id)
    return enveloped(workflow_shape(call.project, row or {}))


def put_workflow(call: Call) -> Answer:
    """`PUT /projects/{p}/workflows/{w}`: a new name, a new description; null leaves it."""
    row = workflow_of(call)
    stored_workflows.change_workflow(call.engine.store, row["id"], *_texts(call))
    return get_workflow(call)


def _texts(call: Call) -> tuple[Optional[str], Optional[str]]:
    """Name and description of the body, each None where it is not given. Raises Refusal (400)."""
    body = call.request.json()
    if not isinstance(body, dict):
        raise invalid('The body must be {"name": "…", "description": "…"}.')
    name, description = body.get("name"), body.get("description")
    if name is not None and (not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_LENGTH):
        raise invalid(f"A workflow's name has 1 to {MAX_NAME_LENGTH} characters.")
    if description is not None and not isinstance(description, str):
        raise invalid("A workflow's description must be a text.")
    return name, description


def delete_workflow(call: Call) -> Answer:
    """`DELETE /projects/{p}/workflows/{w}`; its jobs stay."""
    stored_workflows.delete_workflow(call.engine.store, workflow_of(call)["id"])
    return nothing()


def get_tasks(call: Call) -> Answer:
    """`GET /projects/{p}/workflows/{w}/tasks`, the data task first."""
    rows = stored_workflows.task_rows(call.engine.store, workflow_of(call)["id"])
    found = [call.engine.blocks.get(row["block_id"]) for row in rows]
    wished = iter(as_wished([block.description for block in found if block]))
    shapes = []
    parent_id = None
    for row, block in zip(rows, found):
        shapes.append(workflow_task_shape(call.project, row, parent_id, next(wished) if block else None))
        parent_id = row["id"]
    return enveloped(shapes)


def post_tasks(call: Call) -> Answer:
    """`POST /projects/{p}/workflows/{w}/tasks`: replaces all tasks. An unknown workflow is a 400 here (2.3)."""
    if stored_workflows.workflow_row(call.engine.store, call.project, call.name("w")) is None:
        raise invalid(f"Workflow not found for id {call.name('w')} and projectId {call.project.id}")
    chain = read_chain(call.request.json(), call.engine.blocks)
    tasks = [(task.name, task.block.description.id) for task in chain]
    stored_workflows.replace_tasks(call.engine.store, call.name("w"), tasks)
    return get_tasks(call)


def compatible_blocks(call: Call) -> Answer:
    """`GET …/compatible-blocks`: what can follow `parentTaskName` and stand before each `childTaskName`."""
    tasks = {row["name"]: row for row in stored_workflows.task_rows(call.engine.store, workflow_of(call)["id"])}
    parents = call.request.query.get("parentTaskName", [])
    children = call.request.query.get("childTaskName", [])
    unknown = [name for name in [*parents, *children] if name not in tasks]
    if unknown or len(parents) > 1:
        raise Refusal(422, f"Workflow does not contain tasks: {', '.join(unknown or parents)}")

    def described(name: str) -> Optional[BlockDescription]:
        block = call.engine.blocks.get(tasks[name]["block_id"])
        return block.description if block else None

    names = list(tasks)
    line = names[: names.index(parents[0]) + 1] if parents else []
    before = [block for block in map(described, line) if block]
    after = [block for block in map(described, children) if block]
    fitting = [
        block.description
        for block in call.engine.blocks.values()
        if _fits(block.description, before, after)
    ]  # fmt: skip
    shapes = [{"blockId": block.id, "name": block.name, "versionTag": block.version} for block in fitting]
    return enveloped({"blocks": shapes})


def _fits(block: BlockDescription, before: list[BlockDescription], after: list[BlockDescription]) -> bool:
    """Whether a block can follow the line `before` (empty: it is the first) and stand before each of `after`."""
    if (block.type == DATA) == bool(before) or (before and missing_capabilities(given_capabilities(before), block)):
        return False
    given = given_capabilities([*before, block])
    return not any(missing_capabilities(given, child) for child in after)


ROUTES = [
    Route("GET", "/projects/{p}/workflows", list_workflows),
    Route("POST", "/projects/{p}/workflows", post_workflow),
    Route("GET", "/projects/{p}/workflows/{w}", get_workflow),
    Route("PUT", "/projects/{p}/workflows/{w}", put_workflow),
    Route("DELETE", "/projects/{p}/workflows/{w}", delete_workflow),
    Route("GET", "/projects/{p}/workflows/{w}/tasks", get_tasks),
    Route("POST", "/projects/{p}/workflows/{w}/tasks", post_tasks),
    Route("PUT", "/projects/{p}/workflows/{w}/tasks", post_tasks),
    Route("GET", "/projects/{p}/workflows/{w}/compatible-blocks", compatible_blocks),
]
