"""Which jobs the table shows: by status, type, workflow and text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Iterable, Mapping, Optional

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

    def choose(
        self, records: Mapping[str, JobRecord], texts: Mapping[str, str], ids: Iterable[str]
    ) -> list[str]:
        """Those of `ids` whose records are shown; `texts`: what `searched` gives for each.

        One condition after the other: it is asked for each of 10,000 jobs at every key.
        """
        found = list(ids)
        for word in self.words:
            found = [i for i in found if word in texts[i]]
        if self.group is not None:
            found = [i for i in found if group_of(records[i].job.state) is self.group]
        if self.job_type is not None:
            found = [i for i in found if records[i].job.job_type is self.job_type]
        if self.workflow is not None:
            found = [i for i in found if records[i].job.workflow_name == self.workflow]
        return [i for i in found if records[i].ours] if self.ours else found
