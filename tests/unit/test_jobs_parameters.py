"""Parameters: defaults, JSON text with places, and every kind of mistake."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.problem import TEMPLATES
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Workflow, WorkflowTask

DATA = Block(
    "d",
    "demo",
    "Demo",
    is_data=True,
    parameters={
        p.name: p
        for p in (
            Parameter("ids", "array", None, has_default=True),
            Parameter("bbox", "array", None, has_default=True),
            Parameter("intersects", "geometry"),
            Parameter("time", "dateRange", "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z", has_default=True),
            Parameter("time_series", "array", None, has_default=True),
            Parameter("limit", "integer", 1, has_default=True, minimum=1, maximum=20),
            Parameter("note", "string"),
        )
    },
)
SHARPENING = Block(
    "s",
    "sharpening",
    "Sharpening",
    is_data=False,
    parameters={
        "strength": Parameter("strength", "string", "medium", True, choices=("light", "medium", "strong")),
        "factor": Parameter("factor", "number", required=True),
        "keep": Parameter("keep", "boolean", False, True),
    },
)
WORKFLOW = Workflow("w", "W", "p", (WorkflowTask("demo:1", DATA), WorkflowTask("sharpening:1", SHARPENING, "demo:1")))
GOOD = {"demo:1": {"limit": 2}, "sharpening:1": {"factor": 1.5}}


def problems(**changes):
    values = {task: {**GOOD[task], **changes.get(task.split(":")[0], {})} for task in GOOD}
    return parameters.problems(values, WORKFLOW)


def test_defaults_hold_what_has_a_default_and_what_is_required_but_never_the_aoi():
    assert parameters.defaults(WORKFLOW) == {
        "demo:1": {
            "ids": None,
            "time": "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z",
            "time_series": None,
            "limit": 1,
        },
        "sharpening:1": {"strength": "medium", "factor": None, "keep": False},
    }


def test_good_values_have_no_problem():
    assert problems() == []


@pytest.mark.parametrize(
    ("task", "values", "code", "path"),
    [
        ("demo", {"limit": 0}, "parameter_small", ("demo:1", "limit")),
        ("demo", {"limit": 21}, "parameter_large", ("demo:1", "limit")),
        ("demo", {"limit": 1.5}, "parameter_type", ("demo:1", "limit")),
        ("demo", {"limit": True}, "parameter_type", ("demo:1", "limit")),
        ("demo", {"limit": 10**400}, "parameter_type", ("demo:1", "limit")),
        ("demo", {"limit": "2"}, "parameter_type", ("demo:1", "limit")),
        ("demo", {"cloud": 2}, "parameter_unknown", ("demo:1", "cloud")),
        ("demo", {"bbox": [1, 2, 3, 4]}, "geometry_in_parameters", ("demo:1", "bbox")),
        ("demo", {"contains": {}}, "parameter_unknown", ("demo:1", "contains")),
        ("demo", {"time": "2024-05-01/2024-04-01"}, "parameter_dates", ("demo:1", "time")),
        ("demo", {"time": "soon"}, "parameter_dates", ("demo:1", "time")),
        (
            "demo",
            {"time_series": ["2024-05-01/2024-06-01", 7], "time": None},
            "parameter_dates",
            ("demo:1", "time_series", 1),
        ),
        (
            "demo",
            {"time": "2024-05-01/2024-06-01", "time_series": ["2024-05-01/2024-06-01"]},
            "two_times",
            ("demo:1", "time_series"),
        ),
        ("demo", {"Limits": 2}, "parameter_unknown_near", ("demo:1", "Limits")),
        ("sharpening", {"strength": "medum"}, "parameter_choice_near", ("sharpening:1", "strength")),
        ("sharpening", {"strength": "wild"}, "parameter_choice", ("sharpening:1", "strength")),
        ("sharpening", {"factor": None}, "parameter_required", ("sharpening:1", "factor")),
        ("sharpening", {"keep": 1}, "parameter_type", ("sharpening:1", "keep")),
    ],
)
def test_each_mistake_is_told_with_its_place(task, values, code, path):
    (problem,) = problems(**{task: values})
    assert (problem.code, problem.path) == (code, path)
    assert "{" not in problem.text.replace("{…}", "")


def test_null_is_nothing_given():
    assert problems(demo={"limit": None, "bbox": None, "time": None, "ids": None, "note": None}) == []


def test_a_near_name_is_suggested():
    (problem,) = problems(demo={"limt": 3})
    assert "did you mean “limit”?" in problem.text
    found = parameters.problems({"demo:1": {}, "sharpenning:1": {"factor": 1}}, WORKFLOW)
    assert [p.code for p in found] == ["task_unknown_near", "task_missing"]
    assert "“sharpening:1”" in found[0].text


def test_the_mode_is_the_job_types():
    found = parameters.problems({**GOOD, "config": {"mode": "DRY_RUN"}}, WORKFLOW)
    assert [p.code for p in found] == ["config_in_parameters"]


def test_two_geometries_and_a_bbox_that_is_none():
    clip = Block(
        "c", "clip", "Clip", False, {n: Parameter(n, t) for n, t in (("bbox", "array"), ("contains", "geometry"))}
    )
    chain = Workflow("w", "W", "p", (WorkflowTask("demo:1", DATA), WorkflowTask("clip:1", clip, "demo:1")))
    point = {"type": "Point", "coordinates": [1, 2]}
    given = {"demo:1": {"bbox": [1, 2, 3, 4], "intersects": point}, "clip:1": {"bbox": [3, 2, 1, 4], "contains": point}}
    assert [(p.code, p.path) for p in parameters.problems(given, chain)] == [
        ("geometry_in_parameters", ("demo:1", "bbox")),
        ("geometry_in_parameters", ("demo:1", "intersects")),
        ("parameter_bbox", ("clip:1", "bbox")),
        ("two_geometries", ("clip:1", "contains")),
    ]


def test_missing_and_unknown_tasks():
    found = parameters.problems({"demo:1": {}, "tiling:1": {}}, WORKFLOW)
    assert [(p.code, p.path) for p in found] == [
        ("task_unknown", ("tiling:1",)),
        ("task_missing", ("sharpening:1",)),
    ]


def test_problems_in_text_have_line_and_column():
    text = '{\n  "demo:1": {"limit": 99},\n  "sharpening:1": {\n    "factor": 1, "wild": 2\n  }\n}'
    values, found = parameters.from_text(text, WORKFLOW)
    assert values == json.loads(text)
    assert [(p.code, p.line, p.column) for p in found] == [
        ("parameter_large", 2, 23),
        ("parameter_unknown", 4, 18),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": 1,}', 1, 8),
        ('{\n "a": [1, 2\n}', 3, 1),
        ("", 1, 1),
        ("{} {}", 1, 4),
        ('{"limit": NaN}', 1, 11),
        ('{"limit": 1e999}', 1, 11),
        ('{"limit": -Infinity}', 1, 11),
        ('{"limit": None}', 1, 11),
        ("{'limit': 1}", 1, 2),
        ('{"limit": 1 // one\n}', 1, 13),
        ('{"limit": 007}', 1, 11),
        ('{"a": "x\n"}', 1, 7),
        ('{"a": "C:\\x"}', 1, 10),
        ("[" * 100_000, 1, 101),
        ('{"a": ' + "1" * 5000 + "}", 1, 7),
    ],
)
def test_broken_json_is_told_with_its_place(text, line, column):
    values, (problem,) = parameters.from_text(text, WORKFLOW)
    assert values is None
    assert (problem.code, problem.line) == ("json_broken", line)
    assert problem.column == column


def test_a_name_given_twice_is_told():
    _values, found = parameters.from_text(
        '{"demo:1": {"limit": 1, "limit": 2}, "sharpening:1": {"factor": 1}}', WORKFLOW
    )
    assert [(p.code, p.column) for p in found] == [("json_duplicate", 25)]


@pytest.mark.parametrize("text", ["[1]", "7", "null", '"x"'])
def test_only_an_object_will_do(text):
    values, (problem,) = parameters.from_text(text, WORKFLOW)
    assert values is None
    assert problem.code == "json_not_object"


@given(st.text(alphabet='{}[]",:\n 0123demo:1limit"\\tru', max_size=60))
def test_any_text_gives_values_or_problems_with_a_place(text):
    values, found = parameters.from_text(text, WORKFLOW)
    assert values is not None or found
    for problem in found:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["demo:1", "sharpening:1", "x"]), json_values, max_size=3))
def test_text_and_values_agree(values):
    back, _found = parameters.from_text(parameters.to_text(values), WORKFLOW)
    assert back == values


def test_every_template_can_be_filled_by_its_own_fields():
    for code, template in TEMPLATES.items():
        fields = {name: "x" for name in __import__("string").Formatter().parse(template) for name in [name[1]] if name}
        assert template.format(**fields), code
