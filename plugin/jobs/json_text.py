"""JSON text with the place of every key, so that a problem can say its line and column."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Mapping, NoReturn, Optional

from .problem import Problem

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
DEPTH = 2  # task, parameter: the levels that problems point at


@dataclass(frozen=True)
class Parsed:
    """The value of a JSON text, the offset of each key by its path, and the problems met on the way."""

    value: Any
    places: Mapping[tuple[str, ...], int]
    problems: tuple[Problem, ...] = ()


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of an offset in `text`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def parse(text: str) -> Parsed:
    """Read `text`; a syntax error is a problem with its line and column, and then the value is None."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as e:
        return Parsed(None, {}, (_broken(e.lineno, e.colno, _plain_reason(e.msg)),))
    except _NotJson as e:
        line, column = line_and_column(text, text.find(str(e)))
        return Parsed(None, {}, (_broken(line, column, f"{e} is not a JSON value"),))
    except ValueError:  # Python reads no number of more than 4300 digits
        return Parsed(None, {}, (_broken(1, 1, "a number has far too many digits"),))
    except RecursionError:
        return Parsed(None, {}, (_broken(1, 1, "the brackets are nested too deeply"),))
    places: dict[tuple[str, ...], int] = {}
    problems: list[Problem] = []
    _walk(text, _skip_space(text, 0), (), places, problems)
    return Parsed(value, places, tuple(problems))


class _NotJson(ValueError):
    """NaN or Infinity, which Python would read but JSON doesn't have."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJson(name)


def _broken(line: int, column: int, reason: str) -> Problem:
    return Problem("json_broken", {"line": line, "column": column, "reason": reason}, line=line, column=column)


def _plain_reason(message: str) -> str:
    message = message.split(" starting at")[0].split(": line")[0]
    return {
        "Expecting ',' delimiter": "a comma or a closing bracket is missing before this",
        "Expecting ':' delimiter": "a colon is missing after the name",
        "Expecting value": "a value is missing here",
        "Expecting property name enclosed in double quotes": "a name in double quotes is missing here",
        "Unterminated string": "the text that begins here has no closing quote",
        "Extra data": "there is more text after the end of the object",
        "Illegal trailing comma before end of object": "there is a comma too many before the closing bracket",
        "Illegal trailing comma before end of array": "there is a comma too many before the closing bracket",
    }.get(message, message[:1].lower() + message[1:])


def _skip_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _walk(
    text: str, offset: int, path: tuple[str, ...], places: dict[tuple[str, ...], int], problems: list[Problem]
) -> int:
    """Note the place of each key of the object at `offset` (valid JSON); return the offset after the value."""
    if len(path) >= DEPTH or text[offset] != "{":
        return _DECODER.raw_decode(text, offset)[1]
    offset = _skip_space(text, offset + 1)
    while text[offset] != "}":
        start = offset
        name, offset = _DECODER.raw_decode(text, offset)
        here = (*path, name)
        if here in places:
            line, column = line_and_column(text, start)
            problems.append(Problem("json_duplicate", {"name": name}, path=here, line=line, column=column))
        places[here] = start
        offset = _skip_space(text, _skip_space(text, offset) + 1)  # over the colon
        offset = _skip_space(text, _walk(text, offset, here, places, problems))
        if text[offset] == ",":
            offset = _skip_space(text, offset + 1)
    return offset + 1


def place_problem(problem: Problem, text: str, places: Mapping[tuple[str, ...], int]) -> Problem:
    """`problem` with the line and column of its path, or of the nearest part of the path that stands in `text`."""
    offset: Optional[int] = None
    for length in range(len(problem.path), 0, -1):
        offset = places.get(tuple(problem.path[:length]))
        if offset is not None:
            break
    line, column = line_and_column(text, offset or 0)
    return Problem(problem.code, problem.values, problem.where, problem.path, line, column)
