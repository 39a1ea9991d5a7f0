"""Spending caps per job and per calendar month (UTC). What was confirmed counts until it is known what was charged.

The check stands in the transaction that writes the intent to submit, so that two programs can't pass a cap together.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Mapping, Optional, Sequence

from . import lost_spending
from .errors import HostError
from .ledger import Ledger
from .lost_spending import PRACTICE
from .settings import Settings
from .words import number, tr

_NOISE = 1e-6  # credits: of adding floats
FORGOTTEN_AFTER_SECONDS = 30 * 86_400.0  # a job that ended unseen so long ago takes nothing more


class OverCap(HostError):
    """A spending cap of the options would be passed; nothing was sent."""


@dataclass(frozen=True)
class Caps:
    """The most that one job, and all jobs of a month, may cost in credits; None: no such cap."""

    per_job: Optional[float] = None
    per_month: Optional[float] = None

    @classmethod
    def now(cls) -> Caps:
        """The caps of the options as they are at this moment."""
        settings = Settings()
        return cls(settings.job_cap, settings.month_cap)


def refusal(caps: Caps, most: Optional[float], spent: float) -> str:
    """Why a job of at most `most` credits (None: unknown) is not to be run, or "".

    `spent`: what the other jobs of the month may cost, in credits.
    """
    if most is None:
        if caps.per_job is None and caps.per_month is None:
            return ""
        return tr(
            "The price of this job is unknown, so the spending cap of the options can't be kept: remove the cap there"
            " to run it."
        )
    if caps.per_job is not None and most > caps.per_job + _NOISE:
        text = tr("This job may cost {most} credits, but the cap per job is {cap}: make it smaller, or raise the cap.")
        return text.format(most=_credits(most), cap=_credits(caps.per_job))
    if caps.per_month is not None and spent + most > caps.per_month + _NOISE:
        text = tr(
            "This job may cost {most} credits. With {spent} of this month that would pass the cap of {cap} per month:"
            " make it smaller, or raise the cap in the options."
        )
        return text.format(most=_credits(most), spent=_credits(spent), cap=_credits(caps.per_month))
    return ""


def check(db: sqlite3.Connection, caps: Caps, connection: str, most: Optional[float]) -> None:
    """Raise OverCap where a job of at most `most` credits would pass a cap. Inside a transaction of the ledger."""
    check_all(db, caps, connection, [most])


def check_all(db: sqlite3.Connection, caps: Caps, connection: str, each: Sequence[Optional[float]]) -> None:
    """Raise OverCap where jobs of these greatest prices would, one after the other, pass a cap."""
    spent = spent_this_month(db, connection)
    for most in each:
        why = why_not(db, caps, connection, most, spent)
        if why:
            raise OverCap(why)
        spent += most or 0.0


def why_not(db: sqlite3.Connection, caps: Caps, connection: str, most: Optional[float], spent: float) -> str:
    """`refusal`, and what is not known of the month's spending where that matters. Inside a transaction."""
    capped, since = caps.per_month is not None and most != 0, month_begin(time.time())
    unknown = lost_spending.refusal(db, connection, since) if capped else ""
    if unknown:
        return unknown
    why = refusal(caps, most, spent)
    alone = refusal(caps, most, 0.0)
    doubt = lost_spending.doubt(db, connection, since) if why and not alone else ""
    return f"{why} {doubt}".strip()


def spent_this_month(db: sqlite3.Connection, connection: str) -> float:
    """Credits charged, or confirmed where the charge is not known, of this month; submits under way, queued and
    forgotten ones too.

    Play credits are counted, and so capped, by themselves.
    """
    values = {"purse": connection == PRACTICE, "practice": PRACTICE, "since": month_begin(time.time())}
    return _sum(
        db,
        values,
        "SELECT SUM(COALESCE(charged, confirmed_credits)) FROM entry"
        " WHERE begun >= :since AND (connection = :practice) = :purse",
        "SELECT SUM(confirmed_credits) FROM intent WHERE begun >= :since AND (connection = :practice) = :purse",
        "SELECT SUM(confirmed_credits) FROM forgotten WHERE begun >= :since AND (connection = :practice) = :purse",
        "SELECT SUM(confirmed_credits) FROM queued WHERE state = 'waiting' AND (connection = :practice) = :purse",
    )


def may_still_take(db: sqlite3.Connection, connection: str) -> float:
    """Credits that unfinished and queued jobs of this connection may still take, as they were confirmed."""
    return _sum(
        db,
        {"connection": connection, "since": time.time() - FORGOTTEN_AFTER_SECONDS},
        "SELECT SUM(confirmed_credits) FROM entry WHERE begun >= :since AND connection = :connection"
        " AND charged IS NULL AND told IS NULL AND delivered = 0",
        "SELECT SUM(confirmed_credits) FROM intent WHERE begun >= :since AND connection = :connection",
        "SELECT SUM(confirmed_credits) FROM queued WHERE state = 'waiting' AND connection = :connection",
    )


def _sum(db: sqlite3.Connection, values: Mapping[str, object], *questions: str) -> float:
    return sum(db.execute(question, values).fetchone()[0] or 0.0 for question in questions)


def note_charged(ledger: Ledger, connection: str, job_id: str, credits: float) -> None:
    """An ended job has cost so many credits; that counts from now on in place of what was confirmed."""
    with ledger.transaction() as db:
        db.execute("UPDATE entry SET charged = ? WHERE connection = ? AND job = ?", (credits, connection, job_id))


def month_begin(now: float) -> float:
    """The begin of the calendar month of `now`, in UTC; both in seconds since 1970."""
    day = datetime.fromtimestamp(now, timezone.utc)
    return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def _credits(value: float) -> str:
    return number(value, 0 if float(value).is_integer() else 2)
