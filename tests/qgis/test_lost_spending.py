"""The cap per month after the ledger was damaged, with the real engine's Practice: what was spent is not forgotten."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from up42_jobs.plugin.host.ledger import LedgerError
from up42_jobs.plugin.host.lost_spending import _damaged_at, charges, jobs_of_month, refusal
from up42_jobs.plugin.host.pricing import price_on
from up42_jobs.plugin.host.rebuild import is_doubtful
from up42_jobs.plugin.host.servers import Server, write_servers
from up42_jobs.plugin.host.spending import OverCap, month_begin
from up42_jobs.plugin.host.tracker import take_snapshot
from up42_jobs.plugin.jobs.job import Job, JobState, JobType
from up42_jobs.tests.qgis import test_spending

shop = test_spending.shop  # a fixture
Here, PURSE = test_spending.Here, test_spending.PURSE


def damage(shop):
    """Break the file as a bad disk does, and find it broken as the next one who reads does."""
    path = shop.ledger.folder / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[:1024] + b"\xff" * 8192)
    with pytest.raises(LedgerError, match="put aside"):
        shop.ledger.entries(PURSE)
    assert shop.ledger.entries(PURSE) == {}


def test_the_cap_per_month_is_kept_over_a_damaged_ledger(shop):
    job = shop.buy(shop.request())
    shop.ended(job)
    used = shop.platform.credits_used(job)
    request = shop.request()
    damage(shop)
    assert shop.spent() == 0
    shop.settings.month_cap = 10_000
    before = test_spending.jobs_of(shop)
    with pytest.raises(OverCap, match="open this connection’s jobs"):
        shop.buy(request)
    assert test_spending.jobs_of(shop) == before
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    assert shop.spent() >= used > 0  # with those of other tests in the same project
    shop.settings.month_cap = shop.spent() + shop.price(request) - 1
    with pytest.raises(OverCap, match="would pass the cap"):
        shop.buy(request)
    shop.settings.month_cap = shop.spent() + shop.price(request)
    assert shop.buy(request)


def test_without_a_cap_per_month_a_damaged_ledger_stops_nobody(shop):
    damage_first = shop.buy(shop.request())
    shop.ended(damage_first)
    damage(shop)
    assert shop.buy(shop.request())


def test_a_job_whose_cost_is_not_told_yet_holds_up_the_cap(shop):
    job = shop.buy(shop.request())
    shop.ended(job)
    damage(shop)
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    with shop.ledger.transaction() as db:  # as a job that still ran when the ledger was rebuilt
        db.execute("UPDATE entry SET charged = NULL WHERE job = ?", (job.id,))
    shop.settings.month_cap = 10_000
    request = shop.request()
    with pytest.raises(OverCap, match="what 1 of this month’s jobs cost is not known"):
        shop.buy(request)
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)  # asks what ended jobs have cost
    assert shop.buy(request)


def test_only_ended_jobs_of_the_month_have_charges(shop):
    job = shop.buy(shop.request())
    shop.ended(job)
    ended = shop.platform.job(shop.project.id, job.id)
    since = month_begin(ended.created_at.timestamp())
    assert charges(shop.platform, [ended], since) == {job.id: shop.platform.credits_used(job)}
    assert charges(shop.platform, [replace(ended, state=JobState.RUNNING)], since) == {}
    assert charges(shop.platform, [ended], ended.created_at.timestamp() + 1) == {}


def test_a_damage_of_an_earlier_month_matters_no_more(shop):
    job = shop.buy(shop.request())
    shop.ended(job)
    damage(shop)
    aside = shop.ledger.folder / "ledger-damaged-20200131-120000.sqlite"
    with shop.ledger.transaction() as db:
        db.execute("UPDATE state SET value = ? WHERE name = 'damaged'", (str(aside),))
    assert abs(_damaged_at(aside) - 1580472000) <= 14 * 3600  # noon of that day, whatever the zone
    shop.settings.month_cap = 10_000
    shop.ended(shop.buy(shop.request()))


def test_the_price_says_so_before_anything_is_run(shop):
    job = shop.buy(shop.request())
    shop.ended(job)
    request = shop.request()
    damage(shop)
    shop.settings.month_cap = 10_000
    assert "open this connection’s jobs" in price_on(shop.platform, shop.ledger, PURSE, request).refusal
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    assert price_on(shop.platform, shop.ledger, PURSE, request).refusal == ""


def test_jobs_that_may_be_a_colleagues_count_and_are_told_apart(shop):
    job = shop.buy(shop.request())
    shop.ended(job)
    damage(shop)
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    entry = shop.ledger.entry(PURSE, job.id)
    assert is_doubtful(entry)
    request = shop.request()
    shop.settings.month_cap = shop.spent()
    with pytest.raises(OverCap, match="may be a colleague’s"):
        shop.buy(request)
    with shop.ledger.transaction() as db:  # as if the outputs of all of them were on this computer
        db.execute("UPDATE entry SET folder = '/there'")
    assert not is_doubtful(shop.ledger.entry(PURSE, job.id))
    with pytest.raises(OverCap) as refused:
        shop.buy(request)
    assert "colleague" not in str(refused.value)


def test_servers_whose_jobs_were_not_listed_since_hold_up_the_cap(shop):
    assert shop.ledger.entries(PURSE) == {}  # now there is a file to damage
    damage(shop)
    since = month_begin(time.time())
    write_servers(
        [
            Server("Dams", "https://jobs.example.org", project_ids=("a", "b"), id="server-1"),
            Server("Roads", "https://roads.example.org", id="server-2"),
            Server("Retired", "https://api.up42.com", project_ids=("c",), id="server-3"),
        ]
    )

    def why(connection):
        with shop.ledger.transaction() as db:
            return refusal(db, connection, since)

    def listed(connection, project):
        with shop.ledger.transaction() as db:
            db.execute("INSERT INTO rebuilt VALUES (?, ?)", (connection, project))

    assert "open this connection’s jobs" in why("server-1")
    listed("server-1", "a")
    assert "on Dams · b, Roads is not known" in why("server-1")
    listed("server-2", "x")
    listed("server-1", "b")
    assert why("server-1") == ""
    listed(PURSE, "p")
    assert why(PURSE) == ""  # play credits are a purse of their own


def test_the_list_is_read_down_to_where_the_month_began():
    noon = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    job = Job("0", "p", "", JobState.SUCCEEDED, "", JobType.LIVE_JOB, "w", "Flow", noon)
    pages = [[replace(job, id=str(day), created_at=noon - timedelta(days=day))] for day in range(40)]
    since = month_begin(noon.timestamp())
    assert len(jobs_of_month(iter(pages), since, at_least=10)) == 21  # the first job of October ends it
    assert len(jobs_of_month(iter(pages), since, at_least=30)) == 30
    assert jobs_of_month(iter([]), since, at_least=10) == []


def test_what_was_too_much_to_ask_at_once_is_asked_by_later_polls(shop, monkeypatch):
    jobs = [shop.buy(shop.request()) for _ in range(2)]
    for job in jobs:
        shop.ended(job)
    damage(shop)
    monkeypatch.setattr("up42_jobs.plugin.host.lost_spending.ASKED_AT_MOST", 0)
    monkeypatch.setattr("up42_jobs.plugin.host.poll.CREDITS_ASKED_AT_ONCE", 100)  # with those of other tests
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    assert all(shop.ledger.entry(PURSE, job.id).charged == shop.platform.credits_used(job) for job in jobs)
