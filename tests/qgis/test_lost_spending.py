"""The cap per month after the ledger was damaged, with the real engine's Practice: what was spent is not forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from up42_jobs.plugin.host.ledger import LedgerError
from up42_jobs.plugin.host.lost_spending import _damaged_at, charges
from up42_jobs.plugin.host.spending import OverCap, month_begin
from up42_jobs.plugin.host.tracker import take_snapshot
from up42_jobs.plugin.jobs.job import JobState
from up42_jobs.tests.qgis import test_spending

engine, shop = test_spending.engine, test_spending.shop  # fixtures
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
