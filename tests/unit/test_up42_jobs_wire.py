"""Whatever a server sends, the mapping gives jobs, tasks, workflows and scenes, or one error of its own."""

from __future__ import annotations

import contextlib
import gc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from up42_jobs.plugin.jobs.job import JobState, JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.workflow import Project, Workflow
from up42_jobs.plugin.platforms import prices, wire
from up42_jobs.plugin.platforms.refusals import message_of

WORDS = (
    *("id", "name", "status", "mode", "inputs", "config", "createdAt", "startedAt", "finishedAt", "workflowId"),
    *("parentsIds", "block", "parameters", "type", "default", "items", "enum", "minimum", "maximum", "required"),
    *("isDryRunSupported", "value", "error", "message", "code", "details", "data", "errors", "invalidTaskNames"),
    *("capabilityMismatches", "features", "properties", "geometry", "datetime", "eo:cloud_cover", "unit", "min", "max"),
    *("blockConsumption", "machineConsumption", "credit", "duration", "resources"),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["DRY_RUN", "DATA", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e999", *WORDS]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)
OBJECT = st.dictionaries(st.sampled_from(WORDS), ANYTHING, max_size=8)


@given(OBJECT, st.lists(OBJECT, max_size=4))
def test_no_answer_breaks_the_mapping(data: dict[str, Any], many: list[dict[str, Any]]) -> None:
    with contextlib.suppress(wire.WireError):
        assert wire.job("p", data).project_id == "p"
    assert wire.project("p", data, many).max_concurrent_jobs >= 1
    assert len(wire.workflow("p", data, many).tasks) == len(many)
    assert all(task.id for task in wire.tasks(many))
    assert len(wire.scenes({"features": many})) == len(many)
    for parameter in wire.block({"parameters": {"x": data}}).parameters.values():
        assert isinstance(parameter.choices, tuple)


@given(ANYTHING)
def test_no_estimate_is_taken_for_free_by_mistake(data: Any) -> None:
    try:
        estimate = prices.estimate(JobRequest(Project("p", "P"), Workflow("w", "W", "p")), data)
    except wire.WireError:
        return
    assert len(estimate.tasks) == len(wire.dict_of(data))
    assert estimate.credits.min >= 0


@given(st.binary(max_size=200) | st.builds(lambda value: repr(value).encode(), ANYTHING))
def test_no_error_body_breaks_its_telling(body: bytes) -> None:
    assert "\n" not in message_of(body)


def test_not_a_number_is_null() -> None:
    assert wire.json_of(b'{"a": NaN, "b": [Infinity, -Infinity, 1]}') == {"a": None, "b": [None, None, 1]}


def test_tasks_that_form_no_line_stay_as_they_came() -> None:
    for parents in (["2", "1"], ["1", "2"], ["", ""], ["9", "9"]):
        tasks = [{"id": str(i + 1), "parentsIds": [parent] if parent else []} for i, parent in enumerate(parents)]
        assert wire.in_line(tasks) == tasks


def test_states_in_every_spelling() -> None:
    assert wire.state("NOT STARTED") == (JobState.PENDING, "NOT STARTED")
    assert wire.state(" succeeded ")[0] is JobState.SUCCEEDED
    assert wire.state("ERROR") == (JobState.FAILED, "ERROR")
    assert wire.state(None) == (JobState.UNKNOWN, "")


def test_a_job_is_one_object_for_garbage_collection_however_large_its_aoi() -> None:
    ring = [[lon / 10, 52.0] for lon in range(500)]
    data = {"id": "j", "inputs": {"x:1": {"intersects": {"type": "Polygon", "coordinates": [ring]}}}}
    gc.collect()
    before = len(gc.get_objects())
    jobs = [wire.job("p", data) for _ in range(100)]
    gc.collect()
    assert len(gc.get_objects()) - before < 150
    assert jobs[0].inputs == data["inputs"]


def test_the_mode_may_be_in_the_inputs_only() -> None:
    job = wire.job("p", {"id": 5, "mode": None, "inputs": {"config": {"mode": "DRY_RUN"}, "x:1": {"limit": None}}})
    assert (job.id, job.job_type, job.inputs) == ("5", JobType.TEST_QUERY, {"x:1": {"limit": None}})


def test_the_local_engine_may_tell_its_own_least_area() -> None:
    limits = wire.project("p", {}, [{"name": "JOB_QUERY_MIN_AOI_SIZE", "value": "0"}]).aoi_limits
    assert (limits.min_km2, limits.max_km2) == (0, None)
