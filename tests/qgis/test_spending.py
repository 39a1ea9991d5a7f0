"""Spending caps and what was bought already, with the real engine's Practice: they hold for whoever submits."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import datetime, timezone

import pytest
from qgis.core import QgsSettings
from shapely.geometry import box

from up42_jobs.plugin.host import bought, spending
from up42_jobs.plugin.host.errors import NotConfirmed, Unconfirmed
from up42_jobs.plugin.host.forgotten import find_again, forget
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.script_submit import Allowance, Wanted, submit_all
from up42_jobs.plugin.host.servers import Server, write_servers
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.spending import Caps, OverCap
from up42_jobs.plugin.host.submit import Confirmation, submit
from up42_jobs.plugin.host.tracker import take_snapshot
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.contract import Unreachable
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.contract.engine_process import until

ORIGIN = Origin("", "")
PURSE = "practice"


class Shop:
    """Practice, a ledger of this test's own, and as many different requests as are wanted."""

    def __init__(self, engine, ledger):
        self.ledger, self.settings = ledger, Settings()
        credentials = Credentials.project(engine.line["project_id"], engine.line["project_key"])
        self.platform = Up42Jobs(Session(), engine.line["url"], credentials, TokenStore(), has_credits=True)
        (self.project,) = self.platform.projects()
        self.workflow = next(w for w in self.platform.workflows(self.project) if w.tasks[0].name == "demo-s2-l2a:1")
        self.place = 0

    def request(self):
        """Another small AOI each time; 1 to 2 credits."""
        self.place += 1
        west = 10 + 0.01 * self.place
        aoi = Aoi(box(west, 50, west + 0.005, 50.005), f"Place {self.place}")
        return JobRequest(self.project, self.workflow, aoi=aoi, parameters=parameters.defaults(self.workflow))

    def price(self, request):
        return self.platform.estimate(request).credits.max

    def confirmed(self, request, **more):
        return Confirmation(request.fingerprint, self.price(request), **more)

    def buy(self, request, confirmation=None, connection=PURSE):
        confirmation = confirmation or self.confirmed(request)
        return submit(self.platform, self.ledger, connection, request, ORIGIN, confirmation)

    def spent(self, connection=PURSE):
        with self.ledger.transaction() as db:
            return spending.spent_this_month(db, connection)

    def ended(self, job):
        until(lambda: self.platform.job(self.project.id, job.id).state.ended, "the job has ended")


@pytest.fixture
def shop(qgis_app, engine_alone, tmp_path):
    QgsSettings().remove("up42_jobs")
    engine_alone.practice().come_to_rest()
    yield Shop(engine_alone, Ledger(tmp_path / "ledger.sqlite"))
    QgsSettings().remove("up42_jobs")


class Here:
    id = PURSE


def jobs_of(shop):
    return len(list(shop.platform.jobs(shop.project)))


def test_a_job_above_the_cap_per_job_is_not_sent(shop):
    request = shop.request()
    price, before = shop.price(request), jobs_of(shop)
    shop.settings.job_cap = price - 1
    with pytest.raises(OverCap, match="cap per job"):
        shop.buy(request)
    assert jobs_of(shop) == before
    assert shop.ledger.intents(PURSE) == []
    shop.settings.job_cap = price
    assert shop.buy(request)


def test_a_month_stops_at_its_cap(shop):
    requests = [shop.request() for _ in range(3)]
    prices = [shop.price(request) for request in requests]
    shop.settings.month_cap = sum(prices) - 1
    shop.buy(requests[0])
    shop.buy(requests[1])
    assert shop.spent() == sum(prices[:2])
    with pytest.raises(OverCap, match="per month"):
        shop.buy(requests[2])
    assert shop.spent() == sum(prices[:2])


def test_what_was_charged_counts_in_place_of_what_was_confirmed(shop):
    request = shop.request()
    confirmed = Confirmation(request.fingerprint, shop.price(request) + 40)
    job = shop.buy(request, confirmed)
    assert shop.spent() == confirmed.max_credits
    shop.ended(job)
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    assert shop.spent() == shop.platform.credits_used(job) < confirmed.max_credits


def test_the_purses_of_practice_and_of_real_money_are_two(shop):
    shop.buy(shop.request())
    assert shop.spent() > 0
    assert shop.spent("server") == 0


def test_last_month_does_not_count(shop, monkeypatch):
    shop.buy(shop.request())
    assert shop.spent() > 0
    with shop.ledger.transaction() as db:
        last_month = spending.month_begin(time.time()) - 1
        db.execute("UPDATE entry SET begun = ?", (last_month,))
    assert shop.spent() == 0


def test_a_month_begins_at_its_first_midnight_in_utc():
    begin = spending.month_begin(datetime(2026, 3, 1, 0, 0, 1, tzinfo=timezone.utc).timestamp())
    assert begin == datetime(2026, 3, 1, tzinfo=timezone.utc).timestamp()
    end = spending.month_begin(datetime(2026, 2, 28, 23, 59, 59, tzinfo=timezone.utc).timestamp())
    assert end == datetime(2026, 2, 1, tzinfo=timezone.utc).timestamp()


def test_an_unknown_price_can_not_be_kept_below_a_cap():
    assert spending.refusal(Caps(), None, 0) == ""
    assert "unknown" in spending.refusal(Caps(per_job=5), None, 0)
    assert "unknown" in spending.refusal(Caps(per_month=5), None, 0)


def test_many_at_once_do_not_pass_the_cap_together(shop):
    """As two QGIS would: each on a ledger object of its own."""
    requests = [shop.request() for _ in range(8)]
    confirmations = [shop.confirmed(request) for request in requests]
    shop.settings.month_cap = sum(c.max_credits for c in confirmations[:3])
    path, bought_jobs, refused = shop.ledger._path, [], []

    def buy(request, confirmation):
        try:
            bought_jobs.append(submit(shop.platform, Ledger(path), PURSE, request, ORIGIN, confirmation))
        except OverCap as e:
            refused.append(e)

    threads = [threading.Thread(target=buy, args=pair) for pair in zip(requests, confirmations)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bought_jobs) + len(refused) == 8
    assert shop.spent() <= shop.settings.month_cap
    assert len(bought_jobs) == 3


def test_the_same_request_is_not_bought_twice_unless_that_was_said(shop):
    request = shop.request()
    job = shop.buy(request)
    with pytest.raises(bought.AlreadyBought) as refused:
        shop.buy(request)
    assert refused.value.before.job == job.id
    again = shop.buy(request, shop.confirmed(request, again=True))
    assert again.id != job.id


def test_what_a_second_connection_to_the_same_server_bought_is_known(shop):
    urls = {"here": "https://jobs.example/", "there": "https://Jobs.example", "elsewhere": "https://jobs.example/other"}
    write_servers([Server(name, url, id=name) for name, url in urls.items()])
    request = shop.request()
    job = shop.buy(request, connection="here")
    with shop.ledger.transaction() as db:
        assert bought.find(db, "there", request.fingerprint).job == job.id
        assert bought.find(db, "elsewhere", request.fingerprint) is None
        assert bought.find(db, PURSE, request.fingerprint) is None
    with pytest.raises(bought.AlreadyBought):
        shop.buy(request, connection="there")


def test_one_confirmation_is_one_job(shop):
    request = shop.request()
    confirmation = shop.confirmed(request, again=True)
    shop.buy(request, confirmation)
    with pytest.raises(NotConfirmed, match="used already"):
        shop.buy(request, confirmation)


def test_a_job_that_failed_was_not_bought(shop):
    request = shop.request()
    job = shop.buy(request)
    shop.ledger.note_told(PURSE, job.id, "failed")
    assert shop.buy(request).id != job.id


class Cut:
    """A platform whose line is cut at the submit, right after it (`made`) or before."""

    def __init__(self, platform, made):
        self._platform, self._made, self._cut = platform, made, False

    def __getattr__(self, name):
        return getattr(self._platform, name)

    def submit(self, request):
        self._cut = True
        if self._made:
            self._platform.submit(request)
        raise Unreachable("cut")

    def jobs(self, project):
        raise Unreachable("cut")


def forgotten_submit(shop, made):
    """The user has chosen Forget for a submit whose answer was lost. Gives its request and what was confirmed."""
    request = shop.request().named(f"Lost {uuid.uuid4()}")
    confirmed = Confirmation(request.fingerprint, shop.price(request) + 40)
    with pytest.raises(Unconfirmed):
        submit(Cut(shop.platform, made), shop.ledger, PURSE, request, ORIGIN, confirmed)
    (intent,) = shop.ledger.intents(PURSE)
    forget(shop.ledger, intent.id)
    assert shop.ledger.intents(PURSE) == []
    return request, confirmed.max_credits


def test_a_forgotten_submit_counts_until_its_month_is_over(shop, monkeypatch):
    request, confirmed = forgotten_submit(shop, made=False)
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    assert shop.spent() == confirmed
    shop.settings.month_cap = confirmed + shop.price(request) - 1
    with pytest.raises(OverCap, match="per month"):
        shop.buy(request)
    shop.settings.month_cap = confirmed + shop.price(request)
    until(lambda: all(job.state.ended for job in shop.platform.jobs(shop.project)), "there is room for it")
    shop.buy(request)  # else it can be run again: that is what was forgotten for
    shop.settings.month_cap = None
    next_month = spending.month_begin(time.time()) + 32 * 86_400
    monkeypatch.setattr(time, "time", lambda: next_month)
    assert shop.spent() == 0


def test_a_forgotten_submit_whose_job_is_found_costs_what_that_has_cost(shop):
    request, confirmed = forgotten_submit(shop, made=True)
    job = next(job for job in shop.platform.jobs(shop.project) if job.name == request.name)
    assert shop.spent() == confirmed
    shop.ended(job)
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    assert job.id in shop.ledger.entries(PURSE)
    assert shop.spent() == shop.platform.credits_used(job) < confirmed
    with pytest.raises(bought.AlreadyBought):
        shop.buy(request)


def test_the_job_of_a_second_submit_is_not_taken_for_the_forgotten_one(shop):
    request, confirmed = forgotten_submit(shop, made=False)
    with pytest.raises(Unconfirmed):
        submit(Cut(shop.platform, True), shop.ledger, PURSE, request, ORIGIN, shop.confirmed(request))
    (second,) = shop.ledger.intents(PURSE)
    jobs = list(shop.platform.jobs(shop.project))
    assert not find_again(shop.ledger, PURSE, jobs, shop.ledger.entries(PURSE))  # the second may be its maker
    take_snapshot(shop.platform, shop.ledger, Here, shop.project, None)
    (entry,) = shop.ledger.entries(PURSE).values()
    assert entry.confirmation == second.confirmation
    assert shop.spent() >= confirmed


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1.0])
def test_what_is_no_amount_of_credits_confirms_nothing(shop, amount):
    request = shop.request()
    with pytest.raises(NotConfirmed):
        shop.buy(request, Confirmation(request.fingerprint, amount))
    assert shop.spent() == 0


def test_a_script_s_jobs_that_would_pass_a_cap_together_are_not_sent_at_all(shop):
    wanted = [Wanted(shop.request(), fid) for fid in range(3)]
    shop.settings.month_cap = sum(shop.price(one.request) for one in wanted) - 1
    before = jobs_of(shop)
    with pytest.raises(OverCap, match="per month"):
        submit_all(shop.platform, shop.ledger, PURSE, wanted, Allowance(1e6), Cancel())
    assert jobs_of(shop) == before
    shop.settings.month_cap = None
    until(lambda: all(job.state.ended for job in shop.platform.jobs(shop.project)), "there is room for three")
    assert len(submit_all(shop.platform, shop.ledger, PURSE, wanted, Allowance(1e6), Cancel()).jobs) == 3


def test_a_script_s_maximum_that_is_no_number_allows_nothing(shop):
    with pytest.raises(NotConfirmed):
        submit_all(shop.platform, shop.ledger, PURSE, [Wanted(shop.request())], Allowance(float("nan")), Cancel())
    assert shop.spent() == 0
