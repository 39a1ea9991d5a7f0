"""Text and values are two views of one value: after any edits both agree, or the text is marked wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.jobs import json_text, parameters
from up42_jobs.plugin.jobs.parameter_views import ParameterViews
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Workflow, WorkflowTask

DATA, TILING = "scenes:1", "tiling:1"
SCENES = Block(
    "s",
    "scenes",
    "Scenes",
    True,
    {
        p.name: p
        for p in (
            Parameter("ids", "array", None, True),
            Parameter("time", "dateRange", "2018-01-01T00:00:00Z/2021-12-31T23:59:59Z", True),
            Parameter("limit", "integer", 1, True, minimum=1, maximum=500),
            Parameter("note", "string"),
        )
    },
)
TILES = Block("t", "tiling", "Tiling", False, {"width": Parameter("width", "number", 768, True, required=True)})
WORKFLOW = Workflow("w", "W", "p", (WorkflowTask(DATA, SCENES), WorkflowTask(TILING, TILES, DATA)))
NAMES = [(DATA, "ids"), (DATA, "time"), (DATA, "limit"), (DATA, "note"), (TILING, "width"), (TILING, "other")]


@pytest.fixture
def views() -> ParameterViews:
    return ParameterViews(WORKFLOW)


def problems(views: ParameterViews) -> list:
    return views.place(parameters.problems(views.values, WORKFLOW))


def agree(views: ParameterViews) -> bool:
    """Equal, or marked wrong."""
    if views.readable:
        return json_text.same(json.loads(views.text), views.values)
    return bool(problems(views))


def test_a_value_of_the_form_changes_its_own_place_in_the_text(views):
    views.type('{ "scenes:1":{"limit" : 1 ,  "ids":null}, \n"tiling:1": {"width": 5e2}}')
    views.set(DATA, "limit", 7)
    views.set(TILING, "width", 600)
    views.set(DATA, "ids", ["a", "b"])
    assert views.text == '{ "scenes:1":{"limit" : 7 ,  "ids":["a", "b"]}, \n"tiling:1": {"width": 600}}'


def test_a_value_that_the_text_lacks_is_added_like_its_neighbours(views):
    views.type('{\n    "scenes:1": {\n        "limit": 1\n    },\n    "tiling:1": {}\n}\n')
    views.set(DATA, "note", "é")
    views.set(TILING, "width", 5)
    assert views.text == (
        '{\n    "scenes:1": {\n        "limit": 1,\n        "note": "é"\n    },\n'
        '    "tiling:1": {\n      "width": 5\n    }\n}\n'
    )
    views.type("{}")
    views.set(DATA, "limit", 2)
    assert json.loads(views.text) == {DATA: {"limit": 2}}


def test_setting_what_is_there_already_changes_nothing(views):
    views.type('{"scenes:1": {"limit": 1.0}, "tiling:1": {"width": true}}')
    before = views.text
    views.set(DATA, "limit", 1.0)
    assert views.text == before
    views.set(DATA, "limit", 1)
    views.set(TILING, "width", 1)  # true is not 1
    assert views.text == '{"scenes:1": {"limit": 1}, "tiling:1": {"width": 1}}'


def test_reset_gives_the_default_or_takes_out_what_has_none(views):
    views.set(DATA, "note", "x")
    views.set(DATA, "limit", 9)
    assert not views.is_default(DATA, "note")
    for name in ("note", "limit"):
        views.reset(DATA, name)
        assert views.is_default(DATA, name)
    assert views.values == parameters.defaults(WORKFLOW)
    views.type('{"scenes:1": {"note": 1, "limit": 1, "note": 2}, "tiling:1": {}}')
    views.reset(DATA, "note")
    assert views.text == '{"scenes:1": {"limit": 1}, "tiling:1": {}}'


def test_while_the_text_can_not_be_read_no_form_writes(views):
    broken = views.text[:-1]
    values = views.values
    views.type(broken)
    views.set(DATA, "limit", 9)
    views.reset(DATA, "limit")
    views.draft(DATA, "limit", "3")
    assert (views.text, views.values) == (broken, values)
    assert [p.code for p in problems(views)] == ["json_broken"]


def test_a_draft_is_kept_and_told_until_its_parameter_has_a_value(views):
    views.draft(DATA, "ids", '["a"')
    (problem,) = problems(views)
    assert (problem.code, problem.path) == ("value_unfinished", (DATA, "ids"))
    assert problem.line == 3
    views.type(views.text.replace('"limit": 1', '"limit": 2'))  # elsewhere
    assert views.drafts == {(DATA, "ids"): '["a"'}
    views.draft(DATA, "ids", '["a"]')
    assert views.values[DATA]["ids"] == ["a"]
    assert problems(views) == []
    views.draft(DATA, "ids", "[")
    views.type(views.text.replace('"a"', '"b"'))
    assert not views.drafts


def test_of_a_task_given_twice_the_last_one_counts(views):
    views.type('{"scenes:1": {"limit": 1}, "scenes:1": {}, "tiling:1": {}}')
    views.set(DATA, "limit", 5)
    assert views.values[DATA] == {"limit": 5}
    assert agree(views)


def test_problems_stand_at_the_value_or_at_the_name(views):
    views.type('{"scenes:1": {"limit": 0, "lmit": 3}, "tiling:1": {"width": "x"}, "tilling:1": {}}')
    found = [(p.code, p.column, p.length) for p in problems(views)]
    assert found == [
        ("parameter_small", 24, 1),
        ("parameter_unknown_near", 27, 6),
        ("parameter_type", 61, 3),
        ("task_unknown", 67, 11),
    ]


def test_which_parameter_is_at_a_place(views):
    line = next(n for n, text in enumerate(views.text.split("\n"), 1) if '"limit"' in text)
    assert views.at(line, 6) == (DATA, "limit")
    assert views.at(1, 1) is None


TEXT = st.text(alphabet='{}[]",:\\ \n0123ae.-“é😀\ud800', max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=5,
)
EDITS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(NAMES), VALUES),
    st.tuples(st.just("draft"), st.sampled_from(NAMES), TEXT),
    st.tuples(st.just("reset"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("insert"), st.integers(0, 300), TEXT),
    st.tuples(st.just("delete"), st.integers(0, 300), st.integers(1, 9)),
    st.tuples(st.just("undo"), st.none(), st.none()),
    st.tuples(st.just("compact"), st.none(), st.none()),
    st.tuples(st.just("begin"), st.none(), st.none()),
)


def edit(views: ParameterViews, before: str, kind: str, a, b) -> None:
    """One edit, and what must be true right after it."""
    text, readable = views.text, views.readable
    if kind == "set":
        values = {task: dict(given) for task, given in views.values.items()}
        views.set(*a, b)
        if readable:
            values.setdefault(a[0], {})[a[1]] = b
            assert json_text.same(views.values, values)  # that one, and no other
        else:
            assert views.text == text
    elif kind == "draft":
        views.draft(*a, b)
        assert not readable or views.drafts.get(a, b) == b
    elif kind == "reset":
        views.reset(*a)
        assert not readable or views.is_default(*a) or views.known(*a) is None
    elif kind == "begin":
        views.begin(WORKFLOW)
        assert views.readable
    else:
        typed = {
            "insert": lambda: text[:a] + b + text[a:],
            "delete": lambda: text[:a] + text[a + b :],
            "undo": lambda: before,
            "compact": lambda: json.dumps(views.values),
        }[kind]()
        views.type(typed)
        assert views.text == typed  # no keystroke is lost, none is added


@given(st.lists(EDITS, max_size=14))
@settings(max_examples=1500, deadline=None)
def test_after_any_edits_both_views_agree_or_the_text_is_marked(steps):
    views = ParameterViews(WORKFLOW)
    before = views.text
    for kind, a, b in steps:
        text = views.text
        edit(views, before, kind, a, b)
        before = text
        assert agree(views)
        for problem in problems(views):
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.text
        for path in views.drafts:
            assert "value_unfinished" in {p.code for p in problems(views) if p.path == path} or not views.readable
