"""Our own client on a real engine: the whole cycle of a Test Query and of a Live Job that buys what it found."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from io import BytesIO
from typing import Any, Iterator

import pytest
from engine_process import until
from webhook_receiver import Receiver, is_signed

from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.job import Job, JobState, JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.request_record import same_inputs
from up42_jobs.plugin.jobs.workflow import Project
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms import wire
from up42_jobs.plugin.platforms.account_calls import Webhook
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
    workflow = next(w for w in platform.workflows(project) if w.tasks and w.tasks[0].block.name == "demo-s2-l2a")
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


def test_workflows_are_made_of_compatible_blocks_and_taken_away_again(free_platform: Up42Jobs) -> None:
    (project,) = free_platform.projects()
    blocks = {block.name: block for block in free_platform.blocks()}
    made = free_platform.create_workflow(project, "Mine", "to be taken away")
    data_blocks = free_platform.compatible_block_ids(made)
    assert blocks["demo-s2-l2a"].id in data_blocks and blocks["sharpening"].id not in data_blocks
    made = free_platform.set_tasks(made, [blocks["demo-s2-l2a"]])
    following = free_platform.compatible_block_ids(made, made.tasks[-1])
    assert blocks["sharpening"].id in following and blocks["demo-s2-l2a"].id not in following
    made = free_platform.set_tasks(made, [blocks["demo-s2-l2a"], blocks["sharpening"], blocks["sharpening"]])
    assert [task.name for task in made.tasks] == ["demo-s2-l2a:1", "sharpening:1", "sharpening:2"]
    assert "limit" in free_platform.block(blocks["demo-s2-l2a"].id).parameters
    free_platform.rename_workflow(made, "Yours")
    stored = next(workflow for workflow in free_platform.workflows(project) if workflow.id == made.id)
    assert (stored.name, stored.description, stored.tasks) == ("Yours", "to be taken away", made.tasks)
    free_platform.delete_workflow(made)
    assert made.id not in [workflow.id for workflow in free_platform.workflows(project)]
    with pytest.raises(NotFound):
        free_platform.delete_workflow(made)
    with pytest.raises(Refused, match="data block"):
        free_platform.set_tasks(free_platform.create_workflow(project, "Wrong"), [blocks["sharpening"]])


def test_jobs_are_checked_renamed_run_again_and_cancelled(free_platform: Up42Jobs) -> None:
    (project,) = free_platform.projects()
    request = demo_request(free_platform, project, JobType.TEST_QUERY)
    free_platform.validate(request)
    with pytest.raises(Refused, match="limit"):
        free_platform.validate(request.with_parameter(request.workflow.tasks[0].name, "limit", 0))
    job = ended(free_platform, free_platform.submit(request))
    assert free_platform.rename(job, "Renamed · ä").name == "Renamed · ä"
    again = free_platform.rerun(job, "Again")
    assert (again.name, again.job_type) == ("Again", JobType.TEST_QUERY) and again.id != job.id
    assert ended(free_platform, again).state is JobState.SUCCEEDED
    stopped = free_platform.rerun(job)
    assert stopped.name == "Rerun Renamed · ä"
    free_platform.cancel(stopped)
    assert ended(free_platform, stopped).state in (JobState.CANCELLED, JobState.SUCCEEDED)


def test_limits_are_changed_and_refused(free_platform: Up42Jobs) -> None:
    (project,) = free_platform.projects()
    free_platform.change_limits(project, {wire.MAX_JOBS: 9})
    assert free_platform.projects()[0].max_concurrent_jobs == 9
    free_platform.change_limits(project, {wire.MAX_JOBS: project.max_concurrent_jobs})
    with pytest.raises(Refused, match="in range"):
        free_platform.change_limits(project, {wire.MAX_JOBS: 10_000})


def test_the_account_signs_in_and_its_history_explains_the_balance(engine: Any, session: Session) -> None:
    line = engine.line
    account = Credentials.account(line["account_user"], line["account_password"])
    ids = [line["project_id"], line["free_project_id"]]
    platform = Up42Jobs(session, line["url"], account, TokenStore(), project_ids=ids)
    practice, free = platform.projects()
    assert (practice.id, free.name) == (line["project_id"], "This Computer")
    assert sum(entry.credits for entry in platform.credit_history()) == platform.balance(practice)
    assert platform.credits_spent(platform.workflows(practice)[0]) is not None


def test_webhooks_are_managed_and_told(practice_platform: Up42Jobs) -> None:
    receiver, platform = Receiver(), practice_platform
    try:
        assert "job.status" in platform.webhook_events()
        made = platform.create_webhook(Webhook("Mine", receiver.url, secret="a made-up secret"))
        assert platform.webhooks() == [made]
        assert platform.try_webhook(made) == (1, 1)
        assert platform.change_webhook(replace(made, name="Yours")).name == "Yours"
        job = ended(platform, platform.submit(demo_request(platform, platform.projects()[0], JobType.TEST_QUERY)))
        until(lambda: receiver.job_statuses(job.id) == ["RUNNING", "SUCCEEDED"], "both changes are told")
        assert all(is_signed(headers, body, "a made-up secret") for headers, body in receiver.got)
        platform.delete_webhook(made)
        assert platform.webhooks() == []
        with pytest.raises(Refused, match="https"):
            platform.create_webhook(Webhook("Mine", "http://example.org/"))
    finally:
        receiver.close()
