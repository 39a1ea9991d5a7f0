"""Workflows, credits, webhooks and the rest of a job's life, in the shapes that the contract recorded (2.2 to 2.9)."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, Iterator

import pytest

from up42_jobs.plugin.jobs.job import Job, JobState, JobType
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.workflow import Block, Project, Workflow, WorkflowTask
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.account_calls import Webhook
from up42_jobs.plugin.platforms.contract import BadAnswer, NotFound, Refused, TooManyJobs, Unreachable
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, data, query, refusal, reply

DEMO = Project(PROJECT, "Demo")
SOURCE = Block("b1", "esa-s2", "Sentinel-2", True)
SHARPENING = Block("b2", "sharpening", "Sharpening Filter", False)
WORKFLOW = Workflow("w1", "S2", PROJECT, (WorkflowTask("esa-s2:1", SOURCE),))
IN_PROJECT = f"/projects/{PROJECT}"
IN_WORKFLOW = f"{IN_PROJECT}/workflows/w1"
JOB = Job("j1", PROJECT, "Berlin", JobState.SUCCEEDED, "SUCCEEDED", JobType.LIVE_JOB, "w1", "S2")
AUTHOR = {"id": PROJECT, "type": "API_KEY"}
MADE = {
    "id": "w1", "name": "S2", "description": None, "createdAt": "2022-05-29T10:41:16.996874Z", "createdBy": AUTHOR,
}  # fmt: skip
HOOKS = "/workspaces/u1/webhooks"
HOOK = {
    "id": "h1", "name": "Mine", "url": "https://example.org/", "events": ["job.status"], "secret": None,
    "active": False, "createdAt": "2022-05-29T10:41:16.996874Z", "updatedAt": None,
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[JobsServer]:
    with JobsServer() as started:
        started.on("GET", "/users/me", data({"id": "u1", "name": "x"}))
        yield started


@pytest.fixture
def platform(server: JobsServer) -> Iterator[Up42Jobs]:
    session = Session()
    yield Up42Jobs(session, server.url, Credentials.project(PROJECT, KEY), TokenStore())
    session.close()


def sent(server: JobsServer, path: str) -> Any:
    return json.loads(server.last(path).body)


def test_a_workflow_is_made_renamed_and_deleted(server: JobsServer, platform: Up42Jobs) -> None:
    server.on("POST", f"{IN_PROJECT}/workflows", data(MADE))
    made = platform.create_workflow(DEMO, "S2")
    assert (made.id, made.name, made.description, made.tasks) == ("w1", "S2", "", ())
    assert sent(server, f"{IN_PROJECT}/workflows") == {"name": "S2", "description": ""}
    server.on("PUT", IN_WORKFLOW, data({}))
    platform.rename_workflow(made, "New")
    assert sent(server, IN_WORKFLOW) == {"name": "New", "description": None}
    server.on("DELETE", IN_WORKFLOW, reply(204, b""))
    platform.delete_workflow(made)
    assert server.count("DELETE", IN_WORKFLOW) == 1


def test_a_workflow_that_was_made_without_an_id_is_no_answer(server: JobsServer, platform: Up42Jobs) -> None:
    server.on("POST", f"{IN_PROJECT}/workflows", data({"name": "S2"}))
    with pytest.raises(BadAnswer, match="no id"):
        platform.create_workflow(DEMO, "S2")


def test_tasks_are_sent_as_the_contract_has_them(server: JobsServer, platform: Up42Jobs) -> None:
    tasks = [
        {"id": "1", "name": "esa-s2:1", "parentsIds": [], "block": {"id": "b1", "type": "DATA"}},
        {"id": "2", "name": "sharpening:1", "parentsIds": ["1"], "block": {"id": "b2"}, "environment": None},
        {"id": "3", "name": "sharpening:2", "parentsIds": ["2"], "block": {"id": "b2"}},
    ]
    server.on("POST", f"{IN_WORKFLOW}/tasks", data(tasks))
    changed = platform.set_tasks(WORKFLOW, [SOURCE, SHARPENING, SHARPENING])
    assert [(task.name, task.parent) for task in changed.tasks] == [
        ("esa-s2:1", None), ("sharpening:1", "esa-s2:1"), ("sharpening:2", "sharpening:1"),
    ]  # fmt: skip
    assert sent(server, f"{IN_WORKFLOW}/tasks") == [
        {"name": "esa-s2:1", "parentName": None, "blockId": "b1"},
        {"name": "sharpening:1", "parentName": "esa-s2:1", "blockId": "b2"},
        {"name": "sharpening:2", "parentName": "sharpening:1", "blockId": "b2"},
    ]


def test_a_workflow_that_does_not_fit_says_which_tasks(server: JobsServer, platform: Up42Jobs) -> None:
    mismatch = {"workflowTaskName": "ndvi:1", "missingInputCapabilities": ["nir"]}
    error = {"message": "Invalid workflow", "invalidTaskNames": ["ndvi:1"], "capabilityMismatches": [mismatch]}
    server.on("POST", f"{IN_WORKFLOW}/tasks", reply(422, {"error": error, "data": None}))
    with pytest.raises(Refused, match="ndvi:1 lacks nir"):
        platform.set_tasks(WORKFLOW, [SOURCE])


def test_blocks_in_the_form_of_2020_and_of_2023(server: JobsServer, platform: Up42Jobs) -> None:
    old = {"id": "b1", "name": "s2", "type": "DATA", "inputCapabilities": [], "outputCapabilities": [{"name": "x"}]}
    new = {"id": "b2", "name": "s2", "displayName": "S2", "type": "PROCESSING", "isPublic": True, "metadata": None}
    server.on("GET", "/blocks", data([old, new, {"name": "no id"}]))
    assert [(block.id, block.display_name, block.is_data) for block in platform.blocks()] == [
        ("b1", "s2", True), ("b2", "S2", False),
    ]  # fmt: skip
    whole = {**old, "parameters": {"limit": {"type": "integer"}}, "isDryRunSupported": True}
    server.on("GET", "/blocks/b1", data(whole))
    block = platform.block("b1")
    assert block.dry_run and set(block.parameters) == {"limit"}


def test_compatible_blocks_after_a_task_and_at_the_beginning(server: JobsServer, platform: Up42Jobs) -> None:
    path = f"{IN_WORKFLOW}/compatible-blocks"
    server.on("GET", path, data({"blocks": [{"blockId": "b2", "name": "x", "versionTag": "2.0.0"}, {"name": "y"}]}))
    assert platform.compatible_block_ids(WORKFLOW, WORKFLOW.tasks[0]) == ["b2"]
    assert query(server.last(path)) == {"parentTaskName": ["esa-s2:1"]}
    server.on("GET", path, data({}))
    assert platform.compatible_block_ids(WORKFLOW) == []
    assert query(server.last(path)) == {}


def test_validate_is_silent_or_refused(server: JobsServer, platform: Up42Jobs) -> None:
    request = JobRequest(DEMO, WORKFLOW, JobType.LIVE_JOB, None, parameters={"esa-s2:1": {"limit": 1}}, name="n")
    server.on("POST", f"{IN_PROJECT}/jobs/validate", reply(200, b""))
    platform.validate(request)
    assert set(sent(server, f"{IN_PROJECT}/jobs/validate")) == {"tasks", "input"}
    server.on("POST", f"{IN_PROJECT}/jobs/validate", refusal(400, 400, "limit is odd"))
    with pytest.raises(Refused, match="limit is odd"):
        platform.validate(request)


def test_rename_and_rerun(server: JobsServer, platform: Up42Jobs) -> None:
    server.on("PUT", f"{IN_WORKFLOW}/jobs/j1", data({"id": "j1", "name": "New", "status": "SUCCEEDED"}))
    assert platform.rename(JOB, "New").name == "New"
    assert sent(server, f"{IN_WORKFLOW}/jobs/j1") == {"name": "New"}
    server.on("POST", f"{IN_WORKFLOW}/jobs/j1", data({"id": "j2", "name": "Rerun New", "status": "NOT_STARTED"}))
    again = platform.rerun(JOB)
    assert (again.id, again.state, query(server.last(f"{IN_WORKFLOW}/jobs/j1"))) == ("j2", JobState.PENDING, {})
    platform.rerun(JOB, "Mine")
    assert query(server.last(f"{IN_WORKFLOW}/jobs/j1")) == {"name": ["Mine"]}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(503, 503, "Busy"), Unreachable),
        (refusal(429, 429, "Slow down"), Refused),
        (refusal(429, 429, "Your project has too many non-finished jobs"), TooManyJobs),
        (None, Unreachable),
    ],
)
def test_a_rerun_is_never_repeated(server: JobsServer, platform: Up42Jobs, answer: Any, error: type) -> None:
    server.on("POST", f"{IN_WORKFLOW}/jobs/j1", answer)
    with pytest.raises(error):
        platform.rerun(JOB)
    assert server.count("POST", f"{IN_WORKFLOW}/jobs/j1") == 1


def test_the_credit_history_is_followed_to_its_last_page(server: JobsServer, platform: Up42Jobs) -> None:
    path = "/accounts/me/credits/history"
    paid = {"type": "JOB_TASK", "createdAt": "2022-05-29T10:41:16Z", "delta": -13, "details": {"jobId": "j1"}}
    odd = {"type": "SOMETHING_NEW", "createdAt": None, "delta": "5", "details": None}
    pages = [{"content": [paid], "last": False}, {"content": [odd, "?"], "last": True}]
    server.on("GET", path, lambda seen: data(pages[int(query(seen)["page"][0])]))
    first, second = platform.credit_history()
    assert first.at == datetime(2022, 5, 29, 10, 41, 16, tzinfo=timezone.utc)
    assert (first.kind, first.credits) == ("JOB_TASK", -13)
    assert (second.at, second.kind, second.credits, second.details) == (None, "SOMETHING_NEW", 5, {})
    server.on("GET", path, data({"content": [paid]}))
    assert len(list(platform.credit_history())) == 1, "no page after one that does not promise another"
    server.on("GET", path, data({"content": [], "last": False}))
    assert list(platform.credit_history()) == []


def test_limits_are_sent_as_texts(server: JobsServer, platform: Up42Jobs) -> None:
    server.on("POST", f"{IN_PROJECT}/settings", reply(201, {"error": None, "data": []}))
    platform.change_limits(DEMO, {"MAX_CONCURRENT_JOBS": 5})
    assert sent(server, f"{IN_PROJECT}/settings") == {"settings": {"MAX_CONCURRENT_JOBS": "5"}}


def test_webhooks_belong_to_the_users_workspace(server: JobsServer, platform: Up42Jobs) -> None:
    odd = {**HOOK, "id": "h2", "secret": "s3cret-word", "events": None}
    server.on("GET", HOOKS, data([HOOK, {"name": "no id"}, odd]))
    first, second = platform.webhooks()
    assert (first.id, first.events, first.active, first.secret) == ("h1", ("job.status",), False, "")
    assert second.events == () and "s3cret-word" not in repr(second)
    server.on("POST", HOOKS, data(HOOK))
    assert platform.create_webhook(Webhook("Mine", "https://example.org/")).id == "h1"
    assert sent(server, HOOKS) == {
        "name": "Mine", "url": "https://example.org/", "events": ["job.status"], "secret": None, "active": True,
    }  # fmt: skip
    server.on("PUT", f"{HOOKS}/h1", data({**HOOK, "active": True}))
    assert platform.change_webhook(first).active
    server.on("POST", f"{HOOKS}/h1/tests", data({"startedAt": "x", "testsRun": 2, "testsSucceeded": 0}))
    assert platform.try_webhook(first) == (2, 0)
    server.on("DELETE", f"{HOOKS}/h1", reply(200, b""))
    platform.delete_webhook(first)
    with pytest.raises(NotFound):
        platform.delete_webhook(second)


def test_without_a_user_there_is_no_workspace(server: JobsServer, platform: Up42Jobs) -> None:
    server.on("GET", "/users/me", data({}))
    with pytest.raises(BadAnswer, match="the user"):
        platform.webhooks()
    assert platform.capabilities.webhooks
