"""The one way to a server: requests, made for QGIS.

`Session(settings)` once, `session.under(cancel)` for each piece of work; from any thread, also from several at once.
"""

from __future__ import annotations

import contextlib
import copy
import http.client
import socket
import ssl
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterator, Mapping, Optional, TypeVar

from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from .answer import Answer, StreamAnswer
from .cancel import Cancel, Cancelled
from .connection import Adapter, Exchange, Road
from .errors import (
    ERROR_BODY_LIMIT,
    HttpError,
    NetError,
    ProxyRefused,
    TimedOut,
    TooManyRedirects,
    Unreachable,
)
from .order import READS, Data, Order, make_order
from .proxy import Proxy
from .retry import pause_before_retry
from .tls import Trust

__all__ = ["Answer", "Cancel", "NetworkSettings", "Proxy", "Session", "StreamAnswer"]

BODY_LIMIT = 64 * 1024 * 1024  # bytes
REDIRECT_LIMIT = 5
_REDIRECTS = (301, 302, 303, 307, 308)

T = TypeVar("T")


def _no_proxy(url: str) -> Optional[Proxy]:
    return None


def _no_more_ca() -> str:
    return ""


def _not_pinned(host: str, port: int) -> Optional[str]:
    return None


@dataclass(frozen=True)
class NetworkSettings:
    """What QGIS lends; all three functions are called in the worker's thread, at each new connection.

    `find_proxy`: the proxy for a URL (scheme, host and port only), None = direct; not asked for loopback.
    `trusted_ca`: PEM text of authorities trusted beside the system's, "" = none.
    `pinned`: host, port -> SHA-256 fingerprint (hex) of a certificate accepted as an exception, None = none.
    Time-outs in seconds of inactivity, never of the whole: large files take as long as they take.
    """

    find_proxy: Callable[[str], Optional[Proxy]] = _no_proxy
    trusted_ca: Callable[[], str] = _no_more_ca
    pinned: Callable[[str, int], Optional[str]] = _not_pinned
    connect_timeout: float = 15.0
    read_timeout: float = 60.0


class Session:
    """Requests through one set of pooled connections. No cookies, no ~/.netrc, nothing from the environment."""

    def __init__(self, settings: Optional[NetworkSettings] = None, *, user_agent: str = "UP42-Jobs-QGIS") -> None:
        self._settings = settings or NetworkSettings()
        trust = Trust(self._settings.trusted_ca)
        self._road = Road(self._settings.find_proxy, self._settings.pinned, trust, user_agent)
        self._adapter = Adapter()
        self._cancel = Cancel()

    def under(self, cancel: Cancel) -> Session:
        """The same session for one piece of work: `cancel` ends whatever it is waiting for."""
        view = copy.copy(self)
        view._cancel = cancel
        return view

    def close(self) -> None:
        """Close the idle connections of this session and of all its views; those at work close when they are done."""
        self._road.kept.end()
        self._adapter.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        bearer: Optional[str] = None,
        basic: Optional[tuple[str, str]] = None,
        headers: Optional[Mapping[str, str]] = None,
        params: Optional[Mapping[str, Any]] = None,
        json: Any = None,
        data: Optional[Data] = None,
        retry: Optional[bool] = None,
        timeout: Optional[float] = None,
        max_bytes: int = BODY_LIMIT,
    ) -> Answer:
        """The whole answer. `bearer` and `basic` go to the URL's own origin only, never along a redirect elsewhere.

        `data`: a mapping goes as a form. `retry`: None repeats GET and HEAD and nothing else; True is for writes that
        change nothing, such as asking for a token. `timeout`: seconds without a byte, in place of the settings'.
        Raises Cancelled; HttpError for 400 and above; NetError.
        """
        order = self._order(
            method, url, "gzip", bearer=bearer, basic=basic, headers=headers, params=params, json=json, data=data
        )

        def whole(answer: StreamAnswer) -> Answer:
            with contextlib.closing(answer):
                return Answer(answer.status, answer.headers, answer.read_all(max_bytes), answer.url_host)

        return self._tried(order, retry, timeout, whole)

    @contextlib.contextmanager
    def stream(
        self,
        url: str,
        *,
        bearer: Optional[str] = None,
        basic: Optional[tuple[str, str]] = None,
        headers: Optional[Mapping[str, str]] = None,
        params: Optional[Mapping[str, Any]] = None,
        retry: Optional[bool] = None,
        timeout: Optional[float] = None,
    ) -> Iterator[StreamAnswer]:
        """GET a body of any size, to be read by `iter_chunks` inside the `with`, as raw bytes.

        Repeated like a read until the headers are there; what happens in the body is the caller's to resume.
        Raises like `request`.
        """
        order = self._order("GET", url, "identity", bearer=bearer, basic=basic, headers=headers, params=params)
        answer = self._tried(order, retry, timeout, lambda answer: answer)
        with contextlib.closing(answer):
            yield answer

    def _order(self, method: str, url: str, encoding: str, **given: Any) -> Order:
        order = make_order(method, url, **given)
        ours = {"User-Agent": self._road.user_agent, "Accept": "*/*", "Accept-Encoding": encoding}
        theirs = {name.lower() for name in order.headers}
        kept = {name: value for name, value in ours.items() if name.lower() not in theirs}
        return replace(order, headers={**kept, **order.headers})

    def _tried(
        self, order: Order, retry: Optional[bool], timeout: Optional[float], finish: Callable[[StreamAnswer], T]
    ) -> T:
        """`finish` of the answer; with `retry`, again after a passing failure."""
        again = order.method in READS if retry is None else retry
        tried = 0
        while True:
            try:
                return finish(self._followed(order, timeout))
            except NetError as error:
                tried += 1
                pause = pause_before_retry(error, tried) if again else None
                if pause is None:
                    raise
            if self._cancel.wait(pause):
                raise Cancelled

    def _followed(self, order: Order, timeout: Optional[float]) -> StreamAnswer:
        """The answer at the end of the redirects, of a status below 400."""
        for _ in range(REDIRECT_LIMIT + 1):
            answer = self._exchanged(order, timeout)
            location = answer.headers.get("Location")
            if answer.status in _REDIRECTS and location:
                answer.close()
                order = order.redirected(answer.status, location)
                continue
            if answer.status < 400:
                return answer
            with contextlib.closing(answer):
                body = answer.read_beginning(ERROR_BODY_LIMIT)
            raise HttpError(order.host, answer.status, answer.headers, body)
        raise TooManyRedirects(order.host)

    def _exchanged(self, order: Order, timeout: Optional[float]) -> StreamAnswer:
        """One request, one answer, whatever its status."""
        self._cancel.check()
        request = order.prepared()
        read_seconds = self._settings.read_timeout if timeout is None else timeout
        seconds = (self._settings.connect_timeout, read_seconds)
        exchange = Exchange(self._road, self._cancel, request.path_url, fresh=order.method not in READS)
        failure: Exception
        try:
            with exchange.under_way():
                response = self._adapter.send(request, stream=True, timeout=seconds)
            if response.status_code == http.client.PROXY_AUTHENTICATION_REQUIRED and exchange.forwarder:
                response.close()
                raise ProxyRefused(order.host, exchange.forwarder.host)
            return StreamAnswer(response, exchange, order.host, read_seconds)
        except (NetError, Cancelled) as error:
            failure = error
        except (RequestException, HTTPError, OSError) as error:
            failure = _told(error, order.host, read_seconds)
        # Raised out here, so that no exception of requests with a URL in it hangs on to ours. After a cancel the flag
        # says what happened; the exception only tells what a connection looks like that was shut down.
        exchange.leave()
        if self._cancel.cancelled:
            raise Cancelled
        raise failure


def _told(error: Exception, host: str, read_seconds: float) -> NetError:
    """What went wrong between the connection's first byte and the answer's headers."""
    causes = list(_causes(error))
    if any(isinstance(cause, (ReadTimeoutError, socket.timeout)) for cause in causes):
        return TimedOut(host, "read_timed_out", read_seconds)
    if any(isinstance(cause, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes):
        return Unreachable(host, "dropped")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return Unreachable(host, "tls_failed", reason=(cause.reason or "TLS").replace("_", " ").lower())
        if isinstance(cause, http.client.HTTPException):
            return Unreachable(host, "not_http")
    return Unreachable(host, "dropped")


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    for inner in error.args:
        if isinstance(inner, BaseException):
            yield from _causes(inner)
