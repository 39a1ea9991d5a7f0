"""Reading the parameters of processing blocks: the value, or the default where none is given; refused in words."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional, Sequence

from .base import BlockFailure


def wrong(text: str) -> BlockFailure:
    """The failure of a task whose parameters or input are not what it needs."""
    return BlockFailure("WRONG_INPUT_ERROR", text)


def is_number(value: Any) -> bool:
    """A finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def read_whole(parameters: Mapping[str, Any], name: str, otherwise: int, least: int, most: int) -> int:
    """A whole number within limits. Raises BlockFailure."""
    value = parameters.get(name)
    if value is None:
        return otherwise
    if not is_number(value) or value != int(value) or not least <= value <= most:
        raise wrong(f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def read_choice(parameters: Mapping[str, Any], name: str, otherwise: str, choices: Sequence[str]) -> str:
    """One of some texts. Raises BlockFailure."""
    value = parameters.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, str) or value not in choices:
        raise wrong(f"{name} must be one of {', '.join(choices)}.")
    return value


def read_text(parameters: Mapping[str, Any], name: str) -> Optional[str]:
    """A text; None where there is none or nothing in it. Raises BlockFailure."""
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong(f"{name} must be a text in double quotes.")
    return value.strip() or None


def read_list(parameters: Mapping[str, Any], name: str, otherwise: Sequence[Any]) -> list[Any]:
    """A list. Raises BlockFailure."""
    value = parameters.get(name)
    if value is None:
        return list(otherwise)
    if not isinstance(value, list):
        raise wrong(f"{name} must be a list […].")
    return value
