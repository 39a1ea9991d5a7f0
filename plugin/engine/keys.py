"""The secrets of one data folder: ids that stay, and keys that each start of the engine makes anew."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Mapping

from .files import read_json, write_private_json

KEYS_FILE = "keys.json"
ENV_PROJECT_ID = "UP42_JOBS_PROJECT_ID"
ENV_PROJECT_KEY = "UP42_JOBS_PROJECT_KEY"
ENV_ACCOUNT_USER = "UP42_JOBS_USER"
ENV_ACCOUNT_WORD = "UP42_JOBS_PASSWORD"  # where the account's password is given, not the password
PROJECT_ID_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # it stands in URLs and before the colon of Basic
ACCOUNT_USER = "practice@localhost"
_STORED = ("project_id", "free_project_id", "signing_key")


class KeysError(Exception):
    """The keys can't be used; the text says why."""


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Keys:
    """Project ids and keys of *Practice* and *This Computer*, the account that may use both (contract 1.3), and the
    key that tokens and URLs are signed with.

    Ids and signing key stay with the data folder: a client's notes and tokens outlive a restart. What signs in is new
    at each start, so a key that an ended engine has left behind opens nothing.
    """

    project_id: str
    free_project_id: str
    signing_key: str = field(repr=False)
    project_key: str = field(default_factory=_new_secret, repr=False)
    free_project_key: str = field(default_factory=_new_secret, repr=False)
    account_user: str = ACCOUNT_USER
    account_password: str = field(default_factory=_new_secret, repr=False)

    @property
    def public(self) -> dict[str, str]:
        """What a client of this user gets to know: the first line of the engine, and its engine.json."""
        names = ("project_id", "project_key", "free_project_id", "free_project_key", "account_user", "account_password")
        return {name: getattr(self, name) for name in names}


def load_keys(data: Path) -> Keys:
    """The keys of one start on this data folder; ids are made at the first. Raises OSError, KeysError."""
    path = data / KEYS_FILE
    stored = read_json(path)
    if stored is None:
        if path.exists():
            raise KeysError(f"{path} can't be read: delete it, and new keys are made.")
        stored = {"project_id": str(uuid.uuid4()), "free_project_id": str(uuid.uuid4()), "signing_key": _new_secret()}
        write_private_json(path, stored)
    if not isinstance(stored, dict) or not all(isinstance(stored.get(name), str) for name in _STORED):
        raise KeysError(f"{path} is not a file of keys: delete it, and new keys are made.")
    return Keys(**{name: stored[name] for name in _STORED})


def with_environment(keys: Keys, environment: Mapping[str, str]) -> Keys:
    """`keys` with *Practice*'s pair and the account's as the environment gives them, if it does. Raises KeysError."""
    user, password = _pair(environment, ENV_ACCOUNT_USER, ENV_ACCOUNT_WORD)
    if user:
        keys = replace(keys, account_user=user, account_password=password)
    project_id, project_key = _pair(environment, ENV_PROJECT_ID, ENV_PROJECT_KEY)
    if not project_id:
        return keys
    if not PROJECT_ID_FORM.fullmatch(project_id) or project_id == keys.free_project_id:
        raise KeysError(f"{ENV_PROJECT_ID} must be letters, digits, - and _, at most 100, and not the free project's.")
    return replace(keys, project_id=project_id, project_key=project_key)


def _pair(environment: Mapping[str, str], first: str, second: str) -> tuple[str, str]:
    pair = environment.get(first) or "", environment.get(second) or ""
    if bool(pair[0]) != bool(pair[1]):
        raise KeysError(f"Set both {first} and {second}, or none of them.")
    return pair
