"""Read a JSON object from a file that a stranger may have written; write one in one step."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Mapping

from .disk import disk_errors
from .errors import DeliveryError, Size


def read_object(path: Path, maximum: int, error: type[DeliveryError], kind: str) -> dict[str, Any]:
    """The JSON object in `path`, of at most `maximum` bytes.

    Raises `error` with the code `<kind>_large` or `<kind>_broken`, DiskError where the disk says no, and
    FileNotFoundError.
    """
    folder = str(path.parent)
    try:
        with disk_errors(path.parent), path.open("rb") as stream:
            text = stream.read(maximum + 1)
    except DeliveryError:
        if not path.exists():
            raise FileNotFoundError(str(path)) from None
        raise
    if len(text) > maximum:
        values = {"folder": folder, "size": Size(path.stat().st_size), "maximum": Size(maximum)}
        raise error(f"{kind}_large", values)
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except RecursionError:
        raise error(f"{kind}_broken", {"folder": folder, "reason": "it is nested too deeply"}) from None
    except json.JSONDecodeError as problem:
        reason = f"line {problem.lineno}, column {problem.colno}: {problem.msg}"
        raise error(f"{kind}_broken", {"folder": folder, "reason": reason}) from None
    except ValueError as problem:  # not UTF-8, or a number of thousands of digits
        reason = "it is not UTF-8" if isinstance(problem, UnicodeDecodeError) else "it holds a number without end"
        raise error(f"{kind}_broken", {"folder": folder, "reason": reason}) from None
    if not isinstance(value, dict):
        raise error(f"{kind}_broken", {"folder": folder, "reason": "it is not a JSON object"})
    return value


def write_object(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` to `path` in one step: whoever reads sees the old file or the whole new one."""
    new = path.with_name(f"{path.name}.new")
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    try:
        with disk_errors(path.parent):
            with new.open("wb") as stream:
                stream.write(text.encode("utf-8", "replace") + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(new, path)
    except DeliveryError:
        with suppress(OSError):
            new.unlink()
        raise
