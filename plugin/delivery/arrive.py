"""Download and unpack at once: the download on a thread of its own, unpacking and all callbacks on the caller's."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO, Callable, Optional, TypeVar, cast

from ..net.cancel import Cancel
from .download import Progress
from .follow import FollowedPart, Growth, Restarted

T = TypeVar("T")
_LOOK = 0.05  # seconds


class Arrival:
    """What the two sides of one delivery share. For one `unpack_while` only."""

    def __init__(self, fresh_url: Callable[[], str], cancel: Cancel, progress: Callable[[Progress], None]):
        self.growth = Growth()
        self.stop = Cancel()  # ends the download alone, as when the archive is refused
        self._fresh_url = fresh_url
        self._cancel = cancel
        self._progress = progress
        self._asking = False
        self._news: Optional[Progress] = None
        self._told: Optional[Progress] = None

    def unpack_while(self, download: Callable[[], object], part: Path, unpack: Callable[[BinaryIO], T]) -> T:
        """What `unpack` makes of the part that `download` lets grow; called again from zero if that begins again.

        Raises what either side raises; both have ended then.
        """
        thread = threading.Thread(target=self._run, args=(download,), name="up42-download", daemon=True)
        thread.start()
        try:
            while True:
                try:
                    with FollowedPart(part, self.growth, self._step) as stream:
                        return unpack(cast(BinaryIO, stream))
                except Restarted:
                    continue
        finally:
            self.stop.cancel()
            while thread.is_alive() and not self._asking:  # a platform that is asked for a URL may be long silent,
                thread.join(_LOOK)  # and nothing is written after its answer

    def fresh_url(self) -> str:
        """The caller's `fresh_url`, for the download's thread."""
        self._asking = True
        try:
            url = self._fresh_url()
            self.stop.check()
            return url
        finally:
            self._asking = False

    def note(self, news: Progress) -> None:
        """The download's progress; it is told on the caller's thread."""
        self._news = news

    def _run(self, download: Callable[[], object]) -> None:
        try:
            download()
        except BaseException as error:  # handed over to the caller's thread, where it is raised
            self.growth.ended(error)
        else:
            self.growth.ended()

    def _step(self) -> None:
        self._cancel.check()
        news = self._news
        if news is not None and news is not self._told:
            self._told = news
            self._progress(news)
