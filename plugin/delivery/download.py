"""From a signed URL to a whole archive on disk: streamed, resumed, counted."""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional, Sequence

from ..net.cancel import Cancel
from ..net.errors import HttpError, TimedOut, Truncated, Unreachable
from ..net.retry import LONGEST_PAUSE, retry_after
from ..net.session import Session, StreamAnswer
from .disk import disk_errors, free_space, write_all
from .errors import DownloadFailed, NotEnoughSpace, Size
from .follow import Growth
from .part_file import PartFile

CHUNK = 256 * 1024  # bytes
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each further try that follows a fruitless one; then it is over
FRUIT = 64 * 1024  # bytes that a try must bring, or the next pause is longer
REFUSALS = 2  # answers such as 403 or 404 in a row, each to a fresh URL, that are taken as final
PROGRESS_SECONDS = 0.05  # progress is told at most this often
PACE_SECONDS = 3.0  # the speed is that of the last so many seconds
SPACE_EVERY = 8 * 1024 * 1024  # bytes received between two looks at the free space
_PASSING = (408, 425, 429)  # like 5xx: the server may change its mind
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)")


@dataclass(frozen=True)
class Progress:
    """Bytes received so far, of all tries, and in total (None: not announced); `speed` in bytes per second."""

    received: int
    total: Optional[int]
    speed: Optional[float] = field(default=None, compare=False)


class _NotAsAsked(Exception):
    """The server sent something else than what was asked for; the text says what."""


def download(
    session: Session,
    fresh_url: Callable[[], str],
    part: Path,
    *,
    cancel: Cancel,
    progress: Callable[[Progress], None] = lambda progress: None,
    unpacked_share: float = 0.0,
    retry_on: tuple[type[Exception], ...] = (),
    pauses: Sequence[float] = PAUSES,
    growth: Optional[Growth] = None,
) -> Path:
    """Download to `part` and return it, whole. `fresh_url` is asked for a signed URL before each try.

    What an earlier try or run left is gone on from by Range and If-Range where the server gives a strong ETag. Tries
    go on while they bring something; `len(pauses)` fruitless ones in a row end it. `retry_on`: exceptions of
    `fresh_url` that count as such a try. `unpacked_share`: how much more space is needed for what will be made of it,
    as a multiple of the archive. `growth` is told how the part grows, but not of the end.

    Raises NotEnoughSpace, DiskError, DownloadFailed, Cancelled (these keep the part), NetError for what no further
    try can change.
    """
    file = PartFile(part, growth)
    if file.is_usable:
        file.growth.grew(file.received)
    work = _Work(session.under(cancel), file, progress, unpacked_share)
    patience = _Patience(file, pauses)
    passing: tuple[type[Exception], ...] = (HttpError, Truncated, TimedOut, Unreachable, _NotAsAsked, *retry_on)
    while not file.is_complete:
        cancel.check()
        before = file.received
        try:
            work.try_once(fresh_url())
        except passing as error:
            cancel.wait(patience.pause_after(error, gained=file.received - before))
    progress(Progress(file.received, file.length))
    return part


class _Patience:
    """How often, and after how long, a failed try is followed by another."""

    def __init__(self, file: PartFile, pauses: Sequence[float]):
        self._file = file
        self._pauses = pauses
        self._fruitless = 0
        self._refused = 0

    def pause_after(self, error: Exception, gained: int) -> float:
        """Seconds to wait before the next try. Raises DownloadFailed when there should be none."""
        asked = None
        refused = isinstance(error, HttpError) and error.status < 500 and error.status not in _PASSING
        self._refused = self._refused + 1 if refused else 0
        self._fruitless = 0 if gained >= FRUIT else self._fruitless + 1
        if isinstance(error, HttpError):
            asked = retry_after(error.headers)
            if self._refused >= REFUSALS:
                raise DownloadFailed("download_refused", {"status": error.status}) from error
        if self._fruitless > len(self._pauses):
            raise self._gave_up(error) from error
        pause = self._pauses[self._fruitless - 1] if self._fruitless else 0.0
        return pause if asked is None else max(pause, min(asked, LONGEST_PAUSE))

    def _gave_up(self, error: Exception) -> DownloadFailed:
        total = "?" if self._file.length is None else Size(self._file.length)
        values = {"received": Size(self._file.received), "total": total, "tries": self._fruitless, "reason": error}
        return DownloadFailed("download_failed", values)


class _Work:
    """What one download keeps from try to try."""

    def __init__(self, session: Session, file: PartFile, progress: Callable[[Progress], None], unpacked_share: float):
        self._session = session
        self._file = file
        self._progress = progress
        self._unpacked_share = unpacked_share
        self._pace = _Pace()

    def try_once(self, url: str) -> None:
        """One request; returns when the server has sent all that it announced for it."""
        file = self._file
        offset = file.resume_from
        headers = {"Range": f"bytes={offset}-", "If-Range": file.etag or ""} if offset else {}
        try:
            with self._session.stream(url, headers=headers, retry=False) as answer:
                if not self._continues(answer, offset):
                    file.begin(answer.headers.get("ETag"), _whole_length(answer))
                self._check_space()
                self._receive(answer)
        except HttpError as error:
            if error.status != 416:
                raise
            self._beyond_the_end(error)
        if file.length is None:
            file.finish()
        if file.received > (file.length or 0):
            file.discard()
            raise _NotAsAsked("the server sent more than it announced")
        if not file.is_complete:
            raise _NotAsAsked("the server sent a part of the archive only")

    def _continues(self, answer: StreamAnswer, offset: int) -> bool:
        """True where the body goes on at `offset`, False where it is a whole one; else the part is of no use."""
        if answer.status != 206:
            return False
        start, total = _content_range(answer.headers.get("Content-Range", ""))
        file, etag = self._file, answer.headers.get("ETag")
        if offset == 0 == start:
            return False
        if start == offset and etag in (None, file.etag) and (total == file.length or None in (total, file.length)):
            file.length = total if file.length is None else file.length
            return True
        self._file.discard()
        raise _NotAsAsked("the server sent another part of the archive than the one that was asked for")

    def _beyond_the_end(self, error: HttpError) -> None:
        """416 to a Range that began where our part ends: either it is whole already, or it is not of this body."""
        _, total = _content_range(error.headers.get("Content-Range", ""))
        if total is None or total != self._file.received:
            self._file.discard()
            raise _NotAsAsked("the server has another archive than the one that was begun")
        self._file.finish()

    def _check_space(self) -> None:
        """Refuse at once what can't end well; how large the unpacked files are is checked again when they are known."""
        if self._file.length is not None:
            self._need(self._file.length - self._file.received + int(self._file.length * self._unpacked_share))

    def _need(self, needed: int) -> None:
        folder = self._file.path.parent
        free = free_space(folder)
        if free is not None and needed > free:
            raise NotEnoughSpace(folder, free, needed)

    def _receive(self, answer: StreamAnswer) -> None:
        file, received, looked, told = self._file, self._file.received, self._file.received, 0.0
        with file.appending() as target:
            for chunk in answer.iter_chunks(CHUNK):
                with disk_errors(file.path.parent):
                    write_all(target, chunk)
                received += len(chunk)
                file.growth.grew(received)
                now = time.monotonic()
                if now - told >= PROGRESS_SECONDS:
                    told = now
                    self._progress(Progress(received, file.length, self._pace.speed(received, now)))
                if received - looked >= SPACE_EVERY:
                    looked = received
                    self._check_space_on_the_way(received)

    def _check_space_on_the_way(self, received: int) -> None:
        """Others write to the disk too. What has arrived is taken to be unpacked already."""
        if self._file.length is not None:
            self._need(int((self._file.length - received) * (1 + self._unpacked_share)))


class _Pace:
    """The speed of the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def speed(self, received: int, now: float) -> Optional[float]:
        """Bytes per second; None where nothing can be said yet, or the download began again."""
        if self._seen and received < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, received))
        while len(self._seen) > 2 and now - self._seen[1][0] >= PACE_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        return (received - before) / (now - since) if now > since else None


def _whole_length(answer: StreamAnswer) -> Optional[int]:
    if answer.status == 206:  # not asked for; it begins at 0
        return _content_range(answer.headers.get("Content-Range", ""))[1]
    return answer.length


def _content_range(value: str) -> tuple[Optional[int], Optional[int]]:
    """First byte and length of the whole from `bytes 5-9/10` or `bytes */10`; None where it is not said."""
    match = _CONTENT_RANGE.fullmatch(value.strip())
    if match is None:
        return None, None
    start, _, total = match.groups()
    return int(start) if start else None, int(total) if total != "*" else None
