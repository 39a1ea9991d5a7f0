"""Every algorithm and the model by the real `qgis_process`, on a profile of its own, without a display."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from pathlib import Path

import pytest
from qgis.core import Qgis

from up42_jobs.plugin.host.engine_folder import ENVIRONMENT as ENGINE_DATA
from up42_jobs.tests.qgis.headless_shell import HeadlessShell

RING = [[13.37, 52.5], [13.38, 52.5], [13.38, 52.505], [13.37, 52.505], [13.37, 52.5]]
FIELD = {"type": "Polygon", "coordinates": [RING]}
PRACTICE = {"CONNECTION": "practice", "WORKFLOW": "Demo NDVI", "AOI": "field.geojson", "JOB_TYPE": "live_job"}
LOCAL = {**PRACTICE, "CONNECTION": "local"}
ONE_SCENE = '{"demo-s2-l2a:1": {"limit": 1}}'


@pytest.fixture(scope="module")
def shell(qgis_app, tmp_path_factory):
    """With an engine that Start Engine keeps; Stop Engine ends it, and each tells so."""
    home = tmp_path_factory.mktemp("headless")
    shell = HeadlessShell(home / "home", home / "engine")
    (shell.home / "field.geojson").write_text(json.dumps(FIELD))
    url = shell.results("startengine", {})["URL"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    yield shell
    stopped = shell.run("stopengine", {})
    assert stopped.returncode == 0
    assert f"The engine at {url} has ended." in stopped.stdout + stopped.stderr
    assert not (home / "engine/engine.json").exists()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_workflows(shell):
    done = shell.run("listworkflows", {"CONNECTION": "local", "OUTPUT": "workflows.csv"})
    assert done.returncode == 0, done.stderr
    assert "Demo NDVI  (demo-s2-l2a → ndvi)" in done.stdout
    assert "Demo NDVI" in [row["name"] for row in rows(shell.home / "workflows.csv")]


def test_an_estimate(shell):
    given = {name: value for name, value in PRACTICE.items() if name != "JOB_TYPE"}
    results = shell.results("estimatejob", {**given, "TABLE": "estimate.csv"})
    assert 1 <= results["CREDITS_MIN"] <= results["CREDITS_MAX"]
    assert 0 < results["SECONDS_MIN"] <= results["SECONDS_MAX"]
    table = rows(shell.home / "estimate.csv")
    assert [row["task"] for row in table] == ["demo-s2-l2a:1", "ndvi:1"]
    assert sum(float(row["credits_max"]) for row in table) == results["CREDITS_MAX"]


def test_scenes(shell):
    given = {"CONNECTION": "local", "WORKFLOW": "Demo Imagery", "AOI": "field.geojson", "PARAMETERS": ONE_SCENE}
    results = shell.results("searchscenes", {**given, "OUTPUT_FOLDER": "search", "SCENES": "scenes.gpkg"})
    with sqlite3.connect(shell.home / "scenes.gpkg") as db:
        ((scene, date, cloud_cover, quicklook),) = db.execute("SELECT id, date, cloud_cover, quicklook FROM scenes")
    assert scene.startswith("DEMO")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", date)
    assert 0 <= cloud_cover <= 100
    assert Path(quicklook).is_file()
    assert Path(quicklook).is_relative_to(results["OUTPUT_FOLDER"])


def test_submit_list_and_collect(shell):
    submitted = shell.results("submitjob", {**PRACTICE, "MAX_CREDITS": 100, "NAME": "Apart", "PARAMETERS": ONE_SCENE})
    job = submitted["JOB_ID"]
    assert (submitted["JOB_IDS"], submitted["NOT_SUBMITTED"]) == (job, "")
    given = {"CONNECTION": "practice", "JOB_ID": job, "WAIT": 60, "OUTPUT_FOLDER": "apart", "SCENES": "found.gpkg"}
    collected = shell.results("collectoutputs", given)
    assert collected["STATUS"] == "succeeded"
    assert collected["FILES"] == [collected["OUTPUT"]]
    assert Path(collected["OUTPUT"]).is_relative_to(collected["OUTPUT_FOLDER"])
    listed = shell.run("listjobs", {"CONNECTION": "practice", "SEARCH": "apart", "OUTPUT": "jobs.csv"})
    assert f"{job}  succeeded  live_job  Apart" in listed.stdout
    (row,) = rows(shell.home / "jobs.csv")
    assert (row["id"], row["status"], row["workflow"]) == (job, "succeeded", "Demo NDVI")
    assert float(row["credits"]) >= 1


def test_cancel(shell):
    large = [[[13.2, 52.3], [13.5, 52.3], [13.5, 52.6], [13.2, 52.6], [13.2, 52.3]]]
    (shell.home / "large.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": large}))
    job = shell.results("submitjob", {**LOCAL, "AOI": "large.geojson"})["JOB_ID"]
    assert shell.results("canceljob", {"CONNECTION": "local", "JOB_ID": job})["STATUS"] in ("cancelling", "cancelled")
    collected = shell.run("collectoutputs", {"CONNECTION": "local", "JOB_ID": job, "WAIT": 30, "OUTPUT_FOLDER": "none"})
    assert collected.returncode != 0
    assert f"The job {job} ended as Cancelled." in collected.stderr


def test_run(shell):
    results = shell.results("runjob", {**LOCAL, "PARAMETERS": ONE_SCENE, "OUTPUT_FOLDER": "ran", "LOAD": "true"})
    assert results["STATUS"] == "succeeded"
    assert Path(results["OUTPUT"]).is_file()
    assert (Path(results["OUTPUT_FOLDER"]) / "job.json").is_file()


def test_the_model(shell):
    results = shell.results(
        "jobandzonalstatistics",
        {
            **{"WORKFLOW": "Demo NDVI", "AOI": "field.geojson", "PARAMETERS": ONE_SCENE},
            **{"run:Output folder": "model", "zonal:Statistics": "zones.gpkg"},
        },
    )
    with sqlite3.connect(shell.home / results["zonal:Statistics"]) as db:
        ((least, mean, most),) = db.execute("SELECT job_min, job_mean, job_max FROM zones")
    assert -1 <= least <= mean <= most <= 1


def test_inputs_as_json_on_stdin(shell):
    if Qgis.QGIS_VERSION_INT < 32400:
        pytest.skip("The qgis_process of this QGIS takes no JSON on stdin; --json is tested with plain arguments.")
    inputs = {**LOCAL, "PARAMETERS": ONE_SCENE, "OUTPUT_FOLDER": str(shell.home / "stdin"), "MAX_CREDITS": 0}
    done = shell("qgis_process", "run", "up42jobs:runjob", "-", stdin=json.dumps({"inputs": inputs}))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout[done.stdout.index("{") :])["results"]["STATUS"] == "succeeded"


def test_an_empty_connection_is_the_server_of_the_environment(shell):
    known = json.loads((Path(shell.environment[ENGINE_DATA]) / "engine.json").read_text())
    server = {
        "UP42_JOBS_URL": known["url"],
        "UP42_JOBS_PROJECT_ID": known["project_id"],
        "UP42_JOBS_PROJECT_KEY": known["project_key"],
    }
    for given in ({"CONNECTION": ""}, {}):
        done = shell.run("listworkflows", given, **server)
        assert done.returncode == 0, done.stderr
        assert "Demo NDVI" in done.stdout
        assert known["project_key"] not in done.stdout + done.stderr
    refused = shell.run("submitjob", {**PRACTICE, "CONNECTION": ""}, **server)
    assert refused.returncode != 0
    assert "MAX_CREDITS allows 0, so it was not run" in refused.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"WORKFLOW": "No Such"}, "There is no workflow “No Such”: use one of “"),
        ({"CONNECTION": "nowhere"}, "There is no connection “nowhere”: use one of local, "),
        ({"CONNECTION": ""}, "the environment lacks UP42_JOBS_URL"),
        ({"PROJECT": "nothing"}, "There is no project “nothing” on this connection: use one of "),
        ({"AOI": "missing.geojson"}, "AOI"),
        ({"AOI": "empty.geojson"}, "The AOI is empty"),
        ({"AOI": "hole.geojson", "CONNECTION": "practice", "MAX_CREDITS": 9}, "hole"),
        ({"PARAMETERS": '{"ndvi:2": {}}'}, "ndvi:2"),
        ({"PARAMETERS": "{"}, "Line 1, column"),
        ({"PARAMETERS": "missing.json"}, "PARAMETERS is neither a JSON object nor a file that can be read"),
        ({"FILTER": "overlaps"}, "FILTER"),
        ({"JOB_TYPE": "free"}, "JOB_TYPE"),
        ({"CONNECTION": "practice", "BUY_AGAIN": "true"}, "MAX_CREDITS allows 0, so it was not run"),
        ({"ONE_JOB_PER_FEATURE": "true", "FIDS": "one"}, "FIDS must be whole numbers"),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(shell, changes, sentence):
    (shell.home / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    inner = [[13.373, 52.502], [13.374, 52.502], [13.374, 52.503], [13.373, 52.502]]
    hole = {"type": "Polygon", "coordinates": [RING, inner]}
    (shell.home / "hole.geojson").write_text(json.dumps(hole))
    done = shell.run("runjob", {**LOCAL, "OUTPUT_FOLDER": "refused", **changes})
    assert done.returncode != 0
    assert sentence in done.stderr, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (shell.home / "refused").exists()
