"""A JSON object kept as text is the mapping that it was made of."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from up42_jobs.plugin.jobs.json_object import JsonObject
from up42_jobs.plugin.platforms import wire

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES))
def test_it_reads_like_what_it_was_made_of(value: dict) -> None:
    kept = JsonObject(value)
    assert dict(kept) == value and kept == value and kept == JsonObject(value) and len(kept) == len(value)
    assert list(kept) == list(value) and list(kept.items()) == list(value.items())
    assert list(kept.values()) == list(value.values())
    assert json.dumps(dict(kept)) == json.dumps(value)
    assert kept != {**value, "one more": 1} and kept != JsonObject({**value, "one more": 1}) and kept != 1


def test_a_key_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        JsonObject({})["time"]
    assert JsonObject({"time": None}).get("time", 1) is None and JsonObject({}).get("time", 1) == 1


def test_what_is_read_can_be_changed_without_harm() -> None:
    kept = JsonObject({"task:1": {"ids": ["a"]}})
    kept["task:1"]["ids"].append("b")
    assert kept == {"task:1": {"ids": ["a"]}}


def test_garbage_collection_does_not_go_through_the_aoi_of_a_listed_job() -> None:
    ring = [[x / 10, x / 7] for x in range(1000)]
    job = wire.job("p", {"id": "j", "inputs": {"config": {"mode": "DRY_RUN"}, "a:1": {"intersects": {"r": [ring]}}}})
    assert job.inputs == {"a:1": {"intersects": {"r": [ring]}}}
    assert not [o for o in gc.get_referents(job.inputs) if gc.is_tracked(o) and not isinstance(o, type)]
