"""The secrets of one data folder: a project key for each of the two projects, and what tokens are signed with."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Mapping

from .files import read_json, write_private_json

KEYS_FILE = "keys.json"
ENV_PROJECT_ID = "UP42_JOBS_PROJECT_ID"
ENV_PROJECT_KEY = "UP42_JOBS_PROJECT_KEY"
PROJECT_ID_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # it stands in URLs and before the colon of Basic


class KeysError(Exception):
    """The keys can't be used; the text says why."""


@dataclass(frozen=True)
class Keys:
    """Project ids and keys of *Practice* and *This Computer*, and the key that tokens and URLs are signed with."""

    project_id: str
    project_key: str
    free_project_id: str
    free_project_key: str
    signing_key: str


def load_keys(data: Path) -> Keys:
    """The keys of this data folder, made at its first start. Raises OSError, KeysError."""
    path = data / KEYS_FILE
    stored = read_json(path)
    if stored is None:
        if path.exists():
            raise KeysError(f"{path} can't be read: delete it, and new keys are made.")
        stored = asdict(_new_keys())
        write_private_json(path, stored)
    try:
        return Keys(**stored)
    except TypeError as e:
        raise KeysError(f"{path} is not a file of keys: delete it, and new keys are made.") from e


def with_environment(keys: Keys, environment: Mapping[str, str]) -> Keys:
    """`keys` with *Practice*'s pair as the environment gives it, if it does. Raises KeysError."""
    project_id = environment.get(ENV_PROJECT_ID)
    project_key = environment.get(ENV_PROJECT_KEY)
    if not project_id and not project_key:
        return keys
    if not project_id or not project_key:
        raise KeysError(f"Set both {ENV_PROJECT_ID} and {ENV_PROJECT_KEY}, or none of them.")
    if not PROJECT_ID_FORM.fullmatch(project_id) or project_id == keys.free_project_id:
        raise KeysError(f"{ENV_PROJECT_ID} must be letters, digits, - and _, at most 100, and not the free project's.")
    return replace(keys, project_id=project_id, project_key=project_key)


def _new_keys() -> Keys:
    return Keys(
        project_id=str(uuid.uuid4()),
        project_key=secrets.token_urlsafe(32),
        free_project_id=str(uuid.uuid4()),
        free_project_key=secrets.token_urlsafe(32),
        signing_key=secrets.token_hex(32),
    )
