"""A span of days, in UTC as everything that leaves the screen: the months are those of the spending cap too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Optional


@dataclass(frozen=True)
class Period:
    """From the first day to the last, both included; None: open to that side."""

    first: Optional[date] = None
    last: Optional[date] = None

    def holds(self, moment: Optional[datetime]) -> bool:
        """True for an aware time within; a time that is not told is in no period but the one without ends."""
        if moment is None:
            return self.first is None and self.last is None
        day = moment.astimezone(timezone.utc).date()
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    @property
    def is_empty(self) -> bool:
        """True where it ends before it begins."""
        return self.first is not None and self.last is not None and self.last < self.first

    @classmethod
    def month_of(cls, day: date) -> Period:
        """The calendar month of `day`."""
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @classmethod
    def month_before(cls, day: date) -> Period:
        """The calendar month before that of `day`."""
        return cls.month_of(day.replace(day=1) - timedelta(days=1))

    @classmethod
    def year_of(cls, day: date) -> Period:
        """The calendar year of `day`."""
        return cls(day.replace(month=1, day=1), day.replace(month=12, day=31))


def today() -> date:
    """The day that it is now, in UTC."""
    return datetime.now(timezone.utc).date()
