"""One look at a watch: its search from its first day until now, as a Test Query. It costs nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Optional

from ..jobs.job import JobType, Scene
from ..jobs.naming import SEPARATOR
from ..jobs.parameters import parse_range
from ..jobs.request import MAX_NAME_LENGTH, JobRequest
from ..jobs.request_restore import from_record
from ..jobs.workflow import Parameter, Project, Workflow
from ..net.cancel import Cancel
from ..platforms.contract import Platform
from .errors import HostError, RequestProblems
from .free_search import find_scenes
from .watch_store import Watch
from .words import tr

MOST_SCENES = 100  # of one look
TIME, SERIES, IDS, LIMIT = "time", "time_series", "ids", "limit"


class NotLooked(HostError):
    """The search of this watch can't be made, or failed."""


def look(platform: Platform, watch: Watch, now: float, cancel: Cancel) -> tuple[list[Scene], bool]:
    """The scenes that there are now, and whether there may be more. Worker thread.

    Raises NotLooked, RequestProblems, PlatformError, Cancelled.
    """
    project = next((p for p in platform.projects() if p.id == watch.project), None)
    if project is None:
        raise NotLooked(tr("Its project is no longer on this connection."))
    workflow = workflow_of(watch, platform.workflows(project))
    request = watched_request(watch, project, workflow, now)
    data = workflow.data_task
    most = request.parameters.get(data.name, {}).get(LIMIT) if data else None
    request = request.named(f"{watch.name}{SEPARATOR}{tr('watch')}"[:MAX_NAME_LENGTH]).of_type(JobType.TEST_QUERY)
    if request.problems():
        raise RequestProblems(request.problems())
    scenes = find_scenes(platform, request, cancel)
    if scenes is None:
        raise NotLooked(tr("The Test Query did not succeed: its log in Jobs says why."))
    return scenes, most is not None and len(scenes) >= most


def workflow_of(watch: Watch, among: list[Workflow]) -> Workflow:
    """The workflow of a watch. Raises NotLooked where it is gone."""
    kept = watch.request.get("workflow") or {}
    found = next((workflow for workflow in among if workflow.id == kept.get("id")), None)
    if found is None:
        text = tr("Its workflow “{workflow}” is no longer in the project.")
        raise NotLooked(text.format(workflow=kept.get("name") or kept.get("id") or ""))
    return found


def watched_request(watch: Watch, project: Project, workflow: Workflow, now: float) -> JobRequest:
    """The request with its dates open to `now` (seconds since 1970), of any id, and as many scenes as one look takes.

    A range of dates that had ended would never have anything new.
    """
    request = from_record(project, workflow, watch.request)
    data = workflow.data_task
    if data is None:
        return request
    known, given = data.block.parameters, dict(request.parameters.get(data.name) or {})
    start = _first_day(given)
    if TIME in known and start is not None:
        given[TIME] = f"{start:%Y-%m-%dT%H:%M:%SZ}/{max(start, _utc(now)):%Y-%m-%dT%H:%M:%SZ}"
        given.pop(SERIES, None)
    given.pop(IDS, None)
    if LIMIT in known:
        given[LIMIT] = _most(project, known[LIMIT])
    return replace(request, parameters={**request.parameters, data.name: given})


def _first_day(given: dict[str, Any]) -> Optional[datetime]:
    """Where the dates of the request begin; None: any date."""
    series = given.get(SERIES)
    texts = [given.get(TIME), *(series if isinstance(series, list) else [])]
    ranges = [parse_range(text) for text in texts if isinstance(text, str)]
    return min((found[0] for found in ranges if found), default=None)


def _most(project: Project, limit: Parameter) -> int:
    given = (MOST_SCENES, project.max_scenes, limit.maximum)
    return int(min(each for each in given if each is not None))


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
