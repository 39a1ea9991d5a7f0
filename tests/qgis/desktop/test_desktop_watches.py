"""The list of watches: from the form into it, and from what is new back into the form, on the real engine."""

from __future__ import annotations

import pytest

from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.scenes_list import ScenesList
from up42_jobs.plugin.desktop.watching import Watching
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.records import JobRecord
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.net.cancel import Cancel

from .conftest import SQUARE

PATIENCE_MS = 60_000


@pytest.fixture
def watching(window, journey, parts, open_catalogue, qtbot):
    with parts.ledger.transaction() as db:
        db.execute("DELETE FROM watch")
    model = RequestModel()
    model.set_catalogue(open_catalogue(Kind.PRACTICE))
    model.set_workflow(next(w for w in model.catalogue.workflows if w.name == "Demo Imagery"))
    watching = Watching(model, journey.watches, window)
    watching.model, watching.said = model, []
    watching.told.connect(lambda level, text: watching.said.append((level, text)))
    yield watching
    watching.stop()


def forget_some(parts):
    """As if two scenes had not been there when the watch looked first."""
    with parts.ledger.transaction() as db:
        db.execute("UPDATE watch SET seen = json_remove(json_remove(seen, '$[0]'), '$[0]')")


def test_a_search_is_watched_and_its_new_scenes_become_a_live_job(watching, journey, parts, qtbot):
    model, watches = watching.model, journey.watches
    watching.watch_this()
    assert watching.dialog is None
    assert watching.said[0][0] == "warning"  # no AOI yet
    model.set_aoi(SQUARE)
    watching.watch_this()
    dialog = watching.dialog
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: bool(watches.all and watches.all[0].looked), timeout=PATIENCE_MS)
    assert dialog.chosen.name == "Square · Demo Imagery"
    assert "Nothing new since" in dialog.watchLabel.text()
    assert not dialog.formButton.isEnabled() and not dialog.seenButton.isEnabled()
    assert len(dialog.chosen.seen) > 2
    forget_some(parts)
    dialog.lookButton.click()
    assert not dialog.lookButton.isEnabled()
    qtbot.waitUntil(lambda: len(watches.all[0].fresh) == 2, timeout=PATIENCE_MS)
    item = dialog.watchesTree.topLevelItem(0)
    assert (item.text(1), item.childCount()) == ("2", 2)
    assert watches.all[0].fresh[0].id in item.child(0).text(0)
    assert "2 new scenes under 20 % cloud since" in dialog.watchLabel.text()
    dialog.formButton.click()
    given = model.request.parameters[model.data_task.name]
    assert model.request.job_type is JobType.LIVE_JOB
    assert given["ids"] == [scene.id for scene in watches.all[0].fresh]
    assert given["limit"] == 2
    assert model.request.aoi.geometry.equals(SQUARE.geometry)
    assert model.problems == []
    dialog.intervalCombo.setCurrentIndex(2)
    dialog.intervalCombo.activated.emit(2)
    qtbot.waitUntil(lambda: watches.all[0].hours == 24.0, timeout=PATIENCE_MS)
    assert dialog.intervalCombo.currentIndex() == 2
    dialog.seenButton.click()
    qtbot.waitUntil(lambda: not watches.all[0].fresh, timeout=PATIENCE_MS)
    assert not dialog.formButton.isEnabled()
    dialog.removeWatchButton.click()
    qtbot.waitUntil(lambda: not watches.all, timeout=PATIENCE_MS)
    assert "Nothing is watched yet" in dialog.watchLabel.text()
    assert not dialog.lookButton.isEnabled()


def test_the_search_of_a_test_query_is_watched_from_its_scenes(watching, journey, parts, window, open_catalogue, qtbot):
    model, watches = watching.model, journey.watches
    model.set_aoi(SQUARE)
    connection = model.catalogue.connection
    request = model.request.of_type(JobType.TEST_QUERY).named("Spring")
    record = JobRecord(connection.id, parts.connections.open(connection, Cancel()).submit(request))
    scenes = ScenesList(journey.scene_search, window.canvas)
    qtbot.addWidget(scenes)
    scenes.watch_wanted.connect(watching.watch_job)
    scenes.watchButton.click()
    assert watching.dialog is None  # there is no Test Query yet
    scenes.show_record(record)
    model.set_aoi(None)
    scenes.watchButton.click()
    qtbot.waitUntil(lambda: bool(watches.all and watches.all[0].looked), timeout=PATIENCE_MS)
    (watch,) = watches.all
    assert (watching.dialog.chosen.id, watch.name, watch.hours) == (watch.id, "Demo Imagery", None)
    assert watch.seen and not watches.errors
    assert model.request.aoi is None  # the form is as it was
    model.set_catalogue(open_catalogue(Kind.FREE))
    scenes.watchButton.click()
    assert "another connection" in watching.said[-1][1]
    scenes.stop()
    watches.remove(watch)
    qtbot.waitUntil(lambda: not watches.all, timeout=PATIENCE_MS)


def test_new_scenes_of_another_connection_are_not_put_into_the_form(watching, journey, open_catalogue, qtbot):
    model = watching.model
    model.set_aoi(SQUARE)
    watching.watch_this()
    qtbot.waitUntil(lambda: bool(journey.watches.all and journey.watches.all[0].looked), timeout=PATIENCE_MS)
    watch = journey.watches.all[0]
    model.set_catalogue(open_catalogue(Kind.FREE))
    before = model.request
    watching.put_in_form(watch)
    assert "another connection" in watching.said[-1][1]
    assert model.request == before
    journey.watches.remove(watch)
    qtbot.waitUntil(lambda: not journey.watches.all, timeout=PATIENCE_MS)
