"""Which jobs are in the table and in which order, kept up to date by what changed: 10,000 jobs without a pause."""

from __future__ import annotations

import math
from enum import IntEnum
from functools import lru_cache
from typing import Any, Iterable, Mapping, Optional

from ..host.records import JobRecord
from ..host.words import state_word
from ..jobs.job import JobState
from .job_words import job_seconds, job_title, outputs_word
from .jobs_filter import JobFilter, searched


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


def created_seconds(record: JobRecord) -> float:
    """When the job was made, in seconds since 1970; 0 where that is not told."""
    return record.job.created_at.timestamp() if record.job.created_at else 0.0


def sort_key(record: JobRecord, column: Column, created: Optional[float] = None) -> tuple[Any, ...]:
    """What a record is sorted by; equal ones by their time, then by their id. `created`: where it is known already."""
    job = record.job
    created = created_seconds(record) if created is None else created
    value: Any = ""
    if column is Column.STATUS:
        value = _state_key(job.state, job.raw_status)
    elif column is Column.NAME:
        value = job_title(record).casefold()
    elif column is Column.TYPE:
        value = job.job_type.value
    elif column is Column.WORKFLOW:
        value = job.workflow_name.casefold()
    elif column is Column.CREATED:
        value = math.inf if record.unconfirmed else created
    elif column is Column.DURATION:
        value = job_seconds(job) or -1.0
    elif column is Column.CREDITS:
        value = -1 if record.credits_used is None else record.credits_used
    elif column is Column.OUTPUTS:
        value = outputs_word(record).casefold()
    return value, created, job.id


class JobsOrder:
    """The ids of the records that pass the filter, sorted."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.filter = JobFilter()
        self.column, self.descending = Column.CREATED, True
        self._records: Mapping[str, JobRecord] = {}
        self._texts: dict[str, str] = {}
        self._keys: dict[str, tuple[Any, ...]] = {}
        self._created: dict[str, float] = {}

    def set_records(self, records: Mapping[str, JobRecord]) -> None:
        """Take these records; they may change in place, then `update` is to be called."""
        self._records = records
        self._texts, self._keys, self._created, self.ids = {}, {}, {}, []
        self.update(records.keys())

    def replace_records(self, records: Mapping[str, JobRecord]) -> None:
        """Take these records instead; `update` is to be called with the ids in which they differ."""
        self._records = records

    def update(self, changed: Iterable[str]) -> bool:
        """Bring it up to these changes; gives whether the ids or their order differ now."""
        moved: set[str] = set()
        added: list[str] = []
        for job_id in changed:
            record = self._records.get(job_id)
            before = self._keys.pop(job_id, None)
            if record is None:
                self._texts.pop(job_id, None)
                moved.add(job_id)
                continue
            text = self._texts[job_id] = searched(record)
            created = self._created[job_id] = created_seconds(record)
            now = sort_key(record, self.column, created) if self.filter.passes(record, text) else None
            if now is not None:
                self._keys[job_id] = now
            if now != before:
                moved.add(job_id)
                if now is not None:
                    added.append(job_id)
        if not moved:
            return False
        self.ids = [job_id for job_id in self.ids if job_id not in moved] + added
        self._sort()
        return True

    def set_filter(self, chosen: JobFilter) -> None:
        """Let pass what `chosen` lets pass."""
        self.filter = chosen
        passing = [i for i, record in self._records.items() if chosen.passes(record, self._texts[i])]
        self._keys = {i: self._keys.get(i) or self._key(i) for i in passing}
        self.ids = passing
        self._sort()

    def sort_by(self, column: Column, descending: bool) -> None:
        """Sort by another column."""
        if column is not self.column:
            self.column = column
            self._keys = {job_id: self._key(job_id) for job_id in self.ids}
        self.descending = descending
        self._sort()

    def _key(self, job_id: str) -> tuple[Any, ...]:
        return sort_key(self._records[job_id], self.column, self._created[job_id])

    def _sort(self) -> None:
        self.ids.sort(key=self._keys.__getitem__, reverse=self.descending)
