"""A workflow as a file of JSON: name, description and the names of its blocks. It names no server. Worker thread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

from ..jobs import json_text
from ..jobs.workflow import MAX_PROCESSING_BLOCKS, Block, Workflow
from .errors import HostError
from .parameter_files import FileTrouble, write_parameters
from .words import tell, tr

MAX_FILE_BYTES = 1_000_000


class UnusableFile(HostError):
    """A file that is no workflow, or one that this project can't have, or that can't be written."""


def to_text(workflow: Workflow) -> str:
    """The workflow as the text of a file."""
    described = {
        "name": workflow.name,
        "description": workflow.description,
        "blocks": [task.block.name for task in workflow.tasks],
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def write_workflow(path: Path, workflow: Workflow) -> None:
    """Write it; a file that is there is replaced whole or not at all. Raises UnusableFile."""
    try:
        write_parameters(path, to_text(workflow))
    except FileTrouble as e:
        raise UnusableFile(str(e)) from e


def read_workflow(path: Path) -> tuple[str, str, list[str]]:
    """Name, description and block names of a file. Raises UnusableFile, which says what is wrong and where."""
    found = json_text.parse(_text_of(path))
    if found.problems:
        raise _unusable(path, tell(found.problems[0]))
    value = found.value
    if not isinstance(value, dict):
        raise _unusable(path, tr("it must be an object in braces { }"))
    for key in ("name", "description"):
        if value.get(key) is not None and not isinstance(value[key], str):
            raise _unusable(path, tr("its “{key}” must be a text in double quotes").format(key=key))
    blocks = value.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        raise _unusable(path, tr("its blocks are missing"))
    wrong = next((place for place, block in enumerate(blocks, 1) if not isinstance(block, str) or not block), 0)
    if wrong:
        raise _unusable(path, tr("its block {n} must be a block’s name in double quotes").format(n=wrong))
    if len(blocks) > 1 + MAX_PROCESSING_BLOCKS:
        raise _unusable(path, tr("it has more than one data block and five processing blocks"))
    return (value.get("name") or "").strip() or path.stem, value.get("description") or "", blocks


def known_blocks(path: Path, names: Sequence[str], blocks: Sequence[Block]) -> list[Block]:
    """The platform's blocks of these names, a data block and then processing blocks. Raises UnusableFile."""
    by_name = {block.name: block for block in blocks}
    missing = [name for name in names if name not in by_name]
    if missing:
        text = tr("“{file}” needs blocks that are not to be had here: {blocks}. Nothing was made.")
        raise UnusableFile(text.format(file=path.name, blocks=", ".join(missing)))
    for place, name in enumerate(names):
        if by_name[name].is_data != (place == 0):
            if place == 0:
                why = tr("its first block, “{block}”, is no data block")
            else:
                why = tr("its block {n}, “{block}”, is a data block, which can only be the first")
            raise _unusable(path, why.format(n=place + 1, block=name))
    return [by_name[name] for name in names]


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise _unusable(path, tr("it is too large"))
        return data.decode("utf-8-sig")
    except OSError as e:
        raise UnusableFile(tr("“{name}” can't be read: {why}.").format(name=path.name, why=e.strerror or e)) from e
    except UnicodeDecodeError as e:
        raise _unusable(path, tr("it is no text in UTF-8")) from e


def _unusable(path: Path, why: Any) -> UnusableFile:
    text = tr("“{file}” is no workflow: {why}. A workflow's file has “name” and “blocks”, a list of block names.")
    return UnusableFile(text.format(file=path.name, why=str(why).rstrip(".")))
