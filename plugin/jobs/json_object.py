"""A JSON object kept as its text.

A project lists thousands of jobs, each with an AOI of many small lists: as objects, every full garbage collection goes
through them all, and whoever waits for Python meanwhile waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


class JsonObject(Mapping[str, Any]):
    """Reads like the dict that it was made of, and is read from its text each time; never changes."""

    __slots__ = ("_text",)

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._text = json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"))

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, JsonObject):
            return self._text == other._text or self._read() == other._read()
        return isinstance(other, Mapping) and self._read() == dict(other)

    __hash__ = None  # type: ignore[assignment]  # as a dict has none

    def __repr__(self) -> str:
        return repr(self._read())

    def items(self) -> Any:
        """Read once for all of them, not once for each."""
        return self._read().items()

    def values(self) -> Any:
        """Read once for all of them, not once for each."""
        return self._read().values()

    def _read(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self._text)
        return read
