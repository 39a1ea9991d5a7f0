"""JSON and small files over HTTP for the blocks: retried, bounded, through QGIS's proxy and certificates.

What QGIS lends the engine reaches a worker as environment (see `engine/network.py`), the same that GDAL reads.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Optional
from urllib.parse import quote, urlsplit

from ..base import BlockFailure

CONNECT_SECONDS, SILENT_SECONDS = 10.0, 60.0
TRIES = 5  # in all
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0  # the Planetary Computer asks for up to 23
MAX_JSON_BYTES = 60_000_000
BUSY = (408, 425, 429, 500, 502, 503, 504)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
USER_AGENT = "UP42-Jobs-engine"
OFFLINE = "check the network and QGIS's proxy, or run the workflow Demo Imagery, which needs no network."


class HttpRefused(Exception):
    """The server has answered with a status (4xx) that asking again doesn't change. `status` is that."""

    def __init__(self, status: int):
        super().__init__(f"HTTP {status}")
        self.status = status


class Http:
    """One session. Not for several threads at once. Failures are BlockFailures (API_CONNECTION_ERROR) in words."""

    def __init__(self, tries: int = TRIES):
        import requests  # takes its time to load; an estimate needs none

        self._requests = requests
        self._tries = tries
        self._pause = 0.0  # seconds before the next try
        self._session = requests.Session()
        self._session.trust_env = False  # a ~/.netrc must not log us in anywhere
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.verify = os.environ.get("CURL_CA_BUNDLE") or True

    def json(self, url: str, body: Optional[Any] = None) -> Any:
        """GET, or POST of a body, of JSON. Raises HttpRefused, BlockFailure."""
        return self._repeat(url, body, MAX_JSON_BYTES, json.loads)

    def content(self, url: str, most: int) -> bytes:
        """A small file, whole. Raises HttpRefused, BlockFailure (also where it has more than `most` bytes)."""
        return self._repeat(url, None, most, bytes)

    def _repeat(self, url: str, body: Optional[Any], most: int, read: Any) -> Any:
        host = urlsplit(url).hostname or "the server"
        reason = ""
        for number in range(self._tries):
            if number:
                time.sleep(self._pause)
            self._pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**number)
            try:
                status, content = self._once(url, body, most)
            except _TooLarge:
                raise BlockFailure("API_CONNECTION_ERROR", f"{host} sends more than {most / 1e6:.0f} MB.") from None
            except (self._requests.RequestException, OSError, ValueError) as e:
                reason, lasting = _reason(e)
                if lasting and number:
                    break
                continue
            if status in BUSY:
                reason = f"it answers HTTP {status}"
                continue
            if not 200 <= status < 300:
                raise HttpRefused(status)
            try:
                return read(content)
            except ValueError:
                reason = "its answer can't be read"
        raise BlockFailure("API_CONNECTION_ERROR", f"{host} can't be reached ({reason}): {OFFLINE}")

    def _once(self, url: str, body: Optional[Any], most: int) -> tuple[int, bytes]:
        """Status and body. A body that ends before its length is an error (older requests versions don't notice)."""
        with self._session.request(
            "GET" if body is None else "POST",
            url,
            json=body,
            timeout=(CONNECT_SECONDS, SILENT_SECONDS),
            stream=True,
            proxies=proxies_for(url),
        ) as answer:
            wait = answer.headers.get("Retry-After", "")
            if wait.isdigit():
                self._pause = min(LONGEST_PAUSE_SECONDS, float(wait))
            parts, count = [], 0
            for part in answer.iter_content(65_536):
                parts.append(part)
                count += len(part)
                if count > most:
                    raise _TooLarge
            length = answer.headers.get("Content-Length", "")
            if length.isdigit() and answer.raw.tell() < int(length):
                raise OSError("cut short")
            return answer.status_code, b"".join(parts)


class _TooLarge(Exception):
    pass


def proxies_for(url: str) -> dict[str, str]:
    """The proxy that GDAL is told of too; none for this computer."""
    if urlsplit(url).hostname in LOOPBACK:
        return {}
    address, login = os.environ.get("GDAL_HTTP_PROXY"), os.environ.get("GDAL_HTTP_PROXYUSERPWD")
    if not address:
        import requests

        return requests.utils.get_environ_proxies(url)
    if login:
        user, _, phrase = login.partition(":")
        scheme, _, rest = address.partition("://")
        address = f"{scheme}://{quote(user, safe='')}:{quote(phrase, safe='')}@{rest}"
    return {"http": address, "https": address}


_REASONS = (  # a sign in the error's text, what it means, and whether it will most likely be so in a second, too
    ("socks support", "its SOCKS proxy needs the Python package PySocks", True),
    ("proxyerror", "the proxy doesn't let us through", True),
    ("sslerror", "its certificate isn't trusted", True),
    ("certificate", "its certificate isn't trusted", True),
    ("timeout", "it doesn't answer in time", False),
    ("timed out", "it doesn't answer in time", False),
    ("resol", "its name is not known: no network?", True),
    ("not known", "its name is not known: no network?", True),  # Linux, macOS
    ("getaddrinfo", "its name is not known: no network?", True),  # Windows
    ("refused", "the connection is refused", True),
    ("unreachable", "no network", True),
)


def _reason(error: Exception) -> tuple[str, bool]:
    """Why a server was not reached, without addresses (they may be signed), and whether that is likely to last."""
    text = f"{type(error).__name__} {error}".lower()
    for sign, words, lasting in _REASONS:
        if sign in text:
            return words, lasting
    return "the connection broke", False
