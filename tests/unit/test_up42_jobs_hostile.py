"""Whatever a platform answers, the client gives its own types or raises its own errors."""

from __future__ import annotations

import copy
import json
from typing import Any, Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.job import Job, JobState, JobType, Task
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.account_calls import Webhook
from up42_jobs.plugin.platforms.contract import PlatformError
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.servers import web
from up42_jobs.tests.servers.tcp import Request
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, jwt, token_reply

RING = [[13.0, 52.0], [13.1, 52.0], [13.1, 52.1], [13.0, 52.1], [13.0, 52.0]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}
DEMO = Project(PROJECT, "Demo")
BLOCK = Block("b1", "esa-s2", "Sentinel-2", True, {"intersects": Parameter("intersects", "geometry")})
WORKFLOW = Workflow("w1", "S2", PROJECT, (WorkflowTask("esa-s2:1", BLOCK),))
JOB = Job("j1", PROJECT, "Berlin", JobState.RUNNING, "RUNNING", JobType.LIVE_JOB, "w1", "S2")
TASK = Task("t1", "esa-s2:1", JobState.SUCCEEDED, "SUCCEEDED", is_data=True)
REQUEST = JobRequest(DEMO, WORKFLOW, JobType.LIVE_JOB, Aoi.from_geojson(SQUARE), parameters={"esa-s2:1": {}}, name="n")
HOOK = Webhook("Mine", "https://example.org/", id="h1")

CALLS: dict[str, Callable[[Up42Jobs], Any]] = {
    "projects": lambda p: p.projects(),
    "server_time": lambda p: p.server_time(),
    "workflows": lambda p: p.workflows(DEMO),
    "blocks": lambda p: p.blocks(),
    "block": lambda p: p.block("b1"),
    "compatible_block_ids": lambda p: p.compatible_block_ids(WORKFLOW, WORKFLOW.tasks[0]),
    "create_workflow": lambda p: p.create_workflow(DEMO, "n"),
    "rename_workflow": lambda p: p.rename_workflow(WORKFLOW, "n"),
    "set_tasks": lambda p: p.set_tasks(WORKFLOW, [BLOCK]),
    "delete_workflow": lambda p: p.delete_workflow(WORKFLOW),
    "balance": lambda p: p.balance(DEMO),
    "credits_used": lambda p: p.credits_used(JOB),
    "credits_spent": lambda p: p.credits_spent(WORKFLOW),
    "credit_history": lambda p: [entry for entry, _ in zip(p.credit_history(), range(20))],
    "change_limits": lambda p: p.change_limits(DEMO, {"MAX_CONCURRENT_JOBS": 3}),
    "estimate": lambda p: p.estimate(REQUEST),
    "validate": lambda p: p.validate(REQUEST),
    "submit": lambda p: p.submit(REQUEST),
    "jobs": lambda p: [job for job, _ in zip(p.jobs(DEMO), range(20))],
    "job_pages": lambda p: [page for page, _ in zip(p.job_pages(DEMO), range(20))],
    "job": lambda p: p.job(PROJECT, "j1"),
    "rename": lambda p: p.rename(JOB, "n"),
    "rerun": lambda p: p.rerun(JOB),
    "cancel": lambda p: p.cancel(JOB),
    "tasks": lambda p: p.tasks(JOB),
    "log": lambda p: p.log(JOB, TASK),
    "scenes": lambda p: p.scenes(JOB, TASK),
    "quicklooks": lambda p: p.quicklooks(JOB, TASK),
    "quicklook": lambda p: p.quicklook(JOB, TASK, "a.jpg"),
    "archive_url": lambda p: p.archive_url(JOB),
    "webhook_events": lambda p: p.webhook_events(),
    "webhooks": lambda p: p.webhooks(),
    "create_webhook": lambda p: p.create_webhook(HOOK),
    "change_webhook": lambda p: p.change_webhook(HOOK),
    "delete_webhook": lambda p: p.delete_webhook(HOOK),
    "try_webhook": lambda p: p.try_webhook(HOOK),
}

ONE_TASK = {
    "id": "t1", "name": "esa-s2:1", "status": "RUNNING", "parentsIds": ["t0"], "startedAt": "2022-01-31T19:42:29Z",
    "block": {"id": "b1", "name": "esa-s2", "type": "DATA", "parameters": {"limit": {"type": "integer", "minimum": 1}}},
}  # fmt: skip
CREDIT = {"credit": {"min": 0, "max": 1}, "resources": {"unit": "SCENE", "min": 0, "max": 1}}
ESTIMATE = {"blockConsumption": CREDIT, "machineConsumption": {**CREDIT, "duration": {"min": 0, "max": 60}}}
FEATURE = {"id": "s1", "bbox": [1, 2, 3, 4], "geometry": SQUARE, "properties": {"datetime": "2022-01-31T10:00:00Z"}}
GOOD: list[Any] = [
    {"data": {"accessToken": "x"}, "access_token": "x", "token_type": "bearer"},
    {"id": "j1", "status": "RUNNING", "inputs": {"config": {"mode": "DRY_RUN"}}, "createdAt": "2022-01-31T19:42:29Z"},
    [ONE_TASK],
    [{"name": "MAX_CONCURRENT_JOBS", "value": "3"}, {"name": "JOB_QUERY_MAX_AOI_SIZE", "value": "100"}],
    {"blocks": [{"blockId": "b1"}]},
    {"esa-s2:1": ESTIMATE},
    {"type": "FeatureCollection", "features": [FEATURE]},
    {"content": [{"type": "JOB_TASK", "delta": -3, "createdAt": "x"}], "last": False},
    {"balance": 5, "creditsUsed": 3, "creditsSpent": 1, "url": "https://storage.example.org/x"},
    {"id": "h1", "name": "n", "events": ["job.status"], "testsRun": 1, "testsSucceeded": 1},
    ["a.jpg", "b.png"],
]

odd_ones = [10**400, -1, 1e308, "1e999", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "NaN", "\0"]
odd = st.sampled_from(odd_ones)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | odd,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A good value in which one other, somewhere, is another one."""
    node: Any = [copy.deepcopy(draw(st.sampled_from(GOOD)))]
    whole, key = node, 0
    while isinstance(node[key], (dict, list)) and node[key] and draw(st.integers(0, 4)):
        node, key = node[key], draw(st.sampled_from(list(node[key]) if isinstance(node[key], dict) else [0]))
    node[key] = draw(json_values)
    return whole[0]


values = json_values | spoilt()
enveloped = values.map(lambda value: {"error": None, "data": value}) | st.builds(
    lambda error, value: {"error": error, "data": value}, values, values
)
bodies = (enveloped | values).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100)
statuses = st.sampled_from([*[200] * 6, 201, 204, 302, 304, 400, 401, 402, 403, 404, 409, 410, 415, 422, 429, 500, 503])
types = st.sampled_from(["application/json", "text/html", "text/plain; charset=nonsense", "image/png"])


class Anything(web.WebServer):
    """Answers everything with `told`; tokens, unless a test wants them to be spoilt too, with good ones."""

    told = web.Reply()
    spoil_tokens = False

    def _reply(self, request: Request) -> Any:
        if request.path.endswith("/oauth/token") and not self.spoil_tokens:
            return token_reply(jwt())
        return self.told


@pytest.fixture(scope="module")
def server() -> Iterator[Anything]:
    with Anything() as started:
        yield started


@pytest.mark.parametrize("name", sorted(CALLS))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(status=statuses, body=bodies, kind=types, spoil=st.integers(0, 9))
def test_any_answer(server: Anything, name: str, status: int, body: bytes, kind: str, spoil: int) -> None:
    server.spoil_tokens = spoil == 0
    server.told = web.Reply(status, b"" if status in (204, 304) else body, {"Content-Type": kind, "Retry-After": "0"})
    session = Session()
    platform = Up42Jobs(session, server.url, Credentials.project(PROJECT, KEY), TokenStore())
    try:
        CALLS[name](platform)
    except PlatformError as e:
        assert str(e) and KEY not in str(e)
    finally:
        session.close()


def test_every_call_of_the_platform_is_tried() -> None:
    offered = {name for name in dir(Up42Jobs) if not name.startswith("_") and name != "capabilities"}
    assert offered == set(CALLS)
