"""Watched searches on the real engine: what is new, when they look by themselves, and what is left after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from shapely.geometry import box

from up42_jobs.plugin.host.connections import Connections
from up42_jobs.plugin.host.journey import read_catalogue
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.network import make_session
from up42_jobs.plugin.host.records import Offer
from up42_jobs.plugin.host.watch_store import WatchStore
from up42_jobs.plugin.host.watches import Watches, day, new_in_words
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.net.cancel import Cancel

SMALL = Aoi(box(13.37, 52.50, 13.39, 52.51), "Small")
FIRST_OF_MARCH = 1709251200.0  # 2024-03-01 in UTC
HOUR, DAY = 3600.0, 86400.0
PATIENCE_MS = 60_000


class Clock:
    """A time that stands until it is moved."""

    def __init__(self):
        self.now = FIRST_OF_MARCH + DAY / 2

    def __call__(self):
        return self.now


class Session:
    """One QGIS session's watches."""

    def __init__(self, qtbot, folder, engine, clock):
        self.qtbot, self.works = qtbot, Works()
        self.connections = Connections(engine, make_session)
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.watches = Watches(self.works, self.connections, self.ledger, clock)
        self.noticed, self.refused = [], []
        self.watches.noticed.connect(self.noticed.append)
        self.watches.refused.connect(self.refused.append)

    def until(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)
        assert not self.refused

    def add(self, request, connection_id="this-computer"):
        """Watch it, and wait for the first look."""
        ids = []
        self.watches.add(self.connections.by_id(connection_id), request, ids.append)
        self.until(lambda: ids)
        self.until_looked()
        return ids[0]

    def until_looked(self):
        self.until(lambda: not any(map(self.watches.looks, self.watches.all)))

    def look(self):
        self.watches.look(self.watches.all)
        self.until_looked()

    def look_where_due(self):
        """True where there was something to look at."""
        self.watches.look_where_due()
        looked = any(map(self.watches.looks, self.watches.all))
        self.until_looked()
        return looked

    def close(self):
        self.watches.stop()
        self.works.stop()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def start(qtbot, tmp_path, engine, clock):
    sessions = []

    def start():
        sessions.append(Session(qtbot, tmp_path, engine, clock))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


@pytest.fixture
def demo(engine):
    """A search of the demo scenes of February 2024, under 60 % cloud."""
    connections = Connections(engine, make_session)
    catalogue = read_catalogue(connections, connections.by_id("this-computer"), Cancel())
    workflow = next(w for w in catalogue.workflows if w.name == "Demo Imagery")
    task = workflow.data_task.name
    request = JobRequest(catalogue.project, workflow, JobType.TEST_QUERY, SMALL, name="Small · Demo Imagery")
    request = replace(request, parameters=parameters.defaults(workflow))
    request = request.with_parameter(task, "time", "2024-02-01T00:00:00Z/2024-02-10T23:59:59Z")
    return request.with_parameter(task, "max_cloud_cover", 60)


def test_what_there_is_at_first_is_not_new_and_what_comes_later_is_until_it_is_seen(start, demo, clock):
    session = start()
    session.add(demo)
    (watch,) = session.watches.all
    assert (watch.looked, watch.since, watch.fresh) == (clock.now, clock.now, ())
    assert watch.seen  # past the end of the dates that were asked for: they go on to the day of the look
    assert not session.watches.errors
    clock.now += 40 * DAY
    session.look()
    (watch,) = session.watches.all
    assert len(watch.fresh) > 1
    assert not {scene.id for scene in watch.fresh} & set(watch.seen)
    assert all(FIRST_OF_MARCH - DAY < scene.acquired_at.timestamp() < clock.now for scene in watch.fresh)
    assert all(scene.cloud_cover <= 60 for scene in watch.fresh)
    assert new_in_words(watch) == f"{len(watch.fresh)} new scenes under 60 % cloud since 1 March 2024"
    this_year = datetime(datetime.now().year, 3, 12, 12)
    assert day(this_year.timestamp()) == "12 March"
    assert not session.noticed  # whoever looks sees it
    session.watches.mark_seen(watch)
    session.until(lambda: not session.watches.all[0].fresh)
    assert session.watches.all[0].since == clock.now
    session.look()
    assert session.watches.all[0].fresh == ()


def test_it_looks_at_its_interval_and_tells_of_several_in_one_message_once(start, demo, clock):
    session = start()
    session.add(demo)
    session.add(demo.named("Other"))
    assert not session.look_where_due()  # when asked only
    for watch in session.watches.all:
        session.watches.set_hours(watch, 24.0)
    session.until(lambda: all(watch.hours == 24.0 for watch in session.watches.all))
    clock.now += DAY - HOUR
    assert not session.look_where_due()
    clock.now += 30 * DAY
    assert session.look_where_due()
    (notice,) = session.noticed
    assert "Small · Demo Imagery" in notice.text and "Other" in notice.text
    assert Offer.WATCHES in notice.offers
    assert not session.look_where_due()
    clock.now += DAY  # demo scenes come every five days: nothing that was not told already
    before = [watch.fresh for watch in session.watches.all]
    assert session.look_where_due()
    assert [watch.fresh for watch in session.watches.all] == before
    assert len(session.noticed) == 1


def test_a_restart_forgets_nothing_and_looks_where_it_is_time_to(start, demo, clock):
    first = start()
    first.add(demo)
    first.watches.set_hours(first.watches.all[0], 1.0)
    first.until(lambda: first.watches.all[0].hours)
    first.close()
    clock.now += 30 * DAY
    second = start()
    second.watches.begin()
    second.until(lambda: second.noticed)
    assert second.watches.all[0].fresh
    third = start()
    third.watches.begin()
    third.until(lambda: third.watches.all)
    assert third.watches.all == second.watches.all
    assert not any(map(third.watches.looks, third.watches.all))
    assert not third.noticed


def test_two_qgis_don_t_look_for_the_same(start, demo, clock):
    session = start()
    watch_id = session.add(demo)
    store, other = WatchStore(session.ledger), WatchStore(session.ledger)
    store.set_hours(watch_id, 1.0)
    clock.now += 2 * HOUR
    assert store.take(watch_id, clock.now, only_due=True) is not None
    assert other.take(watch_id, clock.now, only_due=True) is None
    assert other.take(watch_id, clock.now, only_due=False) is not None  # as the user asked


def test_a_watch_of_a_removed_connection_says_nothing_and_can_be_removed(start, demo, clock):
    session = start()
    WatchStore(session.ledger).add("gone", demo, clock.now)
    session.watches.begin()
    session.until(lambda: session.watches.all)
    (watch,) = session.watches.all
    assert session.watches.connection_of(watch) is None
    session.look()
    assert (session.watches.all, session.watches.errors) == ([watch], {})
    session.watches.remove(watch)
    session.until(lambda: not session.watches.all)


def test_a_server_is_asked_by_itself_only_after_its_connection_was_opened(
    start, demo, clock, silent_server, monkeypatch
):
    url, asked = silent_server
    monkeypatch.setenv("UP42_JOBS_URL", url)
    monkeypatch.setenv("UP42_JOBS_PROJECT_ID", "4d2f1c1e-0000-4000-8000-000000000000")
    monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", "made-up")
    session = start()
    store = WatchStore(session.ledger)
    store.set_hours(store.add("environment", demo, clock.now), 1.0)
    session.watches.begin()
    session.until(lambda: session.watches.all)
    assert not session.look_where_due()
    session.watches.connection_opened(session.connections.by_id("environment"))
    session.until_looked()
    assert session.watches.errors  # it is no platform
    assert not asked or all("project" in path or "oauth" in path for path in asked)
    assert not session.look_where_due()  # it waits before it tries again
    clock.now += HOUR
    assert session.look_where_due()


def test_a_workflow_that_is_gone_is_told_and_the_others_are_looked_at(start, demo, clock):
    session = start()
    gone = replace(demo, workflow=replace(demo.workflow, id="gone", name="Gone"))
    first, second = session.add(gone), session.add(demo)
    session.look()
    assert "Gone" in session.watches.errors[first]
    assert second not in session.watches.errors
    assert [bool(watch.looked) for watch in session.watches.all] == [False, True]


def test_a_search_that_finds_nothing_at_first_finds_later(start, demo, clock):
    """The engine refuses nothing: some data blocks end as failed where there is no scene."""
    session = start()
    data = demo.workflow.data_task.name
    session.add(demo.with_parameter(data, "time", "2024-03-01T00:00:00Z/2024-03-01T00:00:01Z"))
    assert not session.watches.errors
    clock.now += 30 * DAY
    session.look()
    assert session.watches.all[0].fresh


def test_a_damaged_ledger_is_left_to_be_told_elsewhere(start, clock):
    session = start()
    (session.ledger.folder / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    damaged = []
    session.watches.ledger_damaged.connect(lambda: damaged.append(True))
    session.watches.begin()
    session.until(lambda: damaged)
    assert not session.refused
