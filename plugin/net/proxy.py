"""Ask a proxy for a way to the server: CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, 1929)."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import struct
from dataclasses import dataclass, field
from typing import Optional, Union

from .errors import NetError, ProxyRefused, TimedOut, Unreachable

_SOCKS_REPLIES = {  # RFC 1928, 6
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "timed out",
    7: "not supported",
    8: "kind of address not supported",
}


@dataclass(frozen=True)
class Proxy:
    """`kind` is "http" or "socks5"; user and password are None where the proxy wants none."""

    kind: str
    host: str
    port: int
    user: Optional[str] = None
    password: Optional[str] = field(default=None, repr=False)

    @property
    def authorization(self) -> Optional[str]:
        """The value of a Proxy-Authorization header."""
        return basic(self.user, self.password or "") if self.user else None


def basic(user: str, password: str) -> str:
    """The value of a Basic Authorization header, in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def is_loopback(host: str) -> bool:
    """True for this computer, which never needs a proxy: localhost, *.localhost, 127.0.0.0/8, ::1."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _ip(name)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and address.is_loopback


def open_way(sock: socket.socket, proxy: Proxy, host: str, port: int, user_agent: str) -> None:
    """Make `sock`, connected to the proxy, a connection to host:port. Raises Unreachable, TimedOut, ProxyRefused."""
    try:
        if proxy.kind == "socks5":
            _socks5(sock, proxy, host, port)
        else:
            _connect(sock, proxy, host, port, user_agent)
    except socket.timeout:
        raise TimedOut(host, "proxy_timed_out", sock.gettimeout(), proxy=proxy.host) from None
    except (OSError, http.client.HTTPException, struct.error) as error:
        raise Unreachable(host, "proxy_no_way", proxy=proxy.host, reason=type(error).__name__) from None


def _connect(sock: socket.socket, proxy: Proxy, host: str, port: int, user_agent: str) -> None:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", f"User-Agent: {user_agent}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    # Reading the answer through a buffer loses nothing: in TLS it is the client that speaks first.
    answer = http.client.HTTPResponse(sock, method="CONNECT")
    try:
        answer.begin()
    finally:
        answer.close()
    if answer.status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise ProxyRefused(host, proxy.host)
    if not 200 <= answer.status < 300:
        raise _blocked(host, proxy, f"{answer.status} {answer.reason}".strip())


def _socks5(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    methods = b"\x00\x02" if proxy.user else b"\x00"  # none; user name and password
    sock.sendall(struct.pack("!BB", 5, len(methods)) + methods)
    version, method = struct.unpack("!BB", _exactly(sock, 2))
    if version != 5:
        raise _blocked(host, proxy, "not SOCKS5")
    if method == 2 and proxy.user:
        _socks5_login(sock, proxy, host)
    elif method != 0:
        raise ProxyRefused(host, proxy.host)
    sock.sendall(struct.pack("!BBB", 5, 1, 0) + _socks5_address(host) + struct.pack("!H", port))
    version, reply, _, kind = struct.unpack("!BBBB", _exactly(sock, 4))
    if version != 5 or reply != 0:
        raise _blocked(host, proxy, _SOCKS_REPLIES.get(reply, f"reply {reply}"))
    length = {1: 4, 4: 16}.get(kind) or _exactly(sock, 1)[0]
    _exactly(sock, length + 2)  # the proxy's own address and port: of no use


def _socks5_login(sock: socket.socket, proxy: Proxy, host: str) -> None:
    user, password = (proxy.user or "").encode(), (proxy.password or "").encode()
    if not (1 <= len(user) <= 255 and len(password) <= 255):
        raise ProxyRefused(host, proxy.host)
    sock.sendall(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
    if _exactly(sock, 2)[1] != 0:
        raise ProxyRefused(host, proxy.host)


def _socks5_address(host: str) -> bytes:
    """A name goes as a name: the proxy looks it up, not we."""
    address = _ip(host)
    if address is None:
        name = host.encode("idna")
        return b"\x03" + bytes([len(name)]) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


def _exactly(sock: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        more = sock.recv(count - len(received))
        if not more:
            raise ConnectionResetError
        received += more
    return received


def _blocked(host: str, proxy: Proxy, reason: str) -> NetError:
    return Unreachable(host, "proxy_blocked", proxy=proxy.host, reason=reason)


def _ip(host: str) -> Union[ipaddress.IPv4Address, ipaddress.IPv6Address, None]:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
