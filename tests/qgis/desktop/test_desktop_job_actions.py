"""What the actions of the Jobs tab do with real jobs: back into the form, cancelled, told to support."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtWidgets import QApplication, QMessageBox

from up42_jobs.plugin.desktop.form_from_job import NotRestored, aoi_of, fill_form
from up42_jobs.plugin.desktop.jobs_tab import JobsTab
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.submit import Confirmation
from up42_jobs.plugin.jobs.aoi import GeometricFilter
from up42_jobs.plugin.jobs.job import JobState, JobType

from .conftest import SQUARE


class Place:
    """A tab and a form on one connection of the real engine."""

    def __init__(self, kind, journey, open_catalogue, qtbot):
        self.qtbot, self.journey = qtbot, journey
        self.catalogue = open_catalogue(kind)
        self.model = RequestModel()
        self.model.set_catalogue(self.catalogue)
        self.choose("Demo NDVI")
        self.model.set_aoi(SQUARE)
        journey.watch(self.catalogue)
        self.tab = JobsTab(journey)
        qtbot.addWidget(self.tab)
        self.tab.set_catalogue(self.catalogue)
        self.tab.show()

    def choose(self, name):
        self.model.set_workflow(next(w for w in self.catalogue.workflows if w.name == name))

    def submit(self, name, confirmation=None):
        sent = []
        request = self.model.request.named(name)
        self.journey.submit(self.catalogue, request, confirmation, sent.append, pytest.fail)
        self.until(lambda: sent)
        self.tab.choose(sent[0].id)
        self.until(lambda: self.tab.chosen is not None and self.tab.chosen.job.id == sent[0].id)
        return sent[0]

    def until(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=30_000)


@pytest.fixture
def make_place(journey, open_catalogue, qtbot, parts):
    places = []

    def make(kind=Kind.FREE):
        places.append(Place(kind, journey, open_catalogue, qtbot))
        return places[-1]

    yield make
    for place in places:
        place.tab.stop()


def test_a_job_goes_back_into_the_form_as_it_was_asked_for(make_place):
    place = make_place()
    place.model.set_filter(GeometricFilter.BBOX)
    place.model.set_parameter(place.model.data_task.name, "limit", 3)
    asked = place.model.request
    place.submit("once")
    place.choose("Demo Imagery")
    place.model.set_aoi(None)
    wanted = []
    place.tab.form_wanted.connect(lambda record, job_type: wanted.append((record, job_type)))
    place.tab.actions_.again_test.trigger()
    ((record, job_type),) = wanted
    fill_form(place.model, record, job_type)
    assert place.model.request.job_type is JobType.TEST_QUERY
    assert place.model.request.of_type(asked.job_type).inputs == asked.inputs
    assert place.model.request.aoi.geometry.equals(asked.aoi.geometry)
    assert place.model.problems == []
    assert aoi_of(record).geometry.equals(SQUARE.geometry)


def test_a_colleagues_job_goes_into_the_form_as_it_was_sent(make_place):
    from dataclasses import replace

    place = make_place()
    asked = place.model.request
    place.submit("theirs")
    theirs = replace(place.tab.chosen, ours=False, entry=None)
    place.model.set_aoi(None)
    fill_form(place.model, theirs, None)
    assert place.model.request.inputs == asked.inputs
    assert aoi_of(theirs).geometry.equals(SQUARE.geometry)
    gone = replace(theirs, job=replace(theirs.job, workflow_id="deleted"))
    with pytest.raises(NotRestored, match="no longer in the project"):
        fill_form(place.model, gone, None)


def test_cancelling_a_paid_job_says_first_what_was_spent(make_place):
    place = make_place(Kind.PRACTICE)
    place.model.set_job_type(JobType.LIVE_JOB)
    place.model.set_parameter(place.model.data_task.name, "limit", 10)
    request = place.model.request
    place.submit("paid", Confirmation(request.fingerprint, 100_000))
    place.tab.actions_.cancel.trigger()
    place.until(lambda: isinstance(place.tab.actions_.dialog, QMessageBox) or place.tab.chosen.job.state.ended)
    box = place.tab.actions_.dialog
    if box is None:
        pytest.skip("the job was faster than the question")
    assert "credits" in box.text() or "nothing so far" in box.text()
    assert box.defaultButton().text() == "Keep"
    next(b for b in box.buttons() if b.objectName() == "cancelJobDialogButton").click()
    place.until(lambda: place.tab.chosen.job.state.ended)


def test_support_information_is_copied_and_task_rows_choose_their_job(make_place):
    place = make_place()
    job = place.submit("supported")
    place.until(lambda: place.tab.chosen.job.state is JobState.SUCCEEDED and len(place.tab.chosen.tasks) == 2)
    QApplication.clipboard().clear()
    place.tab.actions_.support.trigger()
    place.until(lambda: job.id in QApplication.clipboard().text())
    view = place.tab.jobsView
    row = view.currentIndex()
    view.expand(row)
    view.setCurrentIndex(row.model().index(1, 0, row.sibling(row.row(), 0)))
    assert place.tab.chosen.job.id == job.id
    assert place.tab.chosen_task == place.tab.chosen.tasks[1]
    assert place.tab.actions_.load_task.isEnabled()
