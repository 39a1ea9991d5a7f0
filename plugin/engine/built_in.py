"""The built-in workflows that both projects start with: one JSON file each, named `<place in the list>-<key>.json`."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any, Mapping, Sequence

from ..jobs.workflow import task_names
from .blocks.base import Block
from .projects import KINDS, PRACTICE
from .store import Store
from .stored_workflows import create_workflow, replace_tasks

FOLDER = Path(__file__).parents[2] / "resources" / "workflows"
NEEDS_NETWORK_BELOW = 10  # places of the workflows on imagery from the internet
NAMESPACE = uuid.UUID("6f5c6c4e-52f2-4d53-9d5b-5b6f2f6f1c42")  # ours, drawn once


def seed_workflows(store: Store, blocks: Mapping[str, Block], folder: Path = FOLDER) -> None:
    """Add each built-in workflow once to both projects, with an id that is the same everywhere.

    One that a user has deleted doesn't come back. One whose blocks this engine has not is left for a later start.
    """
    by_name = {block.description.name: block_id for block_id, block in blocks.items()}
    for path in _files(folder):
        built_in = json.loads(path.read_text(encoding="utf-8"))
        names: list[str] = built_in["blocks"]
        if all(name in by_name for name in names):
            tasks = [(task, by_name[name]) for task, name in zip(task_names(names), names)]
            for kind in KINDS:
                _seed(store, kind, workflow_id(kind, path), built_in, tasks)


def in_order(rows: Sequence[dict[str, Any]], kind: str, folder: Path = FOLDER) -> list[dict[str, Any]]:
    """A project's workflows as they are listed: the user's as they come, then the built-in ones by their place.

    So the first thing that a newcomer sees is the one to begin with, also after an update has brought more of them: on
    This Computer real imagery, in Practice the demo, which needs no network.
    """
    files = sorted(_files(folder), key=lambda path: kind == PRACTICE and _place(path) < NEEDS_NETWORK_BELOW)
    places = {workflow_id(kind, path): place for place, path in enumerate(files)}
    return sorted(rows, key=lambda row: places.get(row["id"], -1))


def _place(path: Path) -> int:
    place = path.stem.partition("-")[0]
    return int(place) if place.isdigit() else NEEDS_NETWORK_BELOW


def workflow_id(kind: str, path: Path) -> str:
    """The id of a file's workflow in one project; the file's place in the list doesn't matter to it."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{path.stem.partition('-')[2]}"))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def _seed(
    store: Store, kind: str, identifier: str, built_in: Mapping[str, Any], tasks: Sequence[tuple[str, str]]
) -> None:
    with store.transaction():
        if store.change("INSERT OR IGNORE INTO seeded (workflow_id) VALUES (?)", identifier):
            create_workflow(store, kind, built_in["name"], built_in["description"], identifier)
            replace_tasks(store, identifier, tasks)
