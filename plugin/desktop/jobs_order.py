"""Which jobs are in the table and in which order, kept up to date by what changed: 10,000 jobs without a pause.

What a record is sorted and searched by is worked out once for each record, when it comes. So a click on a header sorts
plain values, and a key in the search line looks through plain texts.
"""

from __future__ import annotations

import math
from enum import IntEnum
from functools import lru_cache
from typing import Any, Iterable, Mapping, Union

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


@lru_cache(maxsize=256)
def _state_key(state: JobState, raw: str) -> str:
    """The same few words for all jobs: to translate each anew would be felt with 10,000 of them."""
    return (raw if state is JobState.UNKNOWN else state_word(state)).casefold()


def age_of(record: JobRecord) -> tuple[float, str]:
    """When the job was made, in seconds since 1970 (0 where that is not told), and its id: no two are equal."""
    created = record.job.created_at
    return (created.timestamp() if created else 0.0), record.job.id


def values_of(record: JobRecord) -> tuple[Value, ...]:
    """What `record` is sorted by, for each column; equal values are sorted by age."""
    job = record.job
    return (
        _state_key(job.state, job.raw_status),
        job_title(record).casefold(),
        job.job_type.value,
        job.workflow_name.casefold(),
        math.inf if record.unconfirmed else age_of(record)[0],
        _seconds(record),
        -1 if record.credits_used is None else record.credits_used,
        outputs_word(record).casefold(),
    )


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
        # What is known of each record; of earlier projects too, for who comes back. Plain tuples and texts in
        # dictionaries: Python's garbage collection, which stops QGIS as a whole, need not look at them.
        self._known: dict[str, JobRecord] = {}
        self._ages: dict[str, tuple[float, str]] = {}
        self._texts: dict[str, str] = {}
        self._columns: dict[str, tuple[Value, ...]] = {}
        self._by_age: list[str] = []
        self._listed: set[str] = set()  # the same
        self._values: dict[str, Any] = {}  # of those that pass, in the column

    def set_records(self, records: Mapping[str, JobRecord]) -> None:
        """Take these records; they may change in place, then `update` is to be called."""
        self._records = records
        self._learn(records)
        self._by_age, self._listed = sorted(records, key=self._ages.__getitem__), set(records)
        self._sort()

    def replace_records(self, records: Mapping[str, JobRecord]) -> None:
        """Take these records instead; `update` is to be called with the ids in which they differ."""
        self._records = records

    def update(self, changed: Iterable[str]) -> bool:
        """Bring it up to these changes; gives whether the ids or their order differ now."""
        changed = set(changed)
        here = [job_id for job_id in changed if job_id in self._records]
        before = {job_id: self._place(job_id) for job_id in changed}
        ages = {job_id: self._ages[job_id] for job_id in self._listed & changed}
        self._learn(here)
        if ages != {job_id: self._ages[job_id] for job_id in here}:
            if ages:
                self._by_age = [job_id for job_id in self._by_age if job_id not in changed]
            self._by_age += here
            self._by_age.sort(key=self._ages.__getitem__)
            self._listed -= changed
            self._listed.update(here)
        for job_id in changed:
            self._values.pop(job_id, None)
        for job_id in self.filter.choose(self._records, self._texts, here):
            self._values[job_id] = self._columns[job_id][self.column]
        if all(place == self._place(job_id) for job_id, place in before.items()):
            return False
        self._put_in_order([job_id for job_id in self._by_age if job_id in self._values])
        return True

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
                known[job_id], self._ages[job_id] = record, age_of(record)
                self._texts[job_id], self._columns[job_id] = searched(record), values_of(record)

    def _place(self, job_id: str) -> tuple[Any, ...]:
        return self._values.get(job_id), self._ages.get(job_id)

    def _sort(self) -> None:
        columns, column = self._columns, self.column
        ids = self.filter.choose(self._records, self._texts, self._by_age)
        values = self._values = {job_id: columns[job_id][column] for job_id in ids}
        if column is Column.DURATION:  # of those that run it grows
            running = [job_id for job_id in ids if not self._records[job_id].job.state.ended]
            values.update((job_id, _seconds(self._records[job_id])) for job_id in running)
        self._put_in_order(ids)

    def _put_in_order(self, ids: list[str]) -> None:
        """`ids` come by age. No new objects are made to compare: ten thousand would call for a garbage collection."""
        if self.descending:
            ids.reverse()
        ids.sort(key=self._values.__getitem__, reverse=self.descending)
        self.ids = ids
