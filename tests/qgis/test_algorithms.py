"""The Processing provider: a job from request to files, by script."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tarfile
import tempfile
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)

from up42_jobs.plugin.algorithms import base
from up42_jobs.plugin.algorithms.provider import Up42JobsProvider
from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.host.errors import NotConfirmed
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.script_submit import Allowance, Wanted, submit_all
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.workflow import Block, Workflow, WorkflowTask
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.platforms.contract import PlatformError
from up42_jobs.tests.servers.relay import Relay
from up42_jobs.tests.servers.tcp import DrippingServer, free_port


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
    provider.engine = engine
    yield provider
    QgsApplication.processingRegistry().removeProvider(provider)
    engine.release()
    patch.undo()


def run(name, feedback=None, **parameters):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"up42jobs:{name}")
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    results, ok = algorithm.run(parameters, context, feedback or Said(), {}, False)
    assert ok
    return {**results, "context": context}


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


NORTH_AND_SOUTH = ((13.37, 52.50, 13.38, 52.505), (13.41, 52.50, 13.42, 52.505))


def layer_of(results, name):
    """A layer that a run has put into its own context's store: kept by the caller of `run`."""
    return results["context"].takeResultLayer(results[name])


def test_each_has_its_help_and_its_inputs_and_outputs(provider):
    request = {"CONNECTION", "PROJECT", "WORKFLOW", "AOI", "FILTER", "PARAMETERS"}
    sending = {"JOB_TYPE", "NAME", "MAX_CREDITS", "ALLOW_UNKNOWN_PRICE", "BUY_AGAIN", "ONE_JOB_PER_FEATURE", "FIDS"}
    sending |= {"BATCH", "FORGET_UNCONFIRMED"}
    collecting = {"TASK", "WAIT", "OUTPUT_FOLDER", "LOAD", "SCENES"}
    sent, collected = {"JOB_ID", "JOB_IDS", "NOT_SUBMITTED"}, {"STATUS", "OUTPUT_FOLDER", "FILES", "SCENES", "OUTPUT"}
    estimated = {"CREDITS_MIN", "CREDITS_MAX", "SECONDS_MIN", "SECONDS_MAX", "TABLE"}
    expected = {
        "estimatejob": (request | {"TABLE"}, estimated),
        "submitjob": (request | sending, sent),
        "collectoutputs": ({"CONNECTION", "PROJECT", "JOB_ID", "JOB_IDS"} | collecting, collected),
        "runjob": (request | sending | collecting, sent | collected),
        "listworkflows": ({"CONNECTION", "PROJECT", "OUTPUT"}, {"OUTPUT"}),
        "listjobs": (
            {"CONNECTION", "PROJECT", "JOB_TYPE", "STATUS", "WORKFLOW", "SEARCH", "LIMIT", "OUTPUT"},
            {"OUTPUT"},
        ),
        "canceljob": ({"CONNECTION", "PROJECT", "JOB_ID"}, {"STATUS"}),
        "searchscenes": (request | {"OUTPUT_FOLDER", "SCENES"}, {"OUTPUT_FOLDER", "SCENES"}),
        "startengine": ({"PORT", "DATA"}, {"URL"}),
        "stopengine": ({"DATA"}, {"URL"}),
        "jobandzonalstatistics": None,
    }
    found = {algorithm.name(): algorithm for algorithm in provider.algorithms()}
    assert set(found) == set(expected)
    for name, names in expected.items():
        assert len(found[name].shortHelpString()) > 40 or names is None
        if names is not None:
            assert {d.name() for d in found[name].parameterDefinitions()} == names[0]
            assert {d.name() for d in found[name].outputDefinitions()} == names[1]


def test_an_estimate_tells_each_task(provider, aoi):
    results = run("estimatejob", CONNECTION="practice", WORKFLOW="Demo NDVI", AOI=aoi, TABLE="memory:")
    rows = list(layer_of(results, "TABLE").getFeatures())
    assert [row["task"] for row in rows] == ["demo-s2-l2a:1", "ndvi:1"]
    assert sum(row["credits_max"] for row in rows) == results["CREDITS_MAX"]


def test_the_maximum_is_for_all_features_together(provider, tmp_path):
    """Two jobs at the price of one each: a maximum between is refused with nothing sent."""
    fields = polygon_layer(*NORTH_AND_SOUTH)
    price = run("estimatejob", CONNECTION="practice", WORKFLOW="Demo NDVI", AOI=polygon_layer(NORTH_AND_SOUTH[0]))
    asked = {
        **{"CONNECTION": "practice", "WORKFLOW": "Demo NDVI", "AOI": fields, "JOB_TYPE": "live_job"},
        **{"ONE_JOB_PER_FEATURE": True, "NAME": "Both"},
    }
    with pytest.raises(QgsProcessingException, match="MAX_CREDITS allows"):
        run("submitjob", **asked, MAX_CREDITS=1.5 * price["CREDITS_MAX"])
    before = run("listjobs", CONNECTION="practice", SEARCH="Both", OUTPUT="memory:")
    assert layer_of(before, "OUTPUT").featureCount() == 0
    sent = run("submitjob", **asked, MAX_CREDITS=2 * price["CREDITS_MAX"])
    first, second = sent["JOB_IDS"].split(",")
    assert sent["JOB_ID"] == first
    collected = run(
        "collectoutputs", CONNECTION="practice", JOB_IDS=sent["JOB_IDS"], WAIT=60, OUTPUT_FOLDER=str(tmp_path)
    )
    assert collected["STATUS"] == "succeeded,succeeded"
    assert len(collected["FILES"]) == 2
    rows = list(
        layer_of(run("listjobs", CONNECTION="practice", SEARCH="Both", OUTPUT="memory:"), "OUTPUT").getFeatures()
    )
    assert {row["id"] for row in rows} == {first, second}
    assert {row["name"] for row in rows} == {"Both 1", "Both 2"}
    assert sum(row["credits"] for row in rows) == 2 * price["CREDITS_MAX"]
    assert run("canceljob", CONNECTION="practice", JOB_ID=first)["STATUS"] == "succeeded"


def test_the_very_same_request_is_bought_again_on_a_script_s_word_only(provider):
    field = polygon_layer((13.37, 52.70, 13.375, 52.705))
    asked = {
        **{"CONNECTION": "practice", "WORKFLOW": "Demo Imagery", "AOI": field, "JOB_TYPE": "live_job"},
        **{"PARAMETERS": '{"demo-s2-l2a:1": {"limit": 1}}', "MAX_CREDITS": 100},
    }
    first = run("submitjob", **asked)["JOB_ID"]
    for changed in ({}, {"NAME": "By another name"}, {"BATCH": "another night"}):
        with pytest.raises(QgsProcessingException, match=rf"as job {first} \(.*Credits\), .* BUY_AGAIN") as refused:
            run("submitjob", **{**asked, **changed})
        assert str(refused.value).count(". ") == 0  # one sentence
    twice = {**asked, "AOI": polygon_layer(*[(13.40, 52.70, 13.405, 52.705)] * 2), "ONE_JOB_PER_FEATURE": True}
    with pytest.raises(QgsProcessingException, match="Features 1 and 2 are the very same request"):
        run("submitjob", **twice)
    second = run("submitjob", **asked, BUY_AGAIN=True)["JOB_ID"]
    listed = run("listjobs", CONNECTION="practice", SEARCH="Field · Demo Imagery", OUTPUT="memory:")
    assert second != first
    assert {first, second} <= {row["id"] for row in layer_of(listed, "OUTPUT").getFeatures()}
    run("submitjob", **{**asked, "CONNECTION": "local", "MAX_CREDITS": 0})  # what is free is run as often as wanted
    run("submitjob", **{**asked, "CONNECTION": "local", "MAX_CREDITS": 0})


def test_a_job_that_was_cancelled_is_not_a_purchase(provider):
    field = polygon_layer((13.30, 52.70, 13.40, 52.80))
    asked = {
        **{"CONNECTION": "practice", "WORKFLOW": "Demo NDVI", "AOI": field, "JOB_TYPE": "live_job"},
        **{"PARAMETERS": '{"demo-s2-l2a:1": {"limit": 5}}', "MAX_CREDITS": 1000},
    }
    first = run("submitjob", **asked)["JOB_ID"]
    run("canceljob", CONNECTION="practice", JOB_ID=first)
    with pytest.raises(QgsProcessingException, match="ended as Cancelled"):
        run("collectoutputs", CONNECTION="practice", JOB_ID=first, WAIT=60)
    assert run("submitjob", **asked)["JOB_ID"] != first


def test_a_batch_is_sent_once_within_one_maximum(provider, tmp_path):
    """Run again under its name it sends what is missing only, and the maximum is for all that it has sent."""
    places = ((13.37, 52.60, 13.38, 52.605), (13.41, 52.60, 13.42, 52.605))
    fields = polygon_layer(*places)
    price = run("estimatejob", CONNECTION="practice", WORKFLOW="Demo NDVI", AOI=polygon_layer(places[0]))
    most = price["CREDITS_MAX"]
    asked = {
        **{"CONNECTION": "practice", "WORKFLOW": "Demo NDVI", "AOI": fields, "JOB_TYPE": "live_job"},
        **{"ONE_JOB_PER_FEATURE": True, "NAME": "Once", "BATCH": "a night"},
    }
    first = run("submitjob", **asked, FIDS="1", MAX_CREDITS=most)
    with pytest.raises(QgsProcessingException, match="jobs that were submitted before, this batch may cost"):
        run("submitjob", **asked, MAX_CREDITS=1.5 * most)
    both = run("submitjob", **asked, MAX_CREDITS=2 * most)
    assert both["JOB_IDS"].split(",")[0] == first["JOB_IDS"]
    for again in ("submitjob", "submitjob"):
        assert run(again, **asked)["JOB_IDS"] == both["JOB_IDS"]
    collected = run("runjob", **asked, OUTPUT_FOLDER=str(tmp_path))
    assert collected["JOB_IDS"] == both["JOB_IDS"]
    assert collected["STATUS"] == "succeeded,succeeded"
    listed = run("listjobs", CONNECTION="practice", SEARCH="Once", OUTPUT="memory:")
    assert layer_of(listed, "OUTPUT").featureCount() == 2
    with pytest.raises(QgsProcessingException, match="Feature 1 was submitted in the batch “a night” before"):
        run("submitjob", **{**asked, "WORKFLOW": "Demo Imagery"})
    with pytest.raises(QgsProcessingException, match="give its name as BATCH"):
        run("submitjob", **{**asked, "BATCH": "", "FORGET_UNCONFIRMED": True})


def test_two_runs_of_a_batch_at_once_send_each_job_once(provider):
    """One of them may be turned away; together they have sent each feature once."""
    places = [(13.37 + 0.02 * n, 52.50, 13.38 + 0.02 * n, 52.505) for n in range(4)]
    layers, told = [polygon_layer(*places) for _ in range(3)], []

    def work(layer):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("up42jobs:submitjob")
        parameters = {
            **{"CONNECTION": "local", "WORKFLOW": "Demo Imagery", "AOI": layer, "ONE_JOB_PER_FEATURE": True},
            **{"NAME": "Race", "BATCH": "race"},
        }
        told.append(algorithm.run(parameters, QgsProcessingContext(), Said())[1])

    threads = [threading.Thread(target=work, args=(layer,)) for layer in layers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == len(threads)
    asked = {"CONNECTION": "local", "WORKFLOW": "Demo Imagery", "AOI": layers[0], "ONE_JOB_PER_FEATURE": True}
    done = run("submitjob", **asked, NAME="Race", BATCH="race")
    listed = run("listjobs", CONNECTION="local", SEARCH="Race", OUTPUT="memory:")
    ids = [row["id"] for row in layer_of(listed, "OUTPUT").getFeatures()]
    assert sorted(ids) == sorted(done["JOB_IDS"].split(","))
    assert len(ids) == len(places)


def test_one_wrong_feature_sends_none(provider):
    tiny = (13.5, 52.5, 13.5001, 52.5001)  # below Practice's minimum of 0.1 km²
    with pytest.raises(QgsProcessingException, match=r"Feature 2: The AOI is .* km², but at least 0.1"):
        run(
            "submitjob",
            **{"CONNECTION": "practice", "WORKFLOW": "Demo Imagery", "AOI": polygon_layer(NORTH_AND_SOUTH[0], tiny)},
            **{"ONE_JOB_PER_FEATURE": True, "NAME": "Wrong"},
        )
    listed = run("listjobs", CONNECTION="practice", SEARCH="Wrong", OUTPUT="memory:")
    assert layer_of(listed, "OUTPUT").featureCount() == 0


def test_a_job_that_runs_is_left_to_a_later_run_or_cancelled(provider, tmp_path):
    sent = run("submitjob", WORKFLOW="Demo NDVI", AOI=polygon_layer((13.2, 52.3, 13.5, 52.6)), JOB_TYPE="live_job")
    collected = run("collectoutputs", JOB_ID=sent["JOB_ID"], OUTPUT_FOLDER=str(tmp_path))
    assert collected["STATUS"] in ("pending", "running")
    assert collected["FILES"] == []
    assert list(tmp_path.iterdir()) == []
    assert run("canceljob", JOB_ID=sent["JOB_ID"])["STATUS"] in ("cancelling", "cancelled")
    with pytest.raises(QgsProcessingException, match=f"{sent['JOB_ID']} ended as Cancelled"):
        run("collectoutputs", JOB_ID=sent["JOB_ID"], WAIT=20, OUTPUT_FOLDER=str(tmp_path))


def test_a_task_has_an_output_of_its_own(provider, aoi, tmp_path):
    sent = run("submitjob", WORKFLOW="Demo NDVI", AOI=aoi, JOB_TYPE="live_job")
    task = run("collectoutputs", JOB_ID=sent["JOB_ID"], TASK="demo-s2-l2a:1", WAIT=60, OUTPUT_FOLDER=str(tmp_path))
    assert QgsRasterLayer(task["OUTPUT"]).bandCount() > 1
    final = run("collectoutputs", JOB_ID=sent["JOB_ID"], OUTPUT_FOLDER=str(tmp_path))
    assert QgsRasterLayer(final["OUTPUT"]).bandCount() == 1
    assert final["OUTPUT_FOLDER"] != task["OUTPUT_FOLDER"]
    with pytest.raises(QgsProcessingException, match="no task “nonsense”: use one of demo-s2-l2a:1, ndvi:1"):
        run("collectoutputs", JOB_ID=sent["JOB_ID"], TASK="nonsense", OUTPUT_FOLDER=str(tmp_path))


def test_layers_are_handed_to_the_project(provider, aoi, tmp_path, project):
    results = run("runjob", WORKFLOW="Demo NDVI", AOI=aoi, JOB_TYPE="live_job", OUTPUT_FOLDER=str(tmp_path), LOAD=True)
    context = results["context"]
    ((uri, details),) = context.layersToLoadOnCompletion().items()
    assert uri == results["OUTPUT"]
    assert "Field" in details.name
    assert details.project is project


def test_layers_are_loaded_as_the_toolbox_does(provider, aoi, qgis_processing, tmp_path, project):
    """By Processing's own code: named, styled, described; in a group of the job's where QGIS has such (3.32)."""
    import inspect

    from processing.gui.Postprocessing import handleAlgorithmResults

    results = run("runjob", WORKFLOW="Demo NDVI", AOI=aoi, JOB_TYPE="live_job", OUTPUT_FOLDER=str(tmp_path), LOAD=True)
    given = {
        **{"alg": QgsApplication.processingRegistry().algorithmById("up42jobs:runjob"), "feedback": Said()},
        **{"context": results["context"], "parameters": {}, "showResults": False},
    }
    knows = inspect.signature(handleAlgorithmResults).parameters  # QGIS versions differ
    assert handleAlgorithmResults(**{name: value for name, value in given.items() if name in knows})
    (layer,) = project.mapLayers().values()
    assert layer.isValid()
    assert "Field" in layer.name()
    assert layer.renderer().type() != "multibandcolor"
    assert layer.metadata().rights() or layer.metadata().abstract()
    groups = [group.name() for group in project.layerTreeRoot().findGroups()]
    if Qgis.QGIS_VERSION_INT >= 33200:
        (group,) = groups
        assert group.startswith("Field · Demo NDVI · ")
    else:
        assert groups == []


def test_iterating_over_a_layer_runs_a_job_for_each_polygon(provider, qgis_processing, tmp_path):
    """What the toolbox does for “Iterate over this layer”, with its own code."""
    from processing.gui.AlgorithmExecutor import executeIterating

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("up42jobs:runjob")
    parameters = {
        **{"AOI": polygon_layer(*NORTH_AND_SOUTH), "WORKFLOW": "Demo NDVI", "JOB_TYPE": "live_job"},
        **{"CONNECTION": "local", "OUTPUT_FOLDER": str(tmp_path / "batch")},
    }
    assert executeIterating(algorithm, parameters, "AOI", QgsProcessingContext(), Said())
    assert len(list(tmp_path.glob("*/*/*_ndvi.tif"))) == 2


def test_an_engine_stays_until_it_is_stopped(provider, tmp_path):
    port = free_port()
    started = run("startengine", DATA=str(tmp_path), PORT=port)
    assert started["URL"] == f"http://127.0.0.1:{port}"
    known = json.loads((tmp_path / "engine.json").read_text())
    login = (known["free_project_id"], known["free_project_key"])
    assert requests.get(f"{started['URL']}/engine", auth=login, timeout=10).json()["data"]["stays"] is True
    assert run("startengine", DATA=str(tmp_path))["URL"] == started["URL"]
    assert run("stopengine", DATA=str(tmp_path))["URL"] == started["URL"]
    with pytest.raises(requests.ConnectionError):
        requests.get(started["URL"], timeout=10)
    assert run("stopengine", DATA=str(tmp_path))["URL"] == ""


def test_an_empty_connection_is_the_environment_s(provider, monkeypatch):
    lacks = "lacks UP42_JOBS_URL, UP42_JOBS_PROJECT_ID, UP42_JOBS_PROJECT_KEY"
    with pytest.raises(QgsProcessingException, match=lacks):
        run("listworkflows", CONNECTION="")
    address = provider.engine.address(Cancel())
    monkeypatch.setenv("UP42_JOBS_URL", address.url)
    monkeypatch.setenv("UP42_JOBS_PROJECT_ID", address.practice.user)
    monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", address.practice.secret)
    name = {"PROJECT": "practice (play credits)"}
    for parameters in ({"CONNECTION": ""}, {}, {"PROJECT": address.practice.user}, name):
        said = Said()
        run("listworkflows", said, **parameters)
        assert any("Demo NDVI" in line for line in said.lines)
    with pytest.raises(QgsProcessingException, match="no project “elsewhere”"):
        run("listworkflows", PROJECT="elsewhere")


class SlowArchives(Relay):
    """The engine, but its archives come from elsewhere."""

    archive = ""

    def handle(self, request):
        if not request.path.endswith("/downloads/results"):
            super().handle(request)
            return
        body = json.dumps({"error": None, "data": {"url": self.archive}}).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def delivered_from(provider, monkeypatch):
    """Makes a finished job whose archive is `body`, sent as slowly as `interval` says; gives its inputs."""
    address = provider.engine.address(Cancel())
    monkeypatch.setenv("UP42_JOBS_PROJECT_ID", address.practice.user)
    monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", address.practice.secret)
    with contextlib.ExitStack() as servers:
        relay = servers.enter_context(SlowArchives(address.url))
        monkeypatch.setenv("UP42_JOBS_URL", relay.url)

        def make(body, size, interval):
            archive = servers.enter_context(DrippingServer(body, size, interval))
            relay.archive = f"{archive.url}/archive.tar.gz"
            return {"CONNECTION": "", "WORKFLOW": "Demo Imagery", "AOI": polygon_layer(NORTH_AND_SOUTH[0])}

        yield make


def cancelled_when(is_time, name, **parameters):
    """Run in a thread, cancel once `is_time()`; gives the seconds until the run has returned."""
    feedback, ended = Said(), []

    def work():
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"up42jobs:{name}")
        algorithm.run(parameters, QgsProcessingContext(), feedback)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    until = time.monotonic() + 30
    while not is_time(feedback):
        assert thread.is_alive(), "over before it could be cancelled"
        assert time.monotonic() < until
        thread.join(0.01)
    asked = time.monotonic()
    feedback.cancel()
    thread.join(10)
    assert ended
    return ended[0] - asked


def finished(folder):
    return [path for path in folder.iterdir() if not path.name.startswith(".up42-")]


def test_cancel_while_it_waits(provider, tmp_path):
    seconds = cancelled_when(
        lambda feedback: any("Running" in line or "Pending" in line for line in feedback.lines),
        "runjob",
        **{"WORKFLOW": "Demo NDVI", "AOI": polygon_layer((13.3, 52.4, 13.4, 52.5)), "JOB_TYPE": "live_job"},
        **{"CONNECTION": "local", "OUTPUT_FOLDER": str(tmp_path)},
    )
    assert seconds < 1
    assert list(tmp_path.iterdir()) == []


def packed(megabytes, noise=0):
    """A tar.gz with one file of zeros: small on the way, long to unpack. `noise`: so many bytes long on the way too."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("output/large.bin")
        member.size = megabytes * 1_000_000
        with tempfile.TemporaryFile() as zeros:
            zeros.write(os.urandom(noise))
            zeros.truncate(member.size)
            zeros.seek(0)
            tar.addfile(member, zeros)
    return packed.getvalue()


def test_cancel_while_it_downloads(provider, delivered_from, tmp_path):
    parameters = delivered_from(packed(10, noise=10_000_000), 100_000, 0.1)  # 10 s
    seconds = cancelled_when(
        lambda feedback: feedback.progress() > 5, "runjob", **parameters, OUTPUT_FOLDER=str(tmp_path)
    )
    assert seconds < 1
    assert finished(tmp_path) == []


def test_cancel_while_it_unpacks(provider, delivered_from, tmp_path):
    megabytes = 600
    parameters = delivered_from(packed(megabytes), 1_000_000, 0.0)

    def unpacked():
        return sum(path.stat().st_size for path in tmp_path.glob(".up42-*.partial/**/*") if path.is_file())

    seconds = cancelled_when(lambda _feedback: unpacked() > 0, "runjob", **parameters, OUTPUT_FOLDER=str(tmp_path))
    assert seconds < 1
    assert finished(tmp_path) == []
    assert unpacked() < megabytes * 1_000_000


def test_an_unknown_price_must_be_allowed_by_name(provider):
    """A workflow on storage data, which has no AOI and so no estimate: refused here, else left to the platform."""
    parts, cancel = base.make_parts(), Cancel()
    try:
        platform = parts.connections.open(parts.connections.by_id("practice"), cancel)
        block = Block(id="b", name="storage", display_name="Storage", is_data=True)
        workflow = Workflow(str(uuid.uuid4()), "Stored", "p", (WorkflowTask("storage:1", block),))
        project = platform.projects()[0]
        wanted = [Wanted(JobRequest(project, workflow, parameters={"storage:1": {}}, name="Stored"))]
        with pytest.raises(NotConfirmed, match="ALLOW_UNKNOWN_PRICE"):
            submit_all(platform, parts.ledger, "practice", wanted, Allowance(1e6), cancel)
        with pytest.raises(PlatformError):  # it was sent: the engine has no such workflow
            submit_all(platform, parts.ledger, "practice", wanted, Allowance(0, unknown_price=True), cancel)
    finally:
        parts.close()
