"""The estimate of the jobs contract (2.7). A price is never guessed: what can't be read is an error, not a zero."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional

from ..jobs.request import Estimate, JobRequest, Range, TaskEstimate
from .wire import WireError, dict_of, number_of, text_of

# The contract does not state the unit of a duration; the SDK takes it for seconds. Above 30 days that can't be true.
LONGEST_SECONDS = 30 * 24 * 3600.0
UNKNOWN_TIME = Range(0, math.inf)  # no bound is known; a sum with it is unknown too


def question(request: JobRequest) -> dict[str, Any]:
    """The body of an estimate: the workflow's tasks and the inputs of a Live Job."""
    tasks = request.workflow.tasks if request.workflow else ()
    return {
        "tasks": [
            {
                "name": task.name,
                "parentName": task.parent,
                "blockId": task.block.id,
                **({"blockVersionTag": task.block.version} if task.block.version else {}),
            }
            for task in tasks
        ],
        "inputs": request.inputs,
    }


def estimate(request: JobRequest, data: Any) -> Estimate:
    """What `data` says of this request. Raises WireError where a task has no price."""
    answer = dict_of(data)
    names = [task.name for task in request.workflow.tasks] if request.workflow else []
    names += [name for name in answer if name not in names]  # whatever the platform prices belongs to the total
    return Estimate(request.fingerprint, tuple(_task(name, answer.get(name)) for name in names))


def _task(name: str, data: Any) -> TaskEstimate:
    of_block = dict_of(dict_of(data).get("blockConsumption"))
    of_machine = dict_of(dict_of(data).get("machineConsumption"))
    block_credits, machine_credits = _range(of_block.get("credit")), _range(of_machine.get("credit"))
    if block_credits is None or machine_credits is None:
        raise WireError(f"the estimate has no price for the task “{name}”")
    resources = dict_of(of_block.get("resources"))
    duration = _range(of_machine.get("duration"))
    return TaskEstimate(
        task=name,
        credits=block_credits + machine_credits,
        seconds=duration if duration is not None and duration.max <= LONGEST_SECONDS else UNKNOWN_TIME,
        unit=text_of(resources.get("unit")),
        amount=_range(resources) or Range(0, 0),
    )


def _range(data: Any) -> Optional[Range]:
    """A pair min, max of numbers that are not negative; None where there is none."""
    pair: Mapping[str, Any] = dict_of(data)
    low, high = number_of(pair.get("min")), number_of(pair.get("max"))
    if low is None or high is None or low < 0 or high < 0:
        return None
    return Range(min(low, high), max(low, high))
