"""Every failed call is one of the contract's errors, and its text says what, where and what to do, without secrets."""

from __future__ import annotations

import socket
from typing import Any, Iterator, Optional

import pytest

from up42_jobs.plugin.jobs.job import Job, JobState, JobType
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import NetworkSettings, Proxy, Session
from up42_jobs.plugin.platforms import contract
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.refusals import LONGEST_MESSAGE, message_of
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, Reply, jwt, reply

JOB = f"/projects/{PROJECT}/jobs/j1"
A_JOB = Job("j1", PROJECT, "Berlin", JobState.RUNNING, "RUNNING", JobType.LIVE_JOB, "w1", "S2")
WEB_PAGE = b"  <!DOCTYPE html><html><body>Not here</body></html>"


@pytest.fixture
def server() -> Iterator[JobsServer]:
    with JobsServer() as started:
        yield started


def platform(url: str, settings: Optional[NetworkSettings] = None) -> Up42Jobs:
    return Up42Jobs(Session(settings), url, Credentials.project(PROJECT, KEY), TokenStore())


def error(code: Any, message: str) -> dict:
    return {"error": {"code": code, "message": message, "details": None}, "data": None}


CREDITS = error(403, "Insufficient credits to run job")
BUSY = reply(503, b"", {"Retry-After": "0"})
SLOTS = error("TOO_MANY_REQUESTS", "Your project has too many non-finished jobs")


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, error("VALIDATION_ERROR", "There were missing tasks: x"), contract.Refused, "missing tasks: x"),
        (400, error(400, "bbox is odd"), contract.Refused, "bbox is odd"),
        (401, None, contract.LoginRefused, "project ID and project key"),
        (402, {}, contract.InsufficientCredits, "add credits"),
        (403, CREDITS, contract.InsufficientCredits, "Make the AOI smaller"),
        (403, error("FORBIDDEN", "Not your project"), contract.NotAuthorised, "Not your project"),
        (404, error("RESOURCE_NOT_FOUND", "Job not found for id j1"), contract.NotFound, "Job not found for id j1"),
        (404, WEB_PAGE, contract.NotFound, "web page"),
        (410, b"", contract.NotFound, "status 410"),
        (415, {"code": 415, "message": "Send JSON", "error": None}, contract.Refused, "Send JSON"),
        (429, SLOTS, contract.TooManyJobs, "Wait for one to end"),
        (429, error(429, "Rate limit"), contract.Refused, "Wait a minute"),
        (500, error(500, "Oops"), contract.Unreachable, "Oops"),
        (503, WEB_PAGE, contract.Unreachable, "Try again later"),
    ],
)
def test_statuses(server: JobsServer, status: int, body: Any, kind: type, words: str) -> None:
    server.on("POST", f"{JOB}/cancel", reply(status, body))
    with pytest.raises(contract.PlatformError) as caught:
        platform(server.url).cancel(A_JOB)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "15 May 2024" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error": {"code": 400, "message": "A"}, "data": null}', "A"),
        (b'{"error": {"code": "VALIDATION_ERROR", "message": null}}', "VALIDATION_ERROR"),
        (b'{"code": "X", "message": "A", "error": null}', "A"),
        (b'{"title": "Bad Request", "status": 400, "detail": "A", "type": "about:blank"}', "A"),
        (b'{"title": "Not Found", "status": 404}', "Not Found"),
        (b'{"error": "invalid_client", "error_description": "A"}', "A"),
        (b'{"error": "invalid_client"}', "invalid_client"),
        (b'{"error": {"message": "A", "invalidTaskNames": ["x:1", "y:1"]}}', "A (tasks: x:1, y:1)"),
        (
            b'{"error": {"message": "A", "capabilityMismatches": '
            b'[{"workflowTaskName": "ndvi:1", "missingInputCapabilities": ["raster", "nir"]}]}}',
            "A (ndvi:1 lacks raster, nir)",
        ),
        (b'{"data": {"valid": false, "errors": [{"message": "A"}, "B"]}, "error": null}', "A B"),
        (b'{"error": {"message": "A", "details": [{"message": "B"}]}}', "A B"),
        (b"plain  words\n", "plain words"),
        (b'"just a text"', "just a text"),
        (b"", ""),
        (b"null", ""),
        (b"[1, 2]", ""),
        (b'{"error": {"message": {"a": 1}, "code": {}}}', ""),
        (WEB_PAGE, ""),
        (b"[" * 100_000, ""),
    ],
)
def test_the_platforms_own_words_in_every_shape(body: bytes, told: str) -> None:
    if body.startswith(b"[["):
        assert len(message_of(body)) <= LONGEST_MESSAGE
    else:
        assert message_of(body) == told


def test_the_platforms_own_words_are_trimmed_and_redacted() -> None:
    long = message_of(b'{"error": {"message": "%s"}}' % (b"word " * 500))
    assert len(long) <= LONGEST_MESSAGE and long.endswith("…")
    told = message_of(f'{{"error": {{"message": "no: Bearer {jwt()} https://u:pw@x/?Signature=abc"}}}}'.encode())
    assert "eyJ" not in told and "pw" not in told and "abc" not in told


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_login_that_is_not_accepted(server: JobsServer, status: int) -> None:
    server.on("POST", "/oauth/token", reply(status, None))
    with pytest.raises(contract.NotAuthorised, match="project ID and project key") as caught:
        platform(server.url).job(PROJECT, "j1")
    assert KEY not in str(caught.value)
    assert server.count("GET", JOB) == 0


def test_a_new_token_that_is_refused_as_well_ends_it(server: JobsServer) -> None:
    server.on("GET", JOB, reply(401, None))
    with pytest.raises(contract.NotAuthorised):
        platform(server.url).job(PROJECT, "j1")
    assert server.count("GET", JOB) == 2


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", WEB_PAGE, b'{"access_token": null, "data": {}}'])
def test_a_token_answer_without_token(server: JobsServer, body: bytes) -> None:
    server.on("POST", "/oauth/token", reply(200, body))
    with pytest.raises(contract.BadAnswer):
        platform(server.url).job(PROJECT, "j1")


@pytest.mark.parametrize(
    "body", [WEB_PAGE, b"no json", b"[]", b'{"name": "no data"}', b'{"data": null}', b'{"data": []}']
)
def test_an_answer_that_is_not_the_contract(server: JobsServer, body: bytes) -> None:
    server.on("GET", JOB, reply(200, body))
    with pytest.raises(contract.BadAnswer):
        platform(server.url).job(PROJECT, "j1")


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_nobody_there_is_unreachable_for_a_read_and_certainly_not_done_for_a_change(server: JobsServer) -> None:
    tokens, credentials = TokenStore(), Credentials.project(PROJECT, KEY)
    nowhere = Up42Jobs(Session(), f"http://127.0.0.1:{unused_port()}", credentials, tokens)
    with pytest.raises(contract.Unreachable):
        nowhere.job(PROJECT, "j1")
    with pytest.raises(contract.Refused, match=r"Nothing was changed\."):
        nowhere.cancel(A_JOB)
    known = Up42Jobs(Session(), server.url, credentials, tokens)
    server.on("POST", f"{JOB}/cancel", reply(204))
    known.cancel(A_JOB)
    server.__exit__()
    with pytest.raises(contract.Refused, match=r"Nothing was changed\."):
        known.cancel(A_JOB)


@pytest.mark.parametrize("answer", [None, BUSY, reply(200, WEB_PAGE), reply(403, WEB_PAGE)])
def test_a_change_that_fails_at_the_sign_in_was_certainly_not_made(server: JobsServer, answer: Reply) -> None:
    server.on("POST", "/oauth/token", answer)
    with pytest.raises((contract.Refused, contract.NotAuthorised)):
        platform(server.url).cancel(A_JOB)
    assert server.count("POST", f"{JOB}/cancel") == 0


def test_a_change_whose_outcome_is_elsewhere_may_have_been_made(server: JobsServer) -> None:
    server.on("POST", f"{JOB}/cancel", reply(303, b"", {"Location": f"http://localhost:{unused_port()}/"}))
    with pytest.raises(contract.BadAnswer, match="not known"):
        platform(server.url).cancel(A_JOB)
    server.on("POST", f"{JOB}/cancel", reply(302, b"", {"Location": f"http://localhost:{unused_port()}/"}))
    with pytest.raises(contract.Refused, match=r"Nothing was changed\."):
        platform(server.url).cancel(A_JOB)


def through_proxy_to(server: JobsServer) -> NetworkSettings:
    """Every host is answered by `server`, as an HTTP proxy would."""
    return NetworkSettings(find_proxy=lambda _url: Proxy("http", "127.0.0.1", server.port))


@pytest.mark.parametrize(
    "answer", [reply(404, WEB_PAGE), reply(410, None), reply(401, None), reply(200, WEB_PAGE), BUSY]
)
def test_the_retired_interface_answers_with_that_fact(server: JobsServer, answer: Reply) -> None:
    server.on("POST", "/oauth/token", answer)
    server._answers["POST", "http://api.up42.com/oauth/token"] = [answer]
    with pytest.raises(contract.PlatformError) as caught:
        platform("http://api.up42.com", through_proxy_to(server)).job(PROJECT, "j1")
    assert "15 May 2024" in str(caught.value) and "This Computer" in str(caught.value)


def test_the_retired_interface_that_can_not_even_be_reached() -> None:
    settings = NetworkSettings(find_proxy=lambda _url: Proxy("http", "127.0.0.1", unused_port()))
    with pytest.raises(contract.Unreachable, match="15 May 2024"):
        platform("https://api.up42.com", settings).job(PROJECT, "j1")


def test_cancel_is_no_error(server: JobsServer) -> None:
    cancel = Cancel()
    cancel.cancel()
    session = Session().under(cancel)
    with pytest.raises(Cancelled):
        Up42Jobs(session, server.url, Credentials.project(PROJECT, KEY), TokenStore()).job(PROJECT, "j1")
    assert server.requests == []
