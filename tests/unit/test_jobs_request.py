"""The request: what is sent, its fingerprint, its problems, and the estimate bound to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from up42_jobs.plugin.jobs.aoi import Aoi, AoiLimits, GeometricFilter
from up42_jobs.plugin.jobs.job import JobType, parse_time, scene_of
from up42_jobs.plugin.jobs.naming import job_name, layer_name
from up42_jobs.plugin.jobs.request import Estimate, JobRequest, Range, TaskEstimate
from up42_jobs.plugin.jobs.request_record import record, same_inputs
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask

SQUARE = {"type": "Polygon", "coordinates": [[[13, 52], [13.1, 52], [13.1, 52.1], [13, 52.1], [13, 52]]]}
GEOMETRY = {n: Parameter(n, t) for n, t in (("intersects", "geometry"), ("contains", "geometry"), ("bbox", "array"))}
DEMO = Block("d", "demo", "Demo", True, {**GEOMETRY, "limit": Parameter("limit", "integer", 1, True)}, dry_run=True)
STORAGE = Block("s", "storage", "Storage", True, {"asset_ids": Parameter("asset_ids", "array", required=True)})
WORKFLOW = Workflow("w", "Imagery", "p", (WorkflowTask("demo:1", DEMO),))
PROJECT = Project("p", "P", aoi_limits=AoiLimits(max_km2=100), max_scenes=5)
REQUEST = JobRequest(PROJECT, WORKFLOW, aoi=Aoi.from_geojson(SQUARE), parameters={"demo:1": {"limit": 1}}, name="N")


def test_inputs_carry_the_aoi_under_the_chosen_filter_only():
    assert REQUEST.inputs == {"demo:1": {"limit": 1, "intersects": SQUARE}}
    box = replace(
        REQUEST, geometric_filter=GeometricFilter.BBOX, parameters={"demo:1": {"limit": 1, "contains": SQUARE}}
    )
    assert box.inputs == {"demo:1": {"limit": 1, "bbox": [13, 52, 13.1, 52.1]}}


@pytest.mark.parametrize(
    "change",
    [
        {"job_type": JobType.TEST_QUERY},
        {"geometric_filter": GeometricFilter.CONTAINS},
        {"parameters": {"demo:1": {"limit": 2}}},
        {"project": Project("q", "Q")},
        {"aoi": Aoi.from_geojson({**SQUARE, "coordinates": [[*SQUARE["coordinates"][0][:3], [13, 52.2], [13, 52]]]})},
        {"workflow": replace(WORKFLOW, tasks=(WorkflowTask("demo:1", replace(DEMO, version="2")),))},
    ],
)
def test_whatever_can_change_a_price_changes_the_fingerprint(change):
    estimate = Estimate(REQUEST.fingerprint, ())
    assert estimate.is_for(REQUEST)
    assert not estimate.is_for(replace(REQUEST, **change))


def test_names_change_no_price():
    estimate = Estimate(REQUEST.fingerprint, ())
    assert estimate.is_for(replace(REQUEST, name="other", aoi=replace(REQUEST.aoi, name="other")))


def test_an_estimate_totals_its_tasks():
    estimate = Estimate(
        "f", (TaskEstimate("a", Range(1, 2), Range(10, 20)), TaskEstimate("b", Range(3, 5), Range(1, 1)))
    )
    assert estimate.credits == Range(4, 7)
    assert estimate.seconds == Range(11, 21)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"workflow": None}, ["workflow_missing"]),
        ({"workflow": replace(WORKFLOW, tasks=())}, ["workflow_empty"]),
        ({"aoi": None}, ["aoi_missing"]),
        ({"name": "x" * 201}, ["name_long"]),
        ({"parameters": {"demo:1": {"limit": 6}}}, ["parameter_large"]),
        ({"parameters": {}}, ["task_missing"]),
        ({"project": Project("p", "P", aoi_limits=AoiLimits(max_km2=50))}, ["aoi_large"]),
    ],
)
def test_problems_of_a_request(change, codes):
    assert [p.code for p in replace(REQUEST, **change).problems()] == codes


def test_a_storage_workflow_needs_no_aoi_and_has_no_test_query():
    workflow = Workflow("s", "Stored", "p", (WorkflowTask("storage:1", STORAGE),))
    request = JobRequest(PROJECT, workflow, parameters={"storage:1": {"asset_ids": ["a"]}})
    assert request.problems() == []
    assert request.inputs == {"storage:1": {"asset_ids": ["a"]}}
    dry = replace(request, job_type=JobType.TEST_QUERY)
    assert [p.code for p in dry.problems()] == ["test_query_unsupported"]


def test_a_filter_that_the_block_lacks_is_told():
    block = replace(DEMO, parameters={k: v for k, v in DEMO.parameters.items() if k != "contains"})
    request = replace(REQUEST, workflow=replace(WORKFLOW, tasks=(WorkflowTask("demo:1", block),)))
    request = replace(request, geometric_filter=GeometricFilter.CONTAINS)
    assert [p.code for p in request.problems()] == ["filter_unsupported"]


def test_with_parameter_leaves_the_first_request_as_it_was():
    changed = REQUEST.with_parameter("demo:1", "limit", 3)
    assert changed.parameters == {"demo:1": {"limit": 3}}
    assert REQUEST.parameters == {"demo:1": {"limit": 1}}


def test_the_record_is_told_from_others_by_its_inputs():
    inputs = record(REQUEST)["inputs"]
    assert same_inputs(inputs, {"demo:1": {**inputs["demo:1"], "ids": None}, "config": {"mode": "DRY_RUN"}})
    assert not same_inputs(inputs, replace(REQUEST, geometric_filter=GeometricFilter.BBOX).inputs)


@pytest.mark.parametrize(
    "text",
    ["2022-05-29T10:41:16Z", "2022-05-29T10:41:16.996Z", "2022-05-29T10:41:16.996874123Z", "2022-05-29T12:41:16+02:00"],
)
def test_times_of_every_precision_are_read(text):
    assert parse_time(text).replace(microsecond=0) == datetime(2022, 5, 29, 10, 41, 16, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [None, "", "yesterday", "2022-13-01T00:00:00Z", "2022-05-29T10:41:16.Z9", "0001-01-01T00:00:00+14:00"],
)
def test_times_that_are_none(text):
    assert parse_time(text) is None


def test_a_scene_is_read_from_the_keys_of_several_providers():
    airbus = scene_of(
        {"id": "a", "geometry": SQUARE, "properties": {"acquisitionDate": "2020-01-02T03:04:05Z", "cloudCover": 3}}
    )
    stac = scene_of(
        {"id": "b", "geometry": SQUARE, "properties": {"datetime": "2020-01-02T03:04:05Z", "eo:cloud_cover": 3}}
    )
    assert (airbus.acquired_at, airbus.cloud_cover) == (stac.acquired_at, stac.cloud_cover)
    assert scene_of({}).acquired_at is None
    assert scene_of({"properties": {"eo:cloud_cover": 10**400}}).cloud_cover is None
    assert scene_of({"id": "c", "properties": [1]}).id == "c"


def test_names():
    when = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
    assert job_name("Itaipu", "Demo NDVI", when) == "Itaipu · Demo NDVI · 2026-11-22"
    assert layer_name(when, "Itaipu", "NDVI") == "2026-11-22 Itaipu NDVI"
    assert layer_name(None, "", "NDVI") == "NDVI"
