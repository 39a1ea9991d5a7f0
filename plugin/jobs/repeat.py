"""The same search for many months: which windows of dates there are, and the requests for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Collection, Mapping, NamedTuple, Optional, Sequence

from .naming import SEPARATOR
from .parameter_dates import month_of
from .parameters import parse_range
from .request import MAX_NAME_LENGTH, JobRequest
from .workflow import Workflow

TIME, SERIES, IDS = "time", "time_series", "ids"
MOST_IN_SERIES = 366  # windows of one job: as many as the local engine takes


class Month(NamedTuple):
    """A month of the calendar; `month` from 1."""

    year: int
    month: int

    @property
    def text(self) -> str:
        """As the parameters `time` and `time_series` take it (contract 3.1)."""
        return month_of(self.year, self.month)


def windows(first: Month, last: Month, months: Collection[int]) -> list[Month]:
    """The months from `first` to `last`, both included, that are among `months` (1 to 12) of any year; oldest first."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    found = [Month(number // 12, number % 12 + 1) for number in numbers]
    return [month for month in found if month.month in months]


def span_of(given: Mapping[str, Any]) -> Optional[tuple[Month, Month]]:
    """The first and the last month of a data block's dates; None where it has none that can be read."""
    series = given.get(SERIES)
    texts = [given.get(TIME), *(series if isinstance(series, list) else [])]
    found = [parsed for parsed in (parse_range(text) for text in texts if isinstance(text, str)) if parsed]
    if not found:
        return None
    first, last = min(span[0] for span in found), max(span[1] for span in found)
    return Month(first.year, first.month), Month(last.year, last.month)


def can_repeat(workflow: Optional[Workflow]) -> bool:
    """True where the data block searches by dates."""
    data = workflow.data_task if workflow else None
    return data is not None and TIME in data.block.parameters


def as_series(workflow: Workflow, chosen: Sequence[Month]) -> dict[str, Any]:
    """What to set of the data block for one job of all windows. Pinned scenes go: they would replace the search."""
    return {TIME: None, SERIES: [month.text for month in chosen], **_without_ids(workflow)}


def as_jobs(request: JobRequest, chosen: Sequence[Month]) -> list[JobRequest]:
    """A request for each window, alike but for its dates and name. Pinned scenes go: each would buy the same again."""
    workflow = request.workflow
    data = workflow.data_task if workflow else None
    if workflow is None or data is None:
        return []
    present = request.parameters.get(data.name) or {}
    others = {name: None for name in (SERIES, *_without_ids(workflow)) if present.get(name) is not None}
    made = []
    for month in chosen:
        given = {**present, **others, TIME: month.text}
        parts = (request.aoi.name.strip() if request.aoi else "", workflow.name.strip())
        when = f"{month.year}-{month.month:02d}"
        room = MAX_NAME_LENGTH - len(when) - len(SEPARATOR)
        name = SEPARATOR.join(part for part in (SEPARATOR.join(filter(None, parts))[:room], when) if part)
        made.append(replace(request, parameters={**request.parameters, data.name: given}, name=name))
    return made


def window_of(request: JobRequest) -> Optional[tuple[date, date]]:
    """First and last day (UTC) of the one range of dates that a request searches; None where there is none."""
    data = request.workflow.data_task if request.workflow else None
    text = (request.parameters.get(data.name) or {}).get(TIME) if data else None
    found = parse_range(text) if isinstance(text, str) else None
    return (found[0].date(), found[1].date()) if found else None


def differ_in_dates_only(requests: Sequence[JobRequest]) -> bool:
    """True where these are several windows of dates on one AOI, not several AOIs."""
    if len(requests) < 2 or not all(window_of(request) for request in requests):
        return False
    first = requests[0].aoi
    if first is None:
        return False
    for request in requests[1:]:
        aoi = request.aoi
        if aoi is not first and (aoi is None or (aoi.name, aoi.geometry.wkb) != (first.name, first.geometry.wkb)):
            return False
    return True


def _without_ids(workflow: Workflow) -> dict[str, None]:
    data = workflow.data_task
    return {IDS: None} if data is not None and IDS in data.block.parameters else {}
