"""The same search for many months: its windows, and what is sent for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from up42_jobs.plugin.jobs import repeat
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.repeat import Month
from up42_jobs.plugin.jobs.request import MAX_NAME_LENGTH, JobRequest
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask

SQUARE = {"type": "Polygon", "coordinates": [[[13, 52], [13.1, 52], [13.1, 52.1], [13, 52.1], [13, 52]]]}
PARAMETERS = (
    Parameter("intersects", "geometry"),
    Parameter("time", "dateRange"),
    Parameter("time_series", "array"),
    Parameter("ids", "array"),
    Parameter("limit", "integer", 1, True),
)


def request(*names, **given):
    known = {p.name: p for p in PARAMETERS if not names or p.name in names}
    tasks = (WorkflowTask("demo:1", Block("d", "demo", "Demo", True, known)),)
    workflow = Workflow("w", "Imagery", "p", tasks)
    return JobRequest(Project("p", "P"), workflow, aoi=Aoi.from_geojson(SQUARE, "Field"), parameters={"demo:1": given})


def test_summers_of_several_years_are_windows_from_the_oldest_on():
    found = repeat.windows(Month(2018, 7), Month(2020, 6), {6, 7, 8})
    assert found == [(2018, 7), (2018, 8), (2019, 6), (2019, 7), (2019, 8), (2020, 6)]
    assert found[2].text == "2019-06-01T00:00:00Z/2019-06-30T23:59:59Z"


@pytest.mark.parametrize(
    ("first", "last", "months", "count"),
    [((2020, 1), (2020, 1), {1}, 1), ((2020, 2), (2020, 1), {1, 2}, 0), ((2019, 12), (2020, 1), {2}, 0)],
)
def test_windows_at_the_ends(first, last, months, count):
    assert len(repeat.windows(Month(*first), Month(*last), months)) == count


def test_december_is_a_month_of_its_own_year():
    found = repeat.windows(Month(2019, 11), Month(2020, 2), range(1, 13))
    assert found == [(2019, 11), (2019, 12), (2020, 1), (2020, 2)]
    assert repeat.windows(Month(2019, 12), Month(2019, 12), {12})[0].text == "2019-12-01T00:00:00Z/2019-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("given", "span"),
    [
        ({}, None),
        ({"time": "nonsense"}, None),
        ({"time": "2019-03-04T00:00:00Z/2020-01-01T00:00:00Z"}, ((2019, 3), (2020, 1))),
        ({"time": None, "time_series": [Month(2020, 6).text, 7, Month(2018, 5).text]}, ((2018, 5), (2020, 6))),
    ],
)
def test_the_dates_of_the_form_are_where_it_begins(given, span):
    assert repeat.span_of(given) == span


def test_one_job_has_every_window_and_no_pinned_scene():
    wanted = [Month(2019, 6), Month(2020, 6)]
    assert repeat.as_series(request().workflow, wanted) == {
        "time": None, "time_series": [month.text for month in wanted], "ids": None
    }  # fmt: skip
    assert "ids" not in repeat.as_series(request("time", "time_series").workflow, wanted)


def test_a_job_for_each_window_differs_from_the_form_in_dates_and_name_only():
    before = request(time=None, time_series=[Month(2017, 1).text], ids=["scene"], limit=3)
    first, second = repeat.as_jobs(before, [Month(2019, 6), Month(2019, 7)])
    assert first.parameters == {"demo:1": {"time": Month(2019, 6).text, "time_series": None, "ids": None, "limit": 3}}
    assert [first.name, second.name] == ["Field · Imagery · 2019-06", "Field · Imagery · 2019-07"]
    assert first.fingerprint != second.fingerprint
    assert first.problems() == []
    assert replace(second, parameters=first.parameters, name=first.name) == first
    assert repeat.differ_in_dates_only([first, second])
    assert repeat.window_of(second)[1].isoformat() == "2019-07-31"


def test_the_year_and_month_stay_in_a_name_that_is_too_long():
    long = request(limit=1)
    long = replace(long, aoi=replace(long.aoi, name="x" * 300))
    (made,) = repeat.as_jobs(long, [Month(2019, 6)])
    assert len(made.name) <= MAX_NAME_LENGTH
    assert made.name.endswith(" · 2019-06")


def test_several_aois_are_not_several_dates():
    first, second = repeat.as_jobs(request(), [Month(2019, 6), Month(2019, 7)])
    elsewhere = Aoi.from_geojson(
        {**SQUARE, "coordinates": [[[x + 1, y] for x, y in SQUARE["coordinates"][0]]]}, "Field"
    )
    assert not repeat.differ_in_dates_only([first])
    assert not repeat.differ_in_dates_only([first, replace(second, aoi=elsewhere)])
    assert not repeat.differ_in_dates_only([first, replace(second, parameters={})])
    again = Aoi.from_geojson(SQUARE, "Field")  # as a batch that is sent again has it
    assert repeat.differ_in_dates_only([first, replace(second, aoi=again)])


def test_only_a_search_by_dates_can_be_repeated():
    assert repeat.can_repeat(request().workflow)
    assert not repeat.can_repeat(request("ids").workflow)
    assert not repeat.can_repeat(None)
