"""A request made anew from what was sent: from a job's inputs, or from the record that is kept of a request."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .aoi import GEOMETRY_PARAMETERS, Aoi, AoiError, GeometricFilter
from .job import JobType
from .problem import Problem
from .request import JobRequest
from .request_record import CONFIG
from .workflow import Project, Workflow, clips_to_aoi

BBOX_NUMBERS = 4


def from_inputs(
    project: Project,
    workflow: Workflow,
    inputs: Mapping[str, Any],
    *,
    job_type: JobType = JobType.LIVE_JOB,
    name: str = "",
    aoi_name: str = "AOI",
) -> JobRequest:
    """The request that these inputs are of. The AOI of a bounding box is the box itself. Raises AoiError."""
    parameters = {
        task: dict(values) for task, values in inputs.items() if task != CONFIG and isinstance(values, Mapping)
    }
    data = parameters.get(workflow.tasks[0].name, {}) if workflow.tasks else {}
    given = {key: data.pop(key, None) for key in GEOMETRY_PARAMETERS}
    for task in workflow.tasks:
        if clips_to_aoi(task):  # it gets the AOI again when it is sent
            parameters[task.name] = {
                key: value for key, value in parameters.get(task.name, {}).items() if key not in GEOMETRY_PARAMETERS
            }
    used = next((key for key, value in given.items() if value is not None), None)
    return JobRequest(
        project,
        workflow,
        job_type,
        _aoi(given[used], aoi_name) if used else None,
        GeometricFilter(used) if used else GeometricFilter.INTERSECTS,
        parameters,
        name,
    )


def from_record(project: Project, workflow: Workflow, kept: Mapping[str, Any]) -> JobRequest:
    """The request that `request_record.record` was made of, to the last digit: its fingerprint is the same.

    Raises KeyError, TypeError or ValueError for what is no such record.
    """
    return JobRequest(
        project,
        workflow,
        JobType(kept["job_type"]),
        _kept_aoi(kept["aoi"]) if kept.get("aoi") else None,
        GeometricFilter(kept["geometric_filter"]),
        kept["parameters"],
        str(kept.get("name") or ""),
    )


def _kept_aoi(aoi: Mapping[str, Any]) -> Aoi:
    from shapely.geometry import shape

    return Aoi(shape(aoi["geometry"]), str(aoi["name"]))


def _aoi(value: Any, name: str) -> Optional[Aoi]:
    if isinstance(value, Mapping):
        return Aoi.from_geojson(value, name)
    numbers = value if isinstance(value, (list, tuple)) else ()
    if len(numbers) != BBOX_NUMBERS or not all(isinstance(number, (int, float)) for number in numbers):
        raise AoiError(Problem("aoi_broken", where="aoi"))
    from shapely.geometry import box

    return Aoi(box(*numbers), name)
