"""A well-behaved HTTP server (keep-alive, lengths, chunks) whose answers a test writes down."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Union

from .tcp import Request, TcpServer, read_request


@dataclass
class Reply:
    """One answer. `chunked`: pieces of 7 bytes without a length. `close`: hang up afterwards."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    close: bool = False

    def write(self, sock: socket.socket, method: str) -> None:
        headers = dict(self.headers)
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif self.status not in (204, 304):
            headers.setdefault("Content-Length", str(len(self.body)))
        if self.close:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {self.status} Said So", *(f"{name}: {value}" for name, value in headers.items())]
        sock.sendall("\r\n".join([*lines, "", ""]).encode("utf-8"))
        if method != "HEAD":
            sock.sendall(self._chunks() if self.chunked else self.body)

    def _chunks(self) -> bytes:
        pieces = [self.body[start : start + 7] for start in range(0, len(self.body), 7)]
        return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def json_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


Route = Union[Reply, list, Callable[[Request], Reply]]


class WebServer(TcpServer):
    """Answers by path: a Reply; a list of them, one per request, the last one again and again; or a function.

    Unknown paths get 404. `requests` holds all that was asked, in order. None in place of a Reply hangs up.
    """

    def __init__(self, routes: Optional[Mapping[str, Route]] = None, tls=None, host: str = "127.0.0.1") -> None:
        super().__init__(tls, host)
        self.routes: dict[str, Route] = dict(routes or {})

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def serve(self, sock: socket.socket) -> None:
        stream = sock.makefile("rb")
        while True:
            request = read_request(stream)
            if request is None:
                self.hung_up.set()
                return
            reply = self._reply(request)
            if reply is None:
                return
            reply.write(sock, request.method)
            if reply.close or request.headers.get("connection", "").lower() == "close":
                return

    def _reply(self, request: Request) -> Optional[Reply]:
        with self._lock:
            self.requests.append(request)
            route = self.routes.get(request.path, Reply(404, b"nothing here"))
            if isinstance(route, list):
                route = route.pop(0) if len(route) > 1 else route[0]
        return route(request) if callable(route) else route  # outside the lock: a function may wait
