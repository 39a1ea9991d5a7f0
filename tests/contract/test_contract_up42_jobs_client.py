"""Our own client on a real engine: the whole cycle of a Test Query and of a Live Job that buys what it found."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from io import BytesIO
from typing import Any, Iterator

import pytest
from engine_process import until

from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.job import Job, JobState, JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.request_record import same_inputs
from up42_jobs.plugin.jobs.workflow import Project
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.contract import NotFound, Refused
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs

RING = [[13.37, 52.5], [13.4, 52.5], [13.4, 52.52], [13.37, 52.52], [13.37, 52.5]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.close()


@pytest.fixture
def practice_platform(engine: Any, session: Session) -> Up42Jobs:
    credentials = Credentials.project(engine.line["project_id"], engine.line["project_key"])
    return Up42Jobs(session, engine.line["url"], credentials, TokenStore())


@pytest.fixture
def free_platform(engine: Any, session: Session) -> Up42Jobs:
    credentials = Credentials.project(engine.line["free_project_id"], engine.line["free_project_key"])
    return Up42Jobs(session, engine.line["url"], credentials, TokenStore(), has_credits=False)


def demo_request(platform: Up42Jobs, project: Project, job_type: JobType) -> JobRequest:
    workflow = next(w for w in platform.workflows(project) if w.tasks[0].block.name == "demo-s2-l2a")
    request = JobRequest(
        project,
        workflow,
        job_type,
        Aoi.from_geojson(SQUARE),
        GeometricFilter.INTERSECTS,
        parameters.defaults(workflow),
        "Berlin · Demo & more",
    )
    assert request.problems() == []
    return request


def ended(platform: Up42Jobs, job: Job) -> Job:
    until(lambda: platform.job(job.project_id, job.id).state.ended, f"{job.id} has ended")
    return platform.job(job.project_id, job.id)


def test_from_test_query_to_archive(practice_platform: Up42Jobs, session: Session) -> None:
    platform = practice_platform
    (project,) = platform.projects()
    balance = platform.balance(project)
    assert balance is not None and platform.server_time() is not None
    query = demo_request(platform, project, JobType.TEST_QUERY)

    found = ended(platform, platform.submit(query))
    assert (found.state, found.job_type, found.name) == (JobState.SUCCEEDED, JobType.TEST_QUERY, query.name)
    assert same_inputs(found.inputs, query.inputs)
    (task,) = platform.tasks(found)
    (scene, *_) = platform.scenes(found)
    assert scene.acquired_at is not None and scene.cloud_cover is not None
    assert task.is_data and "INFO" in platform.log(found, task)
    (name, *_) = platform.quicklooks(found, task)
    assert name.startswith(scene.id) and platform.quicklook(found, task, name)[:2] == b"\xff\xd8"
    assert platform.balance(project) == balance

    live = replace(query, job_type=JobType.LIVE_JOB).with_parameter(query.workflow.tasks[0].name, "ids", [scene.id])
    estimate = platform.estimate(live)
    assert estimate.is_for(live) and estimate.credits.min > 0 and estimate.seconds.max < 3600
    bought = ended(platform, platform.submit(live))
    assert bought.state is JobState.SUCCEEDED
    used = platform.credits_used(bought)
    assert used is not None and estimate.credits.min <= used <= estimate.credits.max
    assert platform.balance(project) == balance - used
    assert [job.id for job in platform.jobs(project)][:2] == [bought.id, found.id]

    for task in (None, *platform.tasks(bought)):
        body = session.request("GET", platform.archive_url(bought, task)).body
        with tarfile.open(fileobj=BytesIO(body)) as archive:
            assert "output/data.json" in archive.getnames()
            assert any(name.endswith(".tif") for name in archive.getnames())
    platform.cancel(bought)
    assert platform.job(project.id, bought.id).state is JobState.SUCCEEDED


def test_this_computer_has_no_credits_and_no_least_area(free_platform: Up42Jobs) -> None:
    (project,) = free_platform.projects()
    assert (free_platform.balance(project), project.aoi_limits.min_km2) == (None, 0)
    request = demo_request(free_platform, project, JobType.LIVE_JOB)
    assert free_platform.estimate(request).credits.max == 0


def test_refusals_of_the_engine_reach_the_user(free_platform: Up42Jobs) -> None:
    (project,) = free_platform.projects()
    request = demo_request(free_platform, project, JobType.LIVE_JOB)
    wrong = request.with_parameter(request.workflow.tasks[0].name, "limit", "many")
    with pytest.raises(Refused, match="limit"):
        free_platform.submit(wrong)
    with pytest.raises(NotFound, match="no-such-job"):
        free_platform.job(project.id, "no-such-job")
