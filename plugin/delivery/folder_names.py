"""Readable folder names from job names, good on every file system."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from ..jobs.naming import SEPARATOR
from . import portable_names
from .errors import DeliveryError

MAX_CHARACTERS = 80  # Windows' paths end at 259, and the files of the job must still fit
MAX_BYTES = 200  # a part of a path holds 255 on Linux; " (99)" and a suffix must still fit
_NAMELESS = "Job"
_MAX_COPIES = 9999


def folder_name(job_name: str) -> str:
    """`job_name` as one part of a path: never empty, never hidden, never a device, at most 200 bytes of UTF-8.

    What a file system can't hold becomes `_`; a long name is cut before its last part, the date. Idempotent.
    """
    name = unicodedata.normalize("NFC", job_name)
    name = "".join("_" if c in portable_names.FORBIDDEN else " " if portable_names.is_control(c) else c for c in name)
    name = _trimmed(re.sub(r"\s+", " ", name))
    if portable_names.is_reserved(name):
        name = f"_{name}"
    if not _fits(name):
        head, separator, tail = name.rpartition(SEPARATOR)
        ending = separator + tail if len(tail) <= 20 else ""
        head = head if ending else name
        while head and not _fits(f"{head}…{ending}"):
            head = head[:-1]
        name = _trimmed(f"{_trimmed(head)}…{ending}")
    return name or _NAMELESS


def unique_folder(parent: Path, name: str) -> Path:
    """A path in `parent` where nothing is yet: `folder_name(name)`, or with ` (2)`, ` (3)` … behind it.

    Raises DeliveryError when 9999 are taken. Another program may take the path before it is made.
    """
    base = folder_name(name)
    for copy in range(1, _MAX_COPIES + 1):
        folder = parent / (base if copy == 1 else f"{base} ({copy})")
        if not os.path.lexists(folder):
            return folder
    raise DeliveryError("folder_exists", {"folder": str(parent / base)})


def _trimmed(name: str) -> str:
    return name.strip(" .")


def _fits(name: str) -> bool:
    return len(name) <= MAX_CHARACTERS and len(name.encode()) <= MAX_BYTES
