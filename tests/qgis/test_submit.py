"""A submit is sent once, remembered, never repeated by itself; money needs a confirmation of exactly the request."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from shapely.geometry import box, mapping

from up42_jobs.plugin.host.errors import NotConfirmed, RequestProblems, Unconfirmed
from up42_jobs.plugin.host.ledger import Ledger, LedgerError
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.poll import take_snapshot
from up42_jobs.plugin.host.submit import Confirmation, submit
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.request_record import record
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.contract import TooManyJobs
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.servers.relay import Relay

ORIGIN = Origin("/maps/a.qgz", "token")
CREATE = re.compile(r"POST /projects/[^/]+/workflows/[^/]+/jobs\?").match
SQUARE = Aoi.from_geojson(mapping(box(13.37, 52.50, 13.39, 52.51)), "Square")


class Setting:
    """A platform behind a relay, a ledger, and a request that could be sent."""

    def __init__(self, relay, credentials, ledger, has_credits):
        self.relay, self.ledger = relay, ledger
        self.platform = Up42Jobs(Session(), relay.url, credentials, TokenStore(), has_credits=has_credits)
        (self.project,) = self.platform.projects()
        workflow = next(w for w in self.platform.workflows(self.project) if w.tasks[0].block.name == "demo-s2-l2a")
        self.request = JobRequest(
            self.project, workflow, aoi=SQUARE, parameters=parameters.defaults(workflow), name=f"job {id(self)}"
        )
        relay.seen.clear()

    def submit(self, request=None, confirmation=None):
        return submit(self.platform, self.ledger, "c", request or self.request, ORIGIN, confirmation)

    def named_jobs(self):
        return [job for job in self.platform.jobs(self.project) if job.name == self.request.name]

    def creates(self):
        return [what for what in self.relay.seen if CREATE(what)]


@pytest.fixture
def setting(engine_alone, tmp_path, request):
    with Relay(engine_alone.line["url"]) as relay:
        prefix, has_credits = getattr(request, "param", ("free_", False))
        line = engine_alone.line
        credentials = Credentials.project(line[prefix + "project_id"], line[prefix + "project_key"])
        (engine_alone.this_computer() if prefix else engine_alone.practice()).come_to_rest()
        yield Setting(relay, credentials, Ledger(tmp_path / "ledger.sqlite"), has_credits)


practice = pytest.mark.parametrize("setting", [("", True)], indirect=True)


def test_a_submit_makes_one_job_and_one_entry(setting):
    job = setting.submit()
    entry = setting.ledger.entry("c", job.id)
    assert (entry.project_file, entry.request["name"]) == (ORIGIN.project_file, setting.request.name)
    assert setting.ledger.intents("c") == []
    assert [j.id for j in setting.named_jobs()] == [job.id]
    assert len(setting.creates()) == 1


def test_a_request_with_problems_sends_nothing(setting):
    with pytest.raises(RequestProblems):
        setting.submit(replace(setting.request, aoi=None))
    assert setting.relay.seen == []
    assert setting.ledger.intents("c") == []


def test_after_a_lost_answer_the_job_is_found_and_not_sent_again(setting):
    setting.relay.lose_answer = CREATE
    job = setting.submit()
    assert [j.id for j in setting.named_jobs()] == [job.id]
    assert len(setting.creates()) == 1
    assert setting.ledger.intents("c") == []
    assert setting.ledger.entry("c", job.id)


def test_a_lost_request_stays_unconfirmed_and_can_not_be_run_again_until_decided(setting):
    setting.relay.lose_request = CREATE
    with pytest.raises(Unconfirmed):
        setting.submit()
    setting.relay.lose_request = None
    with pytest.raises(Unconfirmed):
        setting.submit()
    assert len(setting.creates()) == 1
    assert setting.named_jobs() == []
    (intent,) = setting.ledger.intents("c")
    setting.ledger.drop(intent.id)
    job = setting.submit()
    assert [j.id for j in setting.named_jobs()] == [job.id]


def test_two_jobs_that_could_be_it_stay_unconfirmed(setting):
    setting.relay.repeat = setting.relay.lose_answer = CREATE
    with pytest.raises(Unconfirmed):
        setting.submit()
    assert len(setting.named_jobs()) == 2
    assert len(setting.ledger.intents("c")) == 1


def test_when_nothing_answers_any_more_the_tracker_finds_the_job_later(setting):
    lost = []

    def lose_all_from_the_create_on(what):
        if CREATE(what):
            lost.append(what)
        return bool(lost)

    setting.relay.lose_answer = lose_all_from_the_create_on
    with pytest.raises(Unconfirmed):
        setting.submit()
    setting.relay.lose_answer = None

    class Here:
        id = "c"

    snapshot = take_snapshot(setting.platform, setting.ledger, Here, setting.project, None)
    (job,) = setting.named_jobs()
    assert snapshot.intents == []
    assert job.id in snapshot.entries
    assert len(setting.creates()) == 1


def test_the_tracker_leaves_a_submit_under_way_alone(setting):
    """Else it could take an equal job of somebody else for the one whose answer is just about to come."""

    class Here:
        id = "c"

    request = setting.request
    intent_id = setting.ledger.begin(
        *("c", request.project.id, request.fingerprint, record(request)),
        confirmed_credits=None,
        project_file="",
        token="",
        server_time=setting.platform.server_time().isoformat(),
    )
    job = setting.platform.submit(request)
    snapshot = take_snapshot(setting.platform, setting.ledger, Here, setting.project, None)
    assert [intent.id for intent in snapshot.intents] == [intent_id]
    assert snapshot.entries == {}
    setting.ledger.mark_lost(intent_id)
    snapshot = take_snapshot(setting.platform, setting.ledger, Here, setting.project, None)
    assert snapshot.intents == []
    assert list(snapshot.entries) == [job.id]


def test_the_same_request_is_not_sent_while_a_submit_of_it_is_under_way_or_lost(setting):
    """Also where QGIS was killed in the middle of the POST and started again."""
    request = setting.request
    intent_id = setting.ledger.begin(
        *("c", request.project.id, request.fingerprint, record(request)),
        confirmed_credits=None,
        project_file="",
        token="",
        server_time=None,
    )
    with pytest.raises(Unconfirmed):
        setting.submit()
    assert setting.creates() == []
    setting.ledger.drop(intent_id)
    assert setting.submit()


def test_a_ledger_that_fails_after_the_post_loses_nothing_and_buys_nothing_twice(setting, monkeypatch):
    with monkeypatch.context() as patch:

        def busy(*_arguments):
            raise LedgerError("busy", Path("ledger.sqlite"))

        patch.setattr(setting.ledger, "settle", busy)
        job = setting.submit()
    with pytest.raises(Unconfirmed):
        setting.submit()
    assert [j.id for j in setting.named_jobs()] == [job.id]


@practice
def test_an_unknown_price_can_only_be_agreed_to_where_there_is_no_estimate(setting):
    with pytest.raises(NotConfirmed):
        setting.submit(confirmation=Confirmation(setting.request.fingerprint, None))
    assert setting.creates() == []


@practice
def test_a_live_job_with_a_price_is_not_run_unconfirmed(setting):
    with pytest.raises(NotConfirmed):
        setting.submit()
    other = Confirmation(setting.request.with_parameter("demo-s2-l2a:1", "limit", 2).fingerprint, 1e6)
    with pytest.raises(NotConfirmed):
        setting.submit(confirmation=other)
    assert setting.creates() == []


@practice
def test_a_live_job_is_not_run_above_what_was_confirmed(setting):
    price = setting.platform.estimate(setting.request).credits.max
    assert price >= 1
    with pytest.raises(NotConfirmed):
        setting.submit(confirmation=Confirmation(setting.request.fingerprint, price - 1))
    assert setting.creates() == []
    job = setting.submit(confirmation=Confirmation(setting.request.fingerprint, price))
    assert setting.ledger.entry("c", job.id).confirmed_credits == price


@practice
def test_a_test_query_needs_no_confirmation(setting):
    job = setting.submit(setting.request.of_type(JobType.TEST_QUERY))
    assert job.job_type is JobType.TEST_QUERY


def test_a_refusal_leaves_no_intent(setting, engine_alone):
    large = Aoi.from_geojson(mapping(box(13.0, 52.4, 13.1, 52.48)), "Large")
    long_job = replace(setting.request, aoi=large, name="long").with_parameter("demo-s2-l2a:1", "limit", 10)
    client = engine_alone.this_computer()
    client.at_once(1)
    running = setting.submit(long_job)
    with pytest.raises(TooManyJobs):
        setting.submit()
    setting.platform.cancel(running)
    client.at_once(10)
    assert setting.ledger.intents("c") == []
    assert list(setting.ledger.entries("c")) == [running.id]
