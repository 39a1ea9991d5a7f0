"""Test Connection says in words what is wrong, for every way in which a connection can be wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Optional

import pytest

from up42_jobs.plugin.host.network import make_session
from up42_jobs.plugin.host.servers import Login, Server
from up42_jobs.plugin.host.try_connection import Finding, try_connection
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import NetworkSettings, Proxy, Session
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.tests.servers.certificates import Authority
from up42_jobs.tests.servers.tcp import PlainServer
from up42_jobs.tests.servers.web import Reply, WebServer
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, data, refusal, reply

OTHER = "99999999-2222-4333-8444-555555555555"
LIMITS = [
    {"name": "MAX_CONCURRENT_JOBS", "value": "7"},
    {"name": "JOB_QUERY_MAX_AOI_SIZE", "value": "100"},
    {"name": "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE", "value": "10"},
]
LOGIN = Credentials.project(PROJECT, KEY)
WEB_PAGE = b"<!DOCTYPE html><html><body>Welcome</body></html>"


@pytest.fixture()
def web(qgis_app: object) -> Iterator[JobsServer]:
    """A good server with one project."""
    with JobsServer() as server:
        server.on("GET", f"/projects/{PROJECT}", data({"id": PROJECT, "name": "Dams"}))
        server.on("GET", f"/projects/{PROJECT}/settings", data(LIMITS))
        server.on("GET", "/accounts/me/credits/balance", data({"balance": 1234}))
        yield server


def found(url: str, login: Credentials = LOGIN, session: Optional[Session] = None, ids: tuple = ()) -> list[Finding]:
    kind = Login.ACCOUNT if login.is_account else Login.PROJECT_KEY
    server = Server("Company", url, kind, "a1b2c3d", ids, "server-1")
    session = session or make_session()
    try:
        findings = try_connection(server, login, session, Cancel(), lambda _fraction: None)
    finally:
        session.close()
    for finding in findings:
        assert KEY not in finding.text and login.secret not in finding.text
        assert finding.text.endswith(".")
    return findings


def told(*arguments: object, **named: object) -> str:
    """The one sentence of a test that failed."""
    (finding,) = found(*arguments, **named)  # type: ignore[arg-type]
    assert not finding.good
    return finding.text


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_good_connection_tells_its_limits_and_its_balance(web: JobsServer) -> None:
    signed_in, project = found(web.url)
    assert signed_in.good and project.good
    for part in ("“Dams”", "AOI 0.1–100 km²", "up to 10 scenes", "7 jobs at a time", "1,234 credits"):
        assert part in project.text, project.text
    assert {request.method for request in web.requests} == {"GET", "POST"}
    assert [r.path for r in web.requests if r.method == "POST"] == ["/oauth/token"]  # it changes nothing


def test_progress_is_told_and_a_stop_ends_it(web: JobsServer) -> None:
    server = Server("Company", web.url, Login.PROJECT_KEY, "a1b2c3d", (), "server-1")
    fractions: list[float] = []
    cancel, session = Cancel(), make_session()
    try_connection(server, LOGIN, session, cancel, fractions.append)
    assert fractions and all(0 < fraction < 1 for fraction in fractions)
    cancel.cancel()
    with pytest.raises(Cancelled):
        try_connection(server, LOGIN, session, cancel, fractions.append)
    session.close()


def test_an_unknown_host(qgis_app: object) -> None:
    assert "not known" in told("https://no-such-host.invalid")


def test_a_refused_connection(qgis_app: object) -> None:
    assert "refused the connection" in told(f"http://127.0.0.1:{free_port()}")


def test_a_certificate_of_nobody(qgis_app: object) -> None:
    with WebServer({"/oauth/token": Reply()}, tls=Authority().context()) as server:
        assert "not trusted" in told(server.url)
        assert server.requests == []


def test_no_tls_where_https_is_asked_for(qgis_app: object) -> None:
    with PlainServer() as server:
        assert "https://" in told(server.url.replace("http://", "https://"))


def test_a_proxy_that_is_not_there(qgis_app: object) -> None:
    proxy = Proxy("http", "127.0.0.1", free_port())
    session = Session(NetworkSettings(find_proxy=lambda _url: proxy))
    assert "proxy" in told("https://jobs.example.org", session=session)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_key_that_is_wrong(web: JobsServer, status: int) -> None:
    web.on("POST", "/oauth/token", refusal(status, status, "no"))
    text = told(web.url)
    assert "did not accept the project ID and key" in text and "look like" not in text
    assert "look like 12345678-" in told(web.url, Credentials.project("demo", "wrong-key-of-the-test"))
    text = told(web.url, Credentials.account("me@example.org", "wrong-word"), ids=(PROJECT,))
    assert "user name and password" in text


@pytest.mark.parametrize("answer", [reply(404, b""), reply(200, WEB_PAGE), reply(403, WEB_PAGE), reply(200, {}),
                                    reply(405, b""), reply(200, [1])])  # fmt: skip
def test_another_server_than_of_this_interface(web: JobsServer, answer: object) -> None:
    web.on("POST", "/oauth/token", answer)  # type: ignore[arg-type]
    text = told(web.url)
    assert "workflows-and-jobs interface is not at" in text and web.url in text


def test_a_server_in_trouble(web: JobsServer) -> None:
    web.on("POST", "/oauth/token", refusal(500, 500, "no"))
    assert "try again later" in told(web.url)


def test_the_key_of_another_project(web: JobsServer) -> None:
    web.on("GET", f"/projects/{OTHER}", refusal(403, 403, "Forbidden"))
    signed_in, project = found(web.url, ids=(OTHER,))
    assert signed_in.good and not project.good
    assert "another project" in project.text and OTHER in project.text


def test_projects_of_an_account_one_by_one(web: JobsServer) -> None:
    web.on("GET", f"/projects/{OTHER}", refusal(403, 403, "Forbidden"))
    web.on("GET", "/projects/my-project", refusal(404, "RESOURCE_NOT_FOUND", "Project not found"))
    account = Credentials.account("me@example.org", "word-of-the-test")
    unknown = PROJECT[:-1] + "0"
    web.on("GET", f"/projects/{unknown}", refusal(404, "RESOURCE_NOT_FOUND", "Project not found"))
    findings = found(web.url, account, ids=(PROJECT, OTHER, "my-project", unknown))
    assert [finding.good for finding in findings] == [True, True, False, False, False]
    assert "account may not use the project" in findings[2].text
    assert "look like 12345678-" in findings[3].text
    assert "does not know a project" in findings[4].text and "look like" not in findings[4].text


def test_tokens_without_projects_are_another_interface(web: JobsServer) -> None:
    web.on("GET", f"/projects/{PROJECT}", reply(404, b"Not Found"))
    findings = found(web.url)
    assert "workflows-and-jobs interface is not at" in findings[1].text


def test_the_closed_interface_and_what_is_not_encrypted_are_not_asked(qgis_app: object) -> None:
    session = Session(NetworkSettings(find_proxy=lambda url: pytest.fail(f"asked for the way to {url}")))
    assert "15 May 2024" in told("https://api.up42.com", session=session)
    assert "not encrypted" in told("http://jobs.example.org", session=session)
