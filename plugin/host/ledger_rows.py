"""What the ledger keeps of a job and of a submit."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Mapping, Optional

LOST_AFTER_SECONDS = 300.0  # longer than any POST lasts: whoever submitted was killed meanwhile


@dataclass(frozen=True)
class Entry:
    """One job that was started from this profile. `told`: the state whose ending the user has been told of.

    `begun`: when it was submitted, in seconds since 1970; `charged`: credits that it has cost, once that is known;
    `confirmation`: the id of the confirmation that it used up.
    """

    connection: str
    job: str
    project: str
    request: Mapping[str, Any]
    confirmed_credits: Optional[float]
    project_file: str
    token: str
    folder: Optional[str] = None
    delivered: bool = False
    loaded: bool = False
    told: Optional[str] = None
    fingerprint: str = ""
    confirmation: str = ""
    begun: float = 0.0
    charged: Optional[float] = None


@dataclass(frozen=True)
class Intent:
    """A submit whose end is not known: written before the POST, gone when the answer is there.

    `lost`: no answer will come any more; whoever submitted said so, or has been silent for too long.
    """

    id: int
    connection: str
    project: str
    fingerprint: str
    request: Mapping[str, Any]
    confirmed_credits: Optional[float]
    project_file: str
    token: str
    server_time: Optional[str]
    lost: bool
    confirmation: str = ""


def intent_of(row: sqlite3.Row) -> Intent:
    """A row of the table `intent`."""
    values = dict(row)
    silent = time.time() - values.pop("begun") > LOST_AFTER_SECONDS
    values.update(request=json.loads(row["request"]), lost=bool(row["lost"]) or silent)
    return Intent(**values)


def entry_of(row: sqlite3.Row) -> Entry:
    """A row of the table `entry`."""
    values = dict(row)
    values.update(request=json.loads(row["request"]), delivered=bool(row["delivered"]), loaded=bool(row["loaded"]))
    return Entry(**values)
