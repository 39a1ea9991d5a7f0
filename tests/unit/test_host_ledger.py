"""The ledger: intents before the POST, entries after, and two programs at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from up42_jobs.plugin.host.ledger import MIGRATIONS, Ledger, LedgerError

REQUEST = {"name": "N", "job_type": "live_job", "inputs": {"demo:1": {"limit": 1}}}


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "profile" / "ledger.sqlite")


def begin(ledger, fingerprint="f", connection="c"):
    return ledger.begin(
        connection,
        "p",
        fingerprint,
        REQUEST,
        confirmed_credits=12.0,
        project_file="/maps/a.qgz",
        token="t",
        server_time="2026-11-22T12:00:00+00:00",
    )


def test_an_intent_becomes_an_entry(ledger):
    intent_id = begin(ledger)
    (intent,) = ledger.intents("c")
    assert (intent.id, intent.fingerprint, intent.request) == (intent_id, "f", REQUEST)
    ledger.settle(intent_id, "job-1")
    assert ledger.intents("c") == []
    entry = ledger.entry("c", "job-1")
    assert (entry.request, entry.confirmed_credits, entry.project_file) == (REQUEST, 12.0, "/maps/a.qgz")
    assert (entry.delivered, entry.loaded, entry.told) == (False, False, None)


def test_settling_twice_changes_nothing(ledger):
    intent_id = begin(ledger)
    ledger.settle(intent_id, "job-1")
    ledger.note_delivered("c", "job-1", Path("/out"))
    ledger.settle(intent_id, "job-1")
    assert ledger.entry("c", "job-1").delivered


def test_a_dropped_intent_leaves_nothing(ledger):
    ledger.drop(begin(ledger))
    assert ledger.intents("c") == []
    assert ledger.entries("c") == {}


def test_an_intent_counts_as_lost_when_it_is_marked_or_old(ledger, monkeypatch):
    marked, young = begin(ledger, "marked"), begin(ledger, "young")
    ledger.mark_lost(marked)
    an_hour_ago = time.time() - 3600
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: an_hour_ago)
        old = begin(ledger, "old")
    lost = {intent.id: intent.lost for intent in ledger.intents("c")}
    assert lost == {marked: True, young: False, old: True}


def test_a_second_submit_of_the_same_request_is_not_begun(ledger):
    first = begin(ledger)
    assert begin(ledger) is None
    assert begin(ledger, connection="other") is not None
    ledger.drop(first)
    assert begin(ledger) is not None


def test_of_many_that_begin_the_same_at_once_one_may(ledger):
    begun = []
    threads = [threading.Thread(target=lambda: begun.append(begin(ledger))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(intent_id is not None for intent_id in begun) == 1


def test_a_damaged_file_is_put_aside_as_it_was(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    ledger = Ledger(path)
    with pytest.raises(LedgerError, match="damaged") as damaged:
        begin(ledger)
    (aside,) = tmp_path.glob("ledger-damaged-*.sqlite")
    assert str(aside) in str(damaged.value)
    assert aside.read_bytes() == b"not a database at all" * 100
    assert begin(ledger)


def test_of_many_threads_that_meet_a_damaged_file_one_puts_it_aside(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    ledger = Ledger(path)

    def write(number):
        try:
            begin(ledger, str(number))
        except LedgerError:
            return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (aside,) = tmp_path.glob("ledger-damaged-*.sqlite")
    assert aside.read_bytes() == b"not a database at all" * 100
    assert begin(ledger, "afterwards")


def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match="file"):
        Ledger(tmp_path / "file" / "ledger.sqlite").entries("c")


def test_a_file_of_a_newer_version_is_not_touched(ledger, tmp_path):
    begin(ledger)
    with closing(sqlite3.connect(tmp_path / "profile" / "ledger.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="newer version"):
        ledger.intents("c")


def test_connections_are_apart(ledger):
    ledger.settle(begin(ledger, connection="a"), "j")
    begin(ledger, connection="b")
    assert list(ledger.entries("a")) == ["j"]
    assert ledger.entries("b") == {}
    assert ledger.intents("a") == []


def test_what_was_noted_is_there_after_a_restart(ledger, tmp_path):
    ledger.settle(begin(ledger), "j")
    ledger.note_delivered("c", "j", Path("/out/folder"))
    ledger.note_loaded("c", "j")
    ledger.note_told("c", "j", "succeeded")
    again = Ledger(tmp_path / "profile" / "ledger.sqlite").entry("c", "j")
    assert (again.folder, again.delivered, again.loaded, again.told) == ("/out/folder", True, True, "succeeded")


def test_many_threads_write_without_losing_anything(ledger):
    def write(number):
        ledger.settle(begin(ledger, fingerprint=str(number)), f"job-{number}")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.entries("c")) == 24
    assert ledger.intents("c") == []


def test_a_write_that_fails_leaves_the_database_as_it_was(ledger):
    ledger.settle(begin(ledger), "j")
    with pytest.raises(sqlite3.Error):
        ledger.begin("c", "p", None, REQUEST, confirmed_credits=None, project_file="", token="", server_time=None)
    assert list(ledger.entries("c")) == ["j"]
    assert begin(ledger)


def test_an_older_ledger_keeps_its_jobs_and_gets_the_newer_tables(ledger, monkeypatch):
    ledger.settle(begin(ledger), "j")
    monkeypatch.setattr("up42_jobs.plugin.host.ledger.MIGRATIONS", [*MIGRATIONS, "CREATE TABLE new (a TEXT); "])
    with ledger.transaction() as db:
        db.execute("INSERT INTO new VALUES ('x')")
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS) + 1
    assert list(ledger.entries("c")) == ["j"]
    with ledger.transaction() as db:
        assert [row["a"] for row in db.execute("SELECT a FROM new")] == ["x"]


def test_a_migration_that_fails_leaves_the_older_ledger_whole(ledger, monkeypatch):
    ledger.settle(begin(ledger), "j")
    with monkeypatch.context() as patch:
        failing = [*MIGRATIONS, "CREATE TABLE new (a TEXT); CREATE TABLE entry (a TEXT);"]
        patch.setattr("up42_jobs.plugin.host.ledger.MIGRATIONS", failing)
        with pytest.raises(LedgerError):
            ledger.entries("c")
    assert list(ledger.entries("c")) == ["j"]
    with ledger.transaction() as db:
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'new'").fetchall()


def test_every_step_from_an_empty_file_leads_to_the_newest_version(ledger):
    with ledger.transaction() as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_what_a_failed_transaction_wrote_is_not_there(ledger):
    ledger.settle(begin(ledger), "j")
    with pytest.raises(ZeroDivisionError), ledger.transaction() as db:
        db.execute("DELETE FROM entry")
        1 / 0  # noqa: B018
    assert list(ledger.entries("c")) == ["j"]
