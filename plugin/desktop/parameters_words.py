"""What is said of a parameter where it is edited."""

from __future__ import annotations

from ..host.words import tell, tr
from ..jobs import json_text
from ..jobs.problem import Problem
from ..jobs.workflow import Parameter

MOST_SHOWN = 60  # characters of a default


def help_text(parameter: Parameter) -> str:
    """The block's own description, then what may be given: `The most scenes to deliver. Whole number, 1–500.`"""
    description = parameter.description.strip()
    if description and description[-1] not in ".!?":
        description += "."
    return " ".join(filter(None, (description, _allowed(parameter))))


def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        several = parameter.type == "array"
        return "" if not several else tr("Any of {choices}.").format(choices=", ".join(map(str, parameter.choices)))
    limits = _limits(parameter)
    if parameter.type == "integer":
        return tr("Whole number{limits}.").format(limits=limits)
    if parameter.type == "number":
        return tr("Number{limits}.").format(limits=limits)
    return ""


def _limits(parameter: Parameter) -> str:
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return tr(", {low}–{high}").format(low=f"{low:g}", high=f"{high:g}")
    if low is not None:
        return tr(", at least {low}").format(low=f"{low:g}")
    return tr(", at most {high}").format(high=f"{high:g}") if high is not None else ""


def default_text(parameter: Parameter) -> str:
    """The default as JSON, shortened."""
    text = json_text.dumps(parameter.default)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def sentence(problem: Problem) -> str:
    """The problem in words, beginning with its line where the words don't name it."""
    text = tell(problem)
    return text if problem.line is None or problem.code == "json_broken" else f"{problem.line}: {text}"
