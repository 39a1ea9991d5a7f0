"""A thousand tries to spend without a matching confirmation; a platform with honest books tells whether one succeeded.

A matching confirmation is one for exactly these inputs, at a maximum not below the price, that bought nothing else.
The books are the server's, the tries go through the plugin's own submit, queue and scripts, over HTTP. What no client
can know is left out: a price that rises between its last estimate and the POST.
"""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, replace
from typing import Callable, Optional

import pytest
from qgis.core import QgsSettings
from shapely.geometry import box

from up42_jobs.plugin.host.errors import HostError
from up42_jobs.plugin.host.forgotten import forget
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.poll import take_snapshot
from up42_jobs.plugin.host.queue_step import advance_project
from up42_jobs.plugin.host.queue_store import QueueStore, State
from up42_jobs.plugin.host.script_submit import Allowance, Wanted, submit_all
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.submit import Confirmation, submit
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.net import retry
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.contract import PlatformError
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs

from .money_server import DATA, KEY, PROJECT, MoneyServer, Sale

TRIES = 1000
CONNECTION = "server"
CREATE = "/jobs"
ORIGIN = Origin("/maps/a.qgz", "token")
CREDENTIALS = Credentials.project(PROJECT, KEY)


class Killed(BaseException):
    """QGIS was killed at this point."""


@dataclass
class Consent:
    """The user has agreed to one job of these inputs for at most so many credits (None: at an unknown price)."""

    inputs: str
    most: Optional[float]
    used: bool = False


class World:
    """A profile, a platform and a user, who agrees now and then; and all who try to spend more than that."""

    def __init__(self, server: MoneyServer, folder, seed: int) -> None:
        self.server, self.folder, self.dice = server, folder, random.Random(seed)
        self.tokens, self.places, self.sessions = TokenStore(), 0, 0
        self.consents: list[Consent] = []
        self.tries = self.bought = 0
        self.seen = len(server.sales)
        self.script_sales: set[str] = set()
        self.month_begins = self.seen
        (self.project,) = self.platform().projects()
        self.workflows = {w.id: w for w in self.platform().workflows(self.project)}
        self.restart()

    def restart(self) -> None:
        """All objects anew, as in another QGIS on the same profile."""
        self.ledger = Ledger(self.folder / "ledger.sqlite")
        self.store = QueueStore(self.ledger)
        self.sessions += 1
        self.session = f"session-{self.sessions}"

    def platform(self) -> Up42Jobs:
        return Up42Jobs(Session(), self.server.url, CREDENTIALS, self.tokens, has_credits=True)

    def request(self, workflow: str = "") -> JobRequest:
        """One that nobody has asked for yet."""
        self.places += 1
        chosen = self.workflows[workflow or self.dice.choice(["plain", "sharp"])]
        west = 0.02 * self.places % 170
        aoi = Aoi(box(west, 40 + self.sessions % 30, west + 0.01, 40.01 + self.sessions % 30), f"Place {self.places}")
        values = parameters.defaults(chosen)
        request = JobRequest(self.project, chosen, aoi=aoi, parameters=values, name=f"job {self.places}")
        if chosen.needs_aoi:
            request = request.with_parameter(DATA, "limit", self.dice.randint(1, 5))
        return request

    def price(self, request: JobRequest) -> float:
        return self.platform().estimate(request).credits.max

    def agree(self, request: JobRequest, most: Optional[float], again: bool = False) -> Confirmation:
        """The user confirms exactly this."""
        self.consents.append(Consent(json.dumps(request.inputs, sort_keys=True), most))
        return Confirmation(request.fingerprint, most, again=again)

    def submit(self, request: JobRequest, confirmation: Optional[Confirmation], platform=None) -> bool:
        """One try; True where it was taken for a success."""
        self.tries += 1
        try:
            submit(platform or self.platform(), self.ledger, CONNECTION, request, ORIGIN, confirmation)
        except (HostError, PlatformError):
            return False
        return True

    def at_once(self, *tries: Callable[[], object]) -> None:
        """All of them in the same moment."""
        start = threading.Barrier(len(tries))

        def run(one: Callable[[], object]) -> None:
            start.wait()
            one()

        threads = [threading.Thread(target=run, args=(one,)) for one in tries]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def step(self, session: str = "", items: Optional[list] = None) -> None:
        """One step of a session's queue."""
        self.tries += 1
        session = session or self.session
        mine = [i for i in self.store.all() if i.session == session and not i.state.over] if items is None else items
        try:
            advance_project(self.platform(), self.ledger, self.project.id, mine, Cancel())
        except (HostError, PlatformError):
            return

    def poll(self) -> None:
        """As the tracker does."""

        class Here:
            id = CONNECTION

        take_snapshot(self.platform(), self.ledger, Here, self.project, None)

    def forget(self) -> None:
        """The user decides that what is unconfirmed became no job."""
        for intent in self.ledger.intents(CONNECTION):
            forget(self.ledger, intent.id)

    def new_sales(self) -> list[Sale]:
        sales, self.seen = self.server.sales[self.seen :], len(self.server.sales)
        return sales

    def check(self) -> None:
        """Each new sale has a consent of its own."""
        for sale in self.new_sales():
            consent = self._consent_for(sale)
            assert consent is not None, f"bought without a matching confirmation: {sale}"
            consent.used = True
            self.bought += 1

    def _consent_for(self, sale: Sale) -> Optional[Consent]:
        unused = [consent for consent in self.consents if not consent.used and consent.inputs == sale.inputs]
        fitting = [consent for consent in unused if consent.most is None or sale.price <= consent.most]
        return min(fitting, key=lambda consent: consent.most or 0, default=None)


@pytest.fixture(scope="module")
def server():
    with MoneyServer() as server:
        yield server


@pytest.fixture(autouse=True)
def no_caps(qgis_app):
    QgsSettings().remove("up42_jobs")
    yield
    QgsSettings().remove("up42_jobs")


# Each attack is one story with a few tries. The user agrees to what `agree` says, and to nothing else.


def without_a_confirmation(world: World) -> None:
    request = world.request()
    world.submit(request, None)
    other = world.request()
    world.submit(request, Confirmation(other.fingerprint, 1e6))
    world.submit(request, Confirmation("", 1e6))


def edited_after_the_confirmation(world: World) -> None:
    """By timing: what is sent is not what the estimate and the question were about."""
    request = world.request("plain")
    confirmation = world.agree(request, world.price(request))
    limit = request.parameters[DATA]["limit"]
    edits = [
        request.with_parameter(DATA, "limit", limit + world.dice.randint(1, 9)),
        request.with_parameter(DATA, "ids", ["another"]),
        request.with_parameter(DATA, "time", "2020-01-01T00:00:00Z/2020-12-31T23:59:59Z"),
        replace(request, aoi=world.request().aoi),
        replace(request, workflow=world.workflows["sharp"]),
        replace(request, parameters={}),
    ]
    world.dice.shuffle(edits)
    for edited in edits[:3]:
        world.submit(edited, confirmation)
    if world.dice.random() < 0.5:
        world.submit(request, confirmation)
        world.submit(edits[0], confirmation)


def a_price_that_rises(world: World) -> None:
    request = world.request()
    confirmation = world.agree(request, world.price(request))
    before, world.server.rate = world.server.rate, world.server.rate * world.dice.choice([1.2, 2, 50])
    world.submit(request, confirmation)
    world.submit(request, confirmation)
    world.server.rate = before


def a_nervous_hand(world: World) -> None:
    """Double click and keyboard: the same confirmation several times at once, also from two QGIS."""
    request = world.request()
    confirmation = world.agree(request, world.price(request), again=world.dice.random() < 0.5)
    ledger = Ledger(world.folder / "ledger.sqlite")

    def click() -> None:
        world.submit(request, confirmation)

    def click_elsewhere() -> None:
        world.tries += 1
        try:
            submit(world.platform(), ledger, CONNECTION, request, ORIGIN, confirmation)
        except (HostError, PlatformError):
            return

    world.at_once(click, click_elsewhere, click)


def a_confirmation_used_again(world: World) -> None:
    request = world.request()
    confirmation = world.agree(request, world.price(request))
    world.submit(request, confirmation)
    if world.dice.random() < 0.3:
        world.poll()
    if world.dice.random() < 0.3:
        world.restart()
    world.submit(request, confirmation)
    world.submit(request, replace(confirmation, again=True))
    world.submit(request.named("another name"), confirmation)


def the_same_bought_again_unsaid(world: World) -> None:
    """Duplicate: the second confirmation did not say that it is the second."""
    request = world.request()
    world.submit(request, world.agree(request, world.price(request)))
    world.submit(request, Confirmation(request.fingerprint, 1e6))
    if world.dice.random() < 0.5:
        world.submit(request, world.agree(request, world.price(request), again=True))
        world.submit(request, Confirmation(request.fingerprint, 1e6))


def lost_answers(world: World) -> None:
    request = world.request()
    confirmation = world.agree(request, world.price(request))
    lost: list[str] = []
    all_after_it = world.dice.random() < 0.5

    def lose(what: str) -> bool:
        if what.startswith("POST") and what.endswith(CREATE):
            lost.append(what)
        return bool(lost) and (all_after_it or (what.endswith(CREATE) and what.startswith("POST")))

    which = world.dice.choice(["lose_request", "lose_answer"])
    setattr(world.server, which, lose)
    world.submit(request, confirmation)
    if world.dice.random() < 0.3:
        world.submit(request, confirmation)
    world.server.calm()
    if world.dice.random() < 0.5:
        world.restart()
    world.submit(request, confirmation)
    world.submit(request, Confirmation(request.fingerprint, 1e6))
    world.poll()
    world.submit(request, Confirmation(request.fingerprint, 1e6) if world.ledger.intents(CONNECTION) else None)
    if world.dice.random() < 0.5:
        world.forget()
        world.submit(request, None)
        world.submit(request, world.agree(request, world.price(request), again=True))
    world.forget()


def killed_in_the_middle(world: World) -> None:
    """Restart: QGIS dies right before or right after the POST, or while its intent is written."""
    request = world.request()
    confirmation = world.agree(request, world.price(request))
    real, when = world.platform(), world.dice.choice(["before", "after"])

    class Dying:
        capabilities = real.capabilities

        def __getattr__(self, name):
            return getattr(real, name)

        def submit(self, sent):
            if when == "after":
                real.submit(sent)
            raise Killed

    with pytest.raises(Killed):
        world.submit(request, confirmation, Dying())
    # Killed means that nothing more is written: the intent stays as it was.
    world.restart()
    world.submit(request, confirmation)
    world.submit(request, Confirmation(request.fingerprint, 1e6))
    for intent in world.ledger.intents(CONNECTION):
        world.ledger.mark_lost(intent.id)
    world.poll()
    world.submit(request, confirmation)
    world.forget()


def a_queue_after_a_restart(world: World) -> None:
    requests = [world.request() for _ in range(world.dice.randint(1, 3))]
    earlier = world.session
    batch = world.store.add(CONNECTION, [(r, world.agree(r, world.price(r))) for r in requests], ORIGIN, earlier)
    if world.dice.random() < 0.3:
        world.step()
    stale = world.store.all()
    world.restart()
    unsent = [item for item in world.store.all() if item.batch == batch and item.state is State.WAITING]
    sales = len(world.server.sales)
    world.step()
    world.step(items=[replace(item, session=world.session) for item in unsent])
    assert len(world.server.sales) == sales, "a paused queue was sent without Continue"
    way = world.dice.choice(["continue", "discard", "both sessions", "price rises", "tampered name"])
    if way == "discard":
        world.store.discard(batch)
        world.step(earlier, stale)
        assert len(world.server.sales) == sales, "a discarded queue was sent"
        return
    world.store.take_over(batch, earlier, world.session)
    if way == "price rises":
        before, world.server.rate = world.server.rate, world.server.rate * 3
        world.step()
        world.server.rate = before
    elif way == "both sessions":
        world.at_once(lambda: world.step(earlier, stale), lambda: world.step(), lambda: world.step())
    else:
        world.step()
    world.step()
    world.step(earlier, stale)
    world.store.discard(batch)


def a_queue_with_losses(world: World) -> None:
    requests = [world.request() for _ in range(2)]
    world.store.add(CONNECTION, [(r, world.agree(r, world.price(r))) for r in requests], ORIGIN, world.session)
    count = [0]

    def lose(what: str) -> bool:
        count[0] += what.startswith("POST") and what.endswith(CREATE)
        return count[0] == 1

    setattr(world.server, world.dice.choice(["lose_request", "lose_answer"]), lose)
    world.step()
    world.server.calm()
    world.step()
    world.poll()
    world.step()
    for request in requests:
        world.submit(request, Confirmation(request.fingerprint, 1e6))
    world.forget()
    world.step()
    for batch in {item.batch for item in world.store.all()}:
        world.store.discard(batch)


def a_queue_of_what_was_not_agreed_to(world: World) -> None:
    request, other = world.request(), world.request()
    stored = world.request("stored").with_parameter("storage:1", "asset_ids", [f"queued-{world.places}"])
    for ordered in ([(request, Confirmation(other.fingerprint, 1e6))], [(request, None)], [(stored, None)]):
        world.tries += 1
        try:
            world.store.add(CONNECTION, ordered, ORIGIN, world.session)
        except HostError:
            continue
    world.step()
    twin = world.request()
    confirmation = world.agree(twin, world.price(twin))
    world.store.add(CONNECTION, [(twin, confirmation), (twin.named("twin"), confirmation)], ORIGIN, world.session)
    world.step()
    world.step()
    for batch in {item.batch for item in world.store.all()}:
        world.store.discard(batch)


def a_queue_beside_the_dock(world: World) -> None:
    """The same confirmation, or the same request, by both ways at once."""
    request = world.request()
    confirmation = world.agree(request, world.price(request))
    world.store.add(CONNECTION, [(request, confirmation)], ORIGIN, world.session)
    world.at_once(lambda: world.submit(request, confirmation), world.step)
    world.step()
    world.submit(request, confirmation)
    for batch in {item.batch for item in world.store.all()}:
        world.store.discard(batch)


def a_script(world: World) -> None:
    """One run buys at most what it was allowed in total, and nothing that it was not asked for."""
    requests = [world.request() for _ in range(world.dice.randint(1, 3))]
    total = sum(world.price(request) for request in requests)
    most = world.dice.choice([0.0, total - 1, total, total + 5, float("nan"), -1.0])
    rises = world.dice.random() < 0.2
    if rises:
        asked = [0]

        def rise() -> None:
            asked[0] += 1
            if asked[0] == len(requests):
                world.server.rate *= 2

        world.server.asked_price = rise
    before, sales = world.server.rate, len(world.server.sales)
    world.tries += 1
    try:
        wanted = [Wanted(request, fid) for fid, request in enumerate(requests)]
        submit_all(world.platform(), world.ledger, CONNECTION, wanted, Allowance(most), Cancel())
    except (HostError, PlatformError):
        pass  # nothing more is to be done: the books tell
    finally:
        world.server.asked_price, world.server.rate = (lambda: None), before
    paid = world.server.sales[sales:]
    assert not paid or sum(sale.price for sale in paid) <= most, "a script has spent more than it was allowed"
    for request in requests:
        world.agree(request, max(most, 0))
    world.check()
    for consent in world.consents:
        consent.used = True


def a_script_run_again(world: World) -> None:
    """Interrupted or not: what a script, the dock or the same list has bought is bought again on its word only."""
    request = world.request()
    price = world.price(request)
    confirmation = world.agree(request, price)

    def run(request: JobRequest, again: bool = False, times: int = 1) -> None:
        world.tries += 1
        try:
            wanted = [Wanted(request, fid) for fid in range(times)]
            submit_all(world.platform(), world.ledger, CONNECTION, wanted, Allowance(1e6, again=again), Cancel())
        except (HostError, PlatformError):
            return

    run(request, times=2)  # twice in one list: neither
    assert world.server.sales[world.seen :] == []
    if world.dice.random() < 0.3:
        world.submit(request, confirmation)
    else:
        world.at_once(lambda: run(request), lambda: run(request), lambda: run(request.named("another name")))
    if world.dice.random() < 0.5:
        world.restart()
    run(request)
    run(request.named("renamed"))
    world.submit(request, Confirmation(request.fingerprint, 1e6))
    if world.dice.random() < 0.5:
        world.agree(request, price)
        run(request, again=True)
        run(request)


def nonsense_for_money(world: World) -> None:
    request = world.request()
    for amount in (float("nan"), float("inf"), float("-inf"), -1.0, 0.0, None):
        world.submit(request, Confirmation(request.fingerprint, amount))


def an_unknown_price(world: World) -> None:
    request = world.request("stored")
    request = request.with_parameter("storage:1", "asset_ids", [f"asset-{world.places}-{world.sessions}"])
    world.submit(request, None)
    world.submit(request, Confirmation(request.fingerprint + "x", None))
    world.tries += 1
    try:
        submit_all(world.platform(), world.ledger, CONNECTION, [Wanted(request)], Allowance(1e6), Cancel())
    except HostError:
        Settings().job_cap = 1e6
    world.submit(request, Confirmation(request.fingerprint, None))  # a cap can't be kept for it
    Settings().job_cap = None
    confirmation = world.agree(request, None)
    world.submit(request, confirmation)
    world.submit(request, confirmation)


def above_a_cap(world: World) -> None:
    requests = [world.request() for _ in range(4)]
    prices = [world.price(request) for request in requests]
    if world.dice.random() < 0.5:
        Settings().job_cap = min(prices) - 1
        for request in requests:
            world.submit(request, Confirmation(request.fingerprint, 1e6))
        world.submit(requests[0], Confirmation(requests[0].fingerprint, prices[0]))
    else:
        with world.ledger.transaction() as db:
            from up42_jobs.plugin.host.spending import spent_this_month

            spent = spent_this_month(db, CONNECTION)
        Settings().month_cap = spent + sum(prices[:2])
        sales = len(world.server.sales)
        confirmations = [world.agree(request, price) for request, price in zip(requests, prices)]
        ways = [lambda r=r, c=c: world.submit(r, c) for r, c in zip(requests, confirmations)]
        world.at_once(*ways)
        paid = sum(sale.price for sale in world.server.sales[sales:])
        assert paid <= sum(prices[:2]), "together they have passed the cap of the month"
        for consent in world.consents[-4:]:
            consent.used = consent.inputs not in {sale.inputs for sale in world.server.sales[sales:]}
    Settings().job_cap = Settings().month_cap = None


def a_test_query_as_a_cover(world: World) -> None:
    """What was confirmed or run as a free Test Query is no Live Job."""
    request = world.request()
    query = request.of_type(JobType.TEST_QUERY)
    world.submit(query, None)
    world.submit(request, Confirmation(query.fingerprint, 1e6))
    world.submit(request, None)


ATTACKS = [
    without_a_confirmation,
    edited_after_the_confirmation,
    a_price_that_rises,
    a_nervous_hand,
    a_confirmation_used_again,
    the_same_bought_again_unsaid,
    lost_answers,
    killed_in_the_middle,
    a_queue_after_a_restart,
    a_queue_with_losses,
    a_queue_of_what_was_not_agreed_to,
    a_queue_beside_the_dock,
    a_script,
    a_script_run_again,
    nonsense_for_money,
    an_unknown_price,
    above_a_cap,
    a_test_query_as_a_cover,
]


@pytest.mark.timeout(150)
def test_none_of_a_thousand_tries_spends_without_a_matching_confirmation(server, tmp_path, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.001)  # lost answers to questions are asked again without a wait
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    tries = bought = stories = 0
    while tries < TRIES:
        folder = tmp_path / str(stories)
        folder.mkdir()
        world = World(server, folder, seed + stories)
        order = list(ATTACKS)
        dice.shuffle(order)
        for attack in order:
            attack(world)
            try:
                world.check()
            except AssertionError as e:
                pytest.fail(f"{attack.__name__} (seed {seed}): {e}")
        stories += 1
        tries, bought = tries + world.tries, bought + world.bought
    assert bought > tries / 20, "the tries were no tries: hardly anything can be bought here at all"
    print(f"{tries} tries, {bought} of {len(server.sales)} jobs bought with their confirmations")
