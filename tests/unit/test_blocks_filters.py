"""The scene filter: what the contract's parameters mean, and what is refused in words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from up42_jobs.plugin.engine.blocks import BLOCKS, block_by_name
from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.dates import Span, day_span, read_span, say_span
from up42_jobs.plugin.engine.blocks.filters import read_filter

SQUARE = {"type": "Polygon", "coordinates": [[[14.0, 50.0], [14.1, 50.0], [14.1, 50.1], [14.0, 50.1], [14.0, 50.0]]]}
BOW_TIE = {"type": "Polygon", "coordinates": [[[14, 50], [14.1, 50.1], [14.1, 50], [14, 50.1], [14, 50]]]}
DEMO = block_by_name("demo-s2-l2a").description.parameters


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-05-01T00:00:00Z/2024-05-31T23:59:59Z", utc(2024, 5, 1), utc(2024, 5, 31, 23, 59, 59)),
        ("2024-05-01T02:00:00+02:00/2024-05-02T00:00:00+00:00", utc(2024, 5, 1), utc(2024, 5, 2)),
        ("2024-05-01T10:20:30.1234567Z", utc(2024, 5, 1, 10, 20, 30, 123456), utc(2024, 5, 1, 10, 20, 30, 123456)),
        ("2024-05-01", utc(2024, 5, 1), utc(2024, 5, 1) + timedelta(days=1, microseconds=-1)),
        ("2024-05-01/2024-05-31", utc(2024, 5, 1), utc(2024, 6, 1) - timedelta(microseconds=1)),
    ],
)
def test_spans_are_read_and_a_date_is_its_whole_day(text, start, end):
    assert read_span(text) == Span(start, end)


@pytest.mark.parametrize(
    "text", ["", "/", "yesterday", "2024-13-01", "2024-05-02/2024-05-01", "a/b/c", "2024-05-01/.."]
)
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError):
        read_span(text)


def test_spans_in_words():
    assert say_span(read_span("2024-05-01/2024-05-31")) == "between 1 May 2024 and 31 May 2024"
    assert say_span(day_span(utc(2024, 12, 24, 18))) == "on 24 December 2024"
    assert say_span(None) == "on any date"


def test_null_is_not_given_and_absent_is_the_default():
    wanted = read_filter({"intersects": SQUARE, "bbox": None, "contains": None, "time": None}, DEMO)
    assert wanted.spans == (None,)
    assert (wanted.limit, wanted.max_cloud_cover) == (1, 20.0)
    assert read_filter({"intersects": SQUARE, "max_cloud_cover": None}, DEMO).max_cloud_cover == 100.0
    assert read_filter({"intersects": SQUARE}, DEMO).spans == (read_span(DEMO["time"]["default"]),)


def test_a_time_series_stands_in_place_of_the_default_time():
    wanted = read_filter(
        {"intersects": SQUARE, "time_series": ["2024-05-01/2024-05-31", "2023-05-01/2023-05-31"]}, DEMO
    )
    assert wanted.spans == (read_span("2024-05-01/2024-05-31"), read_span("2023-05-01/2023-05-31"))


def test_ids_stand_above_time_and_limit():
    wanted = read_filter({"ids": ["a", "b", "a"], "time": "2024-05-01/2024-05-31", "limit": 1}, DEMO)
    assert (wanted.ids, wanted.spans, wanted.area) == (("a", "b"), (None,), None)


def test_z_is_dropped():
    with_z = {"type": "Polygon", "coordinates": [[[*place, 120.0] for place in SQUARE["coordinates"][0]]]}
    assert read_filter({"contains": with_z}, DEMO).area.equals(box(14.0, 50.0, 14.1, 50.1))


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"intersects": SQUARE, "bbox": [14, 50, 15, 51]}, "WRONG_INPUT_ERROR", "bbox"),
        ({}, "WRONG_INPUT_ERROR", "AOI"),
        ({"intersects": SQUARE, "time": "soon"}, "WRONG_INPUT_ERROR", "'soon'"),
        ({"intersects": SQUARE, "time": 7}, "WRONG_INPUT_ERROR", "time"),
        ({"intersects": SQUARE, "time": "2024-01-01", "time_series": ["2024-01-01"]}, "WRONG_INPUT_ERROR", "null"),
        ({"intersects": SQUARE, "time": None, "time_series": []}, "WRONG_INPUT_ERROR", "time_series"),
        ({"intersects": SQUARE, "time": None, "time_series": ["2024-01-01"] * 1000}, "WRONG_INPUT_ERROR", "366"),
        ({"intersects": BOW_TIE}, "INPUT_PARAMETERS_ERROR", "cross"),
        ({"intersects": {"type": "Point", "coordinates": [14, 50]}}, "INPUT_PARAMETERS_ERROR", "Polygon"),
        ({"intersects": {"type": "Feature", "geometry": SQUARE}}, "INPUT_PARAMETERS_ERROR", "Polygon"),
        ({"intersects": {"type": "Polygon", "coordinates": "x"}}, "INPUT_PARAMETERS_ERROR", "intersects"),
        ({"contains": {"type": "Polygon", "coordinates": []}}, "INPUT_PARAMETERS_ERROR", "contains"),
        ({"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1e400, 0], [1, 1], [0, 0]]]}},
         "INPUT_PARAMETERS_ERROR", "intersects"),
        ({"bbox": [14, 50, 15]}, "INPUT_PARAMETERS_ERROR", "bbox"),
        ({"bbox": [170, 50, -170, 51]}, "INPUT_PARAMETERS_ERROR", "antimeridian"),
        ({"bbox": [14, 50, float("nan"), 51]}, "INPUT_PARAMETERS_ERROR", "bbox"),
        ({"intersects": SQUARE, "limit": "3"}, "WRONG_INPUT_ERROR", "limit"),
        ({"intersects": SQUARE, "limit": 1.5}, "WRONG_INPUT_ERROR", "limit"),
        ({"intersects": SQUARE, "limit": True}, "WRONG_INPUT_ERROR", "limit"),
        ({"intersects": SQUARE, "max_cloud_cover": 101}, "WRONG_INPUT_ERROR", "max_cloud_cover"),
        ({"ids": "DEMO"}, "WRONG_INPUT_ERROR", "ids"),
        ({"ids": [1]}, "WRONG_INPUT_ERROR", "ids"),
        ({"intersects": SQUARE, "ids": []}, "WRONG_INPUT_ERROR", "search"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused_with_the_contracts_code(parameters, code, words):
    with pytest.raises(BlockFailure) as caught:
        read_filter(parameters, DEMO)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_a_limit_below_one_is_one():
    assert read_filter({"intersects": SQUARE, "limit": -5}, DEMO).limit == 1


def test_a_ring_of_rings_is_refused_and_not_a_crash():
    deep: object = [0, 0]
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(BlockFailure):
        read_filter({"intersects": {"type": "Polygon", "coordinates": deep}}, DEMO)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "coordinates", "x"]), inner),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*DEMO, "other"]), ANYTHING))
def test_anything_gives_a_filter_or_a_refusal(parameters):
    try:
        wanted = read_filter(parameters, DEMO)
    except BlockFailure as failure:
        assert failure.code in ("WRONG_INPUT_ERROR", "INPUT_PARAMETERS_ERROR")
    else:
        assert wanted.limit >= 1


def test_nothing_found_says_what_was_asked_and_how_to_mend_it():
    parameters = {"contains": SQUARE, "time": "2024-05-01/2024-05-31", "max_cloud_cover": 20}
    failure = read_filter(parameters, DEMO).nothing_found()
    assert failure.code == "NO_INPUT_ERROR"
    assert str(failure).startswith(
        "No scene found between 1 May 2024 and 31 May 2024 with at most 20 % cloud that contains the whole AOI: widen "
    )


def test_descriptions_are_of_the_contracts_form():
    types = {"string", "number", "integer", "boolean", "array", "geometry", "dateRange"}
    for block_id, block in BLOCKS.items():
        assert block.description.id == block_id
        assert block_by_name(block.description.name) is block
        for name, descriptor in block.description.parameters.items():
            assert descriptor["type"] in types, name
            assert descriptor["description"], name
    assert len({block.description.name for block in BLOCKS.values()}) == len(BLOCKS)


def test_the_default_time_of_the_demo_has_not_ended():
    span = read_span(DEMO["time"]["default"])
    assert span.start < datetime.now(timezone.utc) < span.end


def test_geometry_parameters_round_trip():
    area = box(14.0, 50.0, 14.1, 50.1)
    assert read_filter({"intersects": {**mapping(area)}}, DEMO).area.equals(area)
