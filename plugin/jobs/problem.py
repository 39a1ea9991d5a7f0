"""A problem with what the user gave: what is wrong, where, and how to mend it.

Rooms without Qt don't translate. They give a `Problem` with a code and values; `host.words` translates the template
of that code and then formats the values into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    "aoi_date_line": QT_TRANSLATE_NOOP(
        "Problem", "The AOI crosses the 180° meridian, where every AOI ends: take one side, or make a job for each."
    ),
    "aoi_half_world": QT_TRANSLATE_NOOP(
        "Problem",
        "An edge of the AOI runs more than half way around the world near {place}: say which way round is meant.",
    ),
    "aoi_pole": QT_TRANSLATE_NOOP(
        "Problem",
        "The AOI has a pole inside. No polygon of longitudes and latitudes can hold it: draw the AOI beside the pole.",
    ),
    "aoi_flat": QT_TRANSLATE_NOOP("Problem", "The AOI has no area: all its corners are on one line."),
    "aoi_no_crs": QT_TRANSLATE_NOOP(
        "Problem", "It is unknown where “{name}” is on Earth: set its coordinate reference system (CRS) first."
    ),
    "aoi_huge": QT_TRANSLATE_NOOP(
        "Problem",
        "“{name}” has {count} vertices, but at most {maximum} can be read: simplify it first"
        " (Vector → Geometry Tools → Simplify).",
    ),
    "aoi_too_many": QT_TRANSLATE_NOOP(
        "Problem", "“{name}” has more than {maximum} polygons: select those that matter and take only these."
    ),
    "aoi_nothing_selected": QT_TRANSLATE_NOOP(
        "Problem", "Nothing is selected in “{name}”: select features of it, or take all of them."
    ),
    "aoi_unreadable_text": QT_TRANSLATE_NOOP(
        "Problem",
        "This text is no AOI. What can be read: GeoJSON, WKT, KML, or four numbers in degrees, “west, south, east,"
        " north”.",
    ),
    "aoi_bbox_order": QT_TRANSLATE_NOOP(
        "Problem", "The four numbers must be west, south, east, north in degrees, with south below north: {given}."
    ),
    "aoi_unreadable_file": QT_TRANSLATE_NOOP("Problem", "QGIS can't read “{name}”: take another file."),
    "aoi_no_polygon_in": QT_TRANSLATE_NOOP("Problem", "“{name}” has no polygon."),
    "aoi_no_shapely": QT_TRANSLATE_NOOP(
        "Problem", "An AOI needs the Python package shapely, which is missing here: install it, then restart QGIS."
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
    "json_long": QT_TRANSLATE_NOOP(
        "Problem", "The parameters have {count} characters, but at most {maximum} can be read: make them shorter."
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
    "parameter_unknown_near": QT_TRANSLATE_NOOP(
        "Problem", "“{task}” has no parameter “{parameter}”: did you mean “{near}”?"
    ),
    "task_unknown_near": QT_TRANSLATE_NOOP("Problem", "The workflow has no task “{task}”: did you mean “{near}”?"),
    "config_in_parameters": QT_TRANSLATE_NOOP("Problem", "“config” is set by the job type above: remove it here."),
    "parameter_choice_near": QT_TRANSLATE_NOOP("Problem", "“{parameter}” has no “{given}”: did you mean “{near}”?"),
    "parameter_bbox": QT_TRANSLATE_NOOP(
        "Problem",
        "“{parameter}” must be four numbers in degrees, [west, south, east, north], west < east and south < north.",
    ),
    "two_geometries": QT_TRANSLATE_NOOP(
        "Problem", "Both “{first}” and “{parameter}” are given: set one of them to null."
    ),
    "value_unfinished": QT_TRANSLATE_NOOP(
        "Problem", "“{parameter}” in the form can't be read yet: {reason}. The JSON keeps its last value."
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
    "clip_without_aoi": QT_TRANSLATE_NOOP(
        "Problem", "This workflow has no AOI, so there is nothing to clip to: set “{parameter}” of “{task}” to false."
    ),
    "two_times": QT_TRANSLATE_NOOP("Problem", "Both “time” and “time_series” are given: set one of them to null."),
    "name_long": QT_TRANSLATE_NOOP("Problem", "The name has {count} characters, but at most {maximum} are allowed."),
}

OF_KEYS = frozenset(
    {
        "json_duplicate", "task_unknown", "task_unknown_near", "config_in_parameters", "parameter_unknown",
        "parameter_unknown_near", "geometry_in_parameters", "two_times", "two_geometries",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """What is wrong (`code`, one of `TEMPLATES`), its `values`, and where.

    `where` is the part of the request: ``aoi``, ``workflow``, ``job_type``, ``name`` or ``parameters``; in
    parameters `path` is (task, parameter, item) as far as known, and `line`, `column` (from 1) and `length` in
    characters its place in the text.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    where: str = "parameters"
    path: tuple = ()
    line: Optional[int] = None
    column: Optional[int] = None
    length: int = 0

    @property
    def of_key(self) -> bool:
        """True where the name is wrong, not its value."""
        return self.code in OF_KEYS

    def at(self, line: int, column: int, length: int) -> Problem:
        """This problem at that place."""
        return replace(self, line=line, column=column, length=length)

    @property
    def text(self) -> str:
        """The sentence in English, for logs, tests and the command line."""
        return TEMPLATES[self.code].format(**self.values)
