"""The queue of submits, on the real engine: bounded, remembered, nothing twice, nothing above what was confirmed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from qgis.core import QgsSettings
from shapely.geometry import box

from up42_jobs.plugin.host import spending
from up42_jobs.plugin.host.errors import NotConfirmed
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.queue_runner import Batch
from up42_jobs.plugin.host.queue_step import advance_project
from up42_jobs.plugin.host.queue_store import QueueStore, State
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.spending import OverCap
from up42_jobs.plugin.host.submit import Confirmation, submit
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.contract.engine_process import until

PURSE, SESSION, LATER = "practice", "session-1", "session-2"


class Queue:
    """Practice, a ledger, and different requests."""

    places = 0

    def __init__(self, engine, ledger):
        self.engine, self.ledger, self.store = engine, ledger, QueueStore(ledger)
        credentials = Credentials.project(engine.line["project_id"], engine.line["project_key"])
        self.platform = Up42Jobs(Session(), engine.line["url"], credentials, TokenStore(), has_credits=True)
        (self.project,) = self.platform.projects()
        self.workflow = next(w for w in self.platform.workflows(self.project) if w.tasks[0].name == "demo-s2-l2a:1")
        self.before = {job.id for job in self.platform.jobs(self.project)}

    def request(self, size=0.005, geometric_filter=GeometricFilter.INTERSECTS):
        Queue.places += 1
        west = 20 + 0.02 * Queue.places
        aoi = Aoi(box(west, 50, west + size, 50 + size), f"Place {Queue.places}")
        values = parameters.defaults(self.workflow)
        name = f"job {Queue.places}"
        return JobRequest(
            self.project, self.workflow, aoi=aoi, geometric_filter=geometric_filter, parameters=values, name=name
        )

    def ordered(self, count):
        requests = [self.request() for _ in range(count)]
        return [(r, Confirmation(r.fingerprint, self.platform.estimate(r).credits.max)) for r in requests]

    def add(self, ordered, session=SESSION):
        return self.store.add(PURSE, ordered, Origin("/maps/a.qgz", "token"), session)

    def step(self, session=SESSION):
        items = [i for i in self.store.all() if i.session == session and not i.state.over]
        advance_project(self.platform, self.ledger, self.project.id, items, Cancel())

    def states(self):
        return [item.state for item in self.store.all()]

    def jobs(self):
        """Those that were made since this test began, oldest first."""
        return [job for job in self.platform.jobs(self.project) if job.id not in self.before][::-1]

    def finished(self):
        until(lambda: all(job.state.ended for job in self.platform.jobs(self.project)), "all jobs have ended", 60)

    def at_once(self, count):
        self.engine.practice().at_once(count)


@pytest.fixture
def queue(qgis_app, engine_alone, tmp_path):
    QgsSettings().remove("up42_jobs")
    queue = Queue(engine_alone, Ledger(tmp_path / "ledger.sqlite"))
    queue.at_once(10)
    yield queue
    queue.at_once(10)
    QgsSettings().remove("up42_jobs")


def test_five_are_sent_two_at_a_time_in_order_and_once_each(queue):
    queue.finished()
    queue.at_once(2)
    ordered = queue.ordered(5)
    queue.add(ordered)
    most = 0
    while not all(state.over for state in queue.states()):
        queue.step()
        most = max(most, sum(not job.state.ended for job in queue.jobs()))
        queue.finished()
    assert most <= 2
    assert queue.states() == [State.DONE] * 5
    assert [job.name for job in queue.jobs()] == [request.name for request, _ in ordered]
    assert {e.confirmation for e in queue.ledger.entries(PURSE).values()} == {c.id for _, c in ordered}


def test_a_job_that_fails_is_told_and_the_others_go_on(queue):
    good, bad = queue.ordered(2), queue.request(0.08, GeometricFilter.CONTAINS)
    bad = bad.with_parameter("demo-s2-l2a:1", "time", "2017-01-01T00:00:00Z/2017-01-01T01:00:00Z")
    queue.add([good[0], (bad, Confirmation(bad.fingerprint, queue.platform.estimate(bad).credits.max)), good[1]])
    while not all(state.over for state in queue.states()):
        queue.step()
        queue.finished()
    assert queue.states() == [State.DONE, State.FAILED, State.DONE]
    assert len(queue.jobs()) == 3
    queue.step()
    assert len(queue.jobs()) == 3


def test_what_waits_counts_as_spent_and_not_twice_when_it_is_sent(queue):
    ordered = queue.ordered(3)
    total = sum(confirmation.max_credits for _, confirmation in ordered)
    queue.add(ordered)

    def spent():
        with queue.ledger.transaction() as db:
            return spending.spent_this_month(db, PURSE)

    assert spent() == total
    queue.step()
    assert spent() == total
    with queue.ledger.transaction() as db:
        assert spending.may_still_take(db, PURSE) == total


def test_a_batch_that_would_pass_a_cap_is_not_queued_at_all(queue):
    ordered = queue.ordered(3)
    Settings().month_cap = sum(confirmation.max_credits for _, confirmation in ordered) - 1
    with pytest.raises(OverCap):
        queue.add(ordered)
    assert queue.store.all() == []


def test_a_confirmation_of_something_else_is_not_queued(queue):
    (request, confirmation), (other, _) = queue.ordered(2)
    with pytest.raises(NotConfirmed):
        queue.add([(request, confirmation), (other, confirmation)])
    assert queue.store.all() == []


def test_after_a_restart_nothing_is_sent_until_it_is_continued(queue):
    batch = queue.add(queue.ordered(2))
    queue.step(LATER)
    assert queue.jobs() == []
    queue.store.take_over(batch, SESSION, LATER)
    queue.step(LATER)
    assert len(queue.jobs()) == 2


def test_a_batch_is_continued_by_one_session_only(queue):
    batch = queue.add(queue.ordered(1))
    queue.store.take_over(batch, SESSION, LATER)
    queue.store.take_over(batch, SESSION, "a third")
    assert [item.session for item in queue.store.all()] == [LATER]


def test_a_price_that_rose_while_it_waited_stops_that_one(queue):
    cheap, dear = queue.ordered(2)
    with_less = (dear[0], replace(dear[1], max_credits=dear[1].max_credits - 1))
    queue.add([with_less, cheap])
    queue.step()
    assert queue.states() == [State.STOPPED, State.RUNNING]
    assert "has risen" in queue.store.all()[0].reason
    assert [job.name for job in queue.jobs()] == [cheap[0].name]


def test_a_discarded_batch_is_never_sent(queue):
    queue.store.discard(queue.add(queue.ordered(2)))
    queue.step()
    assert queue.jobs() == []


def test_two_sessions_that_look_at_the_same_moment_send_each_once(queue):
    """The second has read the table before the first took it over and sent it all."""
    batch = queue.add(queue.ordered(2))
    seen_before = queue.store.all()
    queue.store.take_over(batch, SESSION, LATER)
    queue.step(LATER)
    advance_project(queue.platform, queue.ledger, queue.project.id, seen_before, Cancel())
    assert len(queue.jobs()) == 2
    assert queue.states() == [State.RUNNING] * 2


def test_what_was_bought_meanwhile_is_not_bought_again(queue):
    ((request, confirmation),) = queue.ordered(1)
    queue.add([(request, confirmation)])
    again = Confirmation(request.fingerprint, confirmation.max_credits)
    submit(queue.platform, queue.ledger, PURSE, request, Origin("", ""), again)
    queue.step()
    assert queue.states() == [State.STOPPED]
    assert len(queue.jobs()) == 1


def test_a_workflow_that_changed_while_it_waited_is_not_run(queue):
    ((request, confirmation),) = queue.ordered(1)
    queue.add([(request, confirmation)])
    with queue.ledger.transaction() as db:
        db.execute("UPDATE queued SET fingerprint = 'of another version of a block'")
    queue.step()
    assert queue.states() == [State.STOPPED]
    assert queue.jobs() == []


def test_a_killed_qgis_leaves_what_it_was_sending_to_be_found_out(queue):
    ((request, confirmation),) = queue.ordered(1)
    queue.add([(request, confirmation)])
    (item,) = queue.store.all()

    class Killed(BaseException):
        """As power that fails right after the POST."""

    class Dying:
        capabilities = queue.platform.capabilities

        def __getattr__(self, name):
            return getattr(queue.platform, name)

        def submit(self, sent):
            queue.platform.submit(sent)
            raise Killed

    with pytest.raises(Killed):
        submit(Dying(), queue.ledger, PURSE, request, item.origin, item.agreed, queue.store.claim(item))
    assert queue.states() == [State.SENDING]
    queue.step()
    assert queue.states() == [State.SENDING]
    assert len(queue.jobs()) == 1
    (intent,) = queue.ledger.intents(PURSE)
    queue.ledger.settle(intent.id, queue.jobs()[0].id)  # as the tracker does
    queue.step()
    assert queue.states() == [State.RUNNING]
    assert len(queue.jobs()) == 1


def test_too_many_jobs_is_no_failure(queue):
    queue.finished()
    queue.at_once(1)
    with others_job(queue):
        queue.add(queue.ordered(1))
        queue.step()
        assert queue.states() == [State.WAITING]
        items = queue.store.all()
        room_seen_too_late = replace(queue.project, max_concurrent_jobs=10)

        class Stale:
            """Its project's settings were read before they changed."""

            capabilities = queue.platform.capabilities

            def __getattr__(self, name):
                return getattr(queue.platform, name)

            def projects(self):
                return [room_seen_too_late]

        advance_project(Stale(), queue.ledger, queue.project.id, items, Cancel())
        assert queue.states() == [State.WAITING]
    queue.step()
    assert queue.states() == [State.RUNNING]


@contextmanager
def others_job(queue):
    """A long job of somebody else is under way."""
    job = queue.platform.submit(queue.request(0.1).with_parameter("demo-s2-l2a:1", "limit", 10))
    yield
    queue.platform.cancel(job)
    queue.finished()


def test_a_batch_tells_what_it_may_still_cost(queue):
    ordered = queue.ordered(2)
    queue.add(ordered)
    batch = Batch("b", PURSE, tuple(queue.store.all()), paused=True)
    assert batch.most == sum(confirmation.max_credits for _, confirmation in ordered)
    assert batch.priced
    assert not batch.over
