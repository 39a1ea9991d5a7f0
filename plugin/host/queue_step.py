"""One step of the queue: look at what was sent, and send as many as the project has room for. Worker thread."""

from __future__ import annotations

from itertools import groupby, islice
from typing import Mapping, Optional

from ..jobs.job import Job, JobState
from ..jobs.request import JobRequest
from ..jobs.request_restore import from_record
from ..jobs.workflow import Project, Workflow
from ..net.cancel import Cancel
from ..platforms.contract import (
    BadAnswer,
    NotAuthorised,
    NotFound,
    Platform,
    PlatformError,
    TooManyJobs,
    Unreachable,
)
from .connections import Connections
from .errors import HostError, Unconfirmed, explain
from .ledger import Ledger
from .queue_store import NotQueued, Queued, QueueStore, State
from .submit import has_price, submit
from .words import state_word, tr

LOOKED_AT = 100  # of the newest jobs: where a project's unfinished ones are counted
TRY_LATER = (Unreachable, BadAnswer, NotAuthorised)


def advance(connections: Connections, ledger: Ledger, session: str, cancel: Cancel) -> list[str]:
    """Bring this session's queue one step further; gives what kept it from that, as sentences. Raises LedgerError."""
    store, troubles = QueueStore(ledger), []
    own = [item for item in store.all() if item.session == session and not item.state.over]
    for (connection_id, project_id), group in groupby(sorted(own, key=_place), key=_place):
        connection = connections.by_id(connection_id)
        if connection is None:
            for item in group:
                store.stop_waiting(item, tr("Its connection is no longer there."))
            continue
        try:
            platform = connections.open(connection, cancel)
            advance_project(platform, ledger, project_id, sorted(group, key=lambda item: item.id), cancel)
        except (HostError, PlatformError) as e:
            troubles.append(explain(e))
    return troubles


def _place(item: Queued) -> tuple[str, str]:
    return item.connection, item.project


def advance_project(
    platform: Platform, ledger: Ledger, project_id: str, items: list[Queued], cancel: Cancel
) -> None:
    """The same for the items of one project, in order. Raises PlatformError with what was done done."""
    store = QueueStore(ledger)
    project = next((p for p in platform.projects() if p.id == project_id), None)
    if project is None:
        raise NotFound(tr("The project of the queued jobs is not there."))
    for item in items:
        if item.state is State.SENDING:
            store.settle_sending(item)
    newest = {job.id: job for job in islice(platform.jobs(project), LOOKED_AT)}
    for item in items:
        if item.state is State.RUNNING:
            _look_at(platform, store, item, newest)
    room = project.max_concurrent_jobs - sum(not job.state.ended for job in newest.values())
    waiting = [item for item in items if item.state is State.WAITING]
    if room > 0 and waiting:
        workflows = {workflow.id: workflow for workflow in platform.workflows(project)}
        for item in waiting[:room]:
            cancel.check()
            if not _send(platform, ledger, project, workflows, item):
                return


def _look_at(platform: Platform, store: QueueStore, item: Queued, newest: Mapping[str, Job]) -> None:
    """Note the end of a job that was sent."""
    try:
        job = newest.get(item.job) or platform.job(item.project, item.job)
    except NotFound:
        store.note(item, State.FAILED, reason=tr("The platform no longer has this job."))
        return
    if job.state is JobState.SUCCEEDED:
        store.note(item, State.DONE)
    elif job.state.ended:
        store.note(item, State.FAILED, reason=state_word(job.state))


def _send(
    platform: Platform, ledger: Ledger, project: Project, workflows: Mapping[str, Workflow], item: Queued
) -> bool:
    """Submit one item, at most at what was confirmed; False where it and all that follow have to wait."""
    store = QueueStore(ledger)
    request = _same_request(project, workflows, item)
    if request is None:
        store.stop_waiting(item, tr("The workflow has changed since this was queued, so it was not run."))
        return True
    if not item.priced and has_price(platform, request):
        store.stop_waiting(item, tr("It has a price now, which was not confirmed, so it was not run."))
        return True
    try:
        job = submit(platform, ledger, item.connection, request, item.origin, item.agreed, store.claim(item))
    except TooManyJobs:
        store.note(item, State.WAITING)  # its intent is dropped: there is no job
        return False
    except NotQueued:
        return True
    except Unconfirmed as e:  # its answer was lost: `settle_sending` finds out
        store.stop_waiting(item, explain(e))  # or another one's of the same request, and this was never sent
        return True
    except TRY_LATER:
        raise  # before it was taken: the answer to the submit itself is one of the above
    except (HostError, PlatformError) as e:
        store.note(item, State.STOPPED, reason=explain(e))
        return True
    store.note(item, State.RUNNING, job=job.id)
    return True


def _same_request(project: Project, workflows: Mapping[str, Workflow], item: Queued) -> Optional[JobRequest]:
    """The request that was queued, made anew; None where the platform would no longer take it for the same."""
    workflow = workflows.get(str((item.request.get("workflow") or {}).get("id")))
    if workflow is None:
        return None
    try:
        request = from_record(project, workflow, item.request)
    except (KeyError, TypeError, ValueError):
        return None
    return request if request.fingerprint == item.fingerprint else None
