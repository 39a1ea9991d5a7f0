"""Without a network: said in words where the user looks, with imagery that needs none one click away."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtWidgets import QPushButton

from up42_jobs.plugin.desktop.messages import Messages
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.scenes_list import ScenesList
from up42_jobs.plugin.engine.blocks.stac.http import OFFLINE
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.endings import is_offline
from up42_jobs.plugin.host.parts import Parts
from up42_jobs.plugin.host.records import Delivery, JobRecord, Offer
from up42_jobs.plugin.jobs.job import JobState, JobType
from up42_jobs.plugin.net.cancel import Cancel

from .conftest import SQUARE

PATIENCE_MS = 90_000


@pytest.fixture(scope="module", autouse=True)
def nothing_answers(qgis_app):
    """The STAC API is a port that nobody listens on; the engine of this module starts with it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("UP42_JOBS_STAC_URL", "http://127.0.0.1:9")
    yield
    patch.undo()


@pytest.fixture
def model(open_catalogue):
    model = RequestModel()
    model.set_catalogue(open_catalogue(Kind.FREE))
    model.set_workflow(next(w for w in model.catalogue.workflows if w.name == "Sentinel-2 Bands"))
    model.set_aoi(SQUARE)
    return model


def test_the_sentence_of_the_blocks_is_known():
    assert is_offline(OFFLINE)


def test_a_search_without_a_network_is_told_with_demo_imagery_one_click_away(
    window, journey, parts: Parts, model, qtbot
):
    connection, notices, changes = model.catalogue.connection, [], []
    journey.noticed.connect(notices.append)
    journey.watch(model.catalogue)
    sent = []
    request = model.request.of_type(JobType.TEST_QUERY).named("Without a network")
    journey.submit(model.catalogue, request, None, sent.append, sent.append)
    qtbot.waitUntil(lambda: bool(notices), timeout=PATIENCE_MS)
    (notice,) = notices
    assert "“Without a network” failed. 127.0.0.1 can't be reached" in notice.text
    assert notice.offers == (Offer.SHOW, Offer.DEMO)
    messages = Messages(window.bar)
    messages.can(Offer.DEMO, lambda _notice: changes.append(model.choose_demo()))
    messages.show(notice)
    button = window.bar.currentItem().findChild(QPushButton, "demoNoticeButton")
    assert button.text() == "Use Demo Imagery"
    button.click()
    assert changes == [True] and model.workflow.name == "Demo Imagery"
    assert model.request.aoi is SQUARE and model.problems == []
    record = next(r for r in journey.records(connection.id) if r.job.id == sent[0].id)
    _scenes_tab_says_the_same(journey, window, record, notice.text, parts, connection, qtbot)


def _scenes_tab_says_the_same(journey, window, record, told, parts, connection, qtbot):
    job = parts.connections.open(connection, Cancel()).job(record.job.project_id, record.job.id)
    assert job.state is JobState.FAILED
    reason = told.partition("failed. ")[2]
    wanted = []
    scenes = ScenesList(journey.scene_search, window.canvas)
    qtbot.addWidget(scenes)
    scenes.demo_wanted.connect(lambda: wanted.append(True))
    scenes.show_record(JobRecord(connection.id, job, delivery=Delivery(message=reason)))
    assert scenes.messageLabel.text() == reason
    assert scenes.countButton.isHidden()  # no filter is to blame
    scenes.demoButton.click()
    assert not scenes.demoButton.isHidden() and wanted == [True]
    scenes.stop()
