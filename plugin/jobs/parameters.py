"""The parameters of a job: defaults, JSON text to values and back, and what is wrong with them."""

from __future__ import annotations

import difflib
import math
from datetime import datetime
from typing import Any, Callable, Iterable, Mapping, Optional

from . import json_text
from .aoi import GEOMETRY_PARAMETERS
from .job import parse_time
from .problem import Problem
from .workflow import CLIP_TO_AOI, Parameter, Workflow, WorkflowTask, clips_to_aoi, editable_parameters, takes_aoi

CONFIG = "config"  # the inputs' key that carries the mode (contract 2.5)
Values = dict[str, dict[str, Any]]  # task name -> parameter name -> value


def defaults(workflow: Workflow) -> Values:
    """The parameters a form starts with: each that has a default, and each that is required (as null).

    Source: the SDK's rule since 0.26 (contract 2.4). The AOI's own parameters are left to the AOI.
    """
    return {
        task.name: {
            name: parameter.default
            for name, parameter in editable_parameters(task).items()
            if parameter.has_default or parameter.required
        }
        for task in workflow.tasks
    }


def to_text(values: Mapping[str, Any]) -> str:
    """The JSON text of the editor."""
    return json_text.dumps(values, indent=2)


def from_text(text: str, workflow: Workflow) -> tuple[Optional[Values], list[Problem]]:
    """Read the editor's text: values (None where it is not one JSON object) and every problem with its place."""
    parsed = json_text.parse(text)
    if parsed.value is None and parsed.problems:
        return None, list(parsed.problems)
    if not isinstance(parsed.value, dict):
        task = workflow.tasks[0].name if workflow.tasks else "task:1"
        return None, [Problem("json_not_object", {"task": task}, line=1, column=1)]
    found = [json_text.place_problem(p, text, parsed.places) for p in problems(parsed.value, workflow)]
    return parsed.value, [*parsed.problems, *found]


def problems(values: Mapping[str, Any], workflow: Workflow) -> list[Problem]:
    """Everything in `values` that the workflow's blocks don't take, each with its path (task, parameter)."""
    names = [task.name for task in workflow.tasks]
    missing = [name for name in names if name not in values]
    found = [_unknown_task(name, names, missing) for name in values if name not in names]
    for task in workflow.tasks:
        given = values.get(task.name)
        if task.name not in values:
            found.append(Problem("task_missing", {"task": task.name}, path=(task.name,)))
        elif not isinstance(given, dict):
            found.append(Problem("task_not_object", {"task": task.name}, path=(task.name,)))
        else:
            found += _task_problems(task, given)
            if not workflow.needs_aoi and clips_to_aoi(task) and given.get(CLIP_TO_AOI) is True:
                values = {"task": task.name, "parameter": CLIP_TO_AOI}
                found.append(Problem("clip_without_aoi", values, path=(task.name, CLIP_TO_AOI)))
    return found


def nearest(name: str, among: Iterable[str]) -> Optional[str]:
    """The name that was probably meant, for a typing mistake; None where none is near."""
    by_lower = {other.lower(): other for other in among}
    found = difflib.get_close_matches(name.lower()[:200], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _unknown_task(name: str, names: list[str], missing: list[str]) -> Problem:
    if name == CONFIG:
        return Problem("config_in_parameters", path=(name,))
    near = nearest(name, missing)
    if near is not None:
        return Problem("task_unknown_near", {"task": name, "near": near}, path=(name,))
    return Problem("task_unknown", {"task": name, "tasks": ", ".join(names)}, path=(name,))


def _unknown_parameter(task: str, name: str, known: Iterable[str]) -> Problem:
    near = nearest(name, known)
    if near is not None:
        return Problem("parameter_unknown_near", {"task": task, "parameter": name, "near": near}, path=(task, name))
    values = {"task": task, "parameter": name, "parameters": ", ".join(known) or "–"}
    return Problem("parameter_unknown", values, path=(task, name))


def _task_problems(task: WorkflowTask, given: Mapping[str, Any]) -> list[Problem]:
    known = editable_parameters(task)
    found: list[Problem] = []
    for name, value in given.items():
        path = (task.name, name)
        if name in known:
            found += value_problems(known[name], value, path)
        elif takes_aoi(task) and name in GEOMETRY_PARAMETERS and name in task.block.parameters:
            if value is not None:
                found.append(Problem("geometry_in_parameters", {"parameter": name}, path=path))
        else:
            found.append(_unknown_parameter(task.name, name, known))
    for name, parameter in known.items():
        if parameter.required and given.get(name) is None and parameter.default is None:
            found.append(Problem("parameter_required", {"parameter": name}, path=(task.name, name)))
    if given.get("time") is not None and given.get("time_series") is not None:
        found.append(Problem("two_times", path=(task.name, "time_series")))
    geometries = [name for name in given if name in GEOMETRY_PARAMETERS and name in known and given[name] is not None]
    for name in geometries[1:]:
        found.append(Problem("two_geometries", {"first": geometries[0], "parameter": name}, path=(task.name, name)))
    return found


def value_problems(parameter: Parameter, value: Any, path: tuple[str, ...]) -> list[Problem]:
    """What is wrong with one value; null is nothing given (contract 2.4), so it is always of the right type."""
    if value is None:
        return []
    expected, fits = _TYPES.get(parameter.type, ("", lambda _value: True))
    if not fits(value):
        given = json_text.dumps(value)
        values = {"parameter": parameter.name, "expected": expected, "given": given[:60]}
        return [Problem("parameter_type", values, path=path)]
    found = _range_problems(parameter, value, path) + _choice_problems(parameter, value, path)
    if parameter.type == "dateRange" and not parse_range(value):
        found.append(Problem("parameter_dates", {"parameter": parameter.name}, path=path))
    if parameter.name == "time_series" and parameter.type == "array":
        wrong = [i for i, item in enumerate(value) if not (isinstance(item, str) and parse_range(item))]
        found += [Problem("parameter_dates", {"parameter": parameter.name}, path=(*path, i)) for i in wrong[:1]]
    if parameter.name == "bbox" and parameter.type == "array" and not _is_bbox(value):
        found.append(Problem("parameter_bbox", {"parameter": parameter.name}, path=path))
    return found


def _is_bbox(value: list[Any]) -> bool:
    """West, south, east, north in degrees (contract 3.1). What crosses the 180° meridian is for the AOI's rules."""
    if len(value) != 4 or not all(_is_number(number) for number in value):
        return False
    west, south, east, north = value
    return -360 <= west < east <= 360 and -90 <= south < north <= 90


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text in double quotes", lambda v: isinstance(v, str)),
    "number": ("a number", _is_number),
    "integer": ("a whole number", lambda v: _is_number(v) and float(v).is_integer()),
    "boolean": ("true or false", lambda v: isinstance(v, bool)),
    "array": ("a list […]", lambda v: isinstance(v, list)),
    "geometry": ("a GeoJSON geometry {…}", lambda v: isinstance(v, dict) and "type" in v),
    "dateRange": ("two dates in one text", lambda v: isinstance(v, str)),
}


def _range_problems(parameter: Parameter, value: Any, path: tuple[str, ...]) -> list[Problem]:
    if not _is_number(value):
        return []
    values = {"parameter": parameter.name, "given": f"{value:g}"}
    if parameter.minimum is not None and value < parameter.minimum:
        return [Problem("parameter_small", {**values, "minimum": f"{parameter.minimum:g}"}, path=path)]
    if parameter.maximum is not None and value > parameter.maximum:
        return [Problem("parameter_large", {**values, "maximum": f"{parameter.maximum:g}"}, path=path)]
    return []


def _choice_problems(parameter: Parameter, value: Any, path: tuple[str, ...]) -> list[Problem]:
    if not parameter.choices:
        return []
    items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
    wrong = [(i, item) for i, item in items if item not in parameter.choices]
    if not wrong:
        return []
    i, item = wrong[0]
    where = path if i is None else (*path, i)
    near = nearest(item, [c for c in parameter.choices if isinstance(c, str)]) if isinstance(item, str) else None
    if near is not None:
        values = {"parameter": parameter.name, "given": item, "near": near}
        return [Problem("parameter_choice_near", values, path=where)]
    choices = ", ".join(str(choice) for choice in parameter.choices)
    return [Problem("parameter_choice", {"parameter": parameter.name, "given": item, "choices": choices}, path=where)]


def parse_range(text: str) -> Optional[tuple[datetime, datetime]]:
    """Start and end (UTC) of "start/end" or of one instant (contract 3.1 `time`); None where it is no such range."""
    parts = text.split("/")
    times = [parse_time(part) for part in parts]
    if len(parts) > 2 or any(time is None for time in times):
        return None
    start, end = times[0], times[-1]
    if start is None or end is None or start > end:
        return None
    return start, end
