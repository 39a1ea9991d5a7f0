"""How the engine starts, is shared, is let go, is killed and goes on."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from engine_process import BBOX, until

LINE = [
    *("url", "project_id", "project_key", "free_project_id", "free_project_key"),
    *("account_user", "account_password"),
]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat_file = Path(f"/proc/{pid}/stat")
    return not stat_file.exists() or stat_file.read_text().rpartition(")")[2].split()[0] != "Z"


def lease(line, **options):
    pair = (line["free_project_id"], line["free_project_key"])
    return requests.get(f"{line['url']}/engine/lease", auth=pair, stream=True, timeout=10, **options)


def slow_job(client, gate):
    """A job that works until the file `gate` is there; waits until it is at it. Returns its path and worker's pid."""
    body = {"tiny-data:1": {"bbox": BBOX}, "tiny-slow:1": {"gate": str(gate)}}
    job = client.start(client.make_workflow("tiny-data", "tiny-slow"), body)
    started = gate.with_name(f"{gate.name}.started")
    until(lambda: started.exists() and started.read_text(), "the slow task is at work")
    return job, int(started.read_text())


def test_the_first_line_and_the_files_of_a_new_engine(start_engine, tmp_path):
    data = tmp_path / "new" / "data"
    engine = start_engine(data, "--stay")
    assert list(engine.line) == LINE
    assert engine.line["url"].startswith("http://127.0.0.1:")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("engine.json", "keys.json", "engine.sqlite"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name
    known = json.loads((data / "engine.json").read_text())
    assert known["pid"] == engine.process.pid
    assert [known[key] for key in LINE] == list(engine.line.values())


def test_sigterm_ends_it_cleanly_and_each_start_has_its_own_key(start_engine, tmp_path):
    engine = start_engine(tmp_path, "--stay")
    token = engine.practice().http.headers["Authorization"]
    asked = time.monotonic()
    assert engine.stop() == 0
    assert time.monotonic() - asked < 3
    assert not (tmp_path / "engine.json").exists()
    again = start_engine(tmp_path, "--stay")
    for name in ("project_id", "free_project_id", "account_user"):
        assert again.line[name] == engine.line[name]
    for name in ("project_key", "free_project_key", "account_password"):
        assert again.line[name] != engine.line[name]
    assert "attached" not in again.line
    answer = requests.get(f"{again.line['url']}/users/me", headers={"Authorization": token}, timeout=10)
    assert answer.status_code == 200


def test_sigterm_ends_it_whichever_thread_the_system_interrupts(start_engine, tmp_path):
    """The system may hand a signal to any thread: the one that waits for the end must learn of it all the same."""
    engine = start_engine(tmp_path, "--stay")
    pid = engine.process.pid
    others = [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir() if int(thread.name) != pid]
    assert others
    assert ctypes.CDLL(None, use_errno=True).tgkill(pid, max(others), signal.SIGTERM) == 0
    assert engine.process.wait(10) == 0


def test_the_environment_names_the_pair_of_practice_where_it_stays(start_engine, tmp_path):
    environment = {"UP42_JOBS_PROJECT_ID": "my-project", "UP42_JOBS_PROJECT_KEY": "my-key"}
    engine = start_engine(tmp_path / "a", "--stay", environment=environment)
    assert (engine.line["project_id"], engine.line["project_key"]) == ("my-project", "my-key")
    assert engine.practice().data("/projects/my-project")["id"] == "my-project"
    leased = start_engine(tmp_path / "b", environment=environment)
    assert leased.line["project_id"] != "my-project"
    half = start_engine(tmp_path / "c", "--stay", environment={"UP42_JOBS_PROJECT_ID": "x"}, wait=False)
    assert half.process.wait(20) == 1
    assert "UP42_JOBS_PROJECT_KEY" in half.process.stderr.read()


def test_a_port_that_is_taken_is_said(start_engine, tmp_path):
    first = start_engine(tmp_path / "a", "--stay")
    port = first.line["url"].rpartition(":")[2]
    second = start_engine(tmp_path / "b", "--stay", "--port", port, wait=False)
    assert second.process.wait(20) == 1
    assert f"Port {port} can't be used" in second.process.stderr.read()
    third = start_engine(tmp_path / "b", "--stay")
    assert third.line["url"] != first.line["url"]


def test_many_starters_share_one_engine(start_engine, tmp_path):
    engines = [start_engine(tmp_path, "--stay", wait=False) for _ in range(4)]
    lines = [engine.read_line() for engine in engines]
    assert len({line["url"] for line in lines}) == 1
    attached = [engine for engine in engines if engine.line.get("attached")]
    assert len(attached) == 3
    assert [engine.process.wait(20) for engine in attached] == [0, 0, 0]
    assert attached[0].practice().data("/users/me")


def test_a_second_starter_can_make_it_stay_and_hand_over_settings(start_engine, tmp_path):
    first = start_engine(tmp_path)
    second = start_engine(tmp_path, "--stay", "--settings-stdin", wait=False)
    second.process.stdin.write('{"proxy": "http://user:secret@proxy.example.org:8080", "ca_pem": "PEM"}\n')
    second.process.stdin.flush()
    assert second.read_line()["attached"] is True
    client = second.this_computer()
    assert client.data("/engine")["stays"] is True
    assert (tmp_path / "network-ca.pem").read_text() == "PEM"
    with lease(first.line):
        assert client.data("/engine")["leases"] == 1
    until(lambda: client.data("/engine")["leases"] == 0, "the lease is closed")
    with pytest.raises(subprocess.TimeoutExpired):
        first.process.wait(2.5)


def test_network_settings_reach_the_workers_and_no_file(start_engine, tmp_path):
    client = start_engine(tmp_path / "data", "--stay").this_computer()
    settings = {"proxy": "http://user:s%20cret@proxy.example.org:8080", "ca_pem": None}
    assert client.call("POST", "/engine/settings", json=settings).status_code == 204
    _, pid = slow_job(client, tmp_path / "gate")
    environment = Path(f"/proc/{pid}/environ").read_text()
    assert "GDAL_HTTP_PROXY=http://proxy.example.org:8080\0" in environment
    assert "GDAL_HTTP_PROXYUSERPWD=user:s cret\0" in environment
    for wrong in ({"proxi": "x"}, {"proxy": "nonsense"}, {"ca_pem": 5}, []):
        assert client.call("POST", "/engine/settings", json=wrong).status_code == 400
    assert requests.post(f"{client.url}/engine/settings", json=settings, timeout=10).status_code == 401
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"s cret" not in path.read_bytes(), path


def test_it_ends_when_the_last_lease_has_gone_and_not_before(start_engine, tmp_path):
    engine = start_engine(tmp_path)
    first, second = lease(engine.line), lease(engine.line)
    client = engine.this_computer()
    assert client.data("/engine")["leases"] == 2
    first.close()
    until(lambda: client.data("/engine")["leases"] == 1, "one lease is left")
    with pytest.raises(subprocess.TimeoutExpired):
        engine.process.wait(2.5)
    second.close()
    dropped = time.monotonic()
    assert engine.process.wait(20) == 0
    assert 1 < time.monotonic() - dropped < 5
    assert not (tmp_path / "engine.json").exists()


def test_it_ends_when_the_client_with_the_lease_is_killed(start_engine, tmp_path):
    engine = start_engine(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", "import json, sys, urllib.request as u\n"
         "request = u.Request(sys.argv[1], headers={'Authorization': sys.argv[2]})\n"
         "answer = u.urlopen(request)\nprint(answer.status, flush=True)\nanswer.read()",
         f"{engine.line['url']}/engine/lease", engine.this_computer().http.headers["Authorization"]],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with holder:
        assert holder.stdout.readline().strip() == "200"
        holder.kill()
    assert engine.process.wait(20) == 0


def test_a_lease_needs_a_key_and_sends_bytes(start_engine, tmp_path):
    engine = start_engine(tmp_path)
    assert requests.get(f"{engine.line['url']}/engine/lease", timeout=10).status_code == 401
    with lease(engine.line) as answer:
        assert next(answer.iter_content(1)) == b"\n"


def test_a_killed_engine_loses_nothing(start_engine, tmp_path):
    data, gate = tmp_path / "data", tmp_path / "gate"
    engine = start_engine(data, "--stay")
    client = engine.practice()
    job, worker = slow_job(client, gate)
    waiting = client.start(client.data(job)["workflowId"], client.data(job)["inputs"], name="Waiting")
    engine.kill()
    until(lambda: not is_alive(worker), "the worker has ended with its engine", 5)
    gate.touch()
    client = start_engine(data, "--stay").practice()
    assert client.wait(job)["status"] == "SUCCEEDED"
    assert client.wait(waiting)["status"] == "SUCCEEDED"
    assert "The engine ended while this task ran: it starts again." in client.log(job, 1)
    assert client.log(job, 0).count("Work of task") == 1, "what was done is not done again"
    features = client.call("GET", f"{job}/outputs/data-json").json()["features"]
    assert [feature["id"] for feature in features] == ["scene-0"]
    folder = data / "jobs" / job.rpartition("/")[2] / client.task(job, 1)["id"]
    assert not (folder / "output" / "half-done.tif").exists()
    paid = sum(client.data(f"{path}/credits")["creditsUsed"] for path in (job, waiting))
    assert client.data("/accounts/me/credits/balance") == {"balance": 10_000 - paid, "held": 0}


def test_sigterm_stops_the_worker_and_the_next_engine_runs_the_task_again(start_engine, tmp_path):
    data, gate = tmp_path / "data", tmp_path / "gate"
    engine = start_engine(data, "--stay")
    job, worker = slow_job(engine.practice(), gate)
    assert engine.stop() == 0
    assert not is_alive(worker)
    gate.touch()
    client = start_engine(data, "--stay").practice()
    assert client.wait(job)["status"] == "SUCCEEDED"


def test_a_job_that_was_being_cancelled_is_cancelled_at_the_next_start(start_engine, tmp_path):
    data, gate = tmp_path / "data", tmp_path / "gate"
    engine = start_engine(data, "--stay")
    client = engine.practice()
    job, worker = slow_job(client, gate)
    engine.kill()
    until(lambda: not is_alive(worker), "the worker has ended with its engine", 5)
    # as if it had been killed between the answer to the cancel and the end of the worker
    with sqlite3.connect(data / "engine.sqlite") as store:
        store.execute("UPDATE jobs SET status = 'CANCELLING'")
    store.close()
    client = start_engine(data, "--stay").practice()
    assert client.wait(job)["status"] == "CANCELLED"
    assert client.data("/accounts/me/credits/balance")["held"] == 0


def test_scene_folders_are_kept_and_reach_the_blocks(start_engine, tmp_path):
    folder = tmp_path / "my scenes"
    folder.mkdir()
    engine = start_engine(tmp_path / "data", "--stay")
    client = engine.this_computer()
    body = {"path": str(folder), "licence": "CC-BY-4.0", "attribution": "Me"}
    added = client.call("POST", "/engine/scene-folders", json=body).json()["data"]
    assert added == {"id": added["id"], "name": "my scenes", **body}
    renamed = client.call("POST", "/engine/scene-folders", json={**body, "name": "Mine"}).json()["data"]
    assert renamed == {**added, "name": "Mine"}
    engine.stop()
    client = start_engine(tmp_path / "data", "--stay").this_computer()
    assert client.data("/engine/scene-folders") == [renamed]
    job = client.start(client.make_workflow("tiny-data"), {"tiny-data:1": {"bbox": BBOX}})
    assert client.wait(job)["status"] == "SUCCEEDED"
    seen = client.call("GET", f"{job}/outputs/data-json").json()["features"][0]["properties"]["seen"]
    assert seen["settings"]["scene_folders"] == [renamed]
    for wrong in ({}, {"path": "relative"}, {"path": str(folder / "missing")}, {"path": str(folder), "name": 5}):
        assert client.call("POST", "/engine/scene-folders", json=wrong).status_code == 400
    assert client.call("DELETE", f"/engine/scene-folders/{added['id']}").status_code == 204
    assert client.call("DELETE", f"/engine/scene-folders/{added['id']}").status_code == 404
    assert client.data("/engine/scene-folders") == []
    assert folder.is_dir()
