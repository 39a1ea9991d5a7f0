"""The rows of many AOIs: one request each, its price as it comes, and why it can't be run or what to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Iterable, Iterator, Optional, Sequence

from qgis.PyQt.QtCore import QCoreApplication, QLocale

from ..host.pricing import Price
from ..host.words import tell
from ..jobs.repeat import Month, window_of
from ..jobs.request import JobRequest, Range


def tr(text: str) -> str:
    """`text` in the user's language."""
    return QCoreApplication.translate("ManyDialog", text)


@dataclass
class Row:
    """One AOI's request. `km2`: the area that is sent; `obstacle`: why no job can be made of it whatever its price;
    `error`: why its estimate did not come; `title`: what tells it from the others where that is not its AOI.
    """

    request: JobRequest
    km2: float
    obstacle: str
    price: Optional[Price] = None
    error: str = ""
    ticked: bool = True
    title: str = ""

    @property
    def name(self) -> str:
        """What tells it from the others: the AOI's name, unless they are all of one AOI."""
        return self.title or (self.request.aoi.name if self.request.aoi else self.request.name)

    @property
    def remark(self) -> str:
        """What to know of it: why it can't be run, or that it was bought."""
        price = self.price
        if price is not None and price.before is not None:
            return tr("Bought {when}. To buy it again, run it by itself.").format(when=price.before.in_words)
        return self.obstacle or self.error or (price.refusal if price is not None else "")

    def can_run(self, priced: bool) -> bool:
        """True where it may be ticked: nothing stands against it, and where it costs something its price is here."""
        return not self.remark and (not priced or (self.price is not None and self.price.most is not None))


@dataclass(frozen=True)
class Total:
    """The ticked rows together."""

    count: int
    km2: float
    credits: Range
    seconds: Range
    left: Optional[float]  # of the balance, at least; None: not told


def dates_title(request: JobRequest) -> str:
    """`June 2018`, or the first and the last day where they are no whole month."""
    window = window_of(request)
    if window is None:
        return ""
    first, last = window
    month = Month(first.year, first.month)
    if month.text == f"{first.isoformat()}T00:00:00Z/{last.isoformat()}T23:59:59Z":
        return f"{QLocale().standaloneMonthName(first.month)} {first.year}"
    return f"{first.isoformat()} – {last.isoformat()}"


def each_row(requests: Iterable[JobRequest], *, by_dates: bool = False) -> Iterator[Row]:
    """A row for each request, one after the other; a second one of the same fingerprint can't be run.

    `by_dates`: they are of one AOI, and told from each other by their dates.
    """
    seen: dict[str, str] = {}
    for request in requests:
        problems, aoi = request.problems(), request.aoi
        obstacle = tell(problems[0]) if problems else ""
        if not obstacle and request.fingerprint in seen:
            obstacle = tr("The same as “{name}”.").format(name=seen[request.fingerprint])
        km2 = aoi.sent_km2(request.geometric_filter) if aoi else 0.0
        row = Row(request, km2, obstacle, ticked=not obstacle, title=dates_title(request) if by_dates else "")
        seen.setdefault(request.fingerprint, row.name)
        yield row


def total(rows: Sequence[Row]) -> Total:
    """The sums over the ticked rows."""
    ticked = [row for row in rows if row.ticked]
    estimates = [row.price.estimate for row in ticked if row.price is not None and row.price.estimate is not None]
    credits = sum((estimate.credits for estimate in estimates), Range(0, 0))
    seconds = sum((estimate.seconds for estimate in estimates), Range(0, 0))
    told = [row.price for row in ticked if row.price is not None and row.price.balance is not None]
    left = told[-1].balance - told[-1].pending - credits.max if told and told[-1].balance is not None else None
    return Total(len(ticked), sum(row.km2 for row in ticked), credits, seconds, left)


def each_overlap(rows: Sequence[Row]) -> Iterator[Optional[tuple[Row, Row]]]:
    """Each two rows whose AOIs overlap, so that what both cover is paid for twice; None for a step without news."""
    shapes = []
    for row in rows:
        if row.request.aoi is not None and not row.obstacle:
            shape = row.request.aoi.sent_geometry(row.request.geometric_filter)
            shapes.append((shape.bounds, shape, row))
        yield None
    shapes.sort(key=lambda one: one[0][0])
    for place, ((_west, south, east, north), shape, row) in enumerate(shapes):
        for bounds, other, other_row in islice(shapes, place + 1, None):
            if bounds[0] >= east:
                break  # as all that follow
            if bounds[1] < north and bounds[3] > south and shape.intersects(other) and not shape.touches(other):
                yield row, other_row
        yield None
