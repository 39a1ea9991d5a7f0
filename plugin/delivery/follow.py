"""Read a download's part while it grows, so that unpacking overlaps with the network.

The download writes, the follower reads: one file, two threads. What they tell each other is a `Growth`.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Callable, Optional

from .disk import ArchiveFile
from .errors import DiskError

STEP = 0.05  # seconds between two looks at what else may have happened, such as a cancel


class Restarted(Exception):
    """The download began again, on another body: whatever was read before is worth nothing."""


class Growth:
    """What a download tells its follower. Thread-safe.

    `run` counts the bodies that were begun; it goes up *before* the file is touched, so that a read during which it
    stayed the same has seen bytes of one body only.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._size = 0
        self._over = False
        self._error: Optional[BaseException] = None
        self.run = 0

    def begins(self) -> None:
        """The bytes so far are given up."""
        with self._changed:
            self.run += 1
            self._size = 0
            self._changed.notify_all()

    def grew(self, size: int) -> None:
        """The first `size` bytes are in the file."""
        with self._changed:
            self._size = size
            self._changed.notify_all()

    def ended(self, error: Optional[BaseException] = None) -> None:
        """No more will come: all is there, or `error` is why not."""
        with self._changed:
            self._over, self._error = True, error
            self._changed.notify_all()

    def check(self, run: int) -> None:
        """Raises Restarted where another body was begun since `run`, and what the download ended with."""
        if self._error is not None:
            raise self._error
        if self.run != run:
            raise Restarted

    def wait(self, run: int, size: int) -> Optional[int]:
        """The bytes there as soon as they are `size`, or fewer if they are all; None after STEP. Raises like check."""
        with self._changed:
            self._changed.wait_for(lambda: self._size >= size or self._over or self.run != run, STEP)
            self.check(run)
            return self._size if self._over or self._size >= size else None


class FollowedPart(io.RawIOBase):
    """The part as a file to read from its beginning; `read` waits for bytes that are still to come.

    `step` is called again and again, on the reader's thread; what it raises ends the reading.
    Raises Restarted, DiskError, and what the download ended with.
    """

    def __init__(self, path: Path, growth: Growth, step: Callable[[], None]):
        super().__init__()
        self._path = path
        self._growth = growth
        self._run = growth.run
        self._step = step
        self._file: Optional[ArchiveFile] = None
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """`size` bytes, or all with -1; fewer only at the proven end of the download."""
        there = self._wait(self._position + size) if size >= 0 else self._whole()
        wanted = min(size, there - self._position) if size >= 0 else there - self._position
        if wanted <= 0:
            return b""
        try:
            file = self._opened()
            file.seek(self._position)
            data = file.read(wanted)
        except DiskError:
            self._growth.check(self._run)  # begun anew: it is the old file that is gone
            raise
        self._growth.check(self._run)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """From the end only when all is there."""
        start = {io.SEEK_SET: lambda: 0, io.SEEK_CUR: lambda: self._position, io.SEEK_END: self._whole}[whence]()
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()

    def _opened(self) -> ArchiveFile:
        if self._file is None:
            self._file = ArchiveFile(self._path)
        return self._file

    def _whole(self) -> int:
        return self._wait(1 << 62)

    def _wait(self, size: int) -> int:
        while True:
            self._step()
            there = self._growth.wait(self._run, size)
            if there is not None:
                self._step()
                return there
