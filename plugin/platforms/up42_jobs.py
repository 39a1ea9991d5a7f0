"""UP42's workflows-and-jobs contract, spoken to UP42, to the local engine and to whoever else speaks it."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any, Iterator, Mapping, Optional, Sequence
from urllib.parse import urlsplit

from ..jobs.job import Job, JobType, Scene, Task
from ..jobs.request import Estimate, JobRequest
from ..jobs.workflow import Project
from ..net.session import Session
from . import paths, prices, wire
from .account_calls import AccountCalls
from .calls import Calls
from .contract import Capabilities, LoginRefused, NotAuthorised, NotFound, PlatformError, Refused
from .credentials import Credentials
from .tokens import TokenStore
from .workflow_calls import WorkflowCalls

NEWEST_FIRST = "createdAt,desc"


class Up42Jobs(WorkflowCalls, AccountCalls):
    """The `Platform` of the jobs contract, for one piece of work on a worker thread.

    `base_url` is the platform's origin, without a path of its own or with one. `project_ids` are needed for account
    credentials (there is no call that lists projects, contract 2.1); a project key is for its own project.
    `has_credits`: False only where nothing has a price; unknown (None) is taken for priced.
    """

    def __init__(
        self,
        session: Session,
        base_url: str,
        credentials: Credentials,
        tokens: TokenStore,
        *,
        project_ids: Sequence[str] = (),
        has_credits: Optional[bool] = None,
    ) -> None:
        self._calls = Calls(session, base_url, credentials, tokens)
        self._project_ids = tuple(project_ids) or (() if credentials.is_account else (credentials.user,))
        self.refused_projects: Mapping[str, str] = {}
        self.capabilities = Capabilities(webhooks=True, credits=has_credits is not False)

    def server_time(self) -> Optional[datetime]:
        """The platform's clock, by an answer that is asked for now; so this also tells whether it can be reached."""
        for project_id in self._project_ids:
            try:
                return self._calls.answer("GET", paths.of_project(project_id), "the project").server_date
            except LoginRefused:
                raise
            except (NotAuthorised, NotFound):
                if project_id == self._project_ids[-1]:
                    raise
        return None

    def projects(self) -> list[Project]:
        """The known projects in the order given, with their limits.

        Of several those that the platform refuses are left out, and told in `refused_projects`, unless all are.
        """
        found: list[Project] = []
        refused: dict[str, str] = {}
        first: Optional[PlatformError] = None
        for project_id in self._project_ids:
            try:
                found.append(self._one_project(project_id))
            except LoginRefused:
                raise  # it would be refused for each of them, and some servers lock an account for that
            except (NotAuthorised, NotFound) as e:
                refused[project_id], first = str(e), first or e
        if first is not None and not found:
            raise first
        self.refused_projects = refused
        return found

    def _one_project(self, project_id: str) -> Project:
        path = paths.of_project(project_id)
        several = len(self._project_ids) > 1  # then it must be told which one is not to be had
        data = self._calls.data("GET", path, f"the project {project_id}" if several else "the project")
        try:
            settings = self._calls.data("GET", f"{path}/settings", "the project's settings")
        except (NotAuthorised, NotFound):
            settings = []  # then its limits are not known, and the platform says so if one is met
        return wire.project(project_id, wire.dict_of(data), wire.dicts_of(settings))

    def estimate(self, request: JobRequest) -> Estimate:
        """Credits and seconds of a Live Job of this request, bound to its fingerprint.

        Where the platform tells no believable time, `seconds` is `prices.UNKNOWN_TIME`, whose maximum is infinite.
        """
        what = "the estimate"
        path = f"{paths.of_project(request.project.id)}/estimate/job"
        data = self._calls.data("POST", path, what, json=prices.question(request))
        try:
            return prices.estimate(request, data)
        except wire.WireError as e:
            raise self._calls.refusals.not_the_contract(b"", what, str(e)) from e

    def validate(self, request: JobRequest) -> None:
        """Have the platform check a request, and nothing else. Raises Refused with its reason."""
        question = prices.question(request)
        body = {"tasks": question["tasks"], "input": question["inputs"]}  # singular here (contract 2.5)
        self._calls.answer("POST", f"{paths.of_project(request.project.id)}/jobs/validate", "the request", json=body)

    def submit(self, request: JobRequest) -> Job:
        """Create the job by one POST, which is not repeated unless it was turned away unread (401).

        After Unreachable or BadAnswer the job may exist; after every other error it does not.
        """
        if request.workflow is None:
            raise Refused("There is no workflow to run: choose one.")
        body = request.inputs
        if request.job_type is JobType.TEST_QUERY:
            body[wire.CONFIG] = {"mode": wire.DRY_RUN}
        path = f"{paths.of_project(request.project.id)}/workflows/{paths.part(request.workflow.id)}/jobs"
        params = {"name": request.name} if request.name else None
        data = self._calls.data("POST", path, "the new job", params=params, json=body, changes=True)
        return self._one_job(request.project.id, data)

    def jobs(self, project: Project) -> Iterator[Job]:
        """All jobs, newest first."""
        return itertools.chain.from_iterable(self.job_pages(project))

    def job_pages(self, project: Project, first: int = 0) -> Iterator[list[Job]]:
        """The same page by page, from page `first`; each page is asked for when it is wanted.

        Ends at an empty page, or at one without news: not every server knows `page`.
        """
        path = f"{paths.of_project(project.id)}/jobs"
        seen: set[str] = set()
        for page in itertools.count(first):
            params = {"page": str(page), "sort": NEWEST_FIRST}
            found: list[Job] = []
            for item in wire.dicts_of(self._calls.data("GET", path, "the jobs", params=params)):
                job_id = wire.text_of(item.get("id"))
                if job_id and job_id not in seen:
                    seen.add(job_id)
                    found.append(wire.job(project.id, item))
            if not found:
                return
            yield found

    def job(self, project_id: str, job_id: str) -> Job:
        """One job as it is now."""
        path = f"{paths.of_project(project_id)}/jobs/{paths.part(job_id)}"
        return self._one_job(project_id, self._calls.data("GET", path, "the job"))

    def _one_job(self, project_id: str, data: Any) -> Job:
        try:
            return wire.job(project_id, wire.dict_of(data))
        except wire.WireError as e:
            raise self._calls.refusals.not_the_contract(b"", "the job", str(e)) from e

    def tasks(self, job: Job) -> list[Task]:
        """The job's tasks in order, the data task first; of a Test Query only that."""
        return wire.tasks(self._calls.data("GET", f"{paths.of_job(job)}/tasks", "the job's tasks"))

    def log(self, job: Job, task: Task) -> str:
        """A task's log as plain text."""
        answer = self._calls.answer("GET", f"{paths.of_task(job, task)}/logs", "the task's log")
        return answer.body.decode("utf-8", "replace")

    def scenes(self, job: Job, task: Optional[Task] = None) -> list[Scene]:
        """The scenes of a task's data.json, which has no envelope; of the last task if none is named."""
        what = "the list of scenes"
        answer = self._calls.answer("GET", f"{paths.of_task(job, task)}/outputs/data-json", what)
        return wire.scenes(self._calls.json(answer, what))

    def quicklooks(self, job: Job, task: Task) -> Sequence[str]:
        """The names of the task's quicklooks; one that is no plain file name is left out."""
        names = self._calls.data("GET", f"{paths.of_task(job, task)}/outputs/quicklooks", "the quicklooks")
        texts = [wire.text_of(name) for name in names] if isinstance(names, list) else []
        return [name for name in texts if name.strip(".") and not set(name) & set("/\\:\0")]

    def quicklook(self, job: Job, task: Task, name: str) -> bytes:
        """One quicklook image."""
        path = f"{paths.of_task(job, task)}/outputs/quicklooks/{paths.part(name)}"
        return self._calls.answer("GET", path, f"the quicklook {name}").body

    def archive_url(self, job: Job, task: Optional[Task] = None) -> str:
        """A fresh signed URL. It takes no credentials, ends soon, and belongs in no log or message."""
        what = "the outputs"
        data = self._calls.data("GET", f"{paths.of_task(job, task)}/downloads/results", what)
        url = wire.text_of(wire.dict_of(data).get("url"))
        if urlsplit(url).scheme not in ("https", "http"):
            raise self._calls.refusals.not_the_contract(b"", what, "there is no address to fetch them from")
        return url

    def cancel(self, job: Job) -> None:
        """Ask for the job to be cancelled."""
        self._calls.answer("POST", f"{paths.of_job(job)}/cancel", "the job's cancellation", changes=True)

    def rename(self, job: Job, name: str) -> Job:
        """Give the job another name."""
        path = paths.of_workflow_job(job)
        data = self._calls.data("PUT", path, "the job's name", json={"name": name}, changes=True)
        return self._one_job(job.project_id, data)

    def rerun(self, job: Job, name: str = "") -> Job:
        """Create a new job with the same inputs. Like a submit, it is never repeated by itself."""
        params = {"name": name} if name else None
        data = self._calls.data("POST", paths.of_workflow_job(job), "the new job", params=params, json={}, changes=True)
        return self._one_job(job.project_id, data)
