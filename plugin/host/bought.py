"""What was bought already: a Live Job of the same request (its fingerprint) that did not fail."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Collection, Optional

from qgis.PyQt.QtCore import QDate, QLocale

from ..jobs.job import JobState
from .connections import of_same_server
from .errors import HostError
from .words import number, tr

_IN_VAIN = (JobState.FAILED.value, JobState.CANCELLED.value)


@dataclass(frozen=True)
class Bought:
    """An earlier job of the same request. `credits`: what it cost, or at most costs; None where nobody knows."""

    job: str
    at: datetime
    credits: Optional[float]

    @property
    def in_words(self) -> str:
        """`12 Mar, 63 Credits`, for buttons; the year where it is not this one's."""
        local = self.at.astimezone()
        this_year = local.year == datetime.now().astimezone().year
        day = QLocale().toString(QDate(local.year, local.month, local.day), "d MMM" if this_year else "d MMM yyyy")
        if self.credits is None:
            return day
        return tr("{day}, {credits} Credits").format(day=day, credits=number(self.credits))


class AlreadyBought(HostError):
    """The same request was bought before and that was not said in the confirmation; nothing was sent."""

    def __init__(self, before: Bought) -> None:
        text = tr(
            "This very request was bought already ({before}), so it was not run again. Load that one, or confirm to buy"
            " it again."
        )
        super().__init__(text.format(before=before.in_words))
        self.before = before


def find(
    db: sqlite3.Connection, connection: str, fingerprint: str, in_vain: Collection[str] = ()
) -> Optional[Bought]:
    """The last job of this request that did not fail, of those started from this profile. In a transaction.

    By whatever connection to this server it was bought: the fingerprint names the project, and its jobs are one list.
    `in_vain`: jobs that the platform says have failed; the ledger knows that only of those that were told of.
    """
    connections = of_same_server(connection)
    rows = db.execute(
        "SELECT connection, job, begun, COALESCE(charged, confirmed_credits) AS credits FROM entry"
        " WHERE fingerprint = ? AND (told IS NULL OR told NOT IN (?, ?)) ORDER BY begun DESC, rowid DESC",
        (fingerprint, *_IN_VAIN),
    )
    row = next((row for row in rows if row["connection"] in connections and row["job"] not in in_vain), None)
    return Bought(row["job"], datetime.fromtimestamp(row["begun"], timezone.utc), row["credits"]) if row else None


def is_used(db: sqlite3.Connection, confirmation: str) -> bool:
    """True where this confirmation has made a job, or may have. In a transaction."""
    asked = "SELECT 1 FROM entry WHERE confirmation = ?1 UNION SELECT 1 FROM intent WHERE confirmation = ?1"
    return db.execute(asked, (confirmation,)).fetchone() is not None
