"""Unconfirmed submits that the user has forgotten: their jobs may exist, so their credits still count in their month.

Forgetting lets the same request be run again. It must not let the spending cap of the month be passed. Worker thread.
"""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Mapping, Sequence

from ..jobs.job import Job
from .ledger import Entry, Intent, Ledger
from .spending import month_begin
from .submit import match


def forget(ledger: Ledger, intent_id: int) -> None:
    """The user says that this submit became no job. What was confirmed for it counts until its month is over."""
    with ledger.transaction() as db:
        db.execute("DELETE FROM forgotten WHERE begun < ?", (month_begin(time.time()),))  # they count no more
        db.execute(
            "INSERT INTO forgotten (connection, project, fingerprint, request, confirmed_credits, project_file, token,"
            " server_time, begun, confirmation)"
            " SELECT connection, project, fingerprint, request, confirmed_credits, project_file, token, server_time,"
            " begun, confirmation FROM intent WHERE id = ? AND confirmed_credits IS NOT NULL",
            (intent_id,),
        )
        db.execute("DELETE FROM intent WHERE id = ?", (intent_id,))


def find_again(ledger: Ledger, connection: str, jobs: Sequence[Job], entries: Mapping[str, Entry]) -> bool:
    """Settle forgotten submits whose jobs are among `jobs` after all; True where there were any.

    A submit of the same request that is under way, or unconfirmed itself, has the first claim to the job.
    """
    found = False
    for intent in _all(ledger, connection):
        job = match(intent, jobs, entries)
        if job is not None and _settle(ledger, intent, job.id):
            found, entries = True, ledger.entries(connection)
    return found


def _all(ledger: Ledger, connection: str) -> list[Intent]:
    with ledger.transaction() as db:
        rows = db.execute("SELECT * FROM forgotten WHERE connection = ? ORDER BY id", (connection,)).fetchall()
    return [_intent(row) for row in rows]


def _intent(row: sqlite3.Row) -> Intent:
    values = dict(row)
    del values["begun"]
    return Intent(**{**values, "request": json.loads(row["request"]), "lost": True})


def _settle(ledger: Ledger, intent: Intent, job_id: str) -> bool:
    with ledger.transaction() as db:
        rivals = "SELECT 1 FROM intent WHERE connection = ?1 AND fingerprint = ?2"
        settled = "SELECT 1 FROM entry WHERE connection = ?1 AND job = ?2"
        if (
            db.execute(rivals, (intent.connection, intent.fingerprint)).fetchone()
            or db.execute(settled, (intent.connection, job_id)).fetchone()
        ):
            return False
        db.execute(
            "INSERT INTO entry (connection, job, project, request, confirmed_credits, project_file, token,"
            " fingerprint, confirmation, begun)"
            " SELECT connection, ?, project, request, confirmed_credits, project_file, token, fingerprint,"
            " confirmation, begun FROM forgotten WHERE id = ?",
            (job_id, intent.id),
        )
        db.execute("DELETE FROM forgotten WHERE id = ?", (intent.id,))
    return True
