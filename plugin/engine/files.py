"""Files that only their owner may read, written so that a reader never sees half of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(folder: Path) -> None:
    """Make `folder` and its parents; the folder itself is open to its owner only. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step, with mode 0600 from the first byte on. Raises OSError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def write_private_json(path: Path, value: Any) -> None:
    """`write_private` of a JSON value."""
    write_private(path, json.dumps(value, ensure_ascii=False).encode())


def read_json(path: Path) -> Any:
    """The JSON value of a file; None where there is no such file or it can't be read as JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
