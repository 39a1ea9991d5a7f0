"""JSON text with the place of every key and value, so that a problem can say its line and column, and so that one
value can be changed without touching what the user wrote around it.

The grammar is RFC 8259's. A reader of our own, because Python's says neither places nor reasons that help, and takes
NaN, 1e999 and a name given twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Union

from .problem import Problem

Path = tuple[Union[str, int], ...]
LONGEST = 250_000  # characters: read again at every keystroke, in less than a blink
DEEPEST = 100  # brackets within brackets; Python's own encoder gives up at about 1000
NOTED = 3  # task, parameter, item of a list: the levels that problems point at

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_STRING_PART = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_WORD = re.compile(r"[-+]?[A-Za-z_][\w-]*")
_CONSTANTS = {"true": True, "false": False, "null": None}
_OTHER_WORDS = {
    "nan": "NaN is not a JSON value: write a number, or null",
    "-nan": "NaN is not a JSON value: write a number, or null",
    "infinity": "Infinity is not a JSON value: write a number, or null",
    "-infinity": "Infinity is not a JSON value: write a number, or null",
    "none": "write null instead of None",
    "true": "write true in small letters",
    "false": "write false in small letters",
    "null": "write null in small letters",
    "undefined": "write null instead of undefined",
}
_MOST_DIGITS = 4300  # Python reads no longer whole number
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Place:
    """Offsets in the text: where the key begins (of a list's item: the item), and from where to where the value is."""

    key: int
    start: int
    end: int


@dataclass(frozen=True)
class Parsed:
    """The value of a JSON text, the place of what stands at each path, and the problems met on the way."""

    value: Any
    places: Mapping[Path, Place]
    problems: tuple[Problem, ...] = ()
    text: str = ""


def skip_space(text: str, offset: int) -> int:
    """The offset of the first character from `offset` on that is no white space."""
    return _SPACE.match(text, offset).end()  # type: ignore[union-attr]


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of an offset in `text`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def parse(text: str) -> Parsed:
    """Read `text`; a syntax error is a problem with its line and column, and then the value is None."""
    if len(text) > LONGEST:
        values = {"count": len(text), "maximum": LONGEST}
        return Parsed(None, {}, (Problem("json_long", values, line=1, column=1),))
    reader = _Reader(text)
    try:
        value = reader.document()
    except _Broken as e:
        line, column = line_and_column(text, e.offset)
        where: dict[str, object] = {"line": line, "column": column, "reason": e.reason}
        return Parsed(None, {}, (Problem("json_broken", where, line=line, column=column, length=1),))
    return Parsed(value, reader.places, tuple(reader.problems), text)


def dumps(value: Any, indent: Optional[int] = None) -> str:
    """`value` as JSON text that any editor can hold: letters as they are, halves of characters escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def same(a: Any, b: Any) -> bool:
    """Equal as JSON: true is not 1, and 1 is not 1.0."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def place_problem(problem: Problem, text: str, places: Mapping[Path, Place]) -> Problem:
    """`problem` with the line, column and length of its path, or of the nearest part of it that stands in `text`."""
    for length in range(len(problem.path), 0, -1):
        place = places.get(tuple(problem.path[:length]))
        if place is not None:
            at_value = length == len(problem.path) and not problem.of_key
            start = place.start if at_value else place.key
            end = place.end if at_value else _STRING_PART.match(text, start).end() + 1  # type: ignore[union-attr]
            line, column = line_and_column(text, start)
            return problem.at(line, column, end - start)
    return problem.at(1, 1, 1)


class _Broken(Exception):
    """The text is no JSON at `offset`."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset, self.reason = offset, reason


class _Reader:
    """Reads one text, from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.places: dict[Path, Place] = {}
        self.problems: list[Problem] = []

    def document(self) -> Any:
        """The one value of the text. Raises _Broken."""
        self._skip()
        value = self._value((), 0)
        self._skip()
        if self._at < len(self._text):
            raise _Broken(self._at, "there is more text after the end of the object")
        return value

    def _skip(self) -> None:
        self._at = skip_space(self._text, self._at)

    def _next(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _value(self, path: Optional[Path], depth: int) -> Any:
        character = self._text[self._at : self._at + 1]
        if character in ("{", "["):
            if depth >= DEEPEST:
                raise _Broken(self._at, "the brackets are nested too deeply")
            return self._object(path, depth + 1) if character == "{" else self._list(path, depth + 1)
        if character == '"':
            return self._string()
        match = _NUMBER.match(self._text, self._at)
        if match:
            return self._number(match)
        return self._word()

    def _object(self, path: Optional[Path], depth: int) -> dict[str, Any]:
        opened = self._at
        found: dict[str, Any] = {}
        self._at += 1
        if self._next() == "}":
            self._at += 1
            return found
        while True:
            key_at = self._at
            name = self._name(opened)
            if self._next() != ":":
                raise _Broken(self._at, f"a colon is missing after “{_short(name)}”")
            self._at += 1
            self._skip()
            here = None if path is None or len(path) >= NOTED else (*path, name)
            if name in found:
                line, column = line_and_column(self._text, key_at)
                again = Problem("json_duplicate", {"name": _short(name)}, path=here or ())
                self.problems.append(again.at(line, column, len(dumps(name))))
                self._forget(here)
            start = self._at
            found[name] = self._value(here, depth)
            if here is not None:
                self.places[here] = Place(key_at, start, self._at)
            if self._ended("}", opened):
                return found

    def _forget(self, path: Optional[Path]) -> None:
        """A name given again: the last one counts, and what stood below the one before is nowhere."""
        if path is not None:
            self.places = {p: place for p, place in self.places.items() if p[: len(path)] != path}

    def _list(self, path: Optional[Path], depth: int) -> list[Any]:
        opened: int = self._at
        found: list[Any] = []
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return found
        while True:
            here = None if path is None or len(path) >= NOTED else (*path, len(found))
            start = self._at
            found.append(self._value(here, depth))
            if here is not None:
                self.places[here] = Place(start, start, self._at)
            if self._ended("]", opened):
                return found

    def _ended(self, closing: str, opened: int) -> bool:
        """After a value: True at the closing bracket, False after a comma. Raises _Broken."""
        character = self._next()
        if character == closing:
            self._at += 1
            return True
        if character == ",":
            comma = self._at
            self._at += 1
            if self._next() in ("}", "]"):
                raise _Broken(comma, "there is a comma too many before the closing bracket")
            return False
        if not character:
            line, column = line_and_column(self._text, opened)
            raise _Broken(self._at, f"the closing {closing} is missing for the bracket of line {line}, column {column}")
        if character in "}]":
            raise _Broken(self._at, f"{closing} is needed here, not {character}")
        raise _Broken(self._at, f"a comma or {closing} is missing before this")

    def _name(self, opened: int) -> str:
        character = self._text[self._at : self._at + 1]
        if character == '"':
            return self._string()
        if not character:
            line, column = line_and_column(self._text, opened)
            raise _Broken(self._at, f"the closing }} is missing for the bracket of line {line}, column {column}")
        self._refuse_foreign(character)
        raise _Broken(self._at, "a name in double quotes is missing here")

    def _string(self) -> str:
        match = _STRING.match(self._text, self._at)
        if match:
            self._at = match.end()
            return json.loads(match.group())
        end = _STRING_PART.match(self._text, self._at).end()  # type: ignore[union-attr]
        if self._text[end : end + 1] == "\\":
            raise _Broken(end, "a backslash can't stand before this: write \\\\ for one backslash")
        if self._text[end : end + 1] in ("", "\n", "\r"):
            raise _Broken(self._at, "the text that begins here has no closing quote")
        raise _Broken(end, "a text can't hold a tab or another control character: write \\t, or leave it out")

    def _number(self, match: re.Match) -> Union[int, float]:
        text, start = match.group(), self._at
        if re.match(r"[0-9.]", self._text[match.end() : match.end() + 1]):
            ending = "digits are missing" if self._text[match.end()] == "." else "a number can't begin with 0"
            raise _Broken(start, f"{ending}: write it like 0.5 or 12")
        self._at = match.end()
        if match.group(1) or match.group(2):
            value = float(text)
            if value in (float("inf"), float("-inf")):
                raise _Broken(start, "the number is too large")
            return value
        if len(text) > _MOST_DIGITS:
            raise _Broken(start, "a number has far too many digits")
        return int(text)

    def _word(self) -> Any:
        if self._at >= len(self._text):
            raise _Broken(self._at, "a value is missing here")
        match = _WORD.match(self._text, self._at)
        word = match.group() if match else ""
        if word in _CONSTANTS:
            self._at += len(word)
            return _CONSTANTS[word]
        if word:
            reason = _OTHER_WORDS.get(word.lower())
            raise _Broken(self._at, reason or f"{_short(word)} is not a JSON value: a text needs double quotes")
        self._refuse_foreign(self._text[self._at])
        raise _Broken(self._at, "a value is missing here")

    def _refuse_foreign(self, character: str) -> None:
        if character in "'“”‘’«»":
            raise _Broken(self._at, 'use straight double quotes (")')
        if character in "/#":
            raise _Broken(self._at, "JSON has no comments: remove it")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
