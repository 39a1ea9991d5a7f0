"""What jobs cost together, by connection and workflow: estimated against used. Any thread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Mapping, Optional, Sequence

from ..jobs.job import JobState, JobType
from .records import JobRecord


@dataclass(frozen=True)
class Total:
    """Several jobs together. `workflow` None: of all workflows and connections.

    `estimated`: the most that was confirmed for them, in credits; `used`: what they were charged. `unknown`: Live Jobs
    whose charge is not known (they run still, are somebody else's, or the platform does not tell): `used` is
    without them.
    """

    connection: str
    workflow: Optional[str]
    jobs: int
    succeeded: int
    estimated: float
    used: float
    unknown: int
    first: Optional[datetime]
    last: Optional[datetime]


def estimated(record: JobRecord) -> Optional[float]:
    """The most that was confirmed for it, in credits; a job of somebody else has none that we know."""
    return record.entry.confirmed_credits if record.entry else None


def totals(records: Sequence[JobRecord], titles: Mapping[str, str], priced: frozenset[str]) -> list[Total]:
    """One for each connection and workflow, by name, then one for all.

    `titles`: connection id -> title. `priced`: the ids of those connections where jobs can cost something.
    """
    groups: dict[tuple[str, str], list[JobRecord]] = {}
    for record in records:
        title = titles.get(record.connection_id, record.connection_id)
        groups.setdefault((title, record.job.workflow_name), []).append(record)
    found = [_total(title, workflow, group, priced) for (title, workflow), group in sorted(groups.items())]
    return [*found, _total("", None, records, priced)]


def _total(title: str, workflow: Optional[str], records: Sequence[JobRecord], priced: frozenset[str]) -> Total:
    times = [record.job.created_at for record in records if record.job.created_at]
    return Total(
        title,
        workflow,
        len(records),
        sum(record.job.state is JobState.SUCCEEDED for record in records),
        sum(estimated(record) or 0.0 for record in records),
        float(sum(record.credits_used or 0 for record in records)),
        sum(_is_unknown(record) for record in records if record.connection_id in priced),
        min(times, default=None),
        max(times, default=None),
    )


def _is_unknown(record: JobRecord) -> bool:
    return record.credits_used is None and record.job.job_type is JobType.LIVE_JOB
