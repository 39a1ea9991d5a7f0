"""What the client asks, what it makes of the answers, and what it never does twice: a server of our own on loopback."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from typing import Iterator

import pytest

from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.job import Job, JobState, JobType, Task
from up42_jobs.plugin.jobs.request import JobRequest, Range
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.contract import BadAnswer, NotAuthorised, NotFound, Platform, Refused, Unreachable
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.unit.up42_jobs_server import (
    KEY,
    PROJECT,
    JobsServer,
    Reply,
    data,
    jwt,
    query,
    refusal,
    reply,
    token_reply,
)

JOBS = f"/projects/{PROJECT}/jobs"
CREATE = f"/projects/{PROJECT}/workflows/w1/jobs"
ESTIMATE = f"/projects/{PROJECT}/estimate/job"
SQUARE = {"type": "Polygon", "coordinates": [[[13.0, 52.0], [13.1, 52.0], [13.1, 52.1], [13.0, 52.1], [13.0, 52.0]]]}


@pytest.fixture
def server() -> Iterator[JobsServer]:
    with JobsServer() as started:
        yield started


@pytest.fixture
def platform(server: JobsServer) -> Iterator[Platform]:
    session = Session()
    yield Up42Jobs(session, server.url + "/", Credentials.project(PROJECT, KEY), TokenStore())
    session.close()


def request(job_type: JobType = JobType.LIVE_JOB, name: str = "Berlin · S2 & more") -> JobRequest:
    geometry = {f.value: Parameter(f.value, "geometry") for f in GeometricFilter}
    parameters = {**geometry, "limit": Parameter("limit", "integer")}
    source = Block("b1", "esa-s2", "Sentinel-2", True, parameters, version="1.0.1")
    sharpening = Block("b2", "sharpening", "Sharpening", False, version="2.0.0")
    tasks = (WorkflowTask("esa-s2:1", source), WorkflowTask("sharpening:1", sharpening, "esa-s2:1"))
    return JobRequest(
        project=Project(PROJECT, "Demo"),
        workflow=Workflow("w1", "S2 + sharpening", PROJECT, tasks),
        job_type=job_type,
        aoi=Aoi.from_geojson(SQUARE),
        parameters={"esa-s2:1": {"limit": 2}, "sharpening:1": {"strength": "medium"}},
        name=name,
    )


def wire_job(job_id: str = "j1", **changed: object) -> dict:
    return {
        "id": job_id,
        "status": "NOT_STARTED",
        "name": "Berlin",
        "mode": "DEFAULT",
        "inputs": {"esa-s2:1": {"limit": 2}, "config": {"mode": "DEFAULT"}},
        "createdAt": "2022-05-28T17:40:43.482868Z",
        "startedAt": None,
        "finishedAt": None,
        "workflowId": "w1",
        "workflowName": "S2 + sharpening",
        **changed,
    }


A_JOB = Job("j1", PROJECT, "Berlin", JobState.RUNNING, "RUNNING", JobType.LIVE_JOB, "w1", "S2")
A_TASK = Task("t/1", "esa-s2:1", JobState.SUCCEEDED, "SUCCEEDED", is_data=True)


def test_project_with_settings_as_texts(server: JobsServer, platform: Platform) -> None:
    server.on("GET", f"/projects/{PROJECT}", data({"id": PROJECT, "name": "Demo", "description": None}))
    settings = [
        {"name": "MAX_CONCURRENT_JOBS", "value": "3"},
        {"name": "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE", "value": "20"},
        {"name": "JOB_QUERY_MAX_AOI_SIZE", "value": "1000"},
        {"name": "A_SETTING_OF_TOMORROW", "value": "blue"},
    ]
    server.on("GET", f"/projects/{PROJECT}/settings", data(settings))
    (project,) = platform.projects()
    assert (project.id, project.name, project.description) == (PROJECT, "Demo", "")
    assert (project.max_concurrent_jobs, project.max_scenes, project.aoi_limits.max_km2) == (3, 20, 1000)
    assert project.aoi_limits.min_km2 == 0.1


def test_project_whose_settings_are_not_to_be_had_has_no_known_limits(server: JobsServer, platform: Platform) -> None:
    server.on("GET", f"/projects/{PROJECT}", data({}))
    (project,) = platform.projects()
    assert project.name == PROJECT
    assert (project.max_scenes, project.aoi_limits.max_km2) == (None, None)


def test_an_account_has_the_projects_that_it_is_given(server: JobsServer) -> None:
    for project_id in ("p1", "p2"):
        server.on("GET", f"/projects/{project_id}", data({"name": project_id.upper()}))
    account = Credentials.account("a@example.org", "a made-up password")
    platform = Up42Jobs(Session(), server.url, account, TokenStore(), project_ids=["p1", "p2"])
    assert [project.name for project in platform.projects()] == ["P1", "P2"]
    form = server.last("/oauth/token")
    assert form.body == b"grant_type=password&username=a%40example.org&password=a+made-up+password"
    assert "authorization" not in form.headers


def test_of_several_projects_those_that_are_not_there_are_named_and_the_others_work(server: JobsServer) -> None:
    server.on("GET", "/projects/p2", data({"name": "P2"}))
    account = Credentials.account("a@example.org", "a made-up password")
    platform = Up42Jobs(Session(), server.url, account, TokenStore(), project_ids=["p1", "p2", "p3"])
    assert [project.name for project in platform.projects()] == ["P2"]
    assert list(platform.refused_projects) == ["p1", "p3"]
    assert "the project p1" in platform.refused_projects["p1"]
    platform.server_time()  # what a submit asks first: by the one that is there
    assert server.count("GET", "/projects/p2") == 2


def test_where_none_of_several_projects_is_there_the_first_is_named(server: JobsServer) -> None:
    account = Credentials.account("a@example.org", "a made-up password")
    platform = Up42Jobs(Session(), server.url, account, TokenStore(), project_ids=["p1", "p2"])
    with pytest.raises(NotFound, match="the project p1"):
        platform.projects()
    with pytest.raises(NotFound):
        platform.server_time()


def test_a_login_that_is_refused_is_tried_once_for_all_projects(server: JobsServer) -> None:
    server.on("POST", "/oauth/token", refusal(401, 401, "Bad credentials"))
    account = Credentials.account("a@example.org", "a made-up password")
    platform = Up42Jobs(Session(), server.url, account, TokenStore(), project_ids=["p1", "p2", "p3"])
    with pytest.raises(NotAuthorised):
        platform.projects()
    assert server.count("POST", "/oauth/token") == 1


def test_workflows_with_tasks_in_line_and_blocks(server: JobsServer, platform: Platform) -> None:
    path = f"/projects/{PROJECT}/workflows"
    server.on("GET", path, data([{"id": "w1", "name": "S2"}, {"name": "no id"}, {"id": "gone"}, "?"]))
    parameters = {
        "intersects": {"type": "geometry"},
        "ids": {"type": "array", "default": None},
        "limit": {"type": "integer", "default": 1, "minimum": 1, "maximum": "500"},
        "polarisations": {"type": "array", "required": True, "items": {"type": "string", "enum": ["VV", "VH"]}},
        "broken": "?",
    }
    tasks = [
        {"id": "2", "name": "sharpening:1", "parentsIds": ["1"], "block": {"id": "b2", "type": "PROCESSING"}},
        {
            "id": "1",
            "name": "s1:1",
            "parentsIds": [],
            "blockVersionTag": "1.2.3",
            "block": {"id": "b1", "name": "s1", "type": "DATA", "parameters": parameters, "isDryRunSupported": True},
        },
    ]
    server.on("GET", f"{path}/w1/tasks", data(tasks))
    (workflow,) = platform.workflows(Project(PROJECT, "Demo"))
    first, second = workflow.tasks
    assert (first.name, first.parent, second.name, second.parent) == ("s1:1", None, "sharpening:1", "s1:1")
    assert workflow.has_test_query and workflow.filters == (GeometricFilter.INTERSECTS,)
    assert (first.block.version, first.block.display_name) == ("1.2.3", "s1")
    known = first.block.parameters
    assert set(known) == {"intersects", "ids", "limit", "polarisations"}
    assert known["ids"].has_default and not known["intersects"].has_default
    assert (known["limit"].minimum, known["limit"].maximum) == (1, 500)
    assert known["polarisations"].choices == ("VV", "VH") and known["polarisations"].required


def test_a_test_query_is_one_post_with_its_mode_in_the_body(server: JobsServer, platform: Platform) -> None:
    server.on("POST", CREATE, data(wire_job(mode="DRY_RUN")))
    asked = request(JobType.TEST_QUERY)
    job = platform.submit(asked)
    assert (job.id, job.state, job.raw_status, job.job_type) == (
        "j1", JobState.PENDING, "NOT_STARTED", JobType.TEST_QUERY,
    )  # fmt: skip
    assert job.created_at == datetime(2022, 5, 28, 17, 40, 43, 482868, timezone.utc)
    assert job.inputs == {"esa-s2:1": {"limit": 2}}
    sent = server.last(CREATE)
    assert query(sent) == {"name": ["Berlin · S2 & more"]}
    assert json.loads(sent.body) == {**asked.inputs, "config": {"mode": "DRY_RUN"}}
    assert json.loads(sent.body)["esa-s2:1"]["intersects"] == SQUARE
    assert server.count("POST", CREATE) == 1


def test_a_live_job_sends_no_mode_and_no_empty_name(server: JobsServer, platform: Platform) -> None:
    server.on("POST", CREATE, data(wire_job()))
    assert platform.submit(request(name="")).job_type is JobType.LIVE_JOB
    assert "config" not in json.loads(server.last(CREATE).body)
    assert query(server.last(CREATE)) == {}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, Unreachable),
        (refusal(500, 500, "Oops"), Unreachable),
        (reply(503, b"<html>busy</html>", {"Retry-After": "0"}), Unreachable),
        (reply(200, b"<!DOCTYPE html><title>Sign in</title>"), BadAnswer),
        (data({"status": "NOT_STARTED"}), BadAnswer),
        (refusal(400, "VALIDATION_ERROR", "No"), Refused),
        (refusal(429, 429, "Slow down"), Refused),
    ],
)
def test_submit_is_never_repeated(server: JobsServer, platform: Platform, answer: Reply, error: type) -> None:
    server.on("POST", CREATE, answer)
    with pytest.raises(error):
        platform.submit(request())
    assert server.count("POST", CREATE) == 1


def test_a_401_is_answered_by_one_new_token_and_one_repeat_also_of_a_write(
    server: JobsServer, platform: Platform
) -> None:
    server.on("POST", "/oauth/token", token_reply(jwt(name="old")), token_reply(jwt(name="new")))
    server.on("POST", CREATE, reply(401, None), data(wire_job()))
    assert platform.submit(request()).id == "j1"
    bearers = [seen.headers["authorization"] for seen in server.asked(CREATE)]
    assert len(set(bearers)) == 2
    assert server.count("POST", "/oauth/token") == 2


def test_jobs_page_by_page_newest_first_until_an_empty_page(server: JobsServer, platform: Platform) -> None:
    pages = [[wire_job("j3"), wire_job("j2")], [wire_job("j2"), wire_job("j1")], []]
    server.on("GET", JOBS, lambda seen: data(pages[int(query(seen)["page"][0])]))
    assert [job.id for job in platform.jobs(Project(PROJECT, "Demo"))] == ["j3", "j2", "j1"]
    assert query(server.last(JOBS)) == {"page": ["2"], "sort": ["createdAt,desc"]}


def test_jobs_of_a_server_that_ignores_page_come_once(server: JobsServer, platform: Platform) -> None:
    server.on("GET", JOBS, data([wire_job("j2"), wire_job("j1"), wire_job("j1"), {"status": "RUNNING"}]))
    assert [job.id for job in platform.jobs(Project(PROJECT, "Demo"))] == ["j2", "j1"]
    assert server.count("GET", JOBS) == 2


def test_jobs_asks_for_no_more_pages_than_are_wanted(server: JobsServer, platform: Platform) -> None:
    server.on("GET", JOBS, lambda seen: data([wire_job(f"j{query(seen)['page'][0]}")]))
    assert next(platform.jobs(Project(PROJECT, "Demo"))).id == "j0"
    assert server.count("GET", JOBS) == 1


def test_an_unknown_status_is_kept_and_followed_on(server: JobsServer, platform: Platform) -> None:
    server.on("GET", f"{JOBS}/j1", data(wire_job(status="CAPTURED", workflowName=None, name=None)))
    job = platform.job(PROJECT, "j1")
    assert (job.state, job.raw_status, job.state.ended) == (JobState.UNKNOWN, "CAPTURED", False)
    assert (job.name, job.workflow_name) == ("", "")


def test_tasks_logs_outputs_and_quicklooks_of_a_task(server: JobsServer, platform: Platform) -> None:
    task_path = f"{JOBS}/j1/tasks/t%2F1"
    block = {"name": "esa-s2", "type": "DATA", "parameters": None}
    server.on("GET", f"{JOBS}/j1/tasks", data([{"id": "t/1", "name": "esa-s2:1", "status": "ERROR", "block": block}]))
    (task,) = platform.tasks(A_JOB)
    assert (task.id, task.state, task.block_name, task.is_data) == ("t/1", JobState.FAILED, "esa-s2", True)
    server.on("GET", f"{task_path}/logs", reply(body="2022-01-31 – fertig\n".encode()))
    assert platform.log(A_JOB, A_TASK) == "2022-01-31 – fertig\n"
    server.on("GET", f"{task_path}/outputs/quicklooks", data(["a.jpg", "../b.jpg", "c\\d.png", "..", 5, None]))
    assert platform.quicklooks(A_JOB, A_TASK) == ["a.jpg", "5"]
    server.on("GET", f"{task_path}/outputs/quicklooks/a%20b.jpg", reply(body=b"\xff\xd8jpeg"))
    assert platform.quicklook(A_JOB, A_TASK, "a b.jpg") == b"\xff\xd8jpeg"


def test_scenes_come_without_envelope_and_may_be_odd(server: JobsServer, platform: Platform) -> None:
    features = [
        {"id": "s1", "geometry": SQUARE, "properties": {"datetime": "2022-01-31T10:00:00Z", "eo:cloud_cover": 12}},
        {"id": "s2", "geometry": None, "properties": None},
        "?",
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}).replace("12", "NaN")
    server.on("GET", f"{JOBS}/j1/outputs/data-json", reply(body=text.encode()))
    first, second = platform.scenes(A_JOB)
    assert (first.id, first.acquired_at, first.cloud_cover) == (
        "s1", datetime(2022, 1, 31, 10, tzinfo=timezone.utc), None,
    )  # fmt: skip
    assert (second.id, second.footprint) == ("s2", {})


def test_archive_url_of_the_job_and_of_a_task(server: JobsServer, platform: Platform) -> None:
    signed = "https://storage.example/out.tgz?Signature=abc"
    server.on("GET", f"{JOBS}/j1/downloads/results", data({"url": signed}))
    assert platform.archive_url(A_JOB) == signed
    server.on("GET", f"{JOBS}/j1/tasks/t%2F1/downloads/results", data({"url": "file:///etc/passwd"}))
    with pytest.raises(BadAnswer):
        platform.archive_url(A_JOB, A_TASK)


def test_cancel_is_a_post_without_an_answer(server: JobsServer, platform: Platform) -> None:
    server.on("POST", f"{JOBS}/j1/cancel", reply(204))
    platform.cancel(A_JOB)
    assert server.count("POST", f"{JOBS}/j1/cancel") == 1


def test_credits_are_asked_only_where_there_are_any(server: JobsServer, platform: Platform) -> None:
    server.on("GET", "/accounts/me/credits/balance", data({"balance": 10693}))
    server.on("GET", f"{JOBS}/j1/credits", data({"creditsUsed": 100}))
    project = Project(PROJECT, "Demo")
    assert (platform.balance(project), platform.credits_used(A_JOB)) == (10693, 100)
    server.on("GET", "/accounts/me/credits/balance", refusal(403, 403, "No"))
    assert platform.balance(project) is None
    free = Up42Jobs(Session(), server.url, Credentials.project(PROJECT, KEY), TokenStore(), has_credits=False)
    asked = len(server.requests)
    assert (free.balance(project), free.credits_used(A_JOB), free.capabilities.credits) == (None, None, False)
    assert len(server.requests) == asked


def consumption(low: object, high: object, seconds: object = 60, unit: str = "SQUARE_KM") -> dict:
    return {
        "blockConsumption": {"credit": {"min": low, "max": high}, "resources": {"unit": unit, "min": 1, "max": 2}},
        "machineConsumption": {"credit": {"min": 1, "max": 2}, "duration": {"min": 0, "max": seconds}},
    }


def test_estimate_is_bound_to_its_request(server: JobsServer, platform: Platform) -> None:
    parts = {"sharpening:1": consumption(0, 0, unit="MEGAPIXEL"), "esa-s2:1": consumption(3, 5)}
    server.on("POST", ESTIMATE, data(parts))
    asked = request()
    estimate = platform.estimate(asked)
    assert estimate.is_for(asked) and not estimate.is_for(request(JobType.TEST_QUERY))
    units = [(task.task, task.unit) for task in estimate.tasks]
    assert units == [("esa-s2:1", "SQUARE_KM"), ("sharpening:1", "MEGAPIXEL")]
    assert (estimate.credits, estimate.seconds) == (Range(5, 9), Range(0, 120))
    sent = json.loads(server.last(ESTIMATE).body)
    assert sent["inputs"] == asked.inputs
    assert sent["tasks"] == [
        {"name": "esa-s2:1", "parentName": None, "blockId": "b1", "blockVersionTag": "1.0.1"},
        {"name": "sharpening:1", "parentName": "esa-s2:1", "blockId": "b2", "blockVersionTag": "2.0.0"},
    ]


@pytest.mark.parametrize("seconds", [31 * 24 * 3600, None, -1, "soon"])
def test_a_time_that_can_not_be_believed_is_unknown(server: JobsServer, platform: Platform, seconds: object) -> None:
    server.on("POST", ESTIMATE, data({"esa-s2:1": consumption(3, 5, seconds), "sharpening:1": consumption(0, 0)}))
    assert platform.estimate(request()).seconds == Range(0, math.inf)


@pytest.mark.parametrize("price", [None, -1, "much", {}, float("nan"), True])
def test_a_price_is_never_guessed(server: JobsServer, platform: Platform, price: object) -> None:
    server.on("POST", ESTIMATE, data({"esa-s2:1": consumption(3, price), "sharpening:1": consumption(0, 0)}))
    with pytest.raises(BadAnswer, match="no price for the task “esa-s2:1”"):
        platform.estimate(request())


def test_a_task_without_estimate_has_no_price(server: JobsServer, platform: Platform) -> None:
    server.on("POST", ESTIMATE, data({"esa-s2:1": consumption(3, 5)}))
    with pytest.raises(BadAnswer, match="sharpening:1"):
        platform.estimate(request())


def test_what_the_platform_prices_besides_is_in_the_total(server: JobsServer, platform: Platform) -> None:
    parts = {"esa-s2:1": consumption(3, 5), "sharpening:1": consumption(0, 0), "licence": consumption(100, 100)}
    server.on("POST", ESTIMATE, data(parts))
    assert platform.estimate(request()).credits.max == 111


def test_server_time_is_asked_for_anew(server: JobsServer, platform: Platform) -> None:
    dated = reply(body={"data": {}}, headers={"Date": "Sun, 22 Nov 2026 15:00:00 GMT"})
    server.on("GET", f"/projects/{PROJECT}", dated, data({}))
    assert platform.server_time() == datetime(2026, 11, 22, 15, tzinfo=timezone.utc)
    assert platform.server_time() is None


def test_reads_are_repeated_after_a_passing_failure(server: JobsServer, platform: Platform) -> None:
    server.on("GET", f"{JOBS}/j1", refusal(503, 503, "Busy"), data(wire_job()))
    assert platform.job(PROJECT, "j1").id == "j1"


def test_an_estimate_changes_nothing_and_is_repeated_too(server: JobsServer, platform: Platform) -> None:
    parts = {"esa-s2:1": consumption(3, 5), "sharpening:1": consumption(0, 0)}
    server.on("POST", ESTIMATE, refusal(503, 503, "Busy"), data(parts))
    assert platform.estimate(request()).credits == Range(5, 9)


def test_a_success_that_carries_an_error_is_a_refusal(server: JobsServer, platform: Platform) -> None:
    server.on("GET", f"{JOBS}/j1", reply(200, {"error": {"code": 404, "message": "No such job"}, "data": None}))
    with pytest.raises(Refused, match="No such job"):
        platform.job(PROJECT, "j1")
    server.on("GET", f"{JOBS}/j1", reply(200, {"error": {}, "data": wire_job()}))
    assert platform.job(PROJECT, "j1").id == "j1"


def test_ids_are_parts_of_a_path_whatever_they_hold(server: JobsServer, platform: Platform) -> None:
    with pytest.raises(NotFound):
        platform.job(PROJECT, "../../accounts/me?x=1")
    asked = server.requests[-1]
    assert asked.path == f"{JOBS}/..%2F..%2Faccounts%2Fme%3Fx%3D1" and query(asked) == {}
