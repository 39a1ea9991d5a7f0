"""QGIS's network settings for our session: its proxies, its certificate authorities, its accepted exceptions."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Mapping, Optional

from qgis.core import Qgis, QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtCore import QCryptographicHash, QUrl
from qgis.PyQt.QtNetwork import QNetworkProxy, QNetworkProxyQuery

from ..net.session import NetworkSettings, Proxy, Session
from .gui_thread import GuiThread
from .version import plugin_version

MAX_AGE_SECONDS = 30.0  # an authority that the user adds after a refusal is known soon
_KINDS = {
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5",
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
}


def make_session() -> Session:
    """A session with QGIS's network settings and our user agent. Any thread."""
    return Session(qgis_network_settings(), user_agent=user_agent())


def user_agent() -> str:
    """`UP42-Jobs/0.1.0 (QGIS 3.22.16)`; without the release's name, which a header can't always carry."""
    return f"UP42-Jobs/{plugin_version()} (QGIS {Qgis.QGIS_VERSION.partition('-')[0]})"


def qgis_network_settings() -> NetworkSettings:
    """What QGIS lends a session; its functions may be called on any thread and ask for no password."""
    trust = QgisTrust()
    return NetworkSettings(find_proxy=find_proxy, trusted_ca=trust.authorities, pinned=trust.pinned)


def find_proxy(url: str) -> Optional[Proxy]:
    """QGIS's proxy for this URL, None for none: manual, exclusions, the system's, PAC. May block: worker threads.

    The manager is the thread's own and reads the settings as they are now. A kind of proxy that can't lead to a web
    server (FTP) is passed over.
    """
    manager = QgsNetworkAccessManager.instance()
    for proxy in manager.proxyFactory().queryProxy(QNetworkProxyQuery(QUrl(url))):
        kind = _KINDS.get(proxy.type())
        if kind and proxy.hostName():
            return Proxy(kind, proxy.hostName(), proxy.port(), proxy.user() or None, proxy.password() or None)
        if proxy.type() in (QNetworkProxy.ProxyType.NoProxy, QNetworkProxy.ProxyType.DefaultProxy):
            return None
    return None


class QgisTrust:
    """What QgsAuthManager says of certificates; neither of it is encrypted, so no vault is unlocked for it.

    The manager's lists are not guarded against a change meanwhile, so they are read on the GUI thread and kept for a
    while.
    """

    def __init__(self) -> None:
        self._gui_thread = GuiThread()
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._authorities = ""
        self._has_added = False
        self._exceptions: Mapping[str, str] = {}

    def authorities(self) -> str:
        """The trusted authorities as PEM: the system's, those of files and those that were added in QGIS."""
        self._refresh()
        return self._authorities

    def added_authorities(self) -> str:
        """The same where the user has added authorities in QGIS, "" where there are only the system's."""
        self._refresh()
        return self._authorities if self._has_added else ""

    def pinned(self, host: str, port: int) -> Optional[str]:
        """SHA-256 (hex) of the certificate that the user accepted for this server in spite of errors, or None."""
        self._refresh()
        return self._exceptions.get(f"{host}:{port}".lower())

    def _refresh(self) -> None:
        with self._reading:
            if monotonic() - self._read_at >= MAX_AGE_SECONDS:
                self._gui_thread.ask(self._read_now)

    def _read_now(self) -> None:
        manager = QgsApplication.authManager()
        self._authorities = bytes(manager.trustedCaCertsPemText()).decode("ascii", "replace")
        self._has_added = bool(manager.databaseCAs() or manager.extraFileCAs())
        self._exceptions = {
            config.sslHostPort().lower(): _fingerprint(config.sslCertificate())
            for config in manager.sslCertCustomConfigs()
            if config.sslIgnoredErrorEnums() and not config.sslCertificate().isNull()
        }
        self._read_at = monotonic()


def _fingerprint(certificate: object) -> str:
    digest = certificate.digest(QCryptographicHash.Algorithm.Sha256)  # type: ignore[attr-defined]
    return bytes(digest).hex()
