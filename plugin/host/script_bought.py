"""A script buys the same request once, unless it says BUY_AGAIN: nobody is there to be asked. Worker thread."""

from __future__ import annotations

import sqlite3
from typing import Callable, Optional, Sequence

from ..jobs.job import JobState
from ..jobs.request import JobRequest
from ..platforms.contract import Platform, PlatformError
from . import bought
from .errors import HostError
from .ledger import Ledger
from .submit import has_price
from .words import tr

_IN_VAIN = (JobState.FAILED, JobState.CANCELLED)


class BoughtByScript(HostError):
    """The same request was bought before, or is wanted twice, and BUY_AGAIN was not said; nothing was sent for it."""


class BoughtBefore:
    """What the priced ones of these requests have bought before, in the ledger of this profile."""

    def __init__(self, platform: Platform, ledger: Ledger, connection: str) -> None:
        self._platform, self._ledger, self._connection = platform, ledger, connection
        self._in_vain: set[str] = set()  # jobs of such a request that the platform says have failed

    def check(self, requests: Sequence[tuple[Optional[int], JobRequest]]) -> None:
        """Each is wanted and bought for the first time. The FID of each goes with it. Raises BoughtByScript."""
        seen: dict[str, Optional[int]] = {}
        for fid, request in requests:
            if not has_price(self._platform, request):
                continue
            if request.fingerprint in seen:
                text = tr(
                    "Features {first} and {fid} are the very same request, so nothing was run: leave one out, or allow"
                    " to buy it twice with BUY_AGAIN."
                )
                raise BoughtByScript(text.format(first=seen[request.fingerprint], fid=fid))
            seen[request.fingerprint] = fid
            before = self._find(request)
            while before is not None and self._was_in_vain(request, before.job):
                self._in_vain.add(before.job)
                before = self._find(request)
            if before is not None:
                raise BoughtByScript(_in_words(before, fid))

    def claim(self, fid: Optional[int], request: JobRequest) -> Callable[[sqlite3.Connection], None]:
        """The same for the transaction that writes the intent: another run may have been faster."""

        def check(db: sqlite3.Connection) -> None:
            if has_price(self._platform, request):
                before = bought.find(db, self._connection, request.fingerprint, self._in_vain)
                if before is not None:
                    raise BoughtByScript(_in_words(before, fid))

        return check

    def _find(self, request: JobRequest) -> Optional[bought.Bought]:
        with self._ledger.transaction() as db:
            return bought.find(db, self._connection, request.fingerprint, self._in_vain)

    def _was_in_vain(self, request: JobRequest, job_id: str) -> bool:
        """Scripts don't note how a job ended, so the platform is asked. Who can't be asked has bought it."""
        try:
            return self._platform.job(request.project.id, job_id).state in _IN_VAIN
        except PlatformError:
            return False


def _in_words(before: bought.Bought, fid: Optional[int]) -> str:
    text = tr(
        "This very request was bought before, as job {job} ({before}), so it was not run: collect that job, or allow to"
        " buy it again with BUY_AGAIN."
    )
    told = text.format(job=before.job, before=before.in_words)
    return told if fid is None else tr("Feature {fid}: {why}").format(fid=fid, why=told)
