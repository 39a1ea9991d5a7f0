"""Tokens: one for all work on a connection, renewed in time and by one thread only, and never shown."""

from __future__ import annotations

import base64
import threading
import traceback
from typing import Iterator

import pytest

from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import LIFETIME_SECONDS, TokenStore, lifetime_of
from up42_jobs.tests.servers.tcp import Request
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, Reply, jwt, reply, token_reply

PATH = "/oauth/token"
CREDENTIALS = Credentials.project(PROJECT, KEY)


@pytest.fixture
def server() -> Iterator[JobsServer]:
    with JobsServer() as started:
        yield started


def test_one_token_serves_all_and_is_asked_for_with_basic(server: JobsServer) -> None:
    tokens = TokenStore()
    first = tokens.bearer(Session(), server.url, CREDENTIALS)
    assert tokens.bearer(Session(), server.url, Credentials.project(PROJECT, KEY)) == first
    assert server.count("POST", PATH) == 1
    asked = server.last(PATH)
    assert asked.body == b"grant_type=client_credentials"
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(f"{PROJECT}:{KEY}".encode()).decode()


def test_connections_do_not_share_tokens(server: JobsServer) -> None:
    server.on("POST", PATH, token_reply(jwt(name="a")), token_reply(jwt(name="b")))
    tokens = TokenStore()
    ours = tokens.bearer(Session(), server.url, CREDENTIALS)
    assert tokens.bearer(Session(), server.url, Credentials.project(PROJECT, "another key")) != ours


def test_a_token_near_its_end_is_renewed(server: JobsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.on("POST", PATH, token_reply(jwt(300, "first")), token_reply(jwt(300, "second")))
    clock = Clock(monkeypatch)
    tokens, session = TokenStore(), Session()
    first = tokens.bearer(session, server.url, CREDENTIALS)
    clock.now += 269
    assert tokens.bearer(session, server.url, CREDENTIALS) == first
    clock.now += 2
    assert tokens.bearer(session, server.url, CREDENTIALS) != first


class Clock:
    """The clock that the token store looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("up42_jobs.plugin.platforms.tokens.monotonic", lambda: self.now)


def test_a_refused_token_is_replaced_once_however_many_had_it(server: JobsServer) -> None:
    server.on("POST", PATH, token_reply(jwt(name="old")), token_reply(jwt(name="new")))
    tokens, session = TokenStore(), Session()
    old = tokens.bearer(session, server.url, CREDENTIALS)
    new = tokens.bearer(session, server.url, CREDENTIALS, refused=old)
    assert new != old
    assert tokens.bearer(session, server.url, CREDENTIALS, refused=old) == new
    assert server.count("POST", PATH) == 2


def test_of_many_threads_one_asks(server: JobsServer) -> None:
    everybody = threading.Barrier(9)
    release = threading.Event()

    def slowly(_request: Request) -> Reply:
        release.wait(10)
        return token_reply(jwt())

    server.on("POST", PATH, slowly)
    tokens, session = TokenStore(), Session()
    found: list[str] = []

    def ask() -> None:
        everybody.wait(10)
        found.append(tokens.bearer(session, server.url, CREDENTIALS))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    everybody.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8 and len(set(found)) == 1
    assert server.count("POST", PATH) == 1


def test_a_failed_renewal_leaves_the_next_caller_free_to_ask(server: JobsServer) -> None:
    server.on("POST", PATH, reply(400, None), token_reply(jwt()))
    tokens, session = TokenStore(), Session()
    with pytest.raises(Exception, match="400"):
        tokens.bearer(session, server.url, CREDENTIALS)
    assert tokens.bearer(session, server.url, CREDENTIALS)


@pytest.mark.parametrize("bearer_only", [{"access_token": "opaque"}, {"data": {"accessToken": "opaque"}}])
def test_both_spellings_of_the_token(server: JobsServer, bearer_only: dict) -> None:
    server.on("POST", PATH, reply(body=bearer_only))
    assert TokenStore().bearer(Session(), server.url, CREDENTIALS) == "opaque"


def test_lifetime_does_not_trust_this_computers_clock() -> None:
    assert lifetime_of(jwt(120, issued=0), {}) == 120
    assert lifetime_of(jwt(120, issued=4e9), {"expires_in": 7}) == 120


@pytest.mark.parametrize("bearer", ["opaque", "a.b.c", "a.bm8.c", "..", jwt(-5), "a." + "e" * 9 + ".c"])
def test_lifetime_where_the_token_does_not_tell(bearer: str) -> None:
    assert lifetime_of(bearer, {}) == LIFETIME_SECONDS
    assert lifetime_of("opaque", {"expires_in": "60"}) == 60


def test_secrets_are_never_shown(server: JobsServer) -> None:
    account = Credentials.account("someone@example.org", "made-up-password")
    server.on("POST", PATH, reply(401, None))
    try:
        TokenStore().bearer(Session(), server.url, account)
    except Exception:
        told = traceback.format_exc()
    shown = f"{account!r} {account} {CREDENTIALS!r} {told}"
    assert "made-up" not in shown and "someone" not in shown and PROJECT not in shown
