"""When is a try repeated, and after how long."""

from __future__ import annotations

import datetime

import pytest

from up42_jobs.plugin.net.errors import HttpError, TimedOut, Truncated, Unreachable
from up42_jobs.plugin.net.retry import LONGEST_PAUSE, http_date, pause_before_retry, retry_after

NOW = "Wed, 15 May 2024 10:00:00 GMT"


def answered(status, **headers):
    return HttpError("up42.test", status, headers, b"")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "Wed, 15 May 2024 10:00:30 GMT", "Date": NOW}, 30),
        ({"Retry-After": "Wed, 15 May 2024 09:00:00 GMT", "Date": NOW}, 0),
        ({"Retry-After": "Wed, 15 May 2024 10:00:30 GMT"}, 0),  # long ago by our own clock
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "٣"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after(headers) == seconds


def test_retry_after_a_date_by_our_own_clock():
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=50)
    seconds = retry_after({"Retry-After": then.strftime("%a, %d %b %Y %H:%M:%S GMT")})
    assert 40 < seconds <= 50


def test_the_server_is_obeyed_up_to_two_minutes():
    assert pause_before_retry(answered(429, **{"Retry-After": "90"}), 1) == 90
    assert pause_before_retry(answered(503, **{"Retry-After": "86400"}), 1) == LONGEST_PAUSE == 120


def test_back_off_doubles_and_scatters():
    dropped = Unreachable("up42.test", "dropped")
    first = [pause_before_retry(dropped, 1) for _ in range(200)]
    second = [pause_before_retry(dropped, 2) for _ in range(200)]
    assert 0.25 <= min(first) < 0.4 < 0.6 < max(first) <= 0.75
    assert 0.5 <= min(second) < 0.8 < 1.2 < max(second) <= 1.5
    assert pause_before_retry(dropped, 3) is None


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("a", "refused"),
        Unreachable("a", "host_unknown"),
        TimedOut("a", "read_timed_out", 60.0),
        answered(500),
        answered(401),
        answered(404, **{"Retry-After": "1"}),
    ],
)
def test_not_worth_it(error):
    assert pause_before_retry(error, 1) is None


@pytest.mark.parametrize("error", [Truncated("a", 1, 2), Truncated("a", 1), answered(429), answered(504)])
def test_worth_it(error):
    assert pause_before_retry(error, 1) > 0


@pytest.mark.parametrize("value", [None, "", "x", "Wed, 99 May 2024 10:00:00 GMT", "15"])
def test_no_date(value):
    assert http_date(value) is None


def test_dates_are_in_utc():
    expected = datetime.datetime(2024, 5, 15, 10, tzinfo=datetime.timezone.utc)
    assert http_date(NOW) == expected
    assert http_date("Wed, 15 May 2024 12:00:00 +0200") == expected
    assert http_date("Wednesday, 15-May-24 10:00:00 GMT") == expected  # RFC 850, as RFC 9110 still allows
    assert http_date("Wed, 15 May 2024 10:00:00 -0000").tzinfo is datetime.timezone.utc
