"""Spans of time as the contract writes them (3.1 `time`), and in words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Optional

from ...jobs.job import parse_time

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_LAST_MOMENT = timedelta(days=1) - timedelta(microseconds=1)


class Span(NamedTuple):
    """From `start` to `end`, both included: aware datetimes in UTC."""

    start: datetime
    end: datetime

    def touches(self, other: Span) -> bool:
        """Whether the two have a moment in common."""
        return self.start <= other.end and other.start <= self.end


def day_span(moment: datetime) -> Span:
    """The whole UTC day of a moment."""
    start = moment.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(start, start + _LAST_MOMENT)


def read_span(text: str) -> Span:
    """A span from "start/end" or one instant, RFC 3339; a date without a time is the whole day.

    Raises ValueError where it is no such text or ends before it starts.
    """
    parts = text.split("/")
    if len(parts) > 2:
        raise ValueError(text)
    ends = [_read_part(part) for part in parts]
    span = Span(ends[0].start, ends[-1].end)
    if span.start > span.end:
        raise ValueError(text)
    return span


def _read_part(text: str) -> Span:
    moment = parse_time(text)
    if moment is None:
        raise ValueError(text)
    date_only = len(text.strip()) == 10
    return day_span(moment) if date_only else Span(moment, moment)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with Z, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def say_day(moment: datetime) -> str:
    """A day in words: 18 May 2024."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def say_span(span: Optional[Span]) -> str:
    """A span in words: "between 1 May 2024 and 31 May 2024", "on 1 May 2024", "on any date"."""
    if span is None:
        return "on any date"
    first, last = say_day(span.start), say_day(span.end)
    return f"on {first}" if first == last else f"between {first} and {last}"
