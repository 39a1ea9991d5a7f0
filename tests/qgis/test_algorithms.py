"""The Processing provider: a job from request to files, by script."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)

from up42_jobs.plugin.algorithms import base
from up42_jobs.plugin.algorithms.provider import Up42JobsProvider
from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.net.cancel import Cancel

ROOT = Path(__file__).parents[2]


class Said(QgsProcessingFeedback):
    """Keeps what was said."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def pushInfo(self, info):
        self.lines.append(info)


@pytest.fixture(scope="module")
def provider(qgis_app, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    patch = pytest.MonkeyPatch()
    patch.setenv("UP42_JOBS_ENGINE_DATA", str(folder))
    make_parts, ledger = base.make_parts, Ledger(folder / "ledger.sqlite")  # not that of the test runner's profile
    patch.setattr(base, "make_parts", lambda: replace(make_parts(), ledger=ledger))
    engine = LocalEngine(folder)
    engine.address(Cancel())  # a lease held throughout, so that not every test starts an engine of its own
    provider = Up42JobsProvider()
    assert QgsApplication.processingRegistry().addProvider(provider)
    yield provider
    QgsApplication.processingRegistry().removeProvider(provider)
    engine.release()
    patch.undo()


def run(name, feedback=None, **parameters):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"up42jobs:{name}")
    results, ok = algorithm.run(parameters, QgsProcessingContext(), feedback or Said(), {}, False)
    assert ok
    return results


def polygon_layer(*rectangles):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "Field", "memory")
    for rectangle in rectangles:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*rectangle)))
        layer.dataProvider().addFeatures([feature])
    return layer


@pytest.fixture
def aoi():
    return polygon_layer((13.37, 52.50, 13.39, 52.51))


def test_workflows_are_listed_and_printed(provider):
    said = Said()
    run("listworkflows", said)
    assert any("Demo NDVI" in line and "demo-s2-l2a → ndvi" in line for line in said.lines)


def test_an_estimate_has_credits_where_there_are_any(provider, aoi):
    free = run("estimatejob", WORKFLOW="Demo NDVI", AOI=aoi)
    play = run("estimatejob", CONNECTION="practice", WORKFLOW="Demo NDVI", AOI=aoi)
    assert free["CREDITS_MAX"] == 0
    assert 1 <= play["CREDITS_MIN"] <= play["CREDITS_MAX"]
    assert play["SECONDS_MAX"] > 0


def test_a_live_job_delivers_its_raster(provider, aoi, tmp_path):
    results = run("runjob", WORKFLOW="Demo NDVI", AOI=aoi, JOB_TYPE="live_job", OUTPUT_FOLDER=str(tmp_path / "out"))
    assert results["STATUS"] == "succeeded"
    layer = QgsRasterLayer(results["OUTPUT"])
    assert layer.isValid()
    manifest = json.loads((Path(results["OUTPUT_FOLDER"]) / "job.json").read_text())
    assert manifest["job"]["id"] == results["JOB_ID"]
    assert manifest["request"]["aoi"]["name"] == "Field"
    assert Path(results["OUTPUT_FOLDER"]).parent == tmp_path / "out"


def test_a_test_query_delivers_scenes_and_quicklooks(provider, aoi, tmp_path):
    results = run(
        "runjob",
        WORKFLOW="Demo Imagery",
        AOI=aoi,
        FILTER="contains",
        PARAMETERS='{"demo-s2-l2a:1": {"limit": 3}}',
        OUTPUT_FOLDER=str(tmp_path),
    )
    folder = Path(results["OUTPUT_FOLDER"])
    assert len(json.loads((folder / "data.json").read_text())["features"]) == 3
    assert len(list((folder / "quicklooks").glob("DEMO*.jpg"))) == 3


def test_a_priced_job_is_not_run_without_a_maximum_or_above_it(provider, aoi, tmp_path):
    for most in (0, 1):
        with pytest.raises(QgsProcessingException, match="not run"):
            run(
                "runjob",
                CONNECTION="practice",
                WORKFLOW="Demo Imagery",
                AOI=polygon_layer((13.3, 52.4, 13.4, 52.5)),
                JOB_TYPE="live_job",
                MAX_CREDITS=most,
                OUTPUT_FOLDER=str(tmp_path),
            )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"WORKFLOW": "No Such"}, "no workflow “No Such”"),
        ({"CONNECTION": "nowhere"}, "no connection “nowhere”"),
        ({"PARAMETERS": '{"demo-s2-l2a:1": {"limt": 1}}'}, "no parameter “limt”"),
        ({"PARAMETERS": '{"demo-s2-l2a:1": '}, "Line 1, column"),
        ({"PARAMETERS": '{"demo-s2-l2a:1": {"time": "2001-01-01/2001-02-01"}}'}, "No scene|no scene"),
        ({"AOI": polygon_layer((0, 0, 1, 1), (2, 2, 3, 3))}, "2 polygons"),
        ({"AOI": polygon_layer()}, "The AOI is empty"),
        ({"AOI": None}, "No AOI yet"),
    ],
)
def test_bad_input_is_said_in_words(provider, aoi, tmp_path, changes, said):
    parameters = {"WORKFLOW": "Demo Imagery", "AOI": aoi, "JOB_TYPE": "live_job", "OUTPUT_FOLDER": str(tmp_path)}
    with pytest.raises(QgsProcessingException, match=said):
        run("runjob", **{**parameters, **changes})
    assert list(tmp_path.iterdir()) == []


def test_cancel_is_honoured_within_a_second(provider, aoi, tmp_path):
    feedback, began = Said(), threading.Event()
    feedback.pushInfo = lambda info: began.set()
    ended = []

    def work():
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("up42jobs:runjob")
        parameters = {
            "WORKFLOW": "Demo NDVI",
            "AOI": polygon_layer((13.3, 52.4, 13.4, 52.5)),
            "JOB_TYPE": "live_job",
            "OUTPUT_FOLDER": str(tmp_path),
        }
        algorithm.run(parameters, QgsProcessingContext(), feedback)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(30)
    asked = time.monotonic()
    feedback.cancel()
    thread.join(10)
    assert ended
    assert ended[0] - asked < 1
    assert list(tmp_path.iterdir()) == []


def test_qgis_process_runs_it(tmp_path, aoi):
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    assert program, "qgis_process belongs to QGIS"
    plugins = tmp_path / "config/profiles/default/python/plugins"
    plugins.mkdir(parents=True)
    (plugins / "up42_jobs").symlink_to(ROOT)
    (tmp_path / "run").mkdir(mode=0o700)
    aoi_file = tmp_path / "aoi.geojson"
    ring = [[13.37, 52.50], [13.39, 52.50], [13.39, 52.51], [13.37, 52.51], [13.37, 52.50]]
    aoi_file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))

    def call(*arguments):
        return subprocess.run(
            [program, *arguments],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "LC_ALL": "C.UTF-8",
                "QT_QPA_PLATFORM": "offscreen",
                "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "config"),
                "XDG_RUNTIME_DIR": str(tmp_path / "run"),
                "UP42_JOBS_ENGINE_DATA": str(tmp_path / "engine"),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    enabled = call("plugins", "enable", "up42_jobs")
    assert enabled.returncode == 0, enabled.stderr
    ran = call(
        *("run", "up42jobs:runjob", "--", "WORKFLOW=Demo NDVI", f"AOI={aoi_file}", "JOB_TYPE=live_job"),
        f"OUTPUT_FOLDER={tmp_path / 'out'}",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "STATUS:	succeeded" in ran.stdout
    assert list((tmp_path / "out").glob("*/*_ndvi.tif"))
