"""What running a request means for the money: estimate, balance after it, caps, and the same bought before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from ..jobs.request import Estimate, JobRequest
from ..net.cancel import Cancel
from ..platforms.contract import Platform
from . import bought, spending
from .bought import Bought
from .connections import Connection, Connections
from .ledger import Ledger
from .submit import has_price
from .words import area, number, tr

LESS = 0.95  # of the area that would just be paid for: part of a price may not shrink with the AOI


@dataclass(frozen=True)
class Price:
    """Of exactly the request with this fingerprint. Credits everywhere.

    `estimate` None: there is none to be had (storage data). `balance` None: there is none, or it is not told.
    `pending`: what unfinished and queued jobs may still take of it. `before`: the same request, bought earlier.
    `refusal`: why the job can't be run now, though nothing is wrong with the request; "" where it can.
    """

    fingerprint: str
    estimate: Optional[Estimate]
    balance: Optional[int] = None
    pending: float = 0.0
    before: Optional[Bought] = None
    refusal: str = ""

    def is_for(self, request: JobRequest) -> bool:
        """True while the request is unchanged."""
        return self.fingerprint == request.fingerprint

    @property
    def most(self) -> Optional[float]:
        """The most that the job may cost; None: unknown."""
        return self.estimate.credits.max if self.estimate else None

    @property
    def left(self) -> Optional[float]:
        """The least that is left of the balance after this job and those under way; None: unknown."""
        if self.balance is None or self.most is None:
            return None
        return self.balance - self.pending - self.most


def can_estimate(platform: Platform, request: JobRequest) -> bool:
    """True where the platform can tell a price before; of stored data it can't (contract, section 6)."""
    return platform.capabilities.estimate and request.workflow is not None and request.workflow.needs_aoi


def price(
    connections: Connections, ledger: Ledger, connection: Connection, request: JobRequest, cancel: Cancel
) -> Price:
    """Ask for the price of a request, and look at what stands against it. Worker thread."""
    platform = connections.open(connection, cancel)
    return price_on(platform, ledger, connection.id, request)


def price_on(platform: Platform, ledger: Ledger, connection_id: str, request: JobRequest) -> Price:
    """`price`, where the platform is open already."""
    estimate = platform.estimate(request) if can_estimate(platform, request) else None
    if not has_price(platform, request):
        return Price(request.fingerprint, estimate)
    balance, caps = platform.balance(request.project), spending.Caps.now()
    most = estimate.credits.max if estimate else None
    with ledger.transaction() as db:
        pending = spending.may_still_take(db, connection_id)
        spent = spending.spent_this_month(db, connection_id)
        before = bought.find(db, connection_id, request.fingerprint)
        why = spending.why_not(db, caps, connection_id, most, spent)
    if not why and balance is not None and most is not None and most > balance - pending:
        why = _too_dear(request, most, balance, pending)
    return Price(request.fingerprint, estimate, balance, pending, before, why)


def _too_dear(request: JobRequest, most: float, balance: float, pending: float) -> str:
    """That the balance does not suffice, and how much smaller the job must be."""
    text = tr("This job may cost {most} credits, but only {free} are left.")
    if pending:
        text = tr(
            "This job may cost {most} credits, but only {free} are left beside the jobs that are unfinished or queued."
        )
    free = balance - pending
    said = text.format(most=number(math.ceil(most)), free=number(math.floor(max(0.0, free))))
    ways = _smaller(request, free / most) if free > 0 else []
    if not ways:
        return said + " " + tr("Buy credits, or wait for the jobs under way.")
    return said + " " + tr("Try {ways}.").format(ways=tr(", or ").join(ways))


def _smaller(request: JobRequest, share: float) -> list[str]:
    """What would bring the price down to `share` of it (0 to 1), in words."""
    ways = []
    if request.aoi is not None:
        km2 = request.aoi.sent_km2(request.geometric_filter) * share * LESS
        if km2 >= request.project.aoi_limits.min_km2:
            ways.append(tr("an AOI of at most about {area}").format(area=area(km2)))
    data = request.workflow.data_task if request.workflow else None
    given = request.parameters.get(data.name, {}) if data else {}
    ids, limit = given.get("ids"), given.get("limit")
    if isinstance(ids, list) and math.floor(len(ids) * share) >= 1:
        ways.append(tr("at most {n} scenes").format(n=math.floor(len(ids) * share)))
    elif not ids and isinstance(limit, int) and math.floor(limit * share) >= 1:
        ways.append(tr("“limit” {n}").format(n=math.floor(limit * share)))
    return ways
