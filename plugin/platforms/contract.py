"""The seam: what the plugin asks of whoever runs a job, and the few errors it can answer with.

A platform is made for one piece of work (its session carries that work's cancel) and used on a worker thread: every
method may block. A later platform is one new file beside this one and no change above.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Iterator, Mapping, Optional, Protocol, Sequence

from ..jobs.job import Job, Scene, Task
from ..jobs.request import Estimate, JobRequest
from ..jobs.workflow import Project, Workflow


@dataclass(frozen=True)
class Capabilities:
    """What a connection can do; screens follow these, never a platform's name."""

    estimate: bool = True
    test_query: bool = True
    cancel: bool = True
    rerun: bool = True
    logs: bool = True
    quicklooks: bool = True
    webhooks: bool = False
    credits: bool = False  # False: nothing has a price, so nothing is confirmed


class PlatformError(Exception):
    """Something a person can act on; the text says what is wrong and what to do, and never holds a secret."""


class NotAuthorised(PlatformError):
    """The key or login was not accepted, or may not do this."""


class LoginRefused(NotAuthorised):
    """The key or login itself is not good (any more): nothing can be had with it."""


class Refused(PlatformError):
    """The request was understood and not taken; the text carries the platform's reason."""


class TooManyJobs(Refused):
    """The project has as many unfinished jobs as it may have."""


class InsufficientCredits(Refused):
    """The balance is below what the job may cost."""


class NotFound(PlatformError):
    """The project, workflow, job or output is not (or no longer) there."""


class Unreachable(PlatformError):
    """No answer: no network, no such host, a time-out, a dropped connection. What was sent may have arrived."""


class BadAnswer(PlatformError):
    """The platform answered with something that is not the contract."""


class Platform(Protocol):
    """Who runs a job. All methods raise PlatformError, or net.cancel.Cancelled."""

    capabilities: Capabilities

    def server_time(self) -> Optional[datetime]:
        """The platform's clock (the `Date` of an answer), UTC; None where it tells none."""

    refused_projects: Mapping[str, str]  # after `projects`: IDs that the platform refuses, and its reasons

    def projects(self) -> list[Project]:
        """The projects of the connection, with their limits; raises only where none is to be had."""

    def workflows(self, project: Project) -> list[Workflow]:
        """The project's workflows with tasks and blocks, most recent first."""

    def balance(self, project: Project) -> Optional[int]:
        """Credits left; None where the platform has none or refuses to tell."""

    def estimate(self, request: JobRequest) -> Estimate:
        """Credits and time of exactly this request."""

    def submit(self, request: JobRequest) -> Job:
        """Create the job. Never repeated by itself: after `Unreachable` it may exist all the same."""

    def jobs(self, project: Project) -> Iterator[Job]:
        """All jobs, newest first, page by page."""

    def job_pages(self, project: Project, first: int = 0) -> Iterator[list[Job]]:
        """The same in the platform's own pages, from page `first`; a page is asked for when it is wanted."""

    def job(self, project_id: str, job_id: str) -> Job:
        """One job as it is now."""

    def tasks(self, job: Job) -> list[Task]:
        """The job's tasks in order, the data task first."""

    def log(self, job: Job, task: Task) -> str:
        """A task's log as plain text."""

    def scenes(self, job: Job, task: Optional[Task] = None) -> list[Scene]:
        """The scenes of a task's data.json; of the last task if none is named."""

    def quicklooks(self, job: Job, task: Task) -> Sequence[str]:
        """The names of a data task's quicklook images, `<scene id>.<suffix>`."""

    def quicklook(self, job: Job, task: Task, name: str) -> bytes:
        """One quicklook image (JPEG or PNG)."""

    def archive_url(self, job: Job, task: Optional[Task] = None) -> str:
        """A fresh signed URL of the final output's archive, or of one task's. It takes no credentials."""

    def cancel(self, job: Job) -> None:
        """Ask for the job to be cancelled; its state tells when it is."""

    def credits_used(self, job: Job) -> Optional[int]:
        """What the job has cost so far; None where unknown."""

    def validate(self, request: JobRequest) -> None:
        """Have a request checked, and nothing else. Raises Refused with the platform's reason."""

    def rename(self, job: Job, name: str) -> Job:
        """Give the job another name."""

    def rerun(self, job: Job, name: str = "") -> Job:
        """A new job with the same inputs; as little repeated as a submit."""
