"""What people are told: every kind of error is a sentence, numbers read well, nothing secret slips through."""

from __future__ import annotations

import math

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QLocale

from up42_jobs.plugin.delivery.errors import ArchiveRefused
from up42_jobs.plugin.host import words
from up42_jobs.plugin.host.errors import explain
from up42_jobs.plugin.jobs.aoi import AoiError
from up42_jobs.plugin.jobs.job import JobState, JobType
from up42_jobs.plugin.jobs.problem import Problem
from up42_jobs.plugin.jobs.request import Estimate, Range, TaskEstimate
from up42_jobs.plugin.net.errors import Unreachable
from up42_jobs.plugin.platforms.contract import Refused


@pytest.fixture(autouse=True)
def english(qgis_app):
    QLocale.setDefault(QLocale("en_GB"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AoiError(Problem("aoi_several", {"count": 3})), "3 polygons"),
        (ArchiveRefused("member_parent", "../x"), "../x"),
        (Unreachable("maps.example", "refused"), "maps.example"),
        (Refused("The project is full."), "The project is full."),
    ],
)
def test_known_errors_are_told_as_they_are(error, said):
    text = explain(error)
    assert said in text
    assert "unforeseen" not in text


def test_an_unforeseen_error_is_told_and_logged_without_its_secrets():
    logged = []
    log = QgsApplication.messageLog()
    log.messageReceived.connect(lambda text, *_rest: logged.append(str(text)))
    secret = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"
    try:
        raise RuntimeError(f"Authorization: Bearer {secret}")
    except RuntimeError as e:
        text = explain(e)
    assert "unforeseen" in text
    assert secret not in text
    assert any("RuntimeError" in line for line in logged)
    assert all(secret not in line for line in logged)


def test_numbers_read_as_people_write_them():
    assert words.area(0.1234) == "0.123 km² (12 ha)"
    assert words.area(1240.4) == "1,240 km² (124,040 ha)"
    assert words.credit_range(Range(12, 15)) == "12–15"
    assert words.credit_range(Range(12, 12)) == "12"
    assert words.duration_range(Range(5, 120)) == "5 s – 2 min"
    assert words.duration_range(Range(7200, 7200)) == "2.0 h"
    assert words.duration_range(Range(0, math.inf)) == "time unknown"


def test_every_state_and_type_has_a_word():
    assert len({words.state_word(state) for state in JobState}) == len(JobState)
    assert words.state_word("SOMETHING_NEW") == "SOMETHING_NEW"
    assert len({words.job_type_word(job_type) for job_type in JobType}) == len(JobType)


def test_what_is_fetched_is_said_in_megabytes_where_a_block_knows() -> None:
    def task(unit: str, least: float, most: float) -> TaskEstimate:
        return TaskEstimate("t", Range(0, 0), Range(1, 2), unit, Range(least, most))

    assert words.fetched(Estimate("f", (task("MEGABYTE", 11.2, 39.1), task("MEGAPIXEL", 1, 2)))) == "12–40 MB"
    assert words.fetched(Estimate("f", (task("MEGABYTE", 0.2, 0.9),))) == "1 MB"
    assert words.fetched(Estimate("f", (task("SQUARE_KM", 1, 2),))) == ""
