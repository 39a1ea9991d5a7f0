"""Without a network: said in words where the user looks, with imagery that needs none one click away."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtWidgets import QPushButton

from up42_jobs.plugin.desktop.messages import Messages
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.scenes_list import ScenesList
from up42_jobs.plugin.engine.blocks.stac.http import OFFLINE
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.endings import Ending, EndKind, is_offline, together
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


def ending(kind, text, level="critical"):
    return Ending(kind, "this-computer", text, level, text)


@pytest.mark.parametrize(
    ("others", "first_offers", "jobs"),
    [
        ([ending(EndKind.FAILED, "“Two” failed. The AOI is too large.")], (Offer.SHOW,), 3),
        ([ending(EndKind.LOADED, "“Two” is on the map.", "success")], (Offer.SHOW,), 3),
        ([ending(EndKind.WAITING, "“Two” has outputs.", "info")], (Offer.COLLECT, Offer.LATER), 1),
        ([ending(EndKind.READY, "“Two” is ready.", "info")], (Offer.LOAD, Offer.LATER), 1),
    ],
)
def test_of_several_endings_those_without_a_network_are_told_with_demo_imagery(window, others, first_offers, jobs):
    offline = [ending(EndKind.FAILED, f"“{name}” failed. a.example can't be reached: {OFFLINE}") for name in "AB"]
    notice = together([*others, *offline])
    assert notice.offers == (*first_offers, Offer.DEMO) and len(notice.jobs) == jobs
    assert notice.text.startswith("3 jobs have ended: ")
    assert notice.text.endswith("2 could not reach their imagery: check the network, or use Demo Imagery.")
    pressed, messages = [], Messages(window.bar)
    messages.can(Offer.DEMO, pressed.append)
    messages.show(notice)
    window.bar.currentItem().findChild(QPushButton, "demoNoticeButton").click()
    assert pressed == [notice]


def test_of_several_endings_with_a_network_none_is_told_with_demo_imagery():
    failed = [ending(EndKind.FAILED, f"“{name}” failed. The AOI is too large.") for name in "AB"]
    notice = together(failed)
    assert (notice.text, notice.offers) == ("2 jobs have ended: 2 failed.", (Offer.SHOW,))


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
