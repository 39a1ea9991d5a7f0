"""One parameter changed in the text of all: what the user wrote around it stays as it was, to the last space."""

from __future__ import annotations

from typing import Any

from . import json_text
from .json_text import Parsed, Place

INDENT = 2


def with_value(text: str, parsed: Parsed, task: str, name: str, value: Any) -> str:
    """`text` (a readable set of parameters, as `parsed`) with that parameter set; a missing key is added at the end."""
    place = parsed.places.get((task, name))
    if place is not None:
        return text[: place.start] + _written(text, place.key, value) + text[place.end :]
    if (task,) in parsed.places:
        return _added(text, parsed.places[(task,)], _members(parsed, (task,)), name, value)
    root = Place(0, text.index("{"), text.rindex("}") + 1)
    return _added(text, root, _members(parsed, ()), task, {name: value})


def without(text: str, parsed: Parsed, task: str, name: str) -> str:
    """`text` without that parameter, each time that it is given, and without the comma that it needed."""
    while (task, name) in parsed.places:
        place = parsed.places[(task, name)]
        start, end = place.key, place.end
        after = json_text.skip_space(text, end)
        if text[after] == ",":
            end = json_text.skip_space(text, after + 1)
        else:
            start = len(text[:start].rstrip(" \t\n\r"))
            if text[start - 1] == ",":
                start -= 1
        text = text[:start] + text[end:]
        parsed = json_text.parse(text)
    return text


def _members(parsed: Parsed, path: tuple[str, ...]) -> list[Place]:
    """The places right below `path`, in the order of the text."""
    below = [p for key, p in parsed.places.items() if len(key) == len(path) + 1 and key[: len(path)] == path]
    return sorted(below, key=lambda place: place.key)


def _added(text: str, holder: Place, members: list[Place], name: str, value: Any) -> str:
    """`text` with one more member in the object at `holder`, written like those that are there."""
    if not members:
        outer = _indent(text, holder.start)
        inner = outer + " " * INDENT
        body = f"{json_text.dumps(name)}: {_indented(value, inner)}"
        return f"{text[: holder.start]}{{\n{inner}{body}\n{outer}}}{text[holder.end :]}"
    last = members[-1]
    between = "\n" + _indent(text, last.key) if _begins_line(text, last.key) else " "
    body = f"{json_text.dumps(name)}: {_written(text, last.key, value)}"
    return f"{text[: last.end]},{between}{body}{text[last.end :]}"


def _written(text: str, key: int, value: Any) -> str:
    """`value` on several lines where its key has a line of its own, else on one."""
    return _indented(value, _indent(text, key)) if _begins_line(text, key) else json_text.dumps(value)


def _indented(value: Any, indent: str) -> str:
    return json_text.dumps(value, indent=INDENT).replace("\n", "\n" + indent)


def _begins_line(text: str, offset: int) -> bool:
    start = text.rfind("\n", 0, offset) + 1
    return start > 0 and not text[start:offset].strip()


def _indent(text: str, offset: int) -> str:
    """The blanks that begin the line of `offset`."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:]
    return line[: len(line) - len(line.lstrip(" \t"))]
