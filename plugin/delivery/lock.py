"""One delivery of one output at a time, also across programs: a second QGIS must not write into the same `.part`."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator

from .disk import disk_errors
from .errors import DeliveryError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; it is removed afterwards. The system lets go of it when its owner dies.

    Raises DeliveryError (busy) at once where another holds it. A file system without locks is taken as it is.
    """
    handle = _locked(path)
    try:
        yield
    finally:
        if sys.platform != "win32":  # there, an open file can't be removed
            _remove(path)
        os.close(handle)
        if sys.platform == "win32":
            _remove(path)


def _locked(path: Path) -> int:
    while True:
        with disk_errors(path.parent):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(handle)
        except DeliveryError:
            os.close(handle)
            raise
        if _is_still(handle, path):
            return handle
        os.close(handle)  # its owner removed it between our open and our lock


def _lock(handle: int) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise DeliveryError("busy") from None
    except OSError:
        return  # some network shares: the archive's checksum still guards what is unpacked


def _is_still(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
