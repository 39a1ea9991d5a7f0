"""docs/scripting.md and docs/overnight.sh do what they say, in the QGIS of today and without a display."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import requests
from qgis.core import QgsApplication

from up42_jobs.plugin.algorithms import base
from up42_jobs.plugin.algorithms.provider import Up42JobsProvider
from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.tests.qgis.headless_shell import HeadlessShell

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/scripting.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def engine(qgis_app, tmp_path_factory):
    """One engine for all of this module: a lease held throughout."""
    engine = LocalEngine(tmp_path_factory.mktemp("engine"))
    engine.address(Cancel())
    yield engine
    engine.release()


@pytest.fixture(scope="module")
def shell(engine, tmp_path_factory):
    return HeadlessShell(tmp_path_factory.mktemp("home"), engine.data_folder)


def test_the_python_examples_run(engine, qgis_processing, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UP42_JOBS_ENGINE_DATA", str(engine.data_folder))
    ledger, make_parts = Ledger(tmp_path / "ledger.sqlite"), base.make_parts
    monkeypatch.setattr(base, "make_parts", lambda: make_parts().__class__(make_parts().connections, ledger, None))
    monkeypatch.chdir(tmp_path)
    provider = Up42JobsProvider()
    assert QgsApplication.processingRegistry().addProvider(provider)
    names: dict = {}
    try:
        for block in blocks("python"):
            exec(compile(block, "docs/scripting.md", "exec"), names)  # noqa: S102  (our own guide)
    finally:
        QgsApplication.processingRegistry().removeProvider(provider)
    assert names["estimate"]["CREDITS_MAX"] >= 1
    assert names["search"]["SCENES"].featureCount() == 3
    assert all(Path(scene["quicklook"]).is_file() for scene in names["search"]["SCENES"].getFeatures())
    assert names["job"]["STATUS"] == "succeeded"
    assert Path(names["job"]["OUTPUT"]).is_file()
    assert names["collected"]["STATUS"] == "succeeded,succeeded"
    assert names["jobs"]["OUTPUT"].featureCount() == 2
    assert names["cancelled"]["STATUS"] == "succeeded"
    statistics = next(names["model"]["zonal:Statistics"].getFeatures())
    assert -1 <= statistics["job_min"] <= statistics["job_mean"] <= statistics["job_max"] <= 1
    assert statistics["job_count"] > 100
    assert "credits" in capsys.readouterr().out


def test_the_shell_examples_run(shell):
    """And with them: a run by --json, a refusal with one sentence, nothing left behind by it."""
    done = shell("sh", "-ec", "\n".join(blocks("sh")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Demo NDVI  (demo-s2-l2a → ndvi)" in done.stdout
    assert '"STATUS": "succeeded"' in done.stdout
    assert "MAX_CREDITS allows 0, so it was not run" in done.stdout + done.stderr
    assert list((shell.home / "jobs").glob("*/*_ndvi.tif"))


def test_qgis_process_knows_all_of_them(shell):
    listed = shell("qgis_process", "list")
    promised = re.findall(r"`(?:up42jobs:)(\w+)`", GUIDE)
    assert len(set(promised)) == 11
    for name in promised:
        assert f"up42jobs:{name}" in listed.stdout
    helped = shell("qgis_process", "help", "up42jobs:jobandzonalstatistics")
    assert helped.returncode == 0
    assert "zonal:Statistics" in helped.stdout


def test_ten_fields_overnight(shell, engine):
    """With six slots only; the engine stays between the evening and the morning, and is stopped at the end."""
    address = engine.address(Cancel())
    project = f"{address.url}/projects/{address.free.user}"
    login = (address.free.user, address.free.secret)
    token = requests.post(f"{address.url}/oauth/token", auth=login, timeout=10).json()["data"]["accessToken"]
    changed = requests.post(
        f"{project}/settings",
        json={"settings": {"MAX_CONCURRENT_JOBS": 6}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert changed.ok, changed.text
    squares = [
        {
            "type": "Feature",
            "properties": {"name": f"Field {i}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 52.5], [x + 0.004, 52.5], [x + 0.004, 52.502], [x, 52.502], [x, 52.5]]],
            },
        }
        for i, x in enumerate(13.3 + 0.01 * n for n in range(10))
    ]
    (shell.home / "ten.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": squares}))
    script = str(ROOT / "docs/overnight.sh")
    sent = shell("sh", script, "send", "ten.geojson", "Demo NDVI", "night.txt", PAUSE="2")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "waiting for a free slot: 6,7,8,9" in sent.stdout
    assert len(re.findall("^job ", (shell.home / "night.txt").read_text(), re.MULTILINE)) == 10
    engine.release()
    collected = shell("sh", script, "collect", "night.txt", "ten", WAIT="90")
    assert collected.returncode == 0, collected.stdout + collected.stderr
    assert collected.stdout.count("succeeded") == 10
    folders = [path.name for path in (shell.home / "ten").iterdir() if not path.name.startswith(".")]
    assert sorted(name.partition(" · ")[0] for name in folders) == [f"Field {i}" for i in range(10)]
    assert not os.path.exists(engine.data_folder / "engine.json")
