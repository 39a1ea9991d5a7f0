"""The plugin's version; `metadata.txt` is the one place of it."""

from __future__ import annotations

import configparser
from functools import cache
from pathlib import Path

METADATA = Path(__file__).parents[2] / "metadata.txt"


@cache
def plugin_version() -> str:
    """MAJOR.MINOR.PATCH, read once."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(METADATA, encoding="utf-8")
    return parser.get("general", "version", fallback="0.0.0")
