"""Network settings that the plugin hands over, as GDAL's options for the workers. Kept in memory only."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import unquote, urlsplit

from .files import write_private

CA_FILE = "network-ca.pem"
KNOWN = ("proxy", "ca_pem")
# QGIS's settings take the place of the environment's, also where they say "none"; no proxy leads to this computer.
_OWN_PROXIES = {
    **{name: "" for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")},
    "no_proxy": "127.0.0.1,localhost,::1",
}


class NetworkSettingsError(Exception):
    """The settings are not of the form that is taken; the text says how, without repeating them."""


class NetworkSettings:
    """`proxy` (a URL with port and login) and `ca_pem` (certificates that are trusted besides), each or null."""

    def __init__(self, data: Path):
        self._ca_file = data / CA_FILE
        self._lock = threading.Lock()
        self._environment: dict[str, str] = {}
        self._proxy: Optional[str] = None

    def change(self, settings: Any) -> None:
        """Replace all settings. Raises NetworkSettingsError, OSError."""
        if not isinstance(settings, dict) or any(name not in KNOWN for name in settings):
            raise NetworkSettingsError(f"Settings must be a JSON object with no other keys than {', '.join(KNOWN)}.")
        environment = {
            **_OWN_PROXIES,
            **_proxy_options(settings.get("proxy")),
            **self._ca_options(settings.get("ca_pem")),
        }
        with self._lock:
            self._environment = environment
            self._proxy = settings.get("proxy") or None

    @property
    def proxy(self) -> Optional[str]:
        """The proxy's URL, with its login; None without one."""
        with self._lock:
            return self._proxy

    @property
    def ca_file(self) -> Optional[str]:
        """The file of certificates to be trusted; None for the system's."""
        return self.environment.get("CURL_CA_BUNDLE")

    @property
    def environment(self) -> Mapping[str, str]:
        """Options for a worker's environment, which only its own user can read."""
        with self._lock:
            return dict(self._environment)

    def _ca_options(self, pem: Optional[str]) -> dict[str, str]:
        if not pem:
            return {}
        if not isinstance(pem, str):
            raise NetworkSettingsError('"ca_pem" must be certificates in PEM form, in one text.')
        write_private(self._ca_file, pem.encode())  # not secret, but GDAL wants a file
        # SSL_CERT_FILE too: GDAL 3.6 passes over the other two at the first request for a file (measured on Debian 12).
        return {name: str(self._ca_file) for name in ("GDAL_CURL_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")}


def _proxy_options(proxy: Any) -> dict[str, str]:
    if not proxy:
        return {}
    try:
        parts = urlsplit(proxy)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        address = f"{parts.scheme}://{host}:{parts.port}" if host and parts.port else None
    except (ValueError, TypeError, AttributeError):
        address = None
    if address is None:
        raise NetworkSettingsError('"proxy" must be a URL such as http://proxy.example.org:8080.')
    options = {"GDAL_HTTP_PROXY": address, "GDAL_HTTPS_PROXY": address}
    if parts.username:
        options["GDAL_HTTP_PROXYUSERPWD"] = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return options
