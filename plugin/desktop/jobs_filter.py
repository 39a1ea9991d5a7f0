"""Which jobs the table shows: by status, type, workflow and text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Optional

from ..host.records import JobRecord
from ..jobs.job import JobState, JobType


class Group(Enum):
    """Statuses as people look for them."""

    UNFINISHED = "unfinished"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


_GROUPS = {
    JobState.SUCCEEDED: Group.SUCCEEDED,
    JobState.FAILED: Group.FAILED,
    JobState.CANCELLED: Group.CANCELLED,
}


def group_of(state: JobState) -> Group:
    """The group of a state; what is not known to have ended is unfinished."""
    return _GROUPS.get(state, Group.UNFINISHED)


def searched(record: JobRecord) -> str:
    """The text in which the filter's words are looked for."""
    job = record.job
    return f"{job.name}\n{job.id}\n{job.workflow_name}\n{job.raw_status}".casefold()


@dataclass(frozen=True)
class JobFilter:
    """None and "" let everything pass. Every word of `text` has to be found, in any order."""

    text: str = ""
    group: Optional[Group] = None
    job_type: Optional[JobType] = None
    workflow: Optional[str] = None  # its name: there are several of one name, and the table shows names
    ours: bool = False  # only those that were started from this profile

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the text, as they are looked for."""
        return tuple(self.text.casefold().split())

    @property
    def is_on(self) -> bool:
        """True where something may be left out."""
        return self != JobFilter()

    def passes(self, record: JobRecord, text: str) -> bool:
        """Whether the record is shown; `text` is what `searched` gives for it."""
        for word in self.words:  # first: it is asked for each of 10,000 jobs at every key
            if word not in text:
                return False
        return (
            (self.group is None or group_of(record.job.state) is self.group)
            and (self.job_type is None or record.job.job_type is self.job_type)
            and (self.workflow is None or record.job.workflow_name == self.workflow)
            and (record.ours or not self.ours)
        )
