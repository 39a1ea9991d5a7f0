"""The settings that other parts read: caps, what to collect, overviews; what is broken in them never costs money."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qgis.core import QgsSettings

from up42_jobs.plugin.host.settings import PREFIX, Settings

KEYS = ("job_cap", "month_cap", "collect_policy", "make_overviews")


@pytest.fixture()
def settings(qgis_app: object) -> Iterator[Settings]:
    """Settings without any of these keys, before and after."""
    for key in KEYS:
        QgsSettings().remove(PREFIX + key)
    yield Settings()
    for key in KEYS:
        QgsSettings().remove(PREFIX + key)


def test_nothing_set_is_no_cap_and_everything_arrives(settings: Settings) -> None:
    assert (settings.job_cap, settings.month_cap) == (None, None)
    assert settings.collect_policy == "always"
    assert settings.make_overviews is True


def test_what_was_set_is_read_by_the_next_one(settings: Settings) -> None:
    settings.job_cap, settings.month_cap = 12.5, 3000
    settings.collect_policy, settings.make_overviews = "ask", False
    other = Settings()
    assert (other.job_cap, other.month_cap) == (12.5, 3000.0)
    assert (other.collect_policy, other.make_overviews) == ("ask", False)
    other.job_cap = None
    assert settings.job_cap is None


def test_a_cap_of_nothing_is_a_cap(settings: Settings) -> None:
    settings.job_cap = 0
    assert settings.job_cap == 0.0


@pytest.mark.parametrize("broken", ["much", "nan", "inf", "-5", "1,5"])
def test_a_broken_cap_lets_no_credits_through(settings: Settings, broken: str) -> None:
    QgsSettings().setValue(PREFIX + "month_cap", broken)
    assert settings.month_cap == 0.0


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1.0])
def test_what_is_no_cap_is_not_kept(settings: Settings, wrong: float) -> None:
    with pytest.raises(ValueError, match="no cap"):
        settings.job_cap = wrong
    assert settings.job_cap is None


def test_an_unknown_policy_is_the_default_and_is_not_kept(settings: Settings) -> None:
    QgsSettings().setValue(PREFIX + "collect_policy", "sometimes")
    assert settings.collect_policy == "always"
    with pytest.raises(ValueError, match="sometimes"):
        settings.collect_policy = "sometimes"
