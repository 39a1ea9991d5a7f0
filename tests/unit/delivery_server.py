"""A storage server on loopback with signed URLs, ETags and ranges, that misbehaves when a test tells it to."""

from __future__ import annotations

import itertools
import re
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional

SIGNATURE = "made-up-signature-of-the-test"


@dataclass
class Turn:
    """How one request is answered, where it isn't answered well.

    `cut`: hang up after so many bytes of the body. `stall`: send so many, then nothing more, until the server stops.
    `status`: this instead of the body. `ranges`: False answers 200 to a Range. `shift`: begin so many bytes beside the
    wanted one. `chunked`: no Content-Length. `headers`: in place of, or beside, the usual ones.
    """

    cut: Optional[int] = None
    stall: Optional[int] = None
    status: Optional[int] = None
    ranges: bool = True
    shift: int = 0
    piece: Optional[int] = None
    chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    before: Optional[Callable[[StorageServer], None]] = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class StorageServer:
    """`with StorageServer(body) as server`; `server.url` is a fresh signed URL at each call."""

    def __init__(self, body: bytes, etag: Optional[str] = '"one"'):
        self.body, self.etag = body, etag
        self.turns: deque[Turn] = deque()
        self.always: Optional[Turn] = None
        self.requests: list[dict[str, str]] = []
        self.served = 0  # bytes of bodies handed to the network
        self.expired: set[str] = set()
        self.single_use = False
        self.sent_some = threading.Event()
        self._stop = threading.Event()
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> StorageServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self) -> str:
        number = next(self._numbers)
        return f"http://127.0.0.1:{self._server.server_port}/output.tgz?n={number}&Signature={SIGNATURE}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        storage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                storage._answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        turn = self.turns.popleft() if self.turns else self.always or Turn()
        if turn.before is not None:
            turn.before(self)
        if turn.status is None and request.path in self.expired:
            turn = Turn(status=403)
        if self.single_use:
            self.expired.add(request.path)
        if turn.status is not None:
            self._head(request, turn.status, {"Content-Length": "0", **turn.headers})
            return
        self._send(request, turn)

    def _send(self, request: BaseHTTPRequestHandler, turn: Turn) -> None:
        start, status, size = 0, 200, len(self.body)
        headers = {"ETag": self.etag} if self.etag else {}
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if wanted and turn.ranges and request.headers.get("If-Range") in (None, self.etag):
            start, status = int(wanted.group(1)), 206
            if start >= size:
                self._head(request, 416, {"Content-Range": f"bytes */{size}", "Content-Length": "0", **turn.headers})
                return
        start += turn.shift
        body = memoryview(self.body)[start:]
        if turn.piece is not None:
            body, status = body[: turn.piece], 206
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{start + len(body) - 1}/{size}"
        framing = {"Transfer-Encoding": "chunked"} if turn.chunked else {"Content-Length": str(len(body))}
        self._head(request, status, {**framing, **headers, **turn.headers})
        stop = min(len(body) if limit is None else limit for limit in (turn.cut, turn.stall))
        self._body(request, body[:stop], turn.chunked)
        if turn.stall is not None:
            self._stop.wait()
        if stop < len(body):
            request.close_connection = True
        elif turn.chunked:
            request.wfile.write(b"0\r\n\r\n")

    def _body(self, request: BaseHTTPRequestHandler, body: memoryview, chunked: bool) -> None:
        for at in range(0, len(body), 65536):
            piece = body[at : at + 65536]
            try:
                request.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n" if chunked else piece)
            except OSError:  # the client went away
                request.close_connection = True
                return
            self.served += len(piece)
            self.sent_some.set()

    def _head(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            if value is not None:
                request.send_header(name, value)
        request.end_headers()
