"""The local engine's store: all or nothing, seeds that come once, locks and keys."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys

import pytest

from up42_jobs.plugin.engine import stored_jobs
from up42_jobs.plugin.engine.blocks.base import BlockDescription, Price
from up42_jobs.plugin.engine.built_in import in_order, seed_workflows
from up42_jobs.plugin.engine.files import write_private
from up42_jobs.plugin.engine.keys import KeysError, load_keys, with_environment
from up42_jobs.plugin.engine.lock import FileLock
from up42_jobs.plugin.engine.projects import FREE, KINDS, PRACTICE, Project, balance, held, make_projects
from up42_jobs.plugin.engine.store import _FIRST_SCHEMA, STORE_FILE, Store, StoreError
from up42_jobs.plugin.engine.stored_jobs import NewJob, NewTask
from up42_jobs.plugin.engine.stored_workflows import create_workflow, delete_workflow, task_rows, workflow_rows

PROJECT = Project("p", KINDS[PRACTICE])


class NamedBlock:
    def __init__(self, name, kind="DATA"):
        self.description = BlockDescription(name, name, name, "", kind, {}, Price("SCENE", 1))


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path)
    make_projects(opened)
    yield opened
    opened.close()


def new_job(held=5, tasks=2):
    block = NamedBlock("block").description
    return NewJob(
        "w", "Workflow", "Job", stored_jobs.LIVE, {}, {}, held, [NewTask(f"t:{n}", block, {}) for n in range(tasks)]
    )


def test_a_transaction_is_all_or_nothing(store):
    with pytest.raises(RuntimeError), store.transaction():
        stored_jobs.create_job(store, PRACTICE, new_job())
        raise RuntimeError
    assert stored_jobs.job_rows(store, PROJECT) == []
    with store.transaction():
        stored_jobs.create_job(store, PRACTICE, new_job())
    assert len(stored_jobs.job_rows(store, PROJECT)) == 1


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    store = Store(tmp_path)
    store.change("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path)


def test_interrupted_jobs_come_first_then_first_come_first_served(store):
    ids = [stored_jobs.create_job(store, kind, new_job()) for kind in (PRACTICE, FREE, PRACTICE)]
    assert stored_jobs.waiting_job_ids(store) == ids
    stored_jobs.begin_job(store, ids[2])
    assert stored_jobs.waiting_job_ids(store) == [ids[2], ids[0], ids[1]]
    stored_jobs.end_job(store, ids[2], stored_jobs.FAILED)
    assert stored_jobs.waiting_job_ids(store) == ids[:2]


def test_a_cancelled_job_cannot_begin_and_an_ended_one_cannot_be_cancelled(store):
    job = stored_jobs.create_job(store, PRACTICE, new_job())
    assert stored_jobs.ask_to_cancel(store, job) is False
    assert stored_jobs.begin_job(store, job) is False
    assert stored_jobs.job_row(store, job)["status"] == "CANCELLED"
    other = stored_jobs.create_job(store, PRACTICE, new_job())
    stored_jobs.begin_job(store, other)
    stored_jobs.end_job(store, other, stored_jobs.SUCCEEDED)
    assert stored_jobs.ask_to_cancel(store, other) is False
    assert stored_jobs.job_row(store, other)["status"] == "SUCCEEDED"


def test_a_job_that_ends_while_it_is_cancelled_is_cancelled_but_what_succeeded_is_paid(store):
    job = stored_jobs.create_job(store, PRACTICE, new_job(held=9))
    stored_jobs.begin_job(store, job)
    task = stored_jobs.job_task_rows(store, job)[0]
    assert stored_jobs.begin_task(store, task)
    assert stored_jobs.ask_to_cancel(store, job) is True
    assert held(store, PROJECT) == 9
    stored_jobs.succeed_task(store, task, 3, 1, most=5)
    assert (balance(store, PROJECT), held(store, PROJECT)) == (9_996, 4)
    assert stored_jobs.begin_task(store, stored_jobs.job_task_rows(store, job)[1]) is False
    stored_jobs.end_job(store, job, stored_jobs.SUCCEEDED)
    assert stored_jobs.job_row(store, job)["status"] == "CANCELLED"
    assert [row["status"] for row in stored_jobs.job_task_rows(store, job)] == ["SUCCEEDED", "CANCELLED"]
    assert (balance(store, PROJECT), held(store, PROJECT)) == (9_996, 0)


def test_built_in_workflows_come_once_and_only_where_their_blocks_are(store, tmp_path):
    folder = tmp_path / "workflows"
    folder.mkdir()
    for number, name, blocks in (
        (10, "first", ["data"]),
        (20, "second", ["data", "work", "work"]),
        (30, "third", ["x"]),
    ):
        content = {"name": name, "description": "d", "blocks": blocks}
        (folder / f"{number}-{name}.json").write_text(json.dumps(content))
    known = {"1": NamedBlock("data"), "2": NamedBlock("work", "PROCESSING")}

    def listed(kind):
        return in_order(workflow_rows(store, Project("p", KINDS[kind])), kind, folder)

    for _ in range(2):
        seed_workflows(store, known, folder)
    found, free = listed(PRACTICE), listed(FREE)
    assert [row["name"] for row in found] == [row["name"] for row in free] == ["first", "second"]
    assert [row["name"] for row in task_rows(store, found[1]["id"])] == ["data:1", "work:1", "work:2"]
    assert not {row["id"] for row in free} & {row["id"] for row in found}
    delete_workflow(store, found[1]["id"])
    for name in ("mine", "my newest"):
        create_workflow(store, PRACTICE, name, "")
    seed_workflows(store, {**known, "3": NamedBlock("x")}, folder)
    assert [row["name"] for row in listed(PRACTICE)] == ["my newest", "mine", "first", "third"], (
        "deleted ones stay away"
    )


def test_ids_stay_and_each_start_has_keys_of_its_own(tmp_path):
    first, second = load_keys(tmp_path), load_keys(tmp_path)
    for name in ("project_id", "free_project_id", "signing_key", "account_user"):
        assert getattr(first, name) == getattr(second, name)
    secrets = [getattr(k, n) for k in (first, second) for n in ("project_key", "free_project_key", "account_password")]
    assert len(set(secrets)) == 6
    stored = (tmp_path / "keys.json").read_text()
    assert not any(secret in stored or secret in repr(first) for secret in secrets)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    (tmp_path / "keys.json").write_text("{}")
    with pytest.raises(KeysError):
        load_keys(tmp_path)
    (tmp_path / "keys.json").write_text("nonsense")
    with pytest.raises(KeysError):
        load_keys(tmp_path)


@pytest.mark.parametrize(
    ("project_id", "key"), [("only-id", None), (None, "only-key"), ("has space", "k"), ("a:b", "k"), ("../x", "k")]
)
def test_a_pair_of_the_environment_that_cannot_be_used_is_refused(tmp_path, project_id, key):
    environment = {"UP42_JOBS_PROJECT_ID": project_id, "UP42_JOBS_PROJECT_KEY": key}
    with pytest.raises(KeysError):
        with_environment(load_keys(tmp_path), {name: value for name, value in environment.items() if value})


def test_private_files_replace_older_ones_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_lock_is_for_one_process_and_freed_when_that_is_killed(tmp_path):
    code = (
        "import sys; from pathlib import Path; from up42_jobs.plugin.engine.lock import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); print(lock.acquire(wait=False), flush=True); sys.stdin.read()"
    )
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline().strip() == "True"
        lock = FileLock(path)
        assert lock.acquire(wait=False) is False
        holder.kill()
        assert lock.acquire(wait=True) is True
    lock.release()


def test_a_store_of_an_older_version_is_brought_up_to_date(tmp_path):
    with sqlite3.connect(tmp_path / STORE_FILE) as old:
        old.executescript(f"{_FIRST_SCHEMA} PRAGMA user_version = 1;")
        old.execute("INSERT INTO projects VALUES ('practice', 5, 'then', 'then')")
    old.close()
    store = Store(tmp_path)
    assert store.rows("SELECT balance FROM projects") == [{"balance": 5}]
    assert store.rows("SELECT * FROM webhooks") == []
    store.close()
