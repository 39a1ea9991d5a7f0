"""Which names every file system can hold: Windows, macOS and Linux alike, so that a folder can be handed on.

Sources: learn.microsoft.com, "Naming Files, Paths, and Namespaces" (characters, device names, endings); ext4 and
NTFS hold 255 per part of a path (bytes and UTF-16 units; the bytes of UTF-8 are never fewer).
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Optional

MAX_PART_BYTES = 255
FORBIDDEN = frozenset('\\/:*?"<>|')
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"]
)
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(?<!\.)")  # most names; spares them the slow way
_HIDDEN_CATEGORIES = frozenset(["Cc", "Cs", "Zl", "Zp"])  # control, lone surrogate, line and paragraph separator
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they make a name read as another


def is_control(character: str) -> bool:
    """True for what must not be in a name because a person can't see it and a program may act on it."""
    return character in _DIRECTION or unicodedata.category(character) in _HIDDEN_CATEGORIES


def is_reserved(part: str) -> bool:
    """True for Windows' device names, with or without a suffix: `NUL`, `con.txt`."""
    return part.split(".", 1)[0].rstrip(" ").lower() in RESERVED


def rule_broken(part: str) -> Optional[str]:
    """The rule that one part of a path breaks, as a code of `errors.TEMPLATES`; None for a name good everywhere."""
    if not _PLAIN.fullmatch(part):
        if any(is_control(character) for character in part):
            return "member_control"
        if not FORBIDDEN.isdisjoint(part):
            return "member_character"
        if part[-1:] in (".", " "):
            return "member_ending"
        if len(part.encode()) > MAX_PART_BYTES:
            return "member_long"
    return "member_reserved" if is_reserved(part) else None


def folded(path: str) -> str:
    """The same text for all spellings that a file system without case (or with another Unicode form) holds for one."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def path_length(path: str) -> int:
    """The length of a path as this system limits it: in characters on Windows, in bytes elsewhere."""
    return len(path) if os.name == "nt" else len(os.fsencode(path))
