"""A relay in front of a real HTTP server, which can lose an answer or a request on purpose."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional

import requests

HOP_HEADERS = {"connection", "transfer-encoding", "content-encoding", "content-length", "keep-alive", "date", "server"}


class Relay:
    """`url` answers like `target`. `lose_answer` and `lose_request` take a test of "METHOD /path" to act on.

    `seen` lists every "METHOD /path" that came, `forwarded` every one that went on to the target. `repeat` makes a
    matching request reach the target twice. `instead` may give a status and a body to answer by itself, by
    "METHOD /path" and the Authorization that was sent; status 0 hangs up.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.seen: list[str] = []
        self.forwarded: list[str] = []
        self.lose_answer: Optional[Callable[[str], bool]] = None
        self.lose_request: Optional[Callable[[str], bool]] = None
        self.repeat: Optional[Callable[[str], bool]] = None
        self.instead: Optional[Callable[[str, str], Optional[tuple[int, bytes]]]] = None
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _relay(self) -> None:
                relay.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = _relay

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Relay:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Forward one request, or lose it."""
        what = f"{request.command} {request.path}"
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.seen.append(what)
        if self.lose_request is not None and self.lose_request(what):
            request.close_connection = True
            return
        authorisation = request.headers.get("Authorization") or ""
        own = self.instead(what, authorisation) if self.instead is not None else None
        if own is not None and not own[0]:
            request.close_connection = True
            return
        if own is not None:
            request.send_response_only(own[0])
            request.send_header("Content-Length", str(len(own[1])))
            request.end_headers()
            request.wfile.write(own[1])
            return
        answer = self._forward(what, request, body)
        if self.repeat is not None and self.repeat(what):
            answer = self._forward(what, request, body)
        if self.lose_answer is not None and self.lose_answer(what):
            request.close_connection = True
            return
        request.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_HEADERS or name.lower() == "date":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer.content)))
        request.end_headers()
        request.wfile.write(answer.content)

    def _forward(self, what: str, request: BaseHTTPRequestHandler, body: bytes) -> requests.Response:
        self.forwarded.append(what)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        with requests.Session() as session:
            session.trust_env = False
            url = self.target + request.path
            return session.request(request.command, url, data=body, headers=headers, timeout=30, allow_redirects=False)
