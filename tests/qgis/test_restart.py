"""Jobs that end while nobody looks, with the real engine: gone on with, told and loaded once, where they belong."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from qgis.core import QgsApplication, QgsProject

from up42_jobs.plugin.host import followups
from up42_jobs.plugin.host.endings import Ending, EndKind, together
from up42_jobs.plugin.host.ledger import Ledger, LedgerError
from up42_jobs.plugin.host.rebuild import NO_PROJECT
from up42_jobs.plugin.host.records import DeliveryState, Notice, Offer
from up42_jobs.plugin.host.servers import Server, write_servers
from up42_jobs.plugin.host.sessions import Sessions
from up42_jobs.plugin.jobs.job import JobState, JobType
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.tests.qgis import test_journey
from up42_jobs.tests.qgis.test_journey import Session, layer_names
from up42_jobs.tests.qgis.vault_in_tests import MASTER
from up42_jobs.tests.servers.relay import Relay
from up42_jobs.tests.unit.up42_jobs_server import PROJECT, JobsServer, data

start = test_journey.start  # fixture
FREE = "this-computer"


def wait_until_ended(session: Session, job) -> None:
    session.until(lambda: session.record(job) and session.record(job).job.state.ended)


def test_of_two_qgis_on_one_profile_the_one_that_started_the_job_loads_it(start, tmp_path):
    one, other = start(), start()
    notices: list[Notice] = []
    for session in (one, other):
        session.journey.noticed.connect(notices.append)
    job = one.submit(one.request())
    other.journey.refresh()
    one.wait_for(job, DeliveryState.LOADED)
    wait_until_ended(other, job)
    one.until(lambda: notices)
    other.journey.refresh()
    other.qtbot.wait(1500)  # more than it takes to gather endings
    assert [notice.text for notice in notices] == ["“Job” is on the map."]
    assert len(list((tmp_path / "outputs").iterdir())) == 1
    assert other.groups == {}


def test_a_job_of_a_session_that_is_over_is_taken_over_by_the_other(start, project, tmp_path, monkeypatch):
    monkeypatch.setattr("up42_jobs.plugin.host.arrivals.LOOK_AGAIN_MS", 100)
    assert project.write(str(tmp_path / "work.qgz"))
    one, other = start(), start()
    job = one.submit(one.request())
    one.close()
    other.journey.refresh()
    other.wait_for(job, DeliveryState.LOADED)
    assert other.groups


@pytest.mark.parametrize(("policy", "offers"), [("ask", (Offer.COLLECT, Offer.LATER)), ("never", (Offer.SHOW,))])
def test_what_ended_while_qgis_was_closed_is_only_told_where_the_setting_says_so(
    start, project, tmp_path, policy, offers, monkeypatch
):
    first = start()
    job = first.submit(first.request())
    first.close()
    platform = first.journey.connections.open(first.catalogue.connection, Cancel())
    first.until(lambda: platform.job(job.project_id, job.id).state is JobState.SUCCEEDED)
    project.clear()
    monkeypatch.setattr("up42_jobs.plugin.host.settings.Settings.collect_policy", policy)
    second = start()
    notices: list[Notice] = []
    second.journey.noticed.connect(notices.append)
    second.until(lambda: notices)
    (notice,) = notices
    assert notice.offers == offers
    assert second.record(job).delivery.state is DeliveryState.NONE
    assert not (tmp_path / "outputs").exists()
    if policy == "ask":
        second.journey.job_actions.bring(notice)
        second.wait_for(job, DeliveryState.LOADED)
    second.close()
    third = start()
    third.until(lambda: third.record(job))
    third.qtbot.wait(1000)
    assert third.told == []


def test_outputs_for_another_project_are_offered_and_load_when_it_is_opened(start, project, tmp_path):
    assert project.write(str(tmp_path / "work.qgz"))
    session = start()
    notices: list[Notice] = []
    session.journey.noticed.connect(notices.append)
    job = session.submit(session.request())
    project.clear()
    session.wait_for(job, DeliveryState.DELIVERED)
    session.until(lambda: notices)
    assert notices[0].offers == (Offer.LOAD, Offer.LATER)
    assert notices[0].jobs == ((FREE, job.id),)
    assert project.mapLayers() == {}
    assert project.read(str(tmp_path / "work.qgz"))
    session.until(lambda: job.id in session.groups)
    assert layer_names(session.groups[job.id])


def test_a_project_saved_after_the_job_was_started_is_its_project(start, project, tmp_path):
    session = start()
    job = session.submit(session.request())
    assert project.write(str(tmp_path / "later.qgz"))
    session.until(lambda: session.ledger.entry(FREE, job.id).project_file.endswith("later.qgz"))


def test_jobs_of_others_are_listed_and_never_loaded(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    session.wait_for(job, DeliveryState.LOADED)
    with session.ledger.transaction() as db:
        db.execute("DELETE FROM entry")
    session.close()
    colleague = start()
    colleague.until(lambda: colleague.record(job))
    colleague.qtbot.wait(1000)
    assert not colleague.record(job).ours
    assert colleague.record(job).delivery.state is DeliveryState.NONE
    assert colleague.told == []


def test_no_other_connection_is_asked_before_the_user_acts(start, monkeypatch):
    session = start()
    session.close()
    monkeypatch.setenv("UP42_JOBS_URL", "https://up42-jobs.invalid")
    monkeypatch.setenv("UP42_JOBS_PROJECT_ID", "p")
    monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", "k")
    with session.ledger.transaction() as db:
        db.executemany(
            "INSERT INTO entry (connection, job, project, request, project_file, token)"
            " VALUES (?, ?, 'p', '{}', '', 't')",
            [("environment", "a"), ("environment", "b")],
        )
    again = start()
    counted: list[int] = []
    again.journey.resume.waiting_changed.connect(counted.append)
    again.journey.resume.begin()
    again.until(lambda: counted)
    assert counted == [2]
    assert not again.journey._tracker.follows("environment")
    again.journey.resume.check()
    assert again.journey._tracker.follows("environment")


def test_the_count_of_what_waits_follows_connections_and_what_another_qgis_did(start, monkeypatch):
    session = start()
    resume = session.journey.resume
    counted: list[int] = []
    resume.waiting_changed.connect(counted.append)
    with session.ledger.transaction() as db:  # as another QGIS does
        db.execute(
            "INSERT INTO entry (connection, job, project, request, project_file, token)"
            " VALUES ('environment', 'a', 'p', '{}', '', 't')"
        )
    resume.look_again()
    session.until(lambda: counted)
    assert counted[-1] == 0  # there is no such connection
    for name, value in (("URL", "https://up42-jobs.invalid"), ("PROJECT_ID", "p"), ("PROJECT_KEY", "k")):
        monkeypatch.setenv(f"UP42_JOBS_{name}", value)
    resume.look_again()
    session.until(lambda: counted[-1] == 1)
    assert not session.journey._tracker.follows("environment")
    with session.ledger.transaction() as db:
        db.execute("UPDATE entry SET told = 'failed' WHERE job = 'a'")
    resume.look_again()
    session.until(lambda: counted[-1] == 0)


def test_jobs_of_a_connection_whose_login_is_locked_wait_for_the_user(start, vault, keep_login):
    session = start()
    resume, tracker = session.journey.resume, session.journey._tracker
    running = {"id": "a", "status": "RUNNING", "name": "A", "mode": "DEFAULT", "inputs": {},
               "createdAt": "2026-11-01T00:00:00Z", "workflowId": "w", "workflowName": "Flow"}  # fmt: skip
    with JobsServer() as server:
        server.on("GET", f"/projects/{PROJECT}/jobs", data([running]))
        write_servers([Server("Dams", server.url, authcfg=keep_login(), project_ids=(PROJECT,), id="dams")])
        with session.ledger.transaction() as db:
            db.execute(
                "INSERT INTO entry (connection, job, project, request, project_file, token)"
                " VALUES ('dams', 'a', ?, '{}', '', 't')",
                (PROJECT,),
            )
        resume.look_again()
        session.until(lambda: resume.count == 1)
        assert server.requests == []
        resume.check()
        session.until(lambda: session.journey.book.find("dams", "a") is not None)
        assert resume.count == 0
        QgsApplication.authManager().clearMasterPassword()
        tracker.refresh()
        session.until(lambda: resume.count == 1)
        vault.answer = MASTER
        resume.check()
        session.until(lambda: resume.count == 0)
        assert len(vault.threads) == 1


def test_a_damaged_ledger_is_put_aside_and_taken_from_the_server_and_the_disk(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    folder = session.wait_for(job, DeliveryState.LOADED).delivery.folder
    session.until(lambda: session.told)
    session.close()
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[:1024] + b"\xff" * 8192)
    again = start()
    again.until(lambda: again.record(job))
    again.until(lambda: any("put aside" in text for _level, text in again.told))
    again.until(lambda: again.record(job).ours)
    assert sum("put aside" in text for _level, text in again.told) == 1
    assert again.record(job).delivery.folder == folder
    assert len(list(tmp_path.glob("ledger-damaged-*.sqlite"))) == 1
    assert again.groups == {}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


def test_a_ledger_that_is_damaged_while_jobs_are_followed_is_told_once(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: session.told)
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[:1024] + b"\xff" * 8192)
    session.told.clear()
    session.journey.refresh()
    session.until(lambda: session.told)
    session.until(lambda: session.record(job).entry.token == NO_PROJECT)
    session.close()
    again = start()
    again.until(lambda: again.record(job))
    again.qtbot.wait(500)
    told = [text for _level, text in [*session.told, *again.told] if "damaged" in text]
    assert len(told) == 1, told
    assert "counts again" in told[0]


def test_removed_files_can_be_fetched_again(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    record = session.wait_for(job, DeliveryState.LOADED)
    session.journey.job_actions.remove_files(record)
    session.until(lambda: session.record(job).delivery.state is DeliveryState.NONE)
    assert not record.delivery.folder.exists()
    session.journey.refresh()
    session.qtbot.wait(500)
    assert not record.delivery.folder.exists()  # nothing comes back by itself
    session.journey.job_actions.download(session.record(job), load=False)
    again = session.wait_for(job, DeliveryState.LOADED)  # its layers are on the map still, and show them again
    assert (again.delivery.folder / "job.json").exists()


def test_layers_that_lost_their_files_get_them_back(start, project, tmp_path):
    assert project.write(str(tmp_path / "work.qgz"))
    session = start()
    job = session.submit(session.request())
    record = session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: job.id in session.groups)
    assert project.write()
    session.journey.job_actions.remove_files(record)
    session.until(lambda: session.record(job).delivery.state is DeliveryState.NONE)
    session.close()
    project.clear()
    again = start()
    notices: list[Notice] = []
    again.journey.noticed.connect(notices.append)
    project.read(str(tmp_path / "work.qgz"))
    layers = [layer for layer in project.mapLayers().values() if not layer.isValid()]
    assert layers
    again.until(lambda: notices)
    assert notices[0].offers == (Offer.FETCH, Offer.LATER)
    count = len(project.mapLayers())
    again.journey.job_actions.bring(notices[0])
    again.until(lambda: all(layer.isValid() for layer in layers))
    again.until(lambda: any("have their files again" in notice.text for notice in notices))
    assert len(project.mapLayers()) == count


def test_an_interrupted_download_goes_on_where_it_was_begun(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    assert followups.begin_delivery(ledger, "c", "j", here) == here
    assert followups.begin_delivery(ledger, "c", "j", there) == here
    here.rmdir()
    assert followups.begin_delivery(ledger, "c", "j", there) == there
    followups.end_delivery(ledger, "c", "j")
    assert followups.begin_delivery(ledger, "c", "j", tmp_path) == tmp_path


def test_a_job_is_followed_and_delivered_once_over_a_line_that_drops_every_third_answer(
    qtbot, project, tmp_path, engine, monkeypatch
):
    address = engine.address(Cancel())
    count = itertools.count()
    with Relay(address.url) as relay:
        for name, value in (("URL", relay.url), ("PROJECT_ID", address.practice.user)):
            monkeypatch.setenv(f"UP42_JOBS_{name}", value)
        monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", address.practice.secret)
        session = Session(qtbot, tmp_path, engine, "environment")
        try:
            relay.lose_answer = lambda what: what.startswith("GET") and next(count) % 3 == 2
            job = session.submit(session.request(limit=2).of_type(JobType.TEST_QUERY))
            session.wait_for(job, DeliveryState.LOADED)
            session.until(lambda: job.id in session.groups)
            session.until(lambda: session.told)
        finally:
            session.close()
    assert sum(what.startswith("POST") and "/jobs?" in what for what in relay.forwarded) == 1
    assert len(list((tmp_path / "outputs").iterdir())) == 1
    assert [text for level, text in session.told if level == "success"] == ["“Job” is on the map."]
    assert len([text for level, text in session.told if level != "success"]) <= 2  # no word for each poll


def test_only_a_folder_of_that_job_is_removed(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    record = session.wait_for(job, DeliveryState.LOADED)
    other = tmp_path / "precious"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    session.journey.job_actions.remove_files(replace(record, delivery=replace(record.delivery, folder=other)))
    session.until(lambda: any("was not removed" in text for _level, text in session.told))
    assert (other / "thesis.txt").exists()


def test_a_tasks_own_output_and_rename_and_support_and_table(start, tmp_path):
    session = start()
    job = session.submit(session.request(workflow="Demo NDVI"))
    record = session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: job.id in session.groups)
    session.journey.fetch_tasks(record)
    session.until(lambda: session.record(job).tasks)
    groups = len(QgsProject.instance().layerTreeRoot().findGroups())
    session.journey.job_actions.load_task(record, session.record(job).tasks[0])
    session.until(lambda: len(QgsProject.instance().layerTreeRoot().findGroups()) > groups)
    session.journey.job_actions.rename(record, "Another name")
    session.until(lambda: session.record(job).job.name == "Another name")
    told: list[str] = []
    session.journey.job_actions.support(session.record(job), told.append)
    session.until(lambda: told)
    assert job.id in told[0]
    assert "SUCCEEDED" in told[0]
    for word in ("Signature", "Bearer", "key=", "token="):
        assert word not in told[0]
    for name in ("table.csv", "table.xlsx"):
        session.journey.job_actions.export([session.record(job)], tmp_path / name)
    session.until(lambda: (tmp_path / "table.xlsx").exists() and (tmp_path / "table-totals.csv").exists())
    lines = (tmp_path / "table.csv").read_text().splitlines()
    assert lines[0].startswith("job_id,name,type,status")
    assert job.id in lines[1]
    assert lines[1].count("Z") >= 3
    assert "Total" in (tmp_path / "table-totals.csv").read_text()


def test_several_endings_at_once_are_one_message():
    loaded = [Ending(EndKind.LOADED, "c", str(n), "success", f"“{n}” is on the map.") for n in range(3)]
    failed = Ending(EndKind.FAILED, "c", "x", "critical", "“x” failed.")
    notice = together([*loaded, failed])
    assert notice.level == "critical"
    assert notice.text == "4 jobs have ended: 1 failed, 3 are on the map."
    assert len(notice.jobs) == 4
    ready = Ending(EndKind.READY, "c", "y", "info", "“y” is ready")
    notice = together([*loaded, ready])
    assert (notice.offers, notice.jobs) == ((Offer.LOAD, Offer.LATER), (("c", "y"),))


def test_only_one_may_tell_and_a_claim_to_load_lapses(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with ledger.transaction() as db:
        db.execute(
            "INSERT INTO entry (connection, job, project, request, project_file, token)"
            " VALUES ('c', 'j', 'p', ?, '', 't')",
            (json.dumps({}),),
        )
    assert [followups.claim_telling(ledger, "c", "j", "failed") for _ in range(2)] == [True, False]
    assert [followups.claim_loading(ledger, "c", "j") for _ in range(2)] == [True, False]
    monkeypatch.setattr(followups, "LAPSES_AFTER_SECONDS", -1.0)
    assert followups.claim_loading(ledger, "c", "j")
    ledger.note_loaded("c", "j")
    assert not followups.claim_loading(ledger, "c", "j")


def test_a_session_lives_until_it_lets_go(tmp_path):
    one, other = Sessions(tmp_path), Sessions(tmp_path)
    one.hold("t")
    assert other.lives_elsewhere("t")
    assert not one.lives_elsewhere("t")
    one.close()
    assert not other.lives_elsewhere("t")
    one.hold("t")  # on a worker that the unload overtook
    assert not other.lives_elsewhere("t")


def test_a_ledger_that_is_damaged_once_is_put_aside_once(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    ledger = Ledger(path)
    with pytest.raises(LedgerError, match="put aside"):
        ledger.entries("c")
    assert ledger.entries("c") == {}
    (aside,) = tmp_path.glob("ledger-damaged-*.sqlite")
    assert aside.read_bytes() == b"not a database at all" * 100
