"""Servers below HTTP: silent, cutting, dripping, deaf; plain, or with `tls=` (see certificates.py) secure."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional


@dataclass
class Request:
    """What a client sent; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


def read_request(stream) -> Optional[Request]:
    """The next request of a connection's `makefile("rb")`; None when the client has hung up or does not speak HTTP."""
    first = stream.readline().decode("latin-1").split(" ")
    if len(first) != 3:
        return None
    method, target, _ = first
    headers = {}
    for line in iter(stream.readline, b"\r\n"):
        if not line:
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)


class TcpServer:
    """Hands each connection to `serve` on a thread of its own. Ends all of them at the end of the `with`."""

    def __init__(self, tls: Optional[ssl.SSLContext] = None, host: str = "127.0.0.1") -> None:
        self.tls = tls
        self.stopped = threading.Event()
        self.requests: list[Request] = []
        self.hung_up = threading.Event()  # a client has closed or shut down its side
        self.connections = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, 0), family=family, backlog=256)
        self.host, self.port = self._listening.getsockname()[:2]

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join(10)

    def until_hung_up(self, sock: socket.socket) -> None:
        """Read and throw away until the client goes (then `hung_up` is set) or the server is stopped."""
        with contextlib.suppress(OSError):
            while sock.recv(4096):
                pass
        if not self.stopped.is_set():
            self.hung_up.set()

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._attend, sock)

    def _attend(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(sock)
        whole = sock
        try:
            if self.tls:
                whole = self.tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._open.add(whole)
            self.serve(whole)
        except OSError:
            self.hung_up.set()  # a client may leave at any moment; a server lives on
        finally:
            with self._lock:
                self._open.discard(sock)
                self._open.discard(whole)
            whole.close()


class SilentServer(TcpServer):
    """Falls silent for ever at a `stage`; `reached` is set when it does.

    "accept": before it reads anything (over https: before the TLS handshake, if `tls` is None). "request": when it
    has read the request. "headers": in the middle of its headers. "body": after `body` of `length` announced bytes.
    """

    def __init__(self, stage: str = "accept", tls=None, body: bytes = b"half", length: int = 1000) -> None:
        super().__init__(tls)
        self.stage, self.body, self.length = stage, body, length
        self.reached = threading.Event()
        self.each_reached = threading.Semaphore(0)  # the same, to be acquired once per connection

    def serve(self, sock: socket.socket) -> None:
        if self.stage != "accept":
            request = read_request(sock.makefile("rb"))
            if request:
                self.requests.append(request)
        if self.stage == "headers":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        if self.stage == "body":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.length + self.body)
        self.reached.set()
        self.each_reached.release()
        self.until_hung_up(sock)


class PlainServer(TcpServer):
    """Answers 400 to whatever comes first, a TLS greeting too, as web servers do at their port without TLS."""

    def serve(self, sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@dataclass
class CuttingServer(TcpServer):
    """Hangs up after `cut_at` bytes of `body`, the first `times` times (None: always); then sends all of it.

    `announce`: how the body's end is marked: "length", "chunked" or "none" (the end of the connection).
    `cut_at` None: hangs up without any answer. `reset`: hangs up rudely (RST). With TLS and no `goodbye`, the
    connection ends without TLS's own closing words, as when something in between cuts it.
    """

    body: bytes = b"0123456789" * 10
    cut_at: Optional[int] = 50
    announce: str = "length"
    times: Optional[int] = None
    reset: bool = False
    goodbye: bool = False
    tls: Optional[ssl.SSLContext] = None
    head: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        super().__init__(self.tls)

    def serve(self, sock: socket.socket) -> None:
        request = read_request(sock.makefile("rb"))
        if request is None:
            return
        with self._lock:
            self.requests.append(request)
            cut = self.times is None or len(self.requests) <= self.times
        if not (cut and self.cut_at is None):
            sock.sendall(self._headers())
            sock.sendall(self._marked(self.body[: self.cut_at] if cut else self.body, whole=not cut))
        if cut and self.reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.goodbye and isinstance(sock, ssl.SSLSocket):
            sock.unwrap()

    def _headers(self) -> bytes:
        mark = {
            "length": b"Content-Length: %d\r\n" % len(self.body),
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "none": b"",
        }[self.announce]
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + mark + self.head + b"\r\n"

    def _marked(self, part: bytes, whole: bool) -> bytes:
        if self.announce != "chunked":
            return part
        return (b"%x\r\n%b\r\n" % (len(part), part) if part else b"") + (b"0\r\n\r\n" if whole else b"")


class DrippingServer(TcpServer):
    """Sends `body` in pieces of `size` bytes, one each `interval` seconds; `drops` counts them."""

    def __init__(self, body: bytes, size: int = 1, interval: float = 0.05, tls=None) -> None:
        super().__init__(tls)
        self.body, self.size, self.interval = body, size, interval
        self.drops = 0
        self.begun = threading.Event()

    def serve(self, sock: socket.socket) -> None:
        request = read_request(sock.makefile("rb"))
        if request is None:
            return
        self.requests.append(request)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body))
        for start in range(0, len(self.body), self.size):
            sock.sendall(self.body[start : start + self.size])
            self.drops += 1
            self.begun.set()
            if self.stopped.wait(self.interval):
                return
        self.until_hung_up(sock)


class DeafServer:
    """A port on which connections are neither accepted nor refused: its queue is full (Linux)."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(0)
        self.host, self.port = self._listening.getsockname()
        self._queue: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> DeafServer:
        while True:  # connect until nobody answers
            sock = socket.socket()
            self._queue.append(sock)
            sock.settimeout(0.1)
            try:
                sock.connect((self.host, self.port))
            except socket.timeout:
                return self

    def __exit__(self, *exc: object) -> None:
        for sock in (*self._queue, self._listening):
            sock.close()

    def wait(self, timeout: float) -> bool:
        """Wait until someone else is trying to connect; False if nobody does within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._knocking() > 1:  # one is the last of our own queue
                return True
            time.sleep(0.005)
        return False

    def _knocking(self) -> int:
        connecting = f"0100007F:{self.port:04X} 02"  # to 127.0.0.1, SYN_SENT
        return Path("/proc/net/tcp").read_text().count(connecting)


def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
