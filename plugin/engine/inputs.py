"""Checks the inputs of a job (contract, section 3) against its tasks' blocks and fills in the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

from ..jobs.aoi import GEOMETRY_PARAMETERS, AoiLimits
from ..jobs.parameters import value_problems
from ..jobs.problem import Problem
from ..jobs.workflow import Parameter
from .blocks.base import Block, BlockDescription
from .inputs_aoi import check_aoi
from .refusal import Refusal, invalid
from .stored_jobs import DRY_RUN, LIVE, NewTask
from .wishes import as_wished, lacking

CONFIG = "config"  # the one key of the inputs that is not a task's (contract 2.5)


@dataclass(frozen=True)
class Rules:
    """A project's rules for a job: its AOI and how many scenes it may ask for."""

    aoi: AoiLimits
    max_scenes: int


@dataclass(frozen=True)
class CheckedInputs:
    """Inputs that keep every rule: the mode, and each task with all its parameters (null: none given)."""

    mode: str
    tasks: tuple[NewTask, ...]

    @property
    def tasks_to_run(self) -> tuple[NewTask, ...]:
        """The data task alone for a Test Query (contract 5.4)."""
        return self.tasks[:1] if self.mode == DRY_RUN else self.tasks


def check_inputs(tasks: Sequence[tuple[str, Block]], inputs: Any, rules: Rules) -> CheckedInputs:
    """Check the inputs for these tasks (name, block), the data task first. Raises Refusal (400)."""
    if not isinstance(inputs, dict):
        raise invalid("The job's inputs must be one JSON object with a key for each task of the workflow.")
    mode = _mode(inputs.get(CONFIG))
    _check_names([name for name, _ in tasks], [name for name in inputs if name != CONFIG])
    data = tasks[0][1].description
    if mode == DRY_RUN and not data.dry_run:
        raise invalid(f"The block {data.name} can't run a Test Query: run a Live Job.")
    described = as_wished([block.description for _, block in tasks])
    checked = tuple(_checked_task(name, block, inputs[name]) for (name, _), block in zip(tasks, described))
    _check_wishes(checked, inputs[tasks[0][0]])
    _check_data_task(checked[0], inputs[tasks[0][0]], rules, mode)
    return CheckedInputs(mode, checked)


def _mode(config: Any) -> str:
    """The job mode: a live job unless `config.mode` says otherwise."""
    if config is None:
        return LIVE
    mode = config.get("mode", LIVE) if isinstance(config, dict) else None
    if mode not in (LIVE, DRY_RUN):
        raise invalid(f'"config" must be {{"mode": "{LIVE}"}} or {{"mode": "{DRY_RUN}"}}.')
    return mode


def _check_names(expected: Sequence[str], given: Sequence[str]) -> None:
    additional = [name for name in given if name not in expected]
    missing = [name for name in expected if name not in given]
    found = []
    if additional:
        found.append(f"There were additional tasks/queries specified: {', '.join(additional)}")
    if missing:
        found.append(f"There were missing tasks/queries: {', '.join(missing)}")
    if found:
        raise invalid(", ".join(found))


def _checked_task(task: str, block: BlockDescription, given: Any) -> NewTask:
    if not isinstance(given, dict):
        raise invalid(f'The parameters of task "{task}" must be a JSON object {{…}}.')
    known = {name: parameter_of(name, descriptor) for name, descriptor in block.parameters.items()}
    for name in given:
        if name not in known:
            raise invalid(f'Task "{task}" has no parameter "{name}". Its parameters: {", ".join(known) or "none"}.')
    for name, parameter in known.items():
        _check_value(task, parameter, block.parameters[name], given.get(name))
    if given.get("time") is not None and given.get("time_series") is not None:
        raise _wrong(task, Problem("two_times"))
    filled = {name: _filled(parameter, given.get(name)) for name, parameter in known.items()}
    if given.get("time_series") is not None:
        filled["time"] = None  # a default time must not narrow the series that was asked for
    return NewTask(task, block, filled)


def _check_wishes(tasks: Sequence[NewTask], given: Mapping[str, Any]) -> None:
    """A list of the user's own must have what the blocks after the data block can't do without."""
    for task in tasks[1:]:
        for name, element in lacking(task.block, given):
            raise invalid(f'Task "{tasks[0].name}": {name} lacks {element}, which task "{task.name}" needs: add it.')


def _filled(parameter: Parameter, value: Any) -> Any:
    """The value that a block gets: the default where none is given; 2.0 is a whole number in JSON, so it is 2."""
    if value is None:
        return parameter.default
    return int(value) if parameter.type == "integer" else value


def _check_value(task: str, parameter: Parameter, descriptor: Mapping[str, Any], value: Any) -> None:
    if value is None:
        if parameter.required and parameter.default is None:
            raise _wrong(task, Problem("parameter_required", {"parameter": parameter.name}))
        return
    path = (task, parameter.name)
    problems = value_problems(parameter, value, path)
    item_type = _item_type(parameter.name, descriptor)
    if not problems and item_type and isinstance(value, list):
        item = Parameter(f"{parameter.name}[]", item_type)
        problems = [problem for element in value for problem in _element_problems(item, element, path)]
    for problem in problems:
        raise _wrong(task, problem)


def _element_problems(item: Parameter, element: Any, path: tuple[str, ...]) -> list[Problem]:
    if element is None:
        return [Problem("parameter_required", {"parameter": item.name}, path=path)]
    return value_problems(item, element, path)


def _item_type(name: str, descriptor: Mapping[str, Any]) -> Optional[str]:
    """What a list's elements are: as the descriptor says; ids and ranges of time are texts (contract 3.1)."""
    if name in ("ids", "asset_ids", "time_series"):
        return "string"
    return (descriptor.get("items") or {}).get("type") if name != "bbox" else "number"


def parameter_of(name: str, descriptor: Mapping[str, Any]) -> Parameter:
    """A contract descriptor (2.4) in the words of `jobs`."""
    return Parameter(
        name=name,
        type=descriptor["type"],
        default=descriptor.get("default"),
        has_default="default" in descriptor,
        required=bool(descriptor.get("required", False)),
        minimum=descriptor.get("minimum"),
        maximum=descriptor.get("maximum"),
        choices=tuple(descriptor.get("enum") or (descriptor.get("items") or {}).get("enum") or ()),
        description=descriptor.get("description", ""),
    )


def _check_data_task(task: NewTask, given: Mapping[str, Any], rules: Rules, mode: str) -> None:
    limit = given.get("limit")
    if limit is not None and "limit" in task.block.parameters and limit > rules.max_scenes:
        values = {"parameter": "limit", "given": f"{limit:g}", "maximum": rules.max_scenes}
        raise _wrong(task.name, Problem("parameter_large", values))
    count = len(given.get("ids") or ())
    if count > rules.max_scenes:
        raise invalid(
            f'Task "{task.name}": “ids” has {count} scenes, but at most {rules.max_scenes} are allowed in one job.'
        )
    filters = [name for name in GEOMETRY_PARAMETERS if name in task.block.parameters]
    if not filters or given.get("asset_ids") is not None:
        return  # storage data: no AOI is needed (contract 3.2, rule 4)
    used = [name for name in filters if given.get(name) is not None]
    if len(used) != 1:
        names = ", ".join(filters)
        raise invalid(f'Task "{task.name}" needs one of {names}, but {" and ".join(used) or "none"} is given.')
    limits = rules.aoi
    if mode == DRY_RUN:  # contract 5.4: a Test Query may search a larger AOI
        limits = AoiLimits(limits.min_km2, None, limits.max_vertices)
    check_aoi(task.name, used[0], given[used[0]], limits)


def _wrong(task: str, problem: Problem) -> Refusal:
    return invalid(f'Task "{task}": {problem.text}')
