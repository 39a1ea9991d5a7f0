"""The request that the form edits, and the estimate that is bound to it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Mapping, Optional

from . import parameters
from .aoi import GEOMETRY_PARAMETERS, Aoi, GeometricFilter
from .job import JobType
from .problem import Problem
from .workflow import CLIP_TO_AOI, Project, Workflow, WorkflowTask, clips_to_aoi

MAX_NAME_LENGTH = 200  # ours: the contract names no limit for job names; file systems stop at 255 bytes


@dataclass(frozen=True)
class JobRequest:
    """One job as it will be sent: workflow, job type, AOI, geometric filter, parameters, name.

    `parameters` maps task name -> parameter -> value and never holds the AOI: that is merged in by `inputs`.
    """

    project: Project
    workflow: Optional[Workflow] = None
    job_type: JobType = JobType.LIVE_JOB
    aoi: Optional[Aoi] = None
    geometric_filter: GeometricFilter = GeometricFilter.INTERSECTS
    parameters: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def with_parameter(self, task: str, name: str, value: Any) -> JobRequest:
        """A copy with one parameter changed."""
        changed = {**self.parameters, task: {**self.parameters.get(task, {}), name: value}}
        return replace(self, parameters=changed)

    def of_type(self, job_type: JobType) -> JobRequest:
        """A copy as Test Query or Live Job."""
        return replace(self, job_type=job_type)

    def named(self, name: str) -> JobRequest:
        """A copy of that name."""
        return replace(self, name=name)

    @property
    def inputs(self) -> dict[str, Any]:
        """The contract's inputs object (section 3): the parameters with the AOI in the data task, one filter only."""
        if self.workflow is None:
            return {}
        merged: dict[str, dict[str, Any]] = {}
        for task in self.workflow.tasks:
            given = self.parameters.get(task.name)
            merged[task.name] = dict(given) if isinstance(given, Mapping) else {}
        if self.aoi is not None:
            for task in self.workflow.tasks:
                self._put_in(self.aoi, task, merged[task.name])
        return merged

    def _put_in(self, aoi: Aoi, task: WorkflowTask, given: dict[str, Any]) -> None:
        chosen = self._filter_for(task)
        if chosen is not None:
            for name in GEOMETRY_PARAMETERS:
                given.pop(name, None)
            given[chosen.value] = aoi.sent(chosen)

    def _filter_for(self, task: WorkflowTask) -> Optional[GeometricFilter]:
        """How the AOI is sent to a task: the chosen filter, for a clip the first that the block has; None: not."""
        given = self.parameters.get(task.name)
        if self.workflow is None or not self.workflow.needs_aoi:
            return None
        if task == self.workflow.tasks[0]:
            return self.geometric_filter
        if not (clips_to_aoi(task) and isinstance(given, Mapping) and given.get(CLIP_TO_AOI) is True):
            return None
        return next(f for f in (self.geometric_filter, *GeometricFilter) if f.value in task.block.parameters)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that a price can depend on: project, blocks and their versions, job type, inputs.

        The name is left out: it changes no price.
        """
        tasks = self.workflow.tasks if self.workflow else ()
        priced = {
            "project": self.project.id,
            "workflow": self.workflow.id if self.workflow else None,
            "blocks": [[task.name, task.block.id, task.block.version] for task in tasks],
            "job_type": self.job_type.value,
            "inputs": self.inputs,
        }
        return hashlib.sha256(json.dumps(priced, sort_keys=True).encode()).hexdigest()

    def problems(self) -> list[Problem]:
        """Everything that keeps this request from being sent."""
        if self.workflow is None:
            return [Problem("workflow_missing", where="workflow")]
        data = self.workflow.data_task
        if data is None:
            return [Problem("workflow_empty", {"workflow": self.workflow.name}, where="workflow")]
        found: list[Problem] = []
        if self.job_type is JobType.TEST_QUERY and not self.workflow.has_test_query:
            found.append(Problem("test_query_unsupported", {"block": data.block.display_name}, where="job_type"))
        found += self._aoi_problems(self.workflow, data.block.display_name)
        found += parameters.problems(self.parameters, self.workflow)
        found += self._limit_problems(data.name)
        if len(self.name) > MAX_NAME_LENGTH:
            values = {"count": len(self.name), "maximum": MAX_NAME_LENGTH}
            found.append(Problem("name_long", values, where="name"))
        return found

    def _aoi_problems(self, workflow: Workflow, block: str) -> list[Problem]:
        if not workflow.needs_aoi:
            return []
        if self.geometric_filter not in workflow.filters:
            values = {"block": block, "filter": self.geometric_filter.value}
            return [Problem("filter_unsupported", values, where="aoi")]
        if self.aoi is None:
            return [Problem("aoi_missing", where="aoi")]
        return self.aoi.problems(self.project.aoi_limits, self.geometric_filter)

    def _limit_problems(self, data_task: str) -> list[Problem]:
        """The project's own maximum of images per job (contract 2.1, JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE)."""
        given = self.parameters.get(data_task)
        limit = given.get("limit") if isinstance(given, dict) else None
        maximum = self.project.max_scenes
        if not isinstance(limit, (int, float)) or maximum is None or limit <= maximum:
            return []
        values = {"parameter": "limit", "given": f"{limit:g}", "maximum": maximum}
        return [Problem("parameter_large", values, path=(data_task, "limit"))]


@dataclass(frozen=True)
class Range:
    """A least and a greatest value."""

    min: float
    max: float

    def __add__(self, other: Range) -> Range:
        return Range(self.min + other.min, self.max + other.max)


@dataclass(frozen=True)
class TaskEstimate:
    """What one task may cost: credits, seconds, and the amount in the block's own unit (SQUARE_KM, SCENE …)."""

    task: str
    credits: Range
    seconds: Range
    unit: str = ""
    amount: Range = Range(0, 0)


@dataclass(frozen=True)
class Estimate:
    """Credits and seconds of exactly the request whose fingerprint it carries."""

    fingerprint: str
    tasks: tuple[TaskEstimate, ...]

    def is_for(self, request: JobRequest) -> bool:
        """True while the request is unchanged; else this estimate is stale and must not be shown as its price."""
        return self.fingerprint == request.fingerprint

    @property
    def credits(self) -> Range:
        """The total in credits."""
        return sum((task.credits for task in self.tasks), Range(0, 0))

    @property
    def seconds(self) -> Range:
        """The total processing time in seconds."""
        return sum((task.seconds for task in self.tasks), Range(0, 0))
