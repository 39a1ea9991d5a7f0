"""A search that found nothing: which of its filters to loosen, and how many scenes that would give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Mapping, Optional

from ..jobs.aoi import Aoi, GeometricFilter
from ..jobs.coverage import polygon_of
from ..jobs.job import Job, JobType
from ..jobs.naming import SEPARATOR
from ..jobs.parameters import parse_range
from ..jobs.request import MAX_NAME_LENGTH, JobRequest
from ..net.cancel import Cancel
from ..platforms.contract import Platform
from .collect import sent_geometry
from .free_search import find_scenes
from .words import number, tr

COUNTED = 50  # scenes at most; more need not be told
CLOUD, TIME, IDS, LIMIT = "max_cloud_cover", "time", "ids", "limit"
NO_CLOUD_LIMIT = 100  # percent


class Filter(Enum):
    """What narrows a search, in the order in which it is worth loosening."""

    CLOUD = "cloud"
    DATES = "dates"
    CONTAINS = "contains"
    IDS = "ids"


@dataclass(frozen=True)
class Count:
    """How many scenes there are without one filter; `more`: at least so many."""

    filter: Filter
    scenes: int
    more: bool = False


def filters_of(job: Job) -> dict[Filter, str]:
    """The filters that a search was narrowed by, and each in the user's words."""
    data = data_inputs(job)
    found: dict[Filter, str] = {}
    cloud, dates = data.get(CLOUD), parse_range(data[TIME]) if isinstance(data.get(TIME), str) else None
    if isinstance(cloud, (int, float)) and cloud < NO_CLOUD_LIMIT:
        found[Filter.CLOUD] = tr("cloud cover of at most {percent} %").format(percent=number(cloud))
    if dates:
        first, last = (_day(moment) for moment in dates)
        found[Filter.DATES] = tr("acquired from {first} to {last}").format(first=first, last=last)
    if data.get(GeometricFilter.CONTAINS.value):
        found[Filter.CONTAINS] = tr("the filter Contains: each scene covers the whole AOI")
    if data.get(IDS):
        found[Filter.IDS] = tr("scenes chosen by their ids")
    return found


def data_inputs(job: Job) -> Mapping[str, Any]:
    """The parameters that the data block was given: those of the first task."""
    tasks = [values for name, values in job.inputs.items() if ":" in name and isinstance(values, Mapping)]
    return tasks[0] if tasks else {}


def count_without_each(platform: Platform, job: Job, cancel: Cancel) -> list[Count]:
    """Search again without each of the filters, one Test Query after the other: they cost nothing.

    The searches are jobs of the project, called after what was left out. Worker thread; raises PlatformError,
    Cancelled. No counts where the workflow or its AOI is gone.
    """
    request = _request_of(platform, job)
    if request is None:
        return []
    counts = []
    for narrowed in filters_of(job):
        cancel.check()
        scenes = find_scenes(platform, _without(request, narrowed), cancel)
        if scenes is not None:
            counts.append(Count(narrowed, min(len(scenes), COUNTED), len(scenes) >= COUNTED))
    return counts


def _request_of(platform: Platform, job: Job) -> Optional[JobRequest]:
    project = next((p for p in platform.projects() if p.id == job.project_id), None)
    workflow = next((w for w in platform.workflows(project) if w.id == job.workflow_id), None) if project else None
    if project is None or workflow is None or workflow.data_task is None:
        return None
    geometry = polygon_of(sent_geometry(job))
    used = next((f for f in GeometricFilter if data_inputs(job).get(f.value) is not None), GeometricFilter.INTERSECTS)
    names = {f.value for f in GeometricFilter}
    parameters = {
        task.name: {name: value for name, value in (job.inputs.get(task.name) or {}).items() if name not in names}
        for task in workflow.tasks
    }
    aoi = Aoi(geometry) if geometry is not None else None
    counted = min(COUNTED, project.max_scenes or COUNTED)
    request = JobRequest(project, workflow, JobType.TEST_QUERY, aoi, used, parameters, job.name)
    return request.with_parameter(workflow.data_task.name, LIMIT, counted)


def _without(request: JobRequest, narrowed: Filter) -> JobRequest:
    task = request.workflow.data_task.name if request.workflow and request.workflow.data_task else ""
    if narrowed is Filter.CLOUD:
        request, left_out = request.with_parameter(task, CLOUD, NO_CLOUD_LIMIT), tr("any cloud cover")
    elif narrowed is Filter.DATES:
        request, left_out = request.with_parameter(task, TIME, _ever()), tr("any date")
    elif narrowed is Filter.IDS:
        request, left_out = request.with_parameter(task, IDS, None), tr("any id")
    else:
        request, left_out = replace(request, geometric_filter=GeometricFilter.INTERSECTS), tr("Intersects")
    return request.named(f"{request.name}{SEPARATOR}{left_out}"[:MAX_NAME_LENGTH])


def _ever() -> str:
    """From before the first satellite that took such images until now."""
    return f"1970-01-01T00:00:00Z/{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _day(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d")
