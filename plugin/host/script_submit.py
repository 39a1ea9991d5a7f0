"""The use case *submit* for those who can't be asked: one job or many within a total that was allowed beforehand.

All requests are checked and priced before the first is sent. Worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Optional, Sequence

from ..jobs.job import Job
from ..jobs.request import JobRequest
from ..net.cancel import Cancel, Cancelled
from ..platforms.contract import Platform, TooManyJobs
from .errors import HostError, NotConfirmed, RequestProblems, explain
from .ledger import Ledger
from .origin import Origin
from .submit import Confirmation, has_price, submit
from .words import number, tell, tr


@dataclass(frozen=True)
class Allowance:
    """What one run of a script may cost in total, in credits; `unknown_price`: also jobs that have no estimate."""

    max_credits: float = 0.0
    unknown_price: bool = False


@dataclass(frozen=True)
class Wanted:
    """One request and the feature that it is for; None where the whole layer is one AOI."""

    request: JobRequest
    fid: Optional[int] = None


@dataclass
class Sent:
    """What became of a run: the jobs in the order sent, and the FIDs that the platform had no place for."""

    jobs: list[Job] = field(default_factory=list)
    not_submitted: list[int] = field(default_factory=list)


class PartlySent(HostError):
    """Some jobs were sent, then one could not be; the text has their IDs and what was not sent."""


def submit_all(
    platform: Platform,
    ledger: Ledger,
    connection_id: str,
    wanted: Sequence[Wanted],
    allowance: Allowance,
    cancel: Cancel,
    sent_one: Callable[[Wanted, Job], None] = lambda _wanted, _job: None,
) -> Sent:
    """Send the requests, one after the other, until all are sent or the project has as many jobs as it may have.

    Raises RequestProblems, NotConfirmed and PlatformError with nothing sent; PartlySent after the first was sent;
    TooManyJobs where a single AOI finds no place.
    """
    _check(wanted)
    confirmations = _confirmations(platform, wanted, allowance, cancel)
    sent = Sent()
    for place, (one, confirmation) in enumerate(zip(wanted, confirmations)):
        try:
            cancel.check()
            job = submit(platform, ledger, connection_id, one.request, Origin("", ""), confirmation)
        except TooManyJobs:
            if one.fid is None:
                raise
            sent.not_submitted = [later.fid for later in wanted[place:] if later.fid is not None]
            break
        except Cancelled:
            raise
        except Exception as e:
            if not sent.jobs:
                raise
            raise PartlySent(_partly(sent.jobs, wanted[place:], explain(e))) from e
        sent.jobs.append(job)
        sent_one(one, job)
    return sent


def _check(wanted: Sequence[Wanted]) -> None:
    """Every request is right before the first is sent. Raises RequestProblems, HostError."""
    for one in wanted:
        problems = one.request.problems()
        if problems and one.fid is None:
            raise RequestProblems(problems)
        if problems:
            told = " ".join(tell(problem) for problem in problems)
            raise HostError(tr("Feature {fid}: {why}").format(fid=one.fid, why=told))


def _confirmations(
    platform: Platform, wanted: Sequence[Wanted], allowance: Allowance, cancel: Cancel
) -> list[Optional[Confirmation]]:
    """What each request is allowed to cost: its own estimate, all of them within the allowance. Raises NotConfirmed.

    The spending caps per job and per month are to be checked here too: every script comes this way.
    """
    if not any(has_price(platform, one.request) for one in wanted):
        return [None] * len(wanted)
    found: list[Optional[Confirmation]] = []
    total = 0.0
    for one in wanted:
        cancel.check()
        price = most_credits(platform, one.request)
        if price is None and not allowance.unknown_price:
            raise NotConfirmed(
                tr("The price of this Live Job is unknown, so it was not run: allow that with ALLOW_UNKNOWN_PRICE.")
            )
        total += price or 0.0
        found.append(Confirmation(one.request.fingerprint, price, again=True))
    if total > allowance.max_credits:
        text = tr(
            "This may cost {total} credits, but MAX_CREDITS allows {most}, so it was not run: allow more, or make the"
            " AOI smaller."
        )
        raise NotConfirmed(text.format(total=number(total), most=number(allowance.max_credits)))
    return found


def most_credits(platform: Platform, request: JobRequest) -> Optional[float]:
    """The most that a request may cost, in credits; None where there is no estimate to be had (storage data)."""
    if not platform.capabilities.estimate or (request.workflow is not None and not request.workflow.needs_aoi):
        return None
    return platform.estimate(request).credits.max


def _partly(jobs: Sequence[Job], left: Sequence[Wanted], why: str) -> str:
    text = tr("{why} Submitted before: {jobs}. Not submitted: features {fids}.")
    fids = ",".join(str(one.fid) for one in left)
    return text.format(why=why, jobs=",".join(job.id for job in jobs), fids=fids)
