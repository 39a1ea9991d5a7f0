"""requests' connections, taught to be cancelled, to go through QGIS's proxy and to trust whom QGIS trusts.

Written against what urllib3 1.26 and 2.x have in common. Everything about a connection is decided here, in the
worker's thread, at the moment it is made; urllib3 and requests know of no proxy and of no certificate.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Optional

from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from .cancel import Cancel, Line
from .dial import dial
from .errors import TimedOut, Unreachable
from .proxy import Proxy, is_loopback, open_way
from .tls import Trust


class Kept:
    """Whether connections are kept open for the next request, until the session is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False

    @contextlib.contextmanager
    def taking_back(self) -> Iterator[bool]:
        """True where a connection may be kept; `end` waits meanwhile, so that it closes this one too."""
        with self._lock:
            yield not self._over

    def end(self) -> None:
        with self._lock:
            self._over = True


@dataclass(frozen=True)
class Road:
    """How connections are made: what a session's exchanges share."""

    find_proxy: Callable[[str], Optional[Proxy]]
    pinned: Callable[[str, int], Optional[str]]
    trust: Trust
    user_agent: str
    kept: Kept = field(default_factory=Kept)


@dataclass
class Exchange:
    """One request and its answer on one connection, from the first byte to the last, for one cancel."""

    road: Road
    cancel: Cancel
    target: str = field(repr=False)  # path and query as they go over the wire
    fresh: bool  # not on a connection that has been used: a stale one would leave a write in doubt
    forwarder: Optional[Proxy] = None  # the proxy that was given the request itself, and may answer in its own name
    _lines: list[Line] = field(default_factory=list, repr=False)

    def watch(self, sock: socket.socket) -> None:
        """From here on `cancel` shuts this socket down."""
        self._lines.append(self.cancel.register(sock))

    def leave(self) -> None:
        """The connection is free, or gone: `cancel` must not reach it any more. Idempotent."""
        while self._lines:
            self.cancel.forget(self._lines.pop())

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """Connections that this thread makes or takes up meanwhile work for this exchange."""
        before = getattr(_thread, "exchange", None)
        _thread.exchange = self
        try:
            yield
        finally:
            _thread.exchange = before


_thread = threading.local()


class _Connection:
    """What our plain and TLS connections have in common; goes before urllib3's class."""

    exchange: Optional[Exchange] = None
    forwarder: Optional[Proxy] = None  # a proxy that takes http:// requests whole, in place of a tunnel

    def _new_conn(self: Any) -> socket.socket:
        """Called by `connect`: a socket to the server, if need be through the proxy, within reach of the cancel."""
        exchange: Exchange = _thread.exchange
        self.exchange = exchange
        plain = not isinstance(self, HTTPSConnection)
        proxy = _proxy_for(exchange.road, "http" if plain else "https", self.host, self.port)
        if proxy:
            sock = _dial_proxy(proxy, self.host, self.timeout, exchange.cancel)
        else:
            sock = dial(self.host, self.port, self.timeout, exchange.cancel)
        try:
            exchange.watch(sock)
            self.forwarder = proxy if proxy and plain and proxy.kind == "http" else None
            if proxy and not self.forwarder:
                open_way(sock, proxy, self.host, self.port, exchange.road.user_agent)
        except BaseException:
            sock.close()
            raise
        return sock

    def putrequest(
        self: Any, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False
    ) -> None:
        exchange: Exchange = _thread.exchange
        if self.sock is None:
            self.connect()
        elif self.exchange is not exchange:  # kept open by an earlier request
            self.exchange = exchange
            exchange.watch(self.sock)
        # urllib3 was given the bare path, so that no signed query is in its log lines and errors.
        target = exchange.target
        if self.forwarder:
            target = f"http://{_authority(self.host, self.port, default=80)}{target}"
        super().putrequest(method, target, skip_host, skip_accept_encoding)  # type: ignore[misc]
        exchange.forwarder = self.forwarder
        if self.forwarder and self.forwarder.authorization:
            self.putheader("Proxy-Authorization", self.forwarder.authorization)


class PlainConnection(_Connection, HTTPConnection):
    """http://"""


class TlsConnection(_Connection, HTTPSConnection):
    """https://"""

    def connect(self) -> None:
        sock = self._new_conn()
        try:
            road = self.exchange.road  # type: ignore[union-attr]
            self.sock = road.trust.secure(sock, self.host, road.pinned(self.host, self.port))
        except BaseException:
            sock.close()
            raise
        self.is_verified = True


class _Pool:
    """What our pools have in common; goes before urllib3's class."""

    def _get_conn(self: Any, timeout: Optional[float] = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        if _thread.exchange.fresh and connection.sock is not None:
            connection.close()
        return connection

    def _put_conn(self: Any, connection: Any) -> None:
        """Take a connection back; not one whose work was cancelled, and quietly none where the pool is full."""
        if connection is None or connection.exchange is None:
            self._put_back(connection)
            return
        exchange, connection.exchange = connection.exchange, None
        exchange.leave()
        with exchange.road.kept.taking_back() as welcome:
            if exchange.cancel.cancelled or not welcome:
                connection.close()
            self._put_back(connection)

    def _put_back(self: Any, connection: Any) -> None:
        try:
            self.pool.put(connection, block=False)
        except (AttributeError, queue.Full):  # AttributeError: the pool is closed
            if connection is not None:
                connection.close()


class PlainPool(_Pool, HTTPConnectionPool):
    ConnectionCls = PlainConnection


class TlsPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = TlsConnection


class Adapter(HTTPAdapter):
    """requests' adapter on our pools; it follows nothing and repeats nothing by itself."""

    def __init__(self) -> None:
        super().__init__(pool_connections=16, pool_maxsize=8, max_retries=Retry(total=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    def close(self) -> None:
        """Close the idle connections now; urllib3 2 alone would leave that to the garbage collector."""
        pools = self.poolmanager.pools
        for key in list(pools.keys()):
            pool = pools.get(key)
            if pool is not None:
                pool.close()
        super().close()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: TlsConnection always verifies."""

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        return request.path_url.split("?", 1)[0]


def _proxy_for(road: Road, scheme: str, host: str, port: int) -> Optional[Proxy]:
    """QGIS's proxy for this server, by a URL without path or query: a PAC script is no one to tell signed URLs to."""
    return None if is_loopback(host) else road.find_proxy(f"{scheme}://{_authority(host, port)}/")


def _dial_proxy(proxy: Proxy, host: str, seconds: float, cancel: Cancel) -> socket.socket:
    try:
        return dial(proxy.host, proxy.port, seconds, cancel)
    except TimedOut:
        raise TimedOut(host, "proxy_timed_out", seconds, proxy=proxy.host) from None
    except Unreachable as error:
        reasons = {"host_unknown": "unknown address", "refused": "connection refused"}
        reason = reasons.get(error.key) or error.values["reason"]
        raise Unreachable(host, "proxy_no_way", proxy=proxy.host, reason=reason) from None


def _authority(host: str, port: int, default: Optional[int] = None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == default else f"{name}:{port}"
