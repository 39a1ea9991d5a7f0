"""The disk and its ways to say no, as errors of ours."""

from __future__ import annotations

import errno
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional

from .errors import DiskError, NotEnoughSpace


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn an `OSError` inside into `NotEnoughSpace` or `DiskError`.

    Keep network calls out of it: their errors can be OSErrors too.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotEnoughSpace(folder, free_space(folder) or 0) from error
        if error.errno == errno.EFBIG:
            raise DiskError("file_too_large", {"folder": str(folder)}) from error
        raise DiskError("disk_error", {"folder": str(folder), "reason": error.strerror or "?"}) from error


def free_space(folder: Path) -> Optional[int]:
    """Bytes that this user can still write to the disk of `folder`; None where the system can't tell."""
    try:
        return shutil.disk_usage(os.fspath(folder)).free
    except OSError:
        return None


def write_all(target: Any, chunk: bytes) -> None:
    """Write all of `chunk` to a raw file, which may take less than it is given (a disk about to be full does)."""
    written = target.write(chunk)
    while written < len(chunk):
        written += target.write(memoryview(chunk)[written:])


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as the system lets us."""
    shutil.rmtree(folder, ignore_errors=True)


class ArchiveFile(io.FileIO):
    """A file to read, unbuffered; a disk that fails or goes away says so by DiskError."""

    def __init__(self, path: Path):
        self._folder = path.parent
        with disk_errors(self._folder):
            super().__init__(os.fspath(path), "rb")

    def read(self, size: int = -1, /) -> bytes:  # type: ignore[override]
        with disk_errors(self._folder):
            return super().read(size) or b""
