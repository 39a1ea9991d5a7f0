"""Ranges of dates that are asked for often. A block's own default may have ended years ago."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

PAST_YEARS = 6


def as_range(first: date, last: date) -> str:
    """Whole days, UTC, as the parameter `time` takes them (contract 3.1)."""
    return f"{first.isoformat()}T00:00:00Z/{last.isoformat()}T23:59:59Z"


def last_days(today: date, days: int) -> str:
    """The last so many days and today."""
    return as_range(today - timedelta(days=days), today)


def last_months(today: date, months: int) -> str:
    """From the same day so many months ago (or the month's last one) to today."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return as_range(_day(year, month + 1, today.day), today)


def this_year(today: date) -> str:
    """From New Year to today."""
    return as_range(date(today.year, 1, 1), today)


def month_of(year: int, month: int) -> str:
    """The whole month."""
    return as_range(date(year, month, 1), _day(year, month, 31))


def this_month_in_past_years(today: date) -> list[tuple[int, str]]:
    """Year and range of the month of today, in each of the years before, the last one first."""
    return [(year, month_of(year, today.month)) for year in range(today.year - 1, today.year - 1 - PAST_YEARS, -1)]


def month_by_month(today: date, months: int) -> list[str]:
    """Each of the last so many whole months, and this one as far as it has come; the oldest first."""
    now = today.year * 12 + today.month - 1
    whole = [month_of(each // 12, each % 12 + 1) for each in range(now - months, now)]
    return [*whole, as_range(today.replace(day=1), today)]


def _day(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
