"""Whatever is sent as tasks or inputs is taken or refused with a sentence, never a crash; defaults are filled in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.engine.blocks.base import BlockDescription, Price
from up42_jobs.plugin.engine.chains import read_chain
from up42_jobs.plugin.engine.inputs import Rules, check_inputs
from up42_jobs.plugin.engine.refusal import Refusal
from up42_jobs.plugin.jobs.aoi import AoiLimits

RULES = Rules(AoiLimits(min_km2=0.1, max_km2=100), max_scenes=10)
BBOX = [13.37, 52.50, 13.40, 52.52]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


class NamedBlock:
    def __init__(self, name, kind, parameters):
        self.description = BlockDescription(
            name, name, name, "", kind, parameters, Price("SCENE", 1), dry_run=True
        )  # fmt: skip


DATA = NamedBlock(
    "data",
    "DATA",
    {
        "ids": {"type": "array", "default": None},
        "bbox": {"type": "array", "default": None},
        "intersects": {"type": "geometry"},
        "contains": {"type": "geometry"},
        "time": {"type": "dateRange", "default": "2018-01-01T00:00:00Z/2020-01-01T00:00:00Z"},
        "time_series": {"type": "array", "default": None},
        "limit": {"type": "integer", "default": 1, "minimum": 1},
        "asset_ids": {"type": "array", "default": None},
    },
)
WORK = NamedBlock(
    "work",
    "PROCESSING",
    {
        "strength": {"type": "string", "default": "medium", "enum": ["light", "medium"]},
        "bands": {"type": "array", "default": [1], "items": {"type": "integer"}},
        "factor": {"type": "number", "required": True, "maximum": 2},
        "fast": {"type": "boolean", "default": False},
    },
)
TASKS = [("data:1", DATA), ("work:1", WORK)]


def check(data=None, work=None):
    inputs = {"data:1": {"bbox": BBOX, **(data or {})}, "work:1": {"factor": 1, **(work or {})}}
    return check_inputs(TASKS, inputs, RULES)


def test_defaults_are_filled_in_and_null_is_none_given():
    data, work = check({"limit": 3.0, "time": None}, {"strength": None}).tasks
    assert data.parameters == {
        "ids": None,
        "bbox": BBOX,
        "intersects": None,
        "contains": None,
        "time": "2018-01-01T00:00:00Z/2020-01-01T00:00:00Z",
        "time_series": None,
        "limit": 3,
        "asset_ids": None,
    }
    assert isinstance(data.parameters["limit"], int)
    assert work.parameters == {"strength": "medium", "bands": [1], "factor": 1, "fast": False}


def test_a_series_of_times_is_not_narrowed_by_the_default_time():
    series = ["2019-01-01T00:00:00Z/2019-02-01T00:00:00Z"]
    data = check({"time_series": series}).tasks[0]
    assert (data.parameters["time"], data.parameters["time_series"]) == (None, series)


def test_assets_need_no_aoi():
    assert check({"bbox": None, "asset_ids": ["a"]}).tasks[0].parameters["bbox"] is None


@pytest.mark.parametrize(
    ("work", "words"),
    [
        ({"factor": None}, "“factor” needs a value"),
        ({"factor": 3}, "“factor” is 3, but at most 2"),
        ({"factor": True}, "“factor” must be a number"),
        ({"bands": [1, "x"]}, "“bands[]” must be a whole number"),
        ({"bands": [None]}, "“bands[]” needs a value"),
        ({"fast": "yes"}, "“fast” must be true or false"),
    ],
)
def test_values_of_processing_blocks_are_checked(work, words):
    with pytest.raises(Refusal) as refused:
        check(None, work)
    assert words in str(refused.value)
    assert 'Task "work:1"' in str(refused.value)
    assert refused.value.status == 400


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["bbox", "intersects", "contains", "ids", "time", "time_series", "limit"]), JSON)
)
def test_any_values_are_taken_or_refused(data):
    try:
        check(data)
    except Refusal as refusal:
        assert refusal.status == 400
        assert str(refusal)


RINGS = st.lists(st.lists(st.lists(st.floats(-200, 200), min_size=2, max_size=3), max_size=6), max_size=2)


@settings(max_examples=120, deadline=None)
@given(RINGS, st.booleans())
def test_any_polygon_is_taken_or_refused(rings, closed):
    if closed:
        rings = [[*ring, ring[0]] if ring else ring for ring in rings]
    try:
        check({"bbox": None, "intersects": {"type": "Polygon", "coordinates": rings}})
    except Refusal as refusal:
        assert refusal.status == 400


@settings(max_examples=120, deadline=None)
@given(JSON)
def test_any_inputs_are_taken_or_refused(inputs):
    with pytest.raises(Refusal):
        check_inputs(TASKS, inputs, RULES)


TASK = st.dictionaries(
    st.sampled_from(["name", "parentName", "blockId"]), JSON | st.sampled_from(["data", "work", "a"])
)


@settings(max_examples=120, deadline=None)
@given(JSON | st.lists(TASK, max_size=4))
def test_any_tasks_are_a_chain_or_refused(tasks):
    try:
        chain = read_chain(tasks, {"data": DATA, "work": WORK})
    except Refusal as refusal:
        assert refusal.status in (400, 422)
    else:
        assert chain[0].block is DATA
        assert len(chain) == len(tasks)
