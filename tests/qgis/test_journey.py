"""The journey of a job, with the real engine: outputs arrive by themselves, where they belong, once."""

from __future__ import annotations

import json
import os
import signal
import tarfile
from dataclasses import replace

import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QTimer
from shapely.geometry import box, mapping

from up42_jobs.plugin.host.connections import Connections
from up42_jobs.plugin.host.journey import Journey
from up42_jobs.plugin.host.ledger import Ledger
from up42_jobs.plugin.host.network import make_session
from up42_jobs.plugin.host.origin import Origin
from up42_jobs.plugin.host.records import DeliveryState
from up42_jobs.plugin.host.save_archive import archive_name
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.submit import submit
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import JobState, JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.net.cancel import Cancel

SMALL = Aoi.from_geojson(mapping(box(13.37, 52.50, 13.39, 52.51)), "Small")
LARGE = Aoi.from_geojson(mapping(box(13.3, 52.4, 13.45, 52.5)), "Large")
PATIENCE_MS = 60_000


class OwnSettings(Settings):
    """Settings that other test runs on the same profile don't see."""

    folder = ""

    @property
    def output_folder(self):
        return self.folder


class Session:
    """One QGIS session: the parts that the dock has, without the dock."""

    def __init__(self, qtbot, folder, engine, connection_id="this-computer"):
        self.qtbot, self.folder, self.closed = qtbot, folder, False
        self.works = Works()
        self.ledger = Ledger(folder / "ledger.sqlite")
        settings = OwnSettings()
        settings.folder = str(folder / "outputs")
        self.journey = Journey(self.works, Connections(engine, make_session), self.ledger, settings)
        self.told, self.groups = [], {}
        self.journey.resume.begin()
        self.journey.told.connect(lambda level, text: self.told.append((level, text)))
        self.journey.noticed.connect(lambda notice: self.told.append((notice.level, notice.text)))
        self.journey.arrived.connect(self.groups.__setitem__)
        connection = self.journey.connections.by_id(connection_id)
        self.catalogue = self.answer(lambda d, f: self.journey.open(connection, d, f))
        self.journey.watch(self.catalogue)

    def until(self, condition):
        """Let QGIS run until `condition()` is true."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE_MS)

    def answer(self, ask):
        answers, failures = [], []
        ask(answers.append, failures.append)
        self.until(lambda: answers or failures)
        assert not failures, failures
        return answers[0]

    def request(self, aoi=SMALL, workflow="Demo Imagery", **values):
        found = next(w for w in self.catalogue.workflows if w.name == workflow)
        request = JobRequest(self.catalogue.project, found, aoi=aoi, parameters=parameters.defaults(found), name="Job")
        for name, value in values.items():
            request = request.with_parameter(found.tasks[0].name, name, value)
        return request

    def submit(self, request):
        return self.answer(lambda d, f: self.journey.submit(self.catalogue, request, None, d, f))

    def record(self, job):
        records = self.journey.records(self.catalogue.connection.id)
        return next((record for record in records if record.job.id == job.id), None)

    def wait_for(self, job, state):
        def there():
            record = self.record(job)
            return record is not None and record.delivery.state in (state, DeliveryState.FAILED)

        self.until(there)
        assert self.record(job).delivery.state is state, (self.record(job), self.told)
        return self.record(job)

    def close(self):
        if not self.closed:
            self.closed = True
            self.journey.close()
            self.works.stop()


@pytest.fixture
def start(qtbot, project, tmp_path, engine):
    sessions = []

    def start():
        sessions.append(Session(qtbot, tmp_path, engine))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


def layer_names(group):
    return [node.name() for node in group.findLayers()]


def test_the_outputs_of_a_live_job_arrive_on_the_map(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    record = session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: job.id in session.groups)
    assert any("Demo Imagery" in name for name in layer_names(session.groups[job.id]))
    assert record.delivery.folder.parent == tmp_path / "outputs"
    manifest = json.loads((record.delivery.folder / "job.json").read_text())
    assert (manifest["job"]["id"], manifest["request"]["aoi"]["name"]) == (job.id, "Small")
    assert "key" not in json.dumps(manifest).lower().replace("keys", "")
    session.until(lambda: session.ledger.entry("this-computer", job.id).loaded)
    session.until(lambda: session.told)
    assert [level for level, _text in session.told] == ["success"]


def test_a_test_query_brings_footprints_and_quicklooks(start):
    session = start()
    job = session.submit(session.request(limit=2).of_type(JobType.TEST_QUERY))
    record = session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: job.id in session.groups)
    names = layer_names(session.groups[job.id])
    assert sum("Quicklook" in name for name in names) == 2
    assert any("Footprints" in name for name in names)
    assert not list(record.delivery.folder.glob("DEMO*.tif"))


def test_layers_go_only_into_the_project_the_job_was_started_from(start):
    session = start()
    job = session.submit(session.request())
    QgsProject.instance().clear()
    record = session.wait_for(job, DeliveryState.DELIVERED)
    session.until(lambda: any("another project" in text for _level, text in session.told))
    assert (record.delivery.folder / "job.json").exists()
    assert QgsProject.instance().mapLayers() == {}
    session.journey.load(record)
    session.wait_for(job, DeliveryState.LOADED)
    assert QgsProject.instance().mapLayers()


def test_a_project_closed_while_layers_come_is_not_called_loaded(start, project):
    session = start()

    def close_soon(_layers):
        project.layersAdded.disconnect(close_soon)
        QTimer.singleShot(0, project.clear)

    project.layersAdded.connect(close_soon)
    job = session.submit(session.request(limit=3))
    session.until(lambda: session.record(job) and session.record(job).delivery.state is DeliveryState.DELIVERED)
    session.until(lambda: not project.mapLayers())
    session.qtbot.wait(200)  # whatever else might come
    assert session.groups == {}
    assert not session.ledger.entry("this-computer", job.id).loaded
    assert session.record(job).delivery.state is DeliveryState.DELIVERED


def test_a_job_of_a_script_is_left_to_the_script(start):
    session = start()
    platform = session.journey.connections.open(session.catalogue.connection, Cancel())
    job = submit(platform, session.ledger, "this-computer", session.request(), Origin("", ""), None)
    session.until(lambda: session.record(job) and session.record(job).job.state is JobState.SUCCEEDED)
    session.journey.refresh()
    session.qtbot.wait(200)
    assert session.record(job).delivery.state is DeliveryState.NONE
    assert not (session.folder / "outputs").exists()


def test_outputs_arrive_after_a_restart_in_their_project_and_only_once(start, project, tmp_path):
    assert project.write(str(tmp_path / "work.qgz"))
    first = start()
    job = first.submit(first.request())
    first.close()
    project.clear()
    second = start()
    second.wait_for(job, DeliveryState.DELIVERED)
    assert project.mapLayers() == {}
    second.close()
    assert project.read(str(tmp_path / "work.qgz"))
    third = start()
    third.wait_for(job, DeliveryState.LOADED)
    third.until(lambda: third.ledger.entry("this-computer", job.id).loaded)
    count = len(project.mapLayers())
    assert count > 0
    third.close()
    fourth = start()
    fourth.wait_for(job, DeliveryState.LOADED)
    assert len(project.mapLayers()) == count
    assert len(list((tmp_path / "outputs").iterdir())) == 1
    assert fourth.told == []


def test_a_failed_job_is_told_with_its_reason_once(start):
    session = start()
    job = session.submit(session.request(time="2017-01-01T00:00:00Z/2017-01-01T01:00:00Z"))
    session.until(lambda: session.told)
    ((level, text),) = session.told
    assert level == "critical"
    assert "No scene" in text
    assert session.record(job).job.state is JobState.FAILED
    session.until(lambda: session.ledger.entry("this-computer", job.id).told == "failed")
    session.close()
    again = start()
    again.until(lambda: again.record(job) is not None)
    assert again.told == []
    assert list((session.folder / "outputs").glob("*")) == []


def test_a_job_survives_the_death_of_its_engine(start, engine):
    session = start()
    job = session.submit(session.request(LARGE, "Demo NDVI", limit=3))

    def running():
        record = session.record(job)
        return record is not None and record.job.state is JobState.RUNNING

    session.until(running)
    state = json.loads((engine.data_folder / "engine.json").read_text())
    os.kill(state["pid"], signal.SIGKILL)
    session.wait_for(job, DeliveryState.LOADED)
    session.until(lambda: job.id in session.groups)
    assert sum("NDVI" in name for name in layer_names(session.groups[job.id])) == 3


def test_cancel_ends_a_job_and_brings_nothing(start):
    session = start()
    job = session.submit(session.request(LARGE, limit=5))
    session.until(lambda: session.record(job) is not None)
    session.journey.job_actions.cancel(session.record(job))
    session.until(lambda: session.told)
    assert session.record(job).job.state is JobState.CANCELLED
    assert "cancelled" in session.told[0][1]
    assert list((session.folder / "outputs").glob("*")) == []


def test_the_archive_itself_can_be_saved(start, tmp_path):
    session = start()
    job = session.submit(session.request())
    record = session.wait_for(job, DeliveryState.LOADED)
    target = tmp_path / "kept" / archive_name(job)
    target.parent.mkdir()
    session.journey.job_actions.save_archive(record, target)
    session.until(lambda: any("is saved as" in text for _level, text in session.told))
    with tarfile.open(target) as archive:
        assert "output/data.json" in archive.getnames()
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    session.journey.job_actions.save_archive(record, tmp_path / "no such folder" / "x.tar.gz")
    session.until(lambda: session.told[-1][0] == "warning")
    assert "no such folder" in session.told[-1][1]


def test_a_request_with_problems_is_not_sent(start):
    session = start()
    failures = []
    request = replace(session.request(), aoi=None)
    session.journey.submit(session.catalogue, request, None, lambda _job: None, failures.append)
    session.until(lambda: failures)
    assert failures[0].startswith("No AOI yet")
    assert session.ledger.intents("this-computer") == []
