"""docs/overnight.sh is killed at the worst moments: no job is sent twice, or the person is asked."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from urllib.parse import parse_qs, urlsplit

import pytest

from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.tests.qgis.headless_shell import ROOT, HeadlessShell
from up42_jobs.tests.servers.relay import Relay

SCRIPT = str(ROOT / "docs/overnight.sh")
FIELDS = 3


@pytest.fixture
def night(qgis_app, tmp_path):
    """A shell, a relay before an engine's Practice project, and a layer of three fields."""
    engine = LocalEngine(tmp_path / "engine")
    address = engine.address(Cancel())
    shell = HeadlessShell(tmp_path / "home", engine.data_folder)
    squares = [
        {
            "type": "Feature",
            "properties": {"name": f"Field {i}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 52.5], [x + 0.006, 52.5], [x + 0.006, 52.504], [x, 52.504], [x, 52.5]]],
            },
        }
        for i, x in enumerate(13.3 + 0.01 * n for n in range(FIELDS))
    ]
    (shell.home / "fields.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": squares}))
    with Relay(address.url) as relay:
        shell.environment.update(
            UP42_JOBS_URL=relay.url,
            UP42_JOBS_PROJECT_ID=address.practice.user,
            UP42_JOBS_PROJECT_KEY=address.practice.secret,
            CONNECTION="",
            MAX_CREDITS="1000",
            PAUSE="1",
        )
        yield shell, relay
    engine.release()


def send(shell, **more):
    return shell("sh", SCRIPT, "send", "fields.geojson", "Demo NDVI", "night.txt", **more)


def sent_names(relay):
    """The names of the jobs that the server was asked for."""
    posts = [what.partition(" ")[2] for what in relay.forwarded if is_submit(what)]
    return sorted(parse_qs(urlsplit(path).query)["name"][0].partition(" · ")[0] for path in posts)


def is_submit(what):
    return re.match(r"POST /projects/[^/]+/workflows/[^/]+/jobs", what) is not None


def kill_script_at(shell, relay, hook, number):
    """Run `send`, and SIGKILL it with all it has started in the moment of its submit `number`, seen from the server."""
    asked, processes = [], []

    def at(what):
        if not is_submit(what):
            return False
        asked.append(what)
        if len(asked) < number:
            return False
        os.killpg(processes[0].pid, signal.SIGKILL)
        return True

    setattr(relay, hook, at)
    processes.append(shell.start("sh", SCRIPT, "send", "fields.geojson", "Demo NDVI", "night.txt"))
    output, _ = processes[0].communicate(timeout=60)
    setattr(relay, hook, None)
    assert processes[0].returncode == -signal.SIGKILL, output


ALL = [f"Field {i}" for i in range(FIELDS)]


def test_killed_again_and_again_each_job_is_sent_once(night):
    """While an answer is on its way, twice; and between a run's end and the script's own note of it."""
    shell, relay = night
    kill_script_at(shell, relay, "lose_answer", 1)
    kill_script_at(shell, relay, "lose_answer", 1)
    assert sent_names(relay) == ALL[:2]
    killer = shell.home / "killer"
    killer.mkdir()
    (killer / "qgis_process.bin").write_text(f'#!/bin/sh\n{shell.program} "$@"\nkill -KILL $PPID\n')
    (killer / "qgis_process.bin").chmod(0o755)
    killed = send(shell, PATH=f"{killer}:{shell.environment['PATH']}")
    assert killed.returncode == -signal.SIGKILL
    assert sent_names(relay) == ALL
    assert "job " not in (shell.home / "night.txt").read_text()
    done = send(shell)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sent_names(relay) == ALL
    jobs = re.findall("^job (.+)$", (shell.home / "night.txt").read_text(), re.MULTILINE)
    assert len(set(jobs)) == FIELDS
    collected = shell("sh", SCRIPT, "collect", "night.txt", "out", WAIT="60")
    assert collected.stdout == "status: succeeded,succeeded,succeeded\n"
    assert send(shell).stdout == "All jobs of night.txt are submitted.\n"


def test_a_submit_that_may_not_have_arrived_is_the_person_s_to_decide(night):
    shell, relay = night
    kill_script_at(shell, relay, "lose_request", 2)
    assert sent_names(relay) == ALL[:1]
    for forget in ("false", "true"):  # within minutes the job may still come: not even by their word
        stopped = send(shell, FORGET=forget)
        assert stopped.returncode == 1
        assert "run again in five minutes" in stopped.stderr
    with sqlite3.connect(next(shell.home.glob("config/**/ledger.sqlite"))) as db:
        db.execute("UPDATE intent SET begun = begun - 301")
    stopped = send(shell)
    assert stopped.returncode == 1
    assert "Look for “Field 1 · Demo NDVI" in stopped.stderr
    assert sent_names(relay) == ALL[:1]
    done = send(shell, FORGET="true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sent_names(relay) == ALL
