"""A workflow's tasks: one data block and up to five processing blocks in a line, each of which takes what it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

from ..jobs.workflow import MAX_PROCESSING_BLOCKS
from .blocks.base import Block, BlockDescription
from .inputs import CONFIG
from .refusal import Refusal, invalid

MAX_NAME_LENGTH = 100
DATA = "DATA"


@dataclass(frozen=True)
class ChainTask:
    """One task of a workflow."""

    name: str
    block: Block


def read_chain(tasks: Any, blocks: Mapping[str, Block]) -> list[ChainTask]:
    """The tasks of a request ([{"name", "parentName", "blockId"}]) in order. Raises Refusal (400, 422)."""
    if not isinstance(tasks, list) or not tasks or not all(isinstance(task, dict) for task in tasks):
        raise invalid('The tasks must be a list of {"name": "…", "parentName": "…", "blockId": "…"}.')
    by_parent: dict[Optional[str], dict[str, Any]] = {}
    for task in tasks:
        _check_name(task.get("name"))
        parent, block_id = task.get("parentName"), task.get("blockId")
        if not isinstance(block_id, str) or not isinstance(parent, (str, type(None))):
            raise invalid(f'Task "{task["name"]}": blockId must be a text, and parentName a text or null.')
        if parent in by_parent:
            raise invalid(f"The tasks must form a line, but more than one follows {parent or 'the beginning'}.")
        by_parent[parent] = task
    if len({task["name"] for task in tasks}) < len(tasks):
        raise invalid("Each task needs a name of its own.")
    chain = _in_order(by_parent, blocks)
    if len(chain) < len(tasks):
        raise invalid("The tasks must form a line: one has no parent, each other one has another task as its parent.")
    _check_chain(chain)
    return chain


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_LENGTH or name == CONFIG:
        raise invalid(f'Each task needs a name of at most {MAX_NAME_LENGTH} characters that is not "{CONFIG}".')


def _in_order(by_parent: Mapping[Optional[str], Mapping[str, Any]], blocks: Mapping[str, Block]) -> list[ChainTask]:
    chain: list[ChainTask] = []
    task = by_parent.get(None)
    while task is not None:
        block = blocks.get(task["blockId"])
        if block is None:
            raise invalid(f'Task "{task["name"]}": there is no block with id {task["blockId"]}')
        chain.append(ChainTask(task["name"], block))
        task = by_parent.get(task["name"]) if len(chain) <= len(by_parent) else None
    return chain


def _check_chain(chain: Sequence[ChainTask]) -> None:
    if chain[0].block.description.type != DATA or any(task.block.description.type == DATA for task in chain[1:]):
        raise invalid("A workflow is one data block followed by processing blocks.")
    if len(chain) > 1 + MAX_PROCESSING_BLOCKS:
        raise invalid(f"A workflow has at most {MAX_PROCESSING_BLOCKS} processing blocks.")
    mismatches = []
    for place, child in enumerate(chain[1:], start=1):
        given = given_capabilities([task.block.description for task in chain[:place]])
        missing = missing_capabilities(given, child.block.description)
        if missing:
            mismatches.append({"workflowTaskName": child.name, "missingInputCapabilities": missing})
    if mismatches:
        names = [mismatch["workflowTaskName"] for mismatch in mismatches]
        raise Refusal(
            422,
            f"The workflow is not valid: {', '.join(map(str, names))} can't work on what comes before.",
            more={"invalidTaskNames": names, "capabilityMismatches": mismatches},
        )


def given_capabilities(chain: Sequence[BlockDescription]) -> frozenset[str]:
    """What the last block of a chain gives to its child: its own, and what it hands on of its parent's."""
    given: frozenset[str] = frozenset()
    for block in chain:
        given = block.outputs | (block.keeps & given)
    return given


def missing_capabilities(given: frozenset[str], child: BlockDescription) -> list[str]:
    """What the child needs and is not given; empty where they fit."""
    return sorted(child.inputs - given)
