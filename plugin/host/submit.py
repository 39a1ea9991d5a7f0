"""The use case *submit*: check, confirm, remember, send once. Worker thread; shared by dock and scripts."""

from __future__ import annotations

import math
import sqlite3
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Callable, Iterable, Iterator, Mapping, Optional

from ..jobs.job import Job, JobType, parse_time
from ..jobs.request import JobRequest
from ..jobs.request_record import record, same_inputs
from ..net.cancel import Cancelled
from ..platforms.contract import BadAnswer, Platform, PlatformError, Unreachable
from . import bought, spending
from .errors import NotConfirmed, RequestProblems, Unconfirmed, explain, log
from .ledger import Entry, Intent, Ledger, LedgerError
from .origin import Origin
from .words import tr

CLOCK_TOLERANCE = timedelta(seconds=2)  # between the clocks of a platform's servers


@dataclass(frozen=True)
class Confirmation:
    """What the user agreed to: this request (its fingerprint), once, at no more than so many credits.

    `max_credits` None: the price is unknown, and that was agreed to. `again`: that the same request was bought before
    was said, or it is a script's, which looks for that itself (script_bought.py). `id` is noted with the job, so that
    one confirmation is one job.
    """

    fingerprint: str
    max_credits: Optional[float]
    again: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


def has_price(platform: Platform, request: JobRequest) -> bool:
    """True where running the request can cost credits."""
    return platform.capabilities.credits and request.job_type is JobType.LIVE_JOB


def submit(
    platform: Platform,
    ledger: Ledger,
    connection_id: str,
    request: JobRequest,
    origin: Origin,
    confirmation: Optional[Confirmation],
    claim: Callable[[sqlite3.Connection], None] = lambda _db: None,
) -> Job:
    """Send the request, once, and give the job. `claim` is called in the transaction that writes the intent.

    Raises RequestProblems, NotConfirmed, OverCap, AlreadyBought or Unconfirmed with nothing sent; Unconfirmed also
    where the answer was lost and the job can't be told; PlatformError where the platform refused.
    """
    problems = request.problems()
    if problems:
        raise RequestProblems(problems)
    _check_confirmation(platform, request, confirmation)
    server_time = platform.server_time()
    priced, caps = has_price(platform, request), spending.Caps.now()

    def allow(db: sqlite3.Connection) -> None:
        claim(db)
        if priced and confirmation is not None:
            _check_ledger(db, caps, connection_id, confirmation)

    intent_id = ledger.begin(
        connection_id,
        request.project.id,
        request.fingerprint,
        record(request),
        confirmed_credits=confirmation.max_credits if confirmation else None,
        project_file=origin.project_file,
        token=origin.token,
        server_time=server_time.isoformat() if server_time else None,
        confirmation=confirmation.id if confirmation else "",
        allow=allow,
    )
    if intent_id is None:
        raise Unconfirmed(_decide_first())
    try:
        job = platform.submit(request)
    except (Unreachable, BadAnswer, Cancelled) as lost:
        return _look_for(platform, ledger, connection_id, intent_id, request, lost)
    except PlatformError:  # it was turned down: there is no job
        ledger.drop(intent_id)
        raise
    except Exception:
        ledger.mark_lost(intent_id)
        raise
    _settle(ledger, intent_id, job)
    return job


def _settle(ledger: Ledger, intent_id: int, job: Job) -> None:
    """Note the job. Where the ledger fails just now, the intent stays, and the tracker settles it later."""
    try:
        ledger.settle(intent_id, job.id)
    except LedgerError as e:
        log(explain(e))


def _check_confirmation(platform: Platform, request: JobRequest, confirmation: Optional[Confirmation]) -> None:
    if not has_price(platform, request):
        return
    if confirmation is None or confirmation.fingerprint != request.fingerprint:
        raise NotConfirmed(tr("This Live Job has a price that was not confirmed, so it was not run. Confirm it first."))
    if confirmation.max_credits is None:
        if request.workflow is not None and not request.workflow.needs_aoi:
            return  # storage data: there is no estimate, and an unknown price was agreed to
        raise NotConfirmed(tr("This Live Job has a price, so a maximum of credits must be confirmed. It was not run."))
    if not 0 <= confirmation.max_credits < math.inf:
        raise NotConfirmed(tr("What was confirmed is no amount of credits, so the job was not run."))
    estimate = platform.estimate(request)
    if not estimate.credits.max <= confirmation.max_credits:
        raise NotConfirmed(
            tr(
                "The price has risen from {confirmed} to {now} credits since it was confirmed, so the job was not run."
            ).format(confirmed=f"{confirmation.max_credits:g}", now=f"{estimate.credits.max:g}")
        )


def _check_ledger(
    db: sqlite3.Connection, caps: spending.Caps, connection_id: str, confirmation: Confirmation
) -> None:
    """What only holds in the moment of the submit, whatever else is submitted at the same time."""
    if bought.is_used(db, confirmation.id):
        raise NotConfirmed(tr("This confirmation was used already, so no second job was run. Confirm again."))
    before = None if confirmation.again else bought.find(db, connection_id, confirmation.fingerprint)
    if before is not None:
        raise bought.AlreadyBought(before)
    spending.check(db, caps, connection_id, confirmation.max_credits)


def _look_for(
    platform: Platform, ledger: Ledger, connection_id: str, intent_id: int, request: JobRequest, lost: Exception
) -> Job:
    """After a lost answer: the one job that can only be this one, else Unconfirmed."""
    ledger.mark_lost(intent_id)
    if isinstance(lost, Cancelled):
        raise lost  # the intent stays; the tracker settles it when it sees the job
    intent = next(i for i in ledger.intents(connection_id) if i.id == intent_id)
    try:
        job = match(intent, jobs_since(platform, request, intent), ledger.entries(connection_id))
    except (Unreachable, BadAnswer):
        job = None
    if job is None:
        raise Unconfirmed(_decide_first()) from lost
    _settle(ledger, intent_id, job)
    return job


def jobs_since(platform: Platform, request: JobRequest, intent: Intent) -> Iterator[Job]:
    """The project's jobs from the intent on, newest first."""
    since = parse_time(intent.server_time)
    for job in platform.jobs(request.project):
        if since and job.created_at and job.created_at < since - CLOCK_TOLERANCE:
            return
        yield job


def match(intent: Intent, jobs: Iterable[Job], known: Mapping[str, Entry]) -> Optional[Job]:
    """The one job of equal inputs, name and job type, made since the intent, that the ledger doesn't know; or None."""
    since: Optional[datetime] = parse_time(intent.server_time)
    wanted = intent.request
    found = [
        job
        for job in jobs
        if job.id not in known
        and job.name == wanted["name"]
        and job.job_type.value == wanted["job_type"]
        and same_inputs(job.inputs, wanted["inputs"])
        and not (since and job.created_at and job.created_at < since - CLOCK_TOLERANCE)
    ]
    return found[0] if len(found) == 1 else None


def _decide_first() -> str:
    return tr(
        "The answer to this run was lost, so the job may exist or not. It is listed as Unconfirmed in Jobs: it is"
        " looked for at each refresh. Choose Forget there to be able to run the same request again."
    )
