"""A jobs platform on loopback that answers exactly what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qs, urlsplit

PROJECT = "11111111-2222-4333-8444-555555555555"
KEY = "made-up-key.of-the-test"


@dataclass
class Reply:
    """One answer; `body` is sent as it is if it is bytes, else as JSON. `drop`: hang up instead of answering."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answering = Union[Reply, Callable[[Seen], Reply]]


def data(value: Any) -> Reply:
    """A success in the contract's envelope."""
    return Reply(body={"error": None, "data": value})


def jwt(lifetime: float = 300, name: str = "token", issued: Optional[float] = None) -> str:
    """A token whose claims are true; its signature is not."""
    issued = time.time() if issued is None else issued
    claims = {"jti": name, "iat": int(issued), "exp": int(issued + lifetime)}
    parts = [json.dumps({"alg": "RS512"}).encode(), json.dumps(claims).encode(), b"no signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def token_reply(bearer: str) -> Reply:
    """The body as recorded live (contract 1.2)."""
    return Reply(body={"data": {"accessToken": bearer}, "access_token": bearer, "token_type": "bearer"})


class JobsServer:
    """`on(method, path, reply, reply, …)`: the replies in turn, the last one for ever. Everything else is a 404."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._answers: dict[tuple[str, str], list[Answering]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01), daemon=True)
        self._thread.start()
        self.on("POST", "/oauth/token", token_reply(jwt()))

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, method: str, path: str, *replies: Answering) -> None:
        self._answers[method, path] = list(replies)

    def count(self, method: str, path: str) -> int:
        with self._lock:
            return sum(1 for seen in self.seen if (seen.method, seen.path) == (method, path))

    def last(self, path: str) -> Seen:
        with self._lock:
            return [seen for seen in self.seen if seen.path == path][-1]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _reply(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            replies = self._answers.get((seen.method, seen.path))
            if not replies:
                return Reply(404, {"error": {"code": 404, "message": "Nothing here", "details": None}, "data": None})
            answering = replies.pop(0) if len(replies) > 1 else replies[0]
        return answering if isinstance(answering, Reply) else answering(seen)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = server._reply(Seen(self.command, parts.path, parse_qs(parts.query), headers, body))
                if reply.drop:
                    self.close_connection = True
                    return
                content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                if reply.status == 204:
                    content = b""
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        return Handler
