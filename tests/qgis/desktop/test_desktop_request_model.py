"""The request model: one request, one text; both always agree, or the text is marked wrong and nothing can be sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.host.records import Catalogue
from up42_jobs.plugin.jobs.aoi import GeometricFilter
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.problem import Problem

from .conftest import SQUARE

DATA = "scenes:1"


@pytest.fixture
def model(qgis_app, free_catalogue: Catalogue) -> RequestModel:
    model = RequestModel()
    model.set_catalogue(free_catalogue)
    model.set_aoi(SQUARE)
    return model


def agrees(model: RequestModel) -> bool:
    """The text says what the request holds."""
    return json.loads(model.text) == model.request.parameters


def test_begins_ready_but_for_the_aoi(qgis_app, free_catalogue):
    model = RequestModel()
    model.set_catalogue(free_catalogue)
    assert [problem.code for problem in model.problems] == ["aoi_missing"]
    model.set_aoi(SQUARE)
    assert model.ready
    assert agrees(model)
    assert model.request.parameters[DATA]["limit"] == 1


def test_a_value_set_by_a_control_is_in_the_text_and_back(model):
    model.set_parameter(DATA, "limit", 7)
    assert json.loads(model.text)[DATA]["limit"] == 7
    model.set_text(model.text.replace('"limit": 7', '"limit": 9'))
    assert model.request.parameters[DATA]["limit"] == 9
    assert agrees(model)


def test_broken_text_keeps_the_last_request_but_nothing_can_be_sent(model):
    before = model.request
    broken = model.text.replace('"limit": 1,', '"limit": 1')
    model.set_text(broken)
    assert model.request == before
    assert not model.ready
    (problem,) = model.problems
    assert (problem.code, problem.line) == ("json_broken", broken[: broken.index('"max_cloud_cover"')].count("\n") + 1)
    model.set_parameter(DATA, "limit", 5)  # a control must not overwrite what the user is typing
    assert model.text == broken
    model.set_text(broken.replace('"limit": 1', '"limit": 1,'))
    assert model.ready


@pytest.mark.parametrize("text", ["[]", "null", "3", '{"scenes:1": 5, "sharpening:1": {}}', '{"scenes:1": null}', ""])
def test_text_of_another_shape_is_a_problem_and_no_error(model, text):
    model.set_text(text)
    assert not model.ready
    assert not model.parameters_readable
    assert all(problem.line is not None for problem in model.problems)
    assert model.request.fingerprint


def test_each_problem_has_its_line(model):
    model.set_text(model.text.replace('"limit": 1', '"limit": 0').replace('"medium"', '"much"'))
    lines = model.text.split("\n")
    found = {problem.code: lines[problem.line - 1].strip() for problem in model.problems}
    assert found == {"parameter_small": '"limit": 0,', "parameter_choice": '"strength": "much"'}


def test_the_projects_own_limit_is_marked_too(model):
    model.set_parameter(DATA, "limit", 21)
    (problem,) = model.problems
    assert problem.code == "parameter_large"
    assert '"limit"' in model.text.split("\n")[problem.line - 1]


def test_a_refused_aoi_says_why_in_place_of_missing(model):
    model.refuse_aoi(Problem("aoi_several", {"count": 2}, where="aoi"))
    assert [problem.code for problem in model.problems] == ["aoi_several"]
    model.set_aoi(SQUARE)
    assert model.ready


def test_job_type_saves_money_where_there_is_some(model, free_catalogue, paid_catalogue):
    assert model.request.job_type is JobType.LIVE_JOB
    assert not model.has_price
    model.set_catalogue(paid_catalogue)
    assert model.request.job_type is JobType.TEST_QUERY
    model.set_workflow(paid_catalogue.workflows[2])
    assert model.request.job_type is JobType.LIVE_JOB  # its block has no dry run
    assert model.has_price
    model.set_workflow(paid_catalogue.workflows[1])
    assert model.request.job_type is JobType.TEST_QUERY
    model.set_catalogue(free_catalogue)
    assert model.request.job_type is JobType.LIVE_JOB


def test_another_connection_keeps_aoi_filter_and_parameters_of_the_same_workflow(model, paid_catalogue):
    model.set_parameter(DATA, "limit", 7)
    model.set_filter(GeometricFilter.CONTAINS)
    model.set_catalogue(paid_catalogue)
    request = model.request
    assert request.project.id == request.workflow.project_id == "q"
    assert request.workflow.name == "Sharpened"
    assert (request.aoi, request.geometric_filter) == (SQUARE, GeometricFilter.CONTAINS)
    assert request.parameters[DATA]["limit"] == 7
    assert agrees(model)


def test_another_workflow_begins_with_its_own_defaults(model, free_catalogue):
    model.set_parameter(DATA, "limit", 7)
    model.set_workflow(free_catalogue.workflows[1])
    assert set(model.request.parameters) == {DATA}
    assert model.request.parameters[DATA]["limit"] == 1
    assert agrees(model)


numbers = st.integers(-5, 600) | st.floats(allow_nan=False, allow_infinity=False)
values = st.none() | st.booleans() | numbers | st.text(max_size=5)
edits = st.one_of(
    st.tuples(st.just("control"), st.sampled_from(["limit", "max_cloud_cover", "time"]), values),
    st.tuples(st.just("insert"), st.integers(0, 400), st.sampled_from(list('{}[]",: \n0aé“')) | st.text(max_size=3)),
    st.tuples(st.just("delete"), st.integers(0, 400), st.integers(1, 5)),
    st.tuples(st.just("reset"), st.just(0), st.just(0)),
)


@given(st.lists(edits, max_size=12))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_after_any_edits_text_and_request_agree_or_the_text_is_marked(free_catalogue, steps):
    model = RequestModel()
    model.set_catalogue(free_catalogue)
    model.set_aoi(SQUARE)
    for kind, a, b in steps:
        text = model.text
        if kind == "control":
            model.set_parameter(DATA, a, b)
        elif kind == "reset":
            model.reset_parameters()
        elif kind == "insert":
            typed = text[:a] + b + text[a:]
            model.set_text(typed)
            assert model.text == typed  # no keystroke is lost
        else:
            model.set_text(text[:a] + text[a + b :])
        if model.parameters_readable:
            assert agrees(model)
        else:
            assert not model.ready
        assert model.request.fingerprint
