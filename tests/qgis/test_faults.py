"""Faults between the plugin and the real engine, through a relay: one quiet notice at most, and all goes on."""

from __future__ import annotations

import threading

import pytest

from up42_jobs.plugin.host.records import DeliveryState
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.tests.qgis.test_journey import Session
from up42_jobs.tests.servers.relay import Relay

SPEED = 60.0
NOBODY = b'{"error": {"code": 401, "message": "Unauthorized", "details": null}, "data": null}'
BROKEN = b'{"error": {"code": 500, "message": "Internal error", "details": null}, "data": null}'
GARBAGE = b"<html><body>We are under maintenance.</body></html>"
SILENCE = (0, b"")


@pytest.fixture
def relayed(qtbot, project, tmp_path, engine, monkeypatch):
    """A session whose server is behind a relay, and the relay."""
    address = engine.address(Cancel())
    with Relay(address.url) as relay:
        for name, value in (("URL", relay.url), ("PROJECT_ID", address.practice.user)):
            monkeypatch.setenv(f"UP42_JOBS_{name}", value)
        monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", address.practice.secret)
        session = Session(qtbot, tmp_path, engine, "environment")
        session.journey._tracker.speed = SPEED
        yield session, relay
        session.close()


def is_list(what: str) -> bool:
    return what.startswith("GET") and what.partition("?")[0].endswith("/jobs")


def test_polls_that_fail_in_every_way_are_one_quiet_notice_and_the_job_arrives(relayed, tmp_path):
    session, relay = relayed
    faults = [(401, NOBODY)] * 2 + [(500, BROKEN)] * 8 + [(200, GARBAGE)] * 2 + [SILENCE, SILENCE]
    over, lock = threading.Event(), threading.Lock()

    def instead(what, _sent):
        if not is_list(what):
            return None
        with lock:
            fault = faults.pop(0) if faults else None
        if fault is SILENCE:
            over.wait(2)  # says nothing, then hangs up
        return fault

    relay.instead = instead
    job = session.submit(session.request(limit=2).of_type(JobType.TEST_QUERY))
    session.until(lambda: not faults)
    session.wait_for(job, DeliveryState.LOADED)
    over.set()
    session.until(lambda: job.id in session.groups)
    session.until(lambda: any("is on the map" in text for _level, text in session.told))
    troubles = [(level, text) for level, text in session.told if "can't be followed just now" in text]
    assert len(troubles) == 1, session.told
    assert troubles[0][0] == "info"
    assert len(session.told) == 2, session.told
    assert sum(what.startswith("POST") and "/jobs?" in what for what in relay.forwarded) == 1
    assert len(list((tmp_path / "outputs").iterdir())) == 1


def test_a_token_that_expires_in_the_middle_is_renewed_without_a_word(relayed):
    session, relay = relayed
    latest, expired = [""], set()

    def instead(what, sent):
        if what.startswith("POST /oauth/token"):
            return None
        latest[0] = sent
        return (401, NOBODY) if sent in expired else None

    relay.instead = instead
    job = session.submit(session.request(limit=2).of_type(JobType.TEST_QUERY))
    logins = relay.seen.count("POST /oauth/token")
    for _time in range(3):  # while it waits and runs, and while its outputs are fetched
        expired.add(latest[0])
        session.journey.refresh()
        session.until(lambda: latest[0] not in expired)
    session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: job.id in session.groups)
    session.until(lambda: session.told)
    assert [level for level, _text in session.told] == ["success"], session.told
    assert relay.seen.count("POST /oauth/token") >= logins + 3


def test_outputs_come_through_a_server_that_fails_on_the_way(relayed, tmp_path):
    session, relay = relayed
    left, lock = {"downloads": 2}, threading.Lock()

    def instead(what, _sent):
        with lock:
            if what.startswith("GET") and "/downloads/" in what and left["downloads"]:
                left["downloads"] -= 1
                return 500, BROKEN
        return None

    relay.instead = instead
    job = session.submit(session.request(limit=2).of_type(JobType.TEST_QUERY))
    session.wait_for(job, DeliveryState.LOADED)
    assert left == {"downloads": 0}
    session.until(lambda: any("is on the map" in text for _level, text in session.told))
    assert [level for level, _text in session.told] == ["success"], session.told
