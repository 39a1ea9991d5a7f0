"""When a request is worth repeating, and after how long."""

from __future__ import annotations

import datetime
import email.utils
import random
from typing import Mapping, Optional

from .errors import HttpError, NetError, Truncated, Unreachable

TRIES = 3
FIRST_PAUSE = 0.5  # seconds; doubles with each try
LONGEST_PAUSE = 120.0  # seconds; also where a server asks for more by Retry-After
_PASSING = (429, 502, 503, 504)  # too many requests; a gateway's or a server's bad moment
_chance = random.SystemRandom()


def pause_before_retry(error: NetError, tried: int) -> Optional[float]:
    """Seconds to wait before the next try, after `tried` of them; None if there should be none.

    Worth it: a connection that was dropped or cut, 429, 502, 503, 504. Not worth it, because nothing changes within
    seconds or because it took long already: no such host, refused, a time-out, a certificate, any other answer.
    """
    if tried >= TRIES:
        return None
    if isinstance(error, HttpError) and error.status in _PASSING:
        asked = retry_after(error.headers)
        return _back_off(tried) if asked is None else min(asked, LONGEST_PAUSE)
    if isinstance(error, Truncated) or (isinstance(error, Unreachable) and error.key == "dropped"):
        return _back_off(tried)
    return None


def retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """The seconds that Retry-After asks for (RFC 9110, 10.2.3: a number, or a date), never negative; else None."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    then = http_date(value)
    if then is None:
        return None
    now = http_date(headers.get("Date")) or datetime.datetime.now(datetime.timezone.utc)
    return max(0.0, (then - now).total_seconds())


def http_date(value: Optional[str]) -> Optional[datetime.datetime]:
    """An HTTP date as a datetime in UTC; None if there is none or it can't be read."""
    try:
        date = email.utils.parsedate_to_datetime(value or "")
    except (TypeError, ValueError):
        return None
    return date.replace(tzinfo=datetime.timezone.utc) if date.tzinfo is None else date.astimezone(datetime.timezone.utc)


def _back_off(tried: int) -> float:
    """0.5 s, 1 s, 2 s …, each 50 to 150 % of it, so that many clients don't come back at the same moment."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tried - 1)) * _chance.uniform(0.5, 1.5)
