"""What an archive is made of, the same for every kind of archive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Iterator, Mapping, Optional

CHUNK = 1024 * 1024  # bytes of a member given at once, at most


@dataclass(frozen=True)
class Member:
    """One entry of an archive, its name as it stands there (not to be trusted).

    `size` is what it announces, in bytes; `chunks()` gives what it really holds, once, before the next member is
    asked for. `refused` is the rule (a code of `errors.TEMPLATES`) that forbids its kind, `values` fill the sentence.
    """

    name: str
    is_folder: bool
    size: int
    chunks: Callable[[], Iterator[bytes]]
    refused: Optional[str] = None
    values: Mapping[str, object] = field(default_factory=dict)
