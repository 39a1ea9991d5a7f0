"""The list of watches: from the form into it, and from what is new back into the form, on the real engine."""

from __future__ import annotations

import pytest

from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.watching import Watching
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.jobs.job import JobType

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
    assert "2 new scenes with at most 20 % cloud since" in dialog.watchLabel.text()
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
