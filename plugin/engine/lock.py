"""A lock that the operating system frees by itself when its holder ends, however that ends."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO, Optional

if os.name == "nt":
    import msvcrt
else:
    import fcntl

WINDOWS_RETRY_SECONDS = 0.1  # Windows has no call that waits for as long as it takes


class FileLock:
    """An exclusive lock on a file. The file is never deleted: another process may be about to lock it."""

    def __init__(self, path: Path):
        self._path = path
        self._file: Optional[IO[bytes]] = None

    def acquire(self, wait: bool) -> bool:
        """Take the lock; without `wait`, False if someone else has it."""
        file = open(self._path, "a+b")  # noqa: SIM115  (open for as long as the lock is held)
        while not _try_lock(file, wait):
            if not wait:
                file.close()
                return False
            time.sleep(WINDOWS_RETRY_SECONDS)
        self._file = file
        return True

    def release(self) -> None:
        """Let go of the lock; closing the file does it on every system."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _try_lock(file: IO[bytes], wait: bool) -> bool:
    try:
        if os.name == "nt":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
