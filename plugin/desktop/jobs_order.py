"""Which jobs are in the table and in which order, kept up to date by what changed: 10,000 jobs without a pause.

What a record is sorted and searched by is worked out once for each record, when it comes. So a click on a header sorts
plain values, and a key in the search line looks through plain texts.
"""

from __future__ import annotations

import math
from enum import IntEnum
from functools import lru_cache
from typing import Any, Collection, Iterable, Mapping, NamedTuple, Union

from ..host.records import JobRecord
from ..host.words import state_word
from ..jobs.job import JobState
from .job_words import job_seconds, job_title, outputs_word
from .jobs_filter import JobFilter, searched

Value = Union[str, float]  # of one kind within a column


class Column(IntEnum):
    """The columns, from left to right."""

    STATUS = 0
    NAME = 1
    TYPE = 2
    WORKFLOW = 3
    CREATED = 4
    DURATION = 5
    CREDITS = 6
    OUTPUTS = 7


class Facts(NamedTuple):
    """What the order needs of one record. `values`: what it is sorted by, for each column."""

    age: tuple[float, str]
    text: str
    values: tuple[Value, ...]


@lru_cache(maxsize=256)
def _state_key(state: JobState, raw: str) -> str:
    """The same few words for all jobs: to translate each anew would be felt with 10,000 of them."""
    return (raw if state is JobState.UNKNOWN else state_word(state)).casefold()


def facts_of(record: JobRecord) -> Facts:
    """What `record` is sorted and searched by; equal values by their time, then by their id."""
    job = record.job
    created = job.created_at.timestamp() if job.created_at else 0.0
    values = (
        _state_key(job.state, job.raw_status),
        job_title(record).casefold(),
        job.job_type.value,
        job.workflow_name.casefold(),
        math.inf if record.unconfirmed else created,
        _seconds(record),
        -1 if record.credits_used is None else record.credits_used,
        outputs_word(record).casefold(),
    )
    return Facts((created, job.id), searched(record), values)


def _seconds(record: JobRecord) -> float:
    return job_seconds(record.job) or -1.0


class JobsOrder:
    """The ids of the records that pass the filter, sorted.

    Sorting leaves equal ones as they stand, and single values compare the fastest: so a whole new order is made of
    the one by age. Changes to few records move only those.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.filter = JobFilter()
        self.column, self.descending = Column.CREATED, True
        self._records: Mapping[str, JobRecord] = {}
        self._known: dict[str, JobRecord] = {}  # whose facts these are; of earlier projects too, for who comes back
        self._facts: dict[str, Facts] = {}
        self._by_age: list[str] = []
        self._ages: dict[str, tuple[float, str]] = {}  # of the records by age
        self._values: dict[str, Any] = {}  # of those that pass

    def set_records(self, records: Mapping[str, JobRecord]) -> None:
        """Take these records; they may change in place, then `update` is to be called."""
        self._records = records
        self._learn(records)
        self._ages = {job_id: self._facts[job_id].age for job_id in records}
        self._by_age = sorted(records, key=self._ages.__getitem__)
        self._sort()

    def replace_records(self, records: Mapping[str, JobRecord]) -> None:
        """Take these records instead; `update` is to be called with the ids in which they differ."""
        self._records = records

    def update(self, changed: Iterable[str]) -> bool:
        """Bring it up to these changes; gives whether the ids or their order differ now."""
        changed = set(changed)
        here = [job_id for job_id in changed if job_id in self._records]
        before = {job_id: self._place(job_id) for job_id in changed}
        self._learn(here)
        self._update_ages(changed, {job_id: self._facts[job_id].age for job_id in here})
        for job_id in changed:
            self._values.pop(job_id, None)
        for job_id in self.filter.choose(self._records, self._text, here):
            self._values[job_id] = self._facts[job_id].values[self.column]
        moved = {job_id for job_id, place in before.items() if place != self._place(job_id)}
        if not moved:
            return False
        self.ids = [job_id for job_id in self.ids if job_id not in moved]
        self.ids += [job_id for job_id in moved if job_id in self._values]
        self.ids.sort(key=self._place, reverse=self.descending)
        return True

    def _update_ages(self, changed: Collection[str], ages: Mapping[str, tuple[float, str]]) -> None:
        if all(ages.get(job_id) == self._ages.get(job_id) for job_id in changed):
            return
        for job_id in changed:
            self._ages.pop(job_id, None)
        self._ages.update(ages)
        self._by_age = [job_id for job_id in self._by_age if job_id not in changed]
        self._by_age += ages
        self._by_age.sort(key=self._ages.__getitem__)

    def set_filter(self, chosen: JobFilter) -> None:
        """Let pass what `chosen` lets pass."""
        self.filter = chosen
        self._sort()

    def sort_by(self, column: Column, descending: bool) -> None:
        """Sort by another column."""
        self.column, self.descending = column, descending
        self._sort()

    def _learn(self, ids: Iterable[str]) -> None:
        known, records = self._known, self._records
        for job_id in ids:
            record = records[job_id]
            if known.get(job_id) is not record:
                known[job_id], self._facts[job_id] = record, facts_of(record)

    def _text(self, job_id: str) -> str:
        return self._facts[job_id].text

    def _place(self, job_id: str) -> tuple[Any, ...]:
        return self._values.get(job_id), self._ages.get(job_id)

    def _sort(self) -> None:
        facts, column = self._facts, self.column
        ids = self.filter.choose(self._records, self._text, self._by_age)
        values = self._values = {job_id: facts[job_id].values[column] for job_id in ids}
        if column is Column.DURATION:  # of those that run it grows
            running = [job_id for job_id in ids if not self._records[job_id].job.state.ended]
            values.update((job_id, _seconds(self._records[job_id])) for job_id in running)
        if self.descending:
            ids.reverse()
        ids.sort(key=values.__getitem__, reverse=self.descending)
        self.ids = ids
