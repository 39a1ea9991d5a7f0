"""Two views of one value: the parameters as text, which is the user's own, and as values, which a form edits."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from . import json_text, parameter_text, parameters
from .json_text import Parsed
from .parameters import Values
from .problem import Problem
from .workflow import Parameter, Workflow, editable_parameters


class ParameterViews:
    """`text` and `values` say the same, or the text can't be read: then `values` keep the last that could.

    What is typed is never changed; a value set by a form changes its own place in the text and no other. What is
    typed into a form and is no JSON yet is a draft: kept, a problem, and gone when that parameter gets a value.
    """

    def __init__(self, workflow: Optional[Workflow] = None) -> None:
        self.workflow = workflow
        self.values: Values = {}
        self.text = ""
        self.drafts: dict[tuple[str, str], str] = {}
        self._unreadable: tuple[Problem, ...] = ()
        self._parsed = Parsed({}, {})
        self.begin(workflow)

    @property
    def readable(self) -> bool:
        """False while the text is not a set of parameters; then nothing but the text can be edited."""
        return not self._unreadable

    def begin(self, workflow: Optional[Workflow], values: Optional[Mapping[str, Any]] = None) -> None:
        """Another workflow with these values, or with its blocks' defaults."""
        self.workflow = workflow
        self.drafts = {}
        if values is None:
            values = parameters.defaults(workflow) if workflow else {}
        self._take(parameters.to_text(values))

    def type(self, text: str) -> None:
        """Take the text as it is; the values follow where it can be read."""
        if text != self.text:
            self._take(text)

    def set(self, task: str, name: str, value: Any) -> None:
        """Set one parameter; its place in the text follows. Not while the text can't be read."""
        if not self.readable:
            return
        self.drafts.pop((task, name), None)
        given = self.values.get(task, {})
        if name not in given or not json_text.same(given[name], value):
            self._take(parameter_text.with_value(self.text, self._parsed, task, name, value))

    def draft(self, task: str, name: str, text: str) -> None:
        """Take what a form's field holds as JSON: its value where it is one, else a draft."""
        if not self.readable:
            return
        parsed = json_text.parse(text)
        if parsed.problems:
            self.drafts[(task, name)] = text
        else:
            self.set(task, name, parsed.value)

    def reset(self, task: str, name: str) -> None:
        """One parameter back to its default; without a default it is taken out."""
        if not self.readable or self.workflow is None:
            return
        default = parameters.defaults(self.workflow).get(task, {})
        if name in default:
            self.set(task, name, default[name])
        else:
            self.drafts.pop((task, name), None)
            self._take(parameter_text.without(self.text, self._parsed, task, name))

    def is_default(self, task: str, name: str) -> bool:
        """True where resetting it would change nothing."""
        default = parameters.defaults(self.workflow).get(task, {}) if self.workflow else {}
        given = self.values.get(task, {})
        if (task, name) in self.drafts or (name in default) != (name in given):
            return False
        return name not in given or json_text.same(given[name], default[name])

    def known(self, task: str, name: str) -> Optional[Parameter]:
        """The descriptor of a parameter that can be edited."""
        tasks = {t.name: t for t in self.workflow.tasks} if self.workflow else {}
        return editable_parameters(tasks[task]).get(name) if task in tasks else None

    def place(self, found: list[Problem]) -> list[Problem]:
        """All that is wrong with the parameters, in the order of the text: `found` of the values, and of the text."""
        if self._unreadable:
            return list(self._unreadable)
        placed = [json_text.place_problem(problem, self.text, self._parsed.places) for problem in found]
        placed += [self._unfinished(*path) for path in self.drafts]
        return sorted([*placed, *self._parsed.problems], key=lambda p: (p.line or 0, p.column or 0))

    def at(self, line: int, column: int) -> Optional[tuple[str, str]]:
        """Task and parameter at a line and column (from 1) of the text; None where there is none."""
        for path, place in self._parsed.places.items():
            if len(path) == 2:
                first = json_text.line_and_column(self.text, place.key)
                if first <= (line, column) <= json_text.line_and_column(self.text, place.end):
                    return str(path[0]), str(path[1])
        return None

    def _unfinished(self, task: str, name: str) -> Problem:
        reason = str(json_text.parse(self.drafts[(task, name)]).problems[0].values.get("reason", "too long"))
        problem = Problem("value_unfinished", {"parameter": name, "reason": reason}, path=(task, name))
        return json_text.place_problem(problem, self.text, self._parsed.places)

    def _take(self, text: str) -> None:
        before = self.values
        self.text = text
        parsed = json_text.parse(text)
        self._parsed, self._unreadable = parsed, _unreadable(parsed, self.workflow)
        if self._unreadable:
            return
        self.values = parsed.value
        self.drafts = {
            (task, name): draft
            for (task, name), draft in self.drafts.items()
            if json_text.same(before.get(task, {}).get(name), self.values.get(task, {}).get(name))
        }


def _unreadable(parsed: Parsed, workflow: Optional[Workflow]) -> tuple[Problem, ...]:
    """Why the text is not a set of parameters; nothing where it is one, be they right or wrong."""
    if parsed.problems and parsed.value is None:
        return parsed.problems
    if not isinstance(parsed.value, dict):
        task = workflow.tasks[0].name if workflow and workflow.tasks else "task:1"
        return (Problem("json_not_object", {"task": task}, line=1, column=1),)
    wrong = [name for name, given in parsed.value.items() if not isinstance(given, dict)]
    return tuple(
        json_text.place_problem(Problem("task_not_object", {"task": name}, path=(name,)), parsed.text, parsed.places)
        for name in wrong
    )
