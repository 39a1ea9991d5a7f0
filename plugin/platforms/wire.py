"""From the wire of the jobs contract to jobs, tasks, workflows and estimates; nothing is taken for granted.

A field may be missing, null or of another type: then it is as if absent. Only what nothing can be done without (an
id, a price) raises WireError.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any, Mapping, Optional, Sequence

from ..jobs.aoi import AoiLimits
from ..jobs.job import Job, JobState, JobType, Scene, Task, inputs_as_text, parse_time, scene_of
from ..jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask

DRY_RUN = "DRY_RUN"
CONFIG = "config"  # the inputs key that carries the mode (contract 2.5)

# Contract 4. Any other word is UNKNOWN and followed on. NOT_STARTED and PENDING both wait for the platform.
STATES: Mapping[str, JobState] = {
    "NOT_STARTED": JobState.PENDING,
    "PENDING": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "CANCELLING": JobState.CANCELLING,
    "CANCELLED": JobState.CANCELLED,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
    "ERROR": JobState.FAILED,
}

# Contract 2.1. The last name is the local engine's own: UP42 has no such setting, and the rule of section 6 holds.
MAX_JOBS = "MAX_CONCURRENT_JOBS"
MAX_SCENES = "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE"
MAX_AOI = "JOB_QUERY_MAX_AOI_SIZE"
MIN_AOI = "JOB_QUERY_MIN_AOI_SIZE"


class WireError(ValueError):
    """An answer without what nothing can be done without; the text says what, as the end of a sentence."""


def json_of(body: bytes) -> Any:
    """The JSON value of a body; NaN and infinities, which are not JSON, are null. Raises WireError."""
    try:
        return json.loads(body, parse_constant=lambda _name: None)
    except (ValueError, RecursionError) as e:
        raise WireError("it is not JSON") from e


def text_of(value: Any) -> str:
    """A text, or the text of a number; "" for everything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def number_of(value: Any) -> Optional[float]:
    """A finite number, also from a text (contract 2.1: settings are strings); None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def time_of(value: Any) -> Optional[datetime]:
    """A time in UTC; None where there is none, it can't be read or UTC has no such year."""
    try:
        return parse_time(text_of(value))
    except OverflowError:
        return None


def dict_of(value: Any) -> Mapping[str, Any]:
    """An object; {} for everything else."""
    return value if isinstance(value, dict) else {}


def dicts_of(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; [] for everything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def project(project_id: str, data: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]) -> Project:
    """A project with its limits (contract 2.1); a limit that is not told is not there."""
    values = {text_of(setting.get("name")): number_of(setting.get("value")) for setting in settings}
    least = values.get(MIN_AOI)
    most_scenes, most_jobs = values.get(MAX_SCENES), values.get(MAX_JOBS)
    limits = AoiLimits(max_km2=values.get(MAX_AOI))
    if least is not None:
        limits = AoiLimits(min_km2=least, max_km2=limits.max_km2)
    return Project(
        id=project_id,
        name=text_of(data.get("name")) or project_id,
        description=text_of(data.get("description")),
        aoi_limits=limits,
        max_scenes=None if most_scenes is None else int(most_scenes),
        max_concurrent_jobs=Project.max_concurrent_jobs if most_jobs is None else max(1, int(most_jobs)),
    )


def parameter(name: str, descriptor: Mapping[str, Any]) -> Parameter:
    """One parameter of a block (contract 2.4)."""
    choices = dict_of(descriptor.get("items")).get("enum") or descriptor.get("enum")
    return Parameter(
        name=name,
        type=text_of(descriptor.get("type")),
        default=descriptor.get("default"),
        has_default="default" in descriptor,
        required=descriptor.get("required") is True,
        minimum=number_of(descriptor.get("minimum")),
        maximum=number_of(descriptor.get("maximum")),
        choices=tuple(choices) if isinstance(choices, list) else (),
        description=text_of(descriptor.get("description")),
    )


def block(data: Mapping[str, Any], version: str = "") -> Block:
    """A block with its parameters (contract 2.4)."""
    name = text_of(data.get("name"))
    return Block(
        id=text_of(data.get("id")),
        name=name,
        display_name=text_of(data.get("displayName")) or name,
        is_data=text_of(data.get("type")).upper() == "DATA",
        parameters={
            key: parameter(key, descriptor)
            for key, descriptor in dict_of(data.get("parameters")).items()
            if isinstance(descriptor, dict)
        },
        dry_run=data.get("isDryRunSupported") is True,
        version=version or text_of(data.get("version")),
        description=text_of(data.get("description")),
    )


def workflow(project_id: str, data: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> Workflow:
    """A workflow with its tasks (contract 2.2, 2.3), the data task first. `parentsIds` hold ids of tasks."""
    names = {text_of(task.get("id")): text_of(task.get("name")) for task in tasks}
    return Workflow(
        id=text_of(data.get("id")),
        name=text_of(data.get("name")) or text_of(data.get("id")),
        project_id=project_id,
        tasks=tuple(
            WorkflowTask(
                name=text_of(task.get("name")),
                block=block(dict_of(task.get("block")), text_of(task.get("blockVersionTag"))),
                parent=names.get(_parent_id(task)),
            )
            for task in in_line(tasks)
        ),
        description=text_of(data.get("description")),
    )


def _parent_id(task: Mapping[str, Any]) -> str:
    parents = task.get("parentsIds")
    return text_of(parents[0]) if isinstance(parents, list) and parents else ""


def in_line(tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Tasks so that each follows its parent; as they came where they form no line."""
    children = {_parent_id(task): task for task in tasks}
    line: list[Mapping[str, Any]] = []
    place = ""
    while place in children:
        line.append(children.pop(place))
        place = text_of(line[-1].get("id"))
    return line if len(line) == len(tasks) else list(tasks)


def state(raw: Any) -> tuple[JobState, str]:
    """The state and the platform's own word for it; the SDK also knows "NOT STARTED" with a space (contract 4)."""
    word = text_of(raw)
    return STATES.get(word.strip().upper().replace(" ", "_"), JobState.UNKNOWN), word


def job(project_id: str, data: Mapping[str, Any]) -> Job:
    """A job (contract 4); `inputs` are given without `config`, which is the job type. WireError without an id."""
    job_id = text_of(data.get("id"))
    if not job_id:
        raise WireError("a job has no id")
    inputs = dict_of(data.get("inputs"))
    mode = text_of(data.get("mode")) or text_of(dict_of(inputs.get(CONFIG)).get("mode"))
    known, raw = state(data.get("status"))
    return Job(
        id=job_id,
        project_id=project_id,
        name=text_of(data.get("name")),
        state=known,
        raw_status=raw,
        job_type=JobType.TEST_QUERY if mode == DRY_RUN else JobType.LIVE_JOB,
        workflow_id=text_of(data.get("workflowId")),
        workflow_name=text_of(data.get("workflowName")),
        created_at=time_of(data.get("createdAt")),
        started_at=time_of(data.get("startedAt")),
        finished_at=time_of(data.get("finishedAt")),
        inputs_text=inputs_as_text({key: value for key, value in inputs.items() if key != CONFIG}),
    )


def tasks(data: Any) -> list[Task]:
    """A job's tasks (contract 2.6) in order; those without an id can't be asked for anything and are left out."""
    return [_task(item) for item in in_line(dicts_of(data)) if text_of(item.get("id"))]


def _task(data: Mapping[str, Any]) -> Task:
    of = dict_of(data.get("block"))
    known, raw = state(data.get("status"))
    return Task(
        id=text_of(data.get("id")),
        name=text_of(data.get("name")),
        state=known,
        raw_status=raw,
        block_name=text_of(of.get("name")) or text_of(data.get("blockName")),
        is_data=text_of(of.get("type")).upper() == "DATA",
        started_at=time_of(data.get("startedAt")),
        finished_at=time_of(data.get("finishedAt")),
    )


def scenes(data: Any) -> list[Scene]:
    """The scenes of a data.json (contract 5.2): a FeatureCollection without envelope."""
    found = []
    for feature in dicts_of(dict_of(data).get("features")):
        properties = dict(dict_of(feature.get("properties")))
        for name in ("datetime", "acquisitionDate", "start_datetime"):
            if name in properties and time_of(properties[name]) is None:
                del properties[name]
        found.append(scene_of({**feature, "properties": properties, "geometry": dict_of(feature.get("geometry"))}))
    return found
