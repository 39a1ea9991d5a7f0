"""A jobs platform on loopback that answers exactly what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Callable, Mapping, Optional, Union
from urllib.parse import parse_qs

from up42_jobs.tests.servers import web
from up42_jobs.tests.servers.tcp import Request

PROJECT = "11111111-2222-4333-8444-555555555555"
KEY = "made-up-key.of-the-test"

Reply = Optional[web.Reply]  # None hangs up instead of answering
Answering = Union[Reply, Callable[[Request], Reply]]


def reply(status: int = 200, body: Any = None, headers: Optional[Mapping[str, str]] = None) -> Reply:
    """One answer; `body` is sent as it is if it is bytes, else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return web.Reply(status, content, headers or {})


def data(value: Any) -> Reply:
    """A success in the contract's envelope."""
    return reply(body={"error": None, "data": value})


def refusal(status: int, code: Any, message: str) -> Reply:
    """An error in the contract's envelope; the client is to come back at once, if it is to come back."""
    error = {"code": code, "message": message, "details": None}
    return reply(status, {"error": error, "data": None}, {"Retry-After": "0"})


def jwt(lifetime: float = 300, name: str = "token", issued: Optional[float] = None) -> str:
    """A token whose claims are true; its signature is not."""
    issued = time.time() if issued is None else issued
    claims = {"jti": name, "iat": int(issued), "exp": int(issued + lifetime)}
    parts = [json.dumps({"alg": "RS512"}).encode(), json.dumps(claims).encode(), b"no signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def token_reply(bearer: str) -> Reply:
    """The body as recorded live (contract 1.2)."""
    return reply(body={"data": {"accessToken": bearer}, "access_token": bearer, "token_type": "bearer"})


def query(request: Request) -> dict[str, list[str]]:
    """The parameters of a request's query."""
    return parse_qs(request.query)


class JobsServer(web.WebServer):
    """`on(method, path, reply, reply, …)`: the replies in turn, the last one for ever. Everything else is a 404."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[tuple[str, str], list[Answering]] = {}
        self.on("POST", "/oauth/token", token_reply(jwt()))

    def on(self, method: str, path: str, *replies: Answering) -> None:
        self._answers[method, path] = list(replies)

    def count(self, method: str, path: str) -> int:
        return sum(1 for request in self.asked(path) if request.method == method)

    def last(self, path: str) -> Request:
        return self.asked(path)[-1]

    def _reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            replies = self._answers.get((request.method, request.path), [refusal(404, 404, "Nothing here")])
            answering = replies.pop(0) if len(replies) > 1 else replies[0]
        return answering(request) if callable(answering) else answering  # outside the lock: a function may wait
