"""Proxies. They know host names that no DNS knows (`names`), so that nothing a test does can leave the machine."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Mapping, Optional
from urllib.parse import urlsplit

from .tcp import TcpServer, read_request

Names = Mapping[str, int]  # host name -> port of a server on 127.0.0.1, whatever port is asked for


class HttpProxy(TcpServer):
    """Forwards http:// requests, tunnels CONNECT; with `user`, only for those who log in (else 407)."""

    def __init__(self, names: Names, user: Optional[str] = None, password: str = "", connect_status: int = 200) -> None:
        super().__init__()
        self.names = names
        self.connect_status = connect_status
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._wanted = f"Basic {login}" if user else None

    def serve(self, sock: socket.socket) -> None:
        stream = sock.makefile("rb")
        request = read_request(stream)
        if request is None:
            return
        self.requests.append(request)
        if self._wanted and request.headers.get("proxy-authorization") != self._wanted:
            sock.sendall(b"HTTP/1.1 407 Login Please\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
        elif request.method != "CONNECT":
            self._forward(sock, request)
        elif self.connect_status != 200:
            sock.sendall(b"HTTP/1.1 %d Not Here\r\nContent-Length: 0\r\n\r\n" % self.connect_status)
        else:
            with self._server(request.target.rpartition(":")[0]) as there:
                sock.sendall(b"HTTP/1.1 200 Go On\r\n\r\n")
                join(sock, there)

    def _forward(self, sock: socket.socket, request) -> None:
        parts = urlsplit(request.target)
        lines = [f"{request.method} {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1"]
        headers = {name: value for name, value in request.headers.items() if not name.startswith("proxy-")}
        lines += [f"{name}: {value}" for name, value in {**headers, "connection": "close"}.items()]
        with self._server(parts.hostname or "") as there:
            there.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + request.body)
            join(sock, there)

    def _server(self, host: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.names[host]))


@dataclass
class Socks5Request:
    user: Optional[str]
    password: Optional[str]
    host: str
    port: int


class Socks5Proxy(TcpServer):
    """SOCKS5 with remote look-up; with `user`, only for those who log in. `reply` other than 0 refuses."""

    def __init__(self, names: Names, user: Optional[str] = None, password: str = "", reply: int = 0) -> None:
        super().__init__()
        self.names, self.user, self.password, self.reply = names, user, password, reply
        self.asked: list[Socks5Request] = []

    def serve(self, sock: socket.socket) -> None:
        stream = sock.makefile("rb")
        _byte(stream)
        offered = stream.read(_byte(stream))
        method = 2 if self.user else 0
        if method not in offered:
            sock.sendall(b"\x05\xff")
            return
        sock.sendall(bytes([5, method]))
        user = password = None
        if self.user:
            _byte(stream)
            user = stream.read(_byte(stream)).decode()
            password = stream.read(_byte(stream)).decode()
            right = (user, password) == (self.user, self.password)
            sock.sendall(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return
        _, _, _, kind = [_byte(stream) for _ in range(4)]
        host = {
            1: lambda: socket.inet_ntop(socket.AF_INET, stream.read(4)),
            3: lambda: stream.read(_byte(stream)).decode("ascii"),
            4: lambda: socket.inet_ntop(socket.AF_INET6, stream.read(16)),
        }[kind]()
        (port,) = struct.unpack("!H", stream.read(2))
        self.asked.append(Socks5Request(user, password, host, port))
        sock.sendall(bytes([5, self.reply, 0, 3, 4]) + b"here" + b"\x00\x50")
        if self.reply == 0:
            with socket.create_connection(("127.0.0.1", self.names[host])) as there:
                join(sock, there)


def _byte(stream) -> int:
    byte = stream.read(1)
    if not byte:
        raise ConnectionResetError
    return byte[0]


def join(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended."""

    def carry(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    thread = threading.Thread(target=carry, args=(one, other), daemon=True)
    thread.start()
    carry(other, one)
    thread.join()
