"""The tracker against a server on loopback: how much it asks, how it slows down, and what it makes of trouble."""

from __future__ import annotations

import json
import time

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtNetwork import QNetworkInterface
from qgis.PyQt.QtWidgets import QApplication, QWidget

from up42_jobs.plugin.desktop.job_words import outputs_word
from up42_jobs.plugin.host import followups
from up42_jobs.plugin.host.connections import Connection, Connections, Kind
from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.host.job_book import JobBook
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.network import make_session
from up42_jobs.plugin.host.poll import TASKS_ASKED_AT_ONCE, take_snapshot
from up42_jobs.plugin.host.records import Delivery
from up42_jobs.plugin.host.tracker import AFTER_SLEEP_MS, SLOWEST_MS, Tracker, is_offline
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs.job import JobState
from up42_jobs.plugin.jobs.workflow import Project
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, data, query, refusal, reply, token_reply

JOBS = f"/projects/{PROJECT}/jobs"
PAGE = 100
MINUTES, SPEED = 10, 120.0


def wire_job(number: int, status: str) -> dict:
    """Job 0 is the newest."""
    return {
        "id": f"j{number}",
        "status": status,
        "name": f"Job {number}",
        "mode": "DEFAULT",
        "inputs": {"esa-s2:1": {"limit": 2}},
        "createdAt": f"2026-{12 - number // 2000:02}-{28 - number // 100 % 20:02}T{23 - number % 24:02}:00:00Z",
        "workflowId": "w",
        "workflowName": "Flow",
    }


class Place:
    """A server with jobs, and a tracker that follows them."""

    def __init__(self, server: JobsServer, folder, speed: float, host: str = "127.0.0.1", **more) -> None:
        self.server, self.statuses = server, ["RUNNING"]
        server.on("GET", JOBS, self.page)
        self.ledger = Ledger(folder / "ledger.sqlite")
        credentials = Credentials.project(PROJECT, KEY)
        url = server.url.replace("127.0.0.1", host)
        self.connection = Connection("s", "Server", "", Kind.SERVER, False, url, credentials)
        self.project = Project(PROJECT, "P")
        self.works = Works()
        self.connections = Connections(LocalEngine(folder / "engine"), make_session)
        self.tracker = Tracker(self.works, self.connections, self.ledger, speed=speed, **more)
        self.snapshots, self.troubles = [], []
        self.tracker.polled.connect(lambda _connection, _project, snapshot: self.snapshots.append(snapshot))
        self.tracker.trouble.connect(lambda _connection, error: self.troubles.append(error))

    def page(self, request):
        first = int(query(request)["page"][0]) * PAGE
        shown = list(enumerate(self.statuses))[first : first + PAGE]
        return data([wire_job(number, status) for number, status in shown])

    def serve_tasks(self, states) -> None:
        """Each job has tasks in these states; the function gives them by the job's number."""
        for number in range(len(self.statuses)):
            self.server.on("GET", f"{JOBS}/j{number}/tasks", lambda _request, n=number: data(
                [{"id": f"t{n}-{i}", "name": f"block:{i}", "status": state} for i, state in enumerate(states(n))]
            ))  # fmt: skip

    def asked_tasks(self) -> list[str]:
        """The ids of the jobs whose tasks were asked for, in this order."""
        paths = [request.path for request in self.server.requests]
        return [path.split("/")[-2] for path in paths if path.endswith("/tasks")]

    def snapshot(self, before=None):
        """One poll, with tasks."""
        platform = self.connections.open(self.connection, Cancel())
        return take_snapshot(platform, self.ledger, self.connection, self.project, before, with_tasks=True)

    def own(self, numbers) -> None:
        """Write into the ledger that these jobs are ours."""
        with self.ledger.transaction() as db:
            db.executemany(
                "INSERT INTO entry (connection, job, project, request, project_file, token)"
                " VALUES (?, ?, ?, ?, '', 't')",
                [("s", f"j{number}", PROJECT, json.dumps({})) for number in numbers],
            )

    def watch(self) -> None:
        self.tracker.watch(self.connection, self.project)

    def close(self) -> None:
        self.tracker.stop()
        self.works.stop()
        self.connections.close()


@pytest.fixture
def make_place(qgis_app, tmp_path):
    places = []
    with JobsServer() as server:

        def make(speed: float = SPEED, **more) -> Place:
            places.append(Place(server, tmp_path, speed, **more))
            return places[-1]

        yield make
        for place in places:
            place.close()


def test_500_jobs_for_ten_minutes_cost_a_request_for_each_page_of_unfinished_ones(make_place, qtbot):
    place = make_place()
    place.statuses = ["RUNNING"] * 500 + ["SUCCEEDED"] * 700
    place.own(range(500))
    place.serve_tasks(lambda _number: ["RUNNING"])
    unfinished, expected = 500, []

    def polled(_connection, _project, snapshot):
        nonlocal unfinished
        expected.append((unfinished - 1) // PAGE + 1)
        assert len(snapshot.jobs) >= unfinished
        for job in snapshot.jobs:
            if job.state is JobState.FAILED:
                followups.claim_telling(place.ledger, "s", job.id, "failed")
        unfinished = sum(status == "RUNNING" for status in place.statuses)
        if len(expected) % 3 == 0 and unfinished > 40:
            place.statuses[unfinished - 40 : unfinished] = ["FAILED"] * 40
        else:
            return
        # those that have just ended are still waited for by the next poll

    place.tracker.polled.connect(polled)
    place.watch()
    qtbot.wait(int(MINUTES * 60_000 / SPEED))
    qtbot.waitUntil(lambda: len(expected) >= 20, timeout=60_000)  # on a busy machine a poll takes longer than its turn
    place.tracker.stop()
    polls = len(place.snapshots)
    pages = [snapshot.pages for snapshot in place.snapshots]
    print({"polls": polls, "pages": pages})
    assert 20 <= polls <= MINUTES * 60 / 3 + 1
    assert pages == expected
    asked = place.server.count("GET", JOBS)
    assert sum(expected) <= asked <= sum(expected) + 5  # one poll may be under way
    others = [r.path for r in place.server.requests if r.path != JOBS and not r.path.endswith("/tasks")]
    assert others == ["/oauth/token"]
    assert 0 < len(place.asked_tasks()) <= TASKS_ASKED_AT_ONCE * (polls + 1)
    assert pages[-1] < pages[0] == 5


def test_it_slows_down_to_a_minute_while_nothing_changes_and_asks_at_once_when_told(make_place, qtbot):
    place = make_place(speed=600)
    place.watch()
    qtbot.waitUntil(lambda: len(place.snapshots) >= 12, timeout=20_000)
    (watch,) = place.tracker._watches.values()
    assert watch._interval == SLOWEST_MS[False]
    place.tracker.refresh()
    assert watch._interval == 3000


def test_trouble_is_told_once_until_it_is_over(make_place, qtbot):
    place = make_place(speed=300)
    bad = [
        refusal(500, 500, "broken"),
        None,  # drops the connection
        reply(200, b"<html>garbage"),
        refusal(401, 401, "who are you"),
        refusal(429, 429, "too many"),
    ]
    place.server.on("GET", JOBS, *[answer for answer in bad for _try in range(2)], place.page)
    place.watch()
    qtbot.waitUntil(lambda: bool(place.snapshots), timeout=40_000)
    assert len(place.troubles) == 1
    place.server.on("GET", JOBS, refusal(500, 500, "broken"), place.page)
    place.tracker.refresh()
    qtbot.waitUntil(lambda: len(place.troubles) == 2, timeout=20_000)


def test_an_expired_token_is_renewed_without_a_word(make_place, qtbot):
    place = make_place(speed=300)
    place.server.on("POST", "/oauth/token", token_reply("first"), token_reply("second"))
    place.server.on("GET", JOBS, place.page, refusal(401, 401, "expired"), place.page)
    place.watch()
    qtbot.waitUntil(lambda: len(place.snapshots) >= 3, timeout=20_000)
    assert place.troubles == []
    assert place.server.count("POST", "/oauth/token") == 2


def test_an_unknown_status_is_kept_raw_and_followed_on(make_place, qtbot):
    place = make_place(speed=300)
    place.statuses = ["FROBNICATING"]
    place.own([0])
    place.watch()
    qtbot.waitUntil(lambda: len(place.snapshots) >= 3, timeout=20_000)
    (job,) = place.snapshots[-1].jobs
    assert (job.state, job.raw_status) == (JobState.UNKNOWN, "FROBNICATING")
    place.statuses = ["SUCCEEDED"]
    qtbot.waitUntil(lambda: place.snapshots[-1].jobs[0].state is JobState.SUCCEEDED, timeout=20_000)


def test_a_job_that_the_platform_no_longer_has_is_waited_for_no_longer(make_place, qtbot):
    place = make_place(speed=300)
    place.own([77])
    place.watch()
    qtbot.waitUntil(lambda: place.ledger.entry("s", "j77").told == "gone", timeout=20_000)


def test_a_project_that_left_the_screen_is_followed_while_jobs_of_ours_run_there(make_place, qtbot):
    place = make_place(speed=300)
    place.own([0])
    place.watch()
    qtbot.waitUntil(lambda: bool(place.snapshots), timeout=20_000)
    other = f"{PROJECT[:-1]}6"
    place.server.on("GET", f"/projects/{other}/jobs", data([]))
    place.tracker.watch(place.connection, Project(other, "Other"))
    count = len(place.snapshots)
    qtbot.waitUntil(lambda: sum(bool(s.jobs) for s in place.snapshots[count:]) >= 2, timeout=20_000)
    followups.claim_telling(place.ledger, "s", "j0", "failed")
    qtbot.waitUntil(lambda: len(place.tracker._watches) == 1, timeout=20_000)


def test_a_silent_server_does_not_hold_up_the_end(make_place, qtbot):
    place = make_place()
    place.server.on("GET", JOBS, lambda _request: place.server.stopped.wait(20) and None)
    place.watch()
    qtbot.waitUntil(lambda: place.server.count("GET", JOBS) == 1, timeout=20_000)
    place.tracker.stop()
    place.works.stop()
    qtbot.waitUntil(lambda: not any(work.alive for work, _task in Works._leaving), timeout=2_000)


def test_tasks_are_asked_of_running_jobs_of_ours_in_turns_and_once_more_at_their_end(make_place):
    place = make_place()
    place.statuses = ["QUEUED"] + ["RUNNING"] * 14 + ["SUCCEEDED"] * 3
    place.own(range(12 + 1))
    states = ["SUCCEEDED", "RUNNING"]
    place.serve_tasks(lambda _number: states)
    first = place.snapshot()
    assert len(place.asked_tasks()) == TASKS_ASKED_AT_ONCE
    assert [task.state for task in first.tasks["j1"]] == [JobState.SUCCEEDED, JobState.RUNNING]
    second = place.snapshot(first)
    assert {"j11", "j12"} == second.tasks.keys() - first.tasks.keys()
    assert second.changed == {"j11", "j12"}
    assert "j0" not in second.tasks  # waits still
    assert not {"j13", "j14"} & second.tasks.keys()  # somebody else's
    states[1] = place.statuses[1] = "SUCCEEDED"
    third = place.snapshot(second)
    assert [task.state for task in third.tasks["j1"]] == [JobState.SUCCEEDED] * 2
    before = len(place.asked_tasks())
    place.statuses[2:15] = ["SUCCEEDED"] * 13
    fourth = place.snapshot(third)
    fifth = place.snapshot(fourth)
    asked = place.asked_tasks()[before:]
    assert "j1" not in asked
    assert len(asked) == len(set(asked)) == TASKS_ASKED_AT_ONCE
    assert fifth.tasks == {}


def test_a_poll_without_the_tasks_is_a_poll_all_the_same(make_place, qtbot):
    place = make_place(speed=300)
    place.own([0])
    place.server.on("GET", f"{JOBS}/j0/tasks", refusal(404, 404, "nothing here"))
    place.watch()
    qtbot.waitUntil(lambda: len(place.snapshots) >= 3, timeout=20_000)
    assert place.troubles == []
    assert place.snapshots[-1].tasks == {}


def test_it_pauses_while_there_is_no_network_and_goes_on_with_it(make_place, qtbot):
    """The interfaces are this computer's own: only the loopback, as where every other is down, then all of them.

    That it asks again shows in its trouble: without encryption nothing is sent elsewhere.
    """
    looked, up = [], loopback()

    def interfaces():
        looked.append(len(up))
        return up

    place = make_place(speed=300, interfaces=interfaces, host="jobs.invalid")
    place.watch()
    qtbot.waitUntil(lambda: len(looked) >= 5, timeout=20_000)
    assert place.troubles == []
    up = [*loopback(), *elsewhere()]
    qtbot.waitUntil(lambda: len(place.troubles) == 1, timeout=20_000)
    assert "not encrypted" in str(place.troubles[0])


def loopback() -> list:
    """This computer's own loopback, as Qt finds it."""
    flag = QNetworkInterface.InterfaceFlag.IsLoopBack
    return [interface for interface in QNetworkInterface.allInterfaces() if interface.flags() & flag]


def elsewhere() -> list:
    """Those that lead elsewhere; a computer that has none could not run this test."""
    flag = QNetworkInterface.InterfaceFlag.IsLoopBack
    found = [interface for interface in QNetworkInterface.allInterfaces() if not interface.flags() & flag]
    if not found:
        pytest.skip("This computer has no network interface but the loopback.")
    return found


def test_a_server_elsewhere_is_offline_where_only_the_loopback_is_up(qgis_app):
    assert is_offline("https://jobs.example.org", loopback())
    assert not is_offline("http://127.0.0.1:8042", loopback())
    assert not is_offline("http://LOCALHOST:8042/api", [])
    assert not is_offline("http://[::1]:8042", [])
    assert not is_offline("https://jobs.example.org", elsewhere())


def test_after_sleep_it_waits_for_the_network_before_it_asks(make_place, qtbot):
    """Its timer rings by itself; the clock of the wall went on meanwhile, as while the computer slept."""
    slept = [0.0]
    place = make_place(speed=10, clock=lambda: time.time() + slept[0])
    place.watch()
    qtbot.waitUntil(lambda: bool(place.snapshots), timeout=20_000)
    asked = place.server.count("GET", JOBS)
    slept[0], woke = 3600.0, time.monotonic()
    qtbot.waitUntil(lambda: place.server.count("GET", JOBS) > asked, timeout=20_000)
    assert time.monotonic() - woke >= AFTER_SLEEP_MS / 1000 / place.tracker.speed
    assert place.troubles == []


def test_a_server_that_goes_away_is_told_once_and_followed_on_when_it_is_back(make_place, qtbot):
    place = make_place(speed=300)
    place.watch()
    qtbot.waitUntil(lambda: bool(place.snapshots), timeout=20_000)
    place.server.on("GET", JOBS, None)  # hangs up
    qtbot.waitUntil(lambda: len(place.troubles) == 1, timeout=40_000)
    place.server.on("GET", JOBS, place.page)
    count = len(place.snapshots)
    qtbot.waitUntil(lambda: len(place.snapshots) > count, timeout=40_000)
    assert len(place.troubles) == 1


def test_it_asks_at_once_when_qgis_comes_to_the_front(make_place, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    application = QGuiApplication.instance()
    active = Qt.ApplicationState.ApplicationActive
    for widget in QApplication.topLevelWidgets():  # those of other tests
        widget.hide()
    qtbot.waitUntil(lambda: application.applicationState() != active, timeout=20_000)
    place = make_place(speed=0.01)  # by its timer the second poll would come after minutes
    place.watch()
    qtbot.waitUntil(lambda: bool(place.snapshots), timeout=20_000)
    asked = place.server.count("GET", JOBS)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: application.applicationState() == active, timeout=20_000)
    qtbot.waitUntil(lambda: place.server.count("GET", JOBS) > asked, timeout=20_000)


def test_the_table_says_how_many_tasks_are_done_without_the_job_being_chosen(make_place, qtbot):
    place = make_place(speed=300)
    place.own([0])
    states = ["SUCCEEDED", "RUNNING", "NOT_STARTED"]
    place.serve_tasks(lambda _number: states)
    book = JobBook(lambda *_job: Delivery())
    place.tracker.polled.connect(lambda connection, project, snapshot: book.take(connection, project.id, snapshot))
    place.watch()
    qtbot.waitUntil(lambda: book.find("s", "j0") is not None, timeout=20_000)
    assert outputs_word(book.find("s", "j0")) == "Task 2 of 3"
    states[1:] = ["SUCCEEDED", "RUNNING"]
    qtbot.waitUntil(lambda: outputs_word(book.find("s", "j0")) == "Task 3 of 3", timeout=20_000)
