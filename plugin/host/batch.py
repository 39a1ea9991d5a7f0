"""A batch of a script: jobs under one name of the user's, each of which is submitted once, however often it is run.

A script can be killed at any moment, also between a submit and its own note of it. The ledger can't miss that: the
intent is written before the POST, with the batch and the feature in the place of the confirmation. Worker thread.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Callable, Optional

from ..jobs.request import JobRequest
from ..jobs.request_record import record
from ..platforms.contract import Platform
from .bought import is_used
from .errors import HostError, Unconfirmed
from .forgotten import forget
from .ledger import Intent, Ledger
from .submit import jobs_since, match
from .words import tr

_PREFIX = "batch:"
# What a feature's request may not have changed in; its dates may, where a default is "the last month".
_SAME = ("job_type", "workflow", "geometric_filter", "aoi")


class ChangedInBatch(HostError):
    """The feature was submitted in this batch before, but for something else; nothing was sent."""


@dataclass(frozen=True)
class Batch:
    """A batch of one connection and project. `forget`: submits whose end is not known, and that are old enough, are
    taken for never sent: the user's explicit word.
    """

    ledger: Ledger
    connection: str
    project: str
    name: str
    forget: bool = False

    def key(self, fid: Optional[int]) -> str:
        """What the ledger knows the feature's submit by."""
        return f"{self._mark}{'' if fid is None else fid}"

    @property
    def _mark(self) -> str:
        return f"{_PREFIX}{json.dumps([self.connection, self.project, self.name], ensure_ascii=False)}:"

    def credits(self) -> float:
        """What the jobs that were submitted in this batch have cost, or may cost, in credits."""
        asked = (
            "SELECT SUM(COALESCE(charged, confirmed_credits)) FROM entry WHERE connection = ?1"
            " AND substr(confirmation, 1, length(?2)) = ?2"
        )
        with self.ledger.transaction() as db:
            return float(db.execute(asked, (self.connection, self._mark)).fetchone()[0] or 0.0)

    def job_of(self, platform: Platform, fid: Optional[int], request: JobRequest) -> Optional[str]:
        """The ID of the job that was submitted for this feature before; None where none was.

        Raises ChangedInBatch; Unconfirmed where it was begun, and nobody knows whether there is a job.
        """
        found = self._known(fid, request)
        if found is None:
            for intent in self.ledger.intents(self.connection):
                if intent.confirmation == self.key(fid):
                    self._resolve(platform, intent, fid, request)
                    found = self._known(fid, request)
        return found

    def _known(self, fid: Optional[int], request: JobRequest) -> Optional[str]:
        asked = "SELECT job, request FROM entry WHERE connection = ? AND confirmation = ?"
        with self.ledger.transaction() as db:
            row = db.execute(asked, (self.connection, self.key(fid))).fetchone()
        if row is None:
            return None
        before, now = json.loads(row["request"]), json.loads(json.dumps(record(request)))
        if any(before.get(name) != now.get(name) for name in _SAME):
            text = tr(
                "{what} was submitted in the batch “{batch}” before, as job {job}, but with another AOI or workflow:"
                " use another name as BATCH."
            )
            raise ChangedInBatch(text.format(what=_what(fid), batch=self.name, job=row["job"]))
        return str(row["job"])

    def _resolve(self, platform: Platform, intent: Intent, fid: Optional[int], request: JobRequest) -> None:
        """Find the job that a killed or cut submit has made. Raises Unconfirmed where it can't be told."""
        job = match(intent, jobs_since(platform, request, intent), self.ledger.entries(self.connection))
        if job is not None:
            self.ledger.settle(intent.id, job.id)
        elif intent.lost and self.forget:
            forget(self.ledger, intent.id)
        elif intent.lost:
            text = tr(
                "{what} of the batch “{batch}” was being submitted when that was interrupted, and the job can't be"
                " found: it may exist or not, so nothing was sent. Look for “{name}” in the project's jobs; where there"
                " is none, run again with FORGET_UNCONFIRMED."
            )
            raise Unconfirmed(text.format(what=_what(fid), batch=self.name, name=intent.request["name"]))
        else:
            text = tr(
                "{what} of the batch “{batch}” is being submitted by another run, or was a few minutes ago when that"
                " was interrupted. Nothing was sent: run again in five minutes."
            )
            raise Unconfirmed(text.format(what=_what(fid), batch=self.name))

    def claim(self, fid: Optional[int]) -> Callable[[sqlite3.Connection], None]:
        """For the transaction that writes the intent: raises Unconfirmed where another run was faster."""

        def check(db: sqlite3.Connection) -> None:
            if is_used(db, self.key(fid)):
                text = tr("{what} of the batch “{batch}” is being submitted by another run just now: nothing was sent.")
                raise Unconfirmed(text.format(what=_what(fid), batch=self.name))

        return check


def _what(fid: Optional[int]) -> str:
    return tr("The AOI") if fid is None else tr("Feature {fid}").format(fid=fid)
