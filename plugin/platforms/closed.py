"""The interface that UP42 has closed: known by its host, so that nothing has to be asked to tell the truth."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..jobs.problem import QT_TRANSLATE_NOOP

_UP42_HOST = re.compile(r"(.+\.)?up42\.(com|dev)")

CLOSED = QT_TRANSLATE_NOOP(
    "Closed",
    "UP42 closed this interface to the public on 15 May 2024, so no jobs can be run there. What works today: “This"
    " Computer”, which is free, needs no account and runs on open data; or another server that speaks the"
    " workflows-and-jobs interface.",
)


def is_closed(base_url: str) -> bool:
    """True for every address of UP42's own (contract 1.1)."""
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    return _UP42_HOST.fullmatch(host.rstrip(".").lower()) is not None
