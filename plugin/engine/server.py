"""HTTP on 127.0.0.1: reads requests, finds who is to answer, writes answers. Knows no route by itself."""

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import sqlite3
import threading
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Mapping, Optional, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from .answers import refused
from .refusal import Refusal, forbidden, invalid

HOST = "127.0.0.1"
MAX_BODY_BYTES = 10_000_000
IDLE_SECONDS = 120  # a connection that says nothing for so long is closed, and its thread with it
MAX_DIGITS = 30  # of a number in JSON
_log = logging.getLogger(__name__)


class Sendable(Protocol):
    """An answer: it writes itself."""

    def send(self, handler: Handler) -> None:
        """Write status, headers and body."""


@dataclass(frozen=True)
class Request:
    """One request, read completely. `path` has no trailing slash and is not percent-encoded any more."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes
    origin: str  # "http://127.0.0.1:8042": what the caller calls us
    connection: socket.socket
    names: Mapping[str, str] = field(default_factory=dict)  # the parts of the path that the route names

    def one(self, name: str) -> Optional[str]:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    def json(self) -> Any:
        """The body's JSON value; {} for an empty body. Raises Refusal (400)."""
        if not self.body.strip():
            return {}
        try:
            return json.loads(self.body, parse_constant=_not_json, parse_float=_finite, parse_int=_short)
        except (ValueError, RecursionError) as e:
            raise invalid(f"The request's body is not JSON: {e}") from e


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large a number")
    return value


def _short(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


Dispatch = Callable[[Request], Sendable]


class Server(ThreadingHTTPServer):
    """A thread per connection, none of which outlives the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port

    def __init__(self, port: int, dispatch: Dispatch):
        """Bind to the port, 0 for any. Raises OSError where it is taken."""
        self.dispatch = dispatch
        super().__init__((HOST, port), Handler)
        self.hosts = {f"{name}:{self.port}" for name in (HOST, "localhost")}
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def server_bind(self) -> None:
        """Bind without http.server's look-up of the host's full name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def port(self) -> int:
        """The port in use."""
        return self.server_address[1]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Serve on a thread of its own."""
        self._thread.start()

    def _serve(self) -> None:
        self.serve_forever(poll_interval=3600)  # `stop` wakes it up: nothing needs to be polled

    def stop(self) -> None:
        """Take no more connections. The flag of `shutdown` is looked at after the next connection, so make one."""
        stopper = threading.Thread(target=self.shutdown, daemon=True)
        stopper.start()
        while self._thread.is_alive():
            with socket.socket() as knock:
                knock.settimeout(1)
                knock.connect_ex((HOST, self.port))
            self._thread.join(0.05)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news; anything else goes to the log."""
        _log.debug("A connection ended with an error", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """One connection: request after request."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # headers and a short body leave in one packet
    server: Server

    def _serve(self) -> None:
        try:
            answer = self._answer()
            answer.send(self)
            self.wfile.flush()
        except (ConnectionError, TimeoutError, socket.timeout):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815  (names of http.server)

    def _answer(self) -> Sendable:
        try:
            return self.server.dispatch(self._request())
        except Refusal as refusal:
            return refused(refusal)
        except (ConnectionError, TimeoutError, socket.timeout):
            raise
        except sqlite3.OperationalError as e:
            _log.exception("The store could not be used")
            return refused(Refusal(507, f"The local engine can't use its data folder ({e}): is the disk full?"))
        except Exception:
            _log.exception("%s failed", self.command)
            return refused(Refusal(500, "The local engine made a mistake: its log, engine.log, says which."))

    def _request(self) -> Request:
        body = self._body()
        host = self.headers.get("Host", "").lower()
        if host not in self.server.hosts:  # a web page whose name was made to point here (DNS rebinding)
            raise forbidden("The Host header does not name this engine.")
        origin = self.headers.get("Origin", f"http://{host}").lower()
        if origin != f"http://{host}" or self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise forbidden("Requests of web pages are refused.")
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            path="/" + unquote(parts.path).strip("/"),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers=self.headers,
            body=body,
            origin=f"http://{host}",
            connection=self.connection,
        )

    def _body(self) -> bytes:
        """The body, which GET may have too (contract 1.4): left unread, it would be taken for the next request."""
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self.close_connection = True
            raise Refusal(411, "Send the request's body with its Content-Length.")
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Refusal(413, f"The request's body is larger than {MAX_BODY_BYTES} bytes.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionError("the request was cut off")
        return body

    def send_error(self, code: int, message: Optional[str] = None, explain: Optional[str] = None) -> None:
        """Errors that http.server finds by itself: in the envelope as well."""
        self.close_connection = True
        self.request_version = self.protocol_version  # what can't be read is answered with headers all the same
        self.command = getattr(self, "command", None) or "GET"
        refused(Refusal(code, message or "The request can't be understood.")).send(self)
        self.wfile.flush()

    def version_string(self) -> str:
        """The Server header."""
        return "UP42JobsEngine"

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: paths can carry signatures."""
