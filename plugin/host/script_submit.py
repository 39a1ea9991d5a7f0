"""The use case *submit* for those who can't be asked: one job or many within a total that was allowed beforehand.

All requests are checked and priced before the first is sent. Worker thread.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Callable, Optional, Sequence

from ..jobs.job import Job
from ..jobs.request import JobRequest
from ..net.cancel import Cancel, Cancelled
from ..platforms.contract import Platform, TooManyJobs
from . import spending
from .batch import Batch
from .errors import HostError, NotConfirmed, RequestProblems, explain
from .ledger import Ledger
from .origin import Origin
from .script_bought import BoughtBefore
from .submit import Confirmation, has_price, submit
from .words import number, tell, tr

Claim = Callable[[sqlite3.Connection], None]  # raises where the submit must not be begun


@dataclass(frozen=True)
class Allowance:
    """What one run of a script may cost in total, in credits; `unknown_price`: also jobs that have no estimate.

    `again`: also what was bought before.
    """

    max_credits: float = 0.0
    unknown_price: bool = False
    again: bool = False


@dataclass(frozen=True)
class Wanted:
    """One request and the feature that it is for; None where the whole layer is one AOI."""

    request: JobRequest
    fid: Optional[int] = None


@dataclass
class Sent:
    """What became of a run: the jobs in the order wanted, and the FIDs that the platform had no place for.

    `jobs` are those that this run has sent; `job_ids` also has those that were sent in the same batch before.
    """

    jobs: list[Job] = field(default_factory=list)
    job_ids: list[str] = field(default_factory=list)
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
    batch: Optional[Batch] = None,
) -> Sent:
    """Send the requests, one after the other, until all are sent or the project has as many jobs as it may have.

    In a batch those that were sent in it before are not sent again, and the allowance is the whole batch's.

    Raises RequestProblems, NotConfirmed, BoughtByScript, OverCap, Unconfirmed, ChangedInBatch and PlatformError with
    nothing sent; PartlySent after the first was sent; TooManyJobs where a single AOI finds no place.
    """
    known = _sent_before(platform, wanted, batch, cancel)
    wanted_now = [one for one in wanted if one.fid not in known]
    _check(wanted_now)
    before = None if allowance.again else BoughtBefore(platform, ledger, connection_id)
    if before is not None:
        before.check([(one.fid, one.request) for one in wanted_now])
    spent = batch.credits() if batch else 0.0
    confirmations = _confirmations(platform, wanted_now, allowance, cancel, spent, batch)
    _check_caps(platform, ledger, connection_id, list(zip(wanted_now, confirmations)))
    order = list(zip(wanted_now, confirmations))
    sent = _send(platform, ledger, connection_id, order, cancel, sent_one, _claims(batch, before))
    now = iter(sent.jobs)
    for one in wanted:
        if one.fid in known:
            sent.job_ids.append(known[one.fid])
        elif one.fid not in sent.not_submitted:
            sent.job_ids.append(next(now).id)
    return sent


def _sent_before(
    platform: Platform, wanted: Sequence[Wanted], batch: Optional[Batch], cancel: Cancel
) -> dict[Optional[int], str]:
    """FID and job ID of what was sent in the batch before. Raises Unconfirmed, ChangedInBatch."""
    known: dict[Optional[int], str] = {}
    for one in wanted if batch else ():
        cancel.check()
        job_id = batch.job_of(platform, one.fid, one.request) if batch else None
        if job_id is not None:
            known[one.fid] = job_id
    return known


def _send(
    platform: Platform,
    ledger: Ledger,
    connection_id: str,
    wanted: Sequence[tuple[Wanted, Optional[Confirmation]]],
    cancel: Cancel,
    sent_one: Callable[[Wanted, Job], None],
    claim: Callable[[Wanted], Claim],
) -> Sent:
    sent = Sent()
    for place, (one, confirmation) in enumerate(wanted):
        try:
            cancel.check()
            job = submit(platform, ledger, connection_id, one.request, Origin("", ""), confirmation, claim(one))
        except TooManyJobs:
            if one.fid is None:
                raise
            sent.not_submitted = [later.fid for later, _ in wanted[place:] if later.fid is not None]
            break
        except Cancelled:
            raise
        except Exception as e:
            if not sent.jobs:
                raise
            raise PartlySent(_partly(sent.jobs, [later for later, _ in wanted[place:]], explain(e))) from e
        sent.jobs.append(job)
        sent_one(one, job)
    return sent


def _claims(batch: Optional[Batch], before: Optional[BoughtBefore]) -> Callable[[Wanted], Claim]:
    """What must still hold in the transaction that writes the intent to submit."""

    def claim_of(one: Wanted) -> Claim:
        claims = [batch.claim(one.fid)] if batch else []
        claims += [before.claim(one.fid, one.request)] if before else []

        def claim(db: sqlite3.Connection) -> None:
            for check in claims:
                check(db)

        return claim

    return claim_of


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
    platform: Platform,
    wanted: Sequence[Wanted],
    allowance: Allowance,
    cancel: Cancel,
    spent: float,
    batch: Optional[Batch],
) -> list[Optional[Confirmation]]:
    """What each request is allowed to cost: its own estimate, with `spent` within the allowance. Raises NotConfirmed.

    The spending caps per job and per month are `_check_caps`'s, and once more `submit`'s.
    """
    if not any(has_price(platform, one.request) for one in wanted):
        return [_confirmation(one, None, batch) if batch else None for one in wanted]
    found: list[Optional[Confirmation]] = []
    total = spent
    for one in wanted:
        cancel.check()
        price = most_credits(platform, one.request)
        if price is None and not allowance.unknown_price:
            raise NotConfirmed(
                tr("The price of this Live Job is unknown, so it was not run: allow that with ALLOW_UNKNOWN_PRICE.")
            )
        total += price or 0.0
        found.append(_confirmation(one, price, batch))
    if wanted and not total <= allowance.max_credits:  # also where it is no number
        raise NotConfirmed(_too_dear(total, spent, allowance.max_credits))
    return found


def _check_caps(
    platform: Platform,
    ledger: Ledger,
    connection_id: str,
    wanted: Sequence[tuple[Wanted, Optional[Confirmation]]],
) -> None:
    """Raise OverCap where all together would pass a cap: then none is sent. `submit` checks each once more."""
    priced = [c.max_credits for one, c in wanted if c is not None and has_price(platform, one.request)]
    if priced:
        with ledger.transaction() as db:
            spending.check_all(db, spending.Caps.now(), connection_id, priced)


def _confirmation(one: Wanted, price: Optional[float], batch: Optional[Batch]) -> Confirmation:
    if batch is None:
        return Confirmation(one.request.fingerprint, price, again=True)
    return Confirmation(one.request.fingerprint, price, again=True, id=batch.key(one.fid))


def _too_dear(total: float, spent: float, most: float) -> str:
    text = tr(
        "This may cost {total} credits, but MAX_CREDITS allows {most}, so it was not run: allow more, or make the"
        " AOI smaller."
    )
    if spent:
        text = tr(
            "With the {spent} credits of the jobs that were submitted before, this batch may cost {total} credits, but"
            " MAX_CREDITS allows {most}, so no more was run: allow more."
        )
    return text.format(total=number(total), spent=number(spent), most=number(most))


def most_credits(platform: Platform, request: JobRequest) -> Optional[float]:
    """The most that a request may cost, in credits; None where there is no estimate to be had (storage data)."""
    if not platform.capabilities.estimate or (request.workflow is not None and not request.workflow.needs_aoi):
        return None
    return platform.estimate(request).credits.max


def _partly(jobs: Sequence[Job], left: Sequence[Wanted], why: str) -> str:
    text = tr("{why} Submitted before: {jobs}. Not submitted: features {fids}.")
    fids = ",".join(str(one.fid) for one in left)
    return text.format(why=why, jobs=",".join(job.id for job in jobs), fids=fids)
