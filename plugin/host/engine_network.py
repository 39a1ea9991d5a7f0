"""QGIS's proxy and added authorities for the local engine, whose blocks fetch imagery from the internet.

They go to it over its standard input when it is started, and by an authenticated call when they have changed: never by
a command line, which every user of the computer can read.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import threading
from time import monotonic
from typing import Any, Callable, Optional
from urllib.parse import quote, urlsplit

from ..net.proxy import Proxy
from .network import QgisTrust, find_proxy

SETTINGS_PATH = "/engine/settings"
MAX_AGE_SECONDS = 30.0  # what is changed in QGIS's options is known to the next job
CALL_SECONDS = 10.0
# The engine takes one proxy for everything; QGIS is asked for the one to the imagery that is there without an account.
IMAGERY = "https://earth-search.aws.element84.com/"

Settings = dict[str, Optional[str]]


def read_settings(trust: QgisTrust) -> Settings:
    """`proxy` (a URL with its login) and `ca_pem`, each or None: what the engine takes. May block: worker threads.

    Authorities are lent only where the user has added some in QGIS: else the system's own list does.
    """
    proxy = find_proxy(IMAGERY)
    return {"proxy": proxy_url(proxy) if proxy else None, "ca_pem": trust.added_authorities() or None}


def proxy_url(proxy: Proxy) -> str:
    """The proxy as GDAL and requests take it; SOCKS5 looks up names itself, as it does for us."""
    scheme = "socks5h" if proxy.kind == "socks5" else "http"
    login = f"{quote(proxy.user, safe='')}:{quote(proxy.password or '', safe='')}@" if proxy.user else ""
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    return f"{scheme}://{login}{host}:{proxy.port}"


class EngineNetwork:
    """What the engine was lent, and what has changed since. Worker threads."""

    def __init__(self, read: Optional[Callable[[], Settings]] = None) -> None:
        trust = QgisTrust() if read is None else None
        self._read = read or (lambda: read_settings(trust))  # type: ignore[arg-type]
        self._lock = threading.Lock()
        self._lent: Optional[Settings] = None
        self._read_at = float("-inf")

    def for_start(self) -> Settings:
        """The settings as they are now, to be lent to an engine that is being started."""
        settings = self._read()
        with self._lock:
            self._lent, self._read_at = settings, monotonic()
        return settings

    def lend_changes(self, url: str, user: str, secret: str) -> None:
        """Tell a running engine of changes, at most every `MAX_AGE_SECONDS`; where it fails, again next time."""
        with self._lock:
            if monotonic() - self._read_at < MAX_AGE_SECONDS:
                return
            self._read_at = monotonic()
        settings = self._read()
        if settings != self._lent:
            with contextlib.suppress(OSError, http.client.HTTPException):  # it is ending: its successor is told
                _post(url, user, secret, settings)
                with self._lock:
                    self._lent = settings


def _post(url: str, user: str, secret: str, settings: dict[str, Any]) -> None:
    pair = base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=CALL_SECONDS)
    try:
        connection.request("POST", SETTINGS_PATH, body=json.dumps(settings), headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.NO_CONTENT:
            raise http.client.HTTPException(f"status {answer.status}")
    finally:
        connection.close()
