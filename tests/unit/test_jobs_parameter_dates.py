"""The usual ranges of dates."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from up42_jobs.plugin.jobs import parameter_dates as dates
from up42_jobs.plugin.jobs.parameters import parse_range


def test_the_last_months_end_today_and_begin_on_a_day_that_exists():
    assert dates.last_months(date(2024, 5, 31), 3) == "2024-02-29T00:00:00Z/2024-05-31T23:59:59Z"
    assert dates.last_months(date(2025, 1, 15), 3) == "2024-10-15T00:00:00Z/2025-01-15T23:59:59Z"
    assert dates.last_days(date(2025, 1, 15), 30) == "2024-12-16T00:00:00Z/2025-01-15T23:59:59Z"
    assert dates.this_year(date(2025, 1, 15)) == "2025-01-01T00:00:00Z/2025-01-15T23:59:59Z"


def test_this_month_in_past_years_is_whole_months():
    years = dates.this_month_in_past_years(date(2025, 2, 28))
    assert [year for year, _ in years] == [2024, 2023, 2022, 2021, 2020, 2019]
    assert years[0][1] == "2024-02-01T00:00:00Z/2024-02-29T23:59:59Z"


def test_month_by_month_goes_over_new_year_and_ends_today():
    assert dates.month_by_month(date(2024, 2, 10), 3) == [
        "2023-11-01T00:00:00Z/2023-11-30T23:59:59Z",
        "2023-12-01T00:00:00Z/2023-12-31T23:59:59Z",
        "2024-01-01T00:00:00Z/2024-01-31T23:59:59Z",
        "2024-02-01T00:00:00Z/2024-02-10T23:59:59Z",
    ]


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)), st.integers(1, 36))
def test_every_range_can_be_read_and_runs_forward(today, months):
    for text in (dates.last_months(today, months), dates.last_days(today, 30), dates.this_year(today)):
        start, end = parse_range(text)
        assert start <= end
        assert end.date() == today
