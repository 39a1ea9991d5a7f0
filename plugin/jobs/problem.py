"""A problem with what the user gave: what is wrong, where, and how to mend it.

Rooms without Qt don't translate. They give a `Problem` with a code and values; `host.words` translates the template
of that code and then formats the values into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # noqa: N802  (the name lupdate looks for)
    """Mark `text` for extraction by lupdate; return it unchanged."""
    return text


TEMPLATES: Mapping[str, str] = {
    "aoi_missing": QT_TRANSLATE_NOOP("Problem", "No AOI yet: draw one on the map or choose a polygon layer."),
    "aoi_not_polygon": QT_TRANSLATE_NOOP("Problem", "The AOI is a {kind}, but it must be a polygon."),
    "aoi_empty": QT_TRANSLATE_NOOP("Problem", "The AOI is empty: draw a polygon or choose a layer with one."),
    "aoi_broken": QT_TRANSLATE_NOOP(
        "Problem", "The AOI's coordinates can't be read: a polygon is a list of rings of [longitude, latitude] pairs."
    ),
    "aoi_several": QT_TRANSLATE_NOOP(
        "Problem", "The AOI has {count} polygons, but a job takes one: select a single polygon."
    ),
    "aoi_hole": QT_TRANSLATE_NOOP("Problem", "The AOI has a hole at {place}: use a polygon without holes."),
    "aoi_invalid": QT_TRANSLATE_NOOP(
        "Problem", "The AOI's outline is not valid at {place} ({reason}): draw it so that its edges don't cross."
    ),
    "aoi_vertices": QT_TRANSLATE_NOOP(
        "Problem", "The AOI has {count} vertices, but at most {maximum} are allowed: simplify it."
    ),
    "aoi_small": QT_TRANSLATE_NOOP(
        "Problem", "The AOI is {area} km², but at least {minimum} km² are needed: make it larger."
    ),
    "aoi_large": QT_TRANSLATE_NOOP(
        "Problem", "The AOI is {area} km², but this project allows at most {maximum} km²: make it smaller."
    ),
    "aoi_outside": QT_TRANSLATE_NOOP(
        "Problem",
        "The AOI leaves the world at {place}: longitudes run from −180 to 180, latitudes from −90 to 90.",
    ),
    "filter_unsupported": QT_TRANSLATE_NOOP(
        "Problem", "The data block {block} has no geometric filter “{filter}”: choose another."
    ),
    "test_query_unsupported": QT_TRANSLATE_NOOP(
        "Problem", "The data block {block} can’t run a Test Query: choose Live Job."
    ),
    "workflow_missing": QT_TRANSLATE_NOOP("Problem", "No workflow yet: choose one."),
    "workflow_empty": QT_TRANSLATE_NOOP("Problem", "The workflow “{workflow}” has no data block: choose another."),
    "json_broken": QT_TRANSLATE_NOOP("Problem", "Line {line}, column {column}: {reason}."),
    "json_not_object": QT_TRANSLATE_NOOP(
        "Problem", 'The parameters must be one JSON object with a key for each task: {{"{task}": {{…}}}}.'
    ),
    "json_duplicate": QT_TRANSLATE_NOOP("Problem", "“{name}” is given twice: keep one."),
    "task_missing": QT_TRANSLATE_NOOP("Problem", 'The task “{task}” is missing: add "{task}": {{}} to the parameters.'),
    "task_unknown": QT_TRANSLATE_NOOP(
        "Problem", "The workflow has no task “{task}”: remove it. Its tasks are {tasks}."
    ),
    "task_not_object": QT_TRANSLATE_NOOP("Problem", "The parameters of “{task}” must be a JSON object {{…}}."),
    "parameter_unknown": QT_TRANSLATE_NOOP(
        "Problem", "“{task}” has no parameter “{parameter}”: remove it. Its parameters are {parameters}."
    ),
    "parameter_type": QT_TRANSLATE_NOOP("Problem", "“{parameter}” must be {expected}, not {given}."),
    "parameter_small": QT_TRANSLATE_NOOP("Problem", "“{parameter}” is {given}, but at least {minimum} is needed."),
    "parameter_large": QT_TRANSLATE_NOOP("Problem", "“{parameter}” is {given}, but at most {maximum} is allowed."),
    "parameter_choice": QT_TRANSLATE_NOOP("Problem", "“{parameter}” is “{given}”, but must be one of {choices}."),
    "parameter_required": QT_TRANSLATE_NOOP("Problem", "“{parameter}” needs a value."),
    "parameter_dates": QT_TRANSLATE_NOOP(
        "Problem",
        "“{parameter}” must be two dates such as 2024-05-01T00:00:00Z/2024-05-31T23:59:59Z, the first one earlier.",
    ),
    "geometry_in_parameters": QT_TRANSLATE_NOOP("Problem", "“{parameter}” is set by the AOI above: remove it here."),
    "two_times": QT_TRANSLATE_NOOP("Problem", "Both “time” and “time_series” are given: set one of them to null."),
    "name_long": QT_TRANSLATE_NOOP("Problem", "The name has {count} characters, but at most {maximum} are allowed."),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong (`code`, one of `TEMPLATES`), its `values`, and where.

    `where` is the part of the request: ``aoi``, ``workflow``, ``job_type``, ``name`` or ``parameters``; in
    parameters `path` is (task, parameter) as far as known, and `line` and `column` (from 1) its place in the text.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    where: str = "parameters"
    path: tuple = ()
    line: Optional[int] = None
    column: Optional[int] = None

    @property
    def text(self) -> str:
        """The sentence in English, for logs, tests and the command line."""
        return TEMPLATES[self.code].format(**self.values)
