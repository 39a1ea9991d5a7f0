"""The session in QGIS: its proxies as the settings say at that moment, its authorities, its accepted exceptions."""

from __future__ import annotations

import ssl
from typing import Iterator, Optional

import pytest
from qgis.core import QgsApplication, QgsAuthCertUtils, QgsAuthConfigSslServer, QgsSettings
from qgis.PyQt.QtNetwork import QSslCertificate, QSslError

from up42_jobs.plugin.host import gui_thread, network
from up42_jobs.plugin.host.version import plugin_version
from up42_jobs.plugin.net.errors import CertificateRejected, ProxyRefused
from up42_jobs.plugin.net.session import Proxy
from up42_jobs.tests.qgis.gui_turns import while_gui_turns
from up42_jobs.tests.servers.certificates import Authority
from up42_jobs.tests.servers.proxies import HttpProxy, Socks5Proxy
from up42_jobs.tests.servers.web import Reply, WebServer
from up42_jobs.tests.servers.worker import Worker

HOST = "jobs.example"


@pytest.fixture
def settings(qgis_app: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[QgsSettings]:
    """QGIS's settings without any proxy, before and after."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    QgsSettings().remove("proxy")
    yield QgsSettings()
    QgsSettings().remove("proxy")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer({"/": Reply(body=b"here")}) as started:
        yield started


def set_proxy(
    settings: QgsSettings, kind: str, port: int = 3128, host: str = "127.0.0.1", login: Optional[tuple[str, str]] = None
) -> None:
    settings.setValue("proxy/proxyEnabled", True)
    settings.setValue("proxy/proxyType", kind)
    settings.setValue("proxy/proxyHost", host)
    settings.setValue("proxy/proxyPort", port)
    if login:
        settings.setValue("proxy/proxyUser", login[0])
        settings.setValue("proxy/proxyPassword", login[1])


def proxy_for(url: str) -> Optional[Proxy]:
    """As a worker asks: on a thread of its own."""
    return Worker(lambda: network.find_proxy(url)).result()


def fetch(url: str) -> bytes:
    return Worker(lambda: network.make_session().request("GET", url, retry=False).body).result()


def test_no_proxy_by_default(settings: QgsSettings) -> None:
    assert proxy_for(f"https://{HOST}/") is None


def test_a_manual_proxy_with_its_login(settings: QgsSettings, server: WebServer) -> None:
    with HttpProxy({HOST: server.port}, "jane", "secret:word") as proxy:
        set_proxy(settings, "HttpProxy", proxy.port, login=("jane", "secret:word"))
        assert fetch(f"http://{HOST}/") == b"here"
        assert proxy.requests[0].target == f"http://{HOST}/"
        settings.setValue("proxy/proxyPassword", "another")
        with pytest.raises(ProxyRefused):
            fetch(f"http://{HOST}/")


def test_a_socks_proxy_looks_up_names_itself(settings: QgsSettings, server: WebServer) -> None:
    with Socks5Proxy({HOST: server.port}, "jane", "word") as proxy:
        set_proxy(settings, "Socks5Proxy", proxy.port, login=("jane", "word"))
        assert fetch(f"http://{HOST}/") == b"here"
        assert (proxy.asked[0].host, proxy.asked[0].user) == (HOST, "jane")


def test_changes_are_followed_without_a_new_session(settings: QgsSettings, server: WebServer) -> None:
    session = network.make_session()
    with HttpProxy({HOST: server.port}) as first, HttpProxy({HOST: server.port}) as second:
        for proxy in (first, second):
            set_proxy(settings, "HttpProxy", proxy.port)
            session.close()  # connections that are open stay open
            Worker(lambda: session.request("GET", f"http://{HOST}/")).result()
        assert (len(first.requests), len(second.requests)) == (1, 1)


def test_loopback_is_never_asked_of_a_proxy(settings: QgsSettings, server: WebServer) -> None:
    with HttpProxy({"127.0.0.1": server.port}) as proxy:
        set_proxy(settings, "HttpProxy", proxy.port)
        assert fetch(f"{server.url}/") == b"here"
        assert proxy.requests == []


@pytest.mark.parametrize("key", ["proxy/proxyExcludedUrls", "proxy/noProxyUrls"])
def test_excluded_urls_go_directly(settings: QgsSettings, key: str) -> None:
    set_proxy(settings, "HttpProxy")
    settings.setValue(key, ["https://direct.example"])
    assert proxy_for("https://direct.example/") is None
    assert proxy_for(f"https://{HOST}/") == Proxy("http", "127.0.0.1", 3128)


def test_the_systems_proxy(settings: QgsSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxy(settings, "DefaultProxy", host="not.this.one")
    monkeypatch.setenv("https_proxy", "http://jane:word@system.example:8080")
    assert proxy_for(f"https://{HOST}/") == Proxy("http", "system.example", 8080, "jane", "word")


@pytest.mark.parametrize(
    ("kind", "found"), [("HttpCachingProxy", "http"), ("FtpCachingProxy", None), ("NoProxy", None)]
)
def test_other_kinds_of_proxy(settings: QgsSettings, kind: str, found: Optional[str]) -> None:
    set_proxy(settings, kind)
    proxy = proxy_for(f"https://{HOST}/")
    assert (proxy.kind if proxy else None) == found


def test_the_user_agent_tells_versions_and_fits_into_a_header(settings: QgsSettings, server: WebServer) -> None:
    fetch(f"{server.url}/")
    told = server.requests[0].headers["user-agent"]
    assert told.startswith(f"UP42-Jobs/{plugin_version()} (QGIS 3.") and told.isascii()
    assert plugin_version().count(".") == 2


@pytest.fixture
def authority(qgis_app: object) -> Iterator[Authority]:
    """An authority that QGIS does not know yet; forgotten again after the test."""
    made = Authority()
    yield made
    QgsApplication.authManager().removeCertAuthority(QSslCertificate(made.pem.encode()))
    rebuild_trust()


def rebuild_trust() -> None:
    """What QGIS's own certificate manager does after a change."""
    manager = QgsApplication.authManager()
    manager.rebuildCaCertsCache()
    manager.rebuildCertTrustCache()
    manager.rebuildTrustedCaCertsCache()


def fetch_beside_gui(url: str) -> bytes:
    return while_gui_turns(Worker(lambda: network.make_session().request("GET", url, retry=False).body))


def test_authorities_added_in_qgis_are_trusted_without_a_password(
    settings: QgsSettings, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = network.make_session()
    with WebServer({"/": Reply(body=b"here")}, tls=authority.context()) as server:
        with pytest.raises(CertificateRejected):
            while_gui_turns(Worker(lambda: session.request("GET", f"{server.url}/")))
        QgsApplication.authManager().storeCertAuthority(QSslCertificate(authority.pem.encode()))
        rebuild_trust()
        monkeypatch.setattr(network, "MAX_AGE_SECONDS", 0.0)
        answer = while_gui_turns(Worker(lambda: session.request("GET", f"{server.url}/")))
    assert answer.body == b"here"
    assert not QgsApplication.authManager().masterPasswordIsSet()


def test_an_accepted_exception_is_that_certificate_and_no_other(settings: QgsSettings, authority: Authority) -> None:
    context, fingerprint = authority.leaf("somewhere.else")
    other, _ = authority.leaf("somewhere.else")
    manager = QgsApplication.authManager()
    with WebServer({"/": Reply(body=b"here")}, tls=context) as server:
        place = f"127.0.0.1:{server.port}"
        exception = QgsAuthConfigSslServer()
        exception.setSslHostPort(place)
        exception.setSslCertificate(certificate_of(context, server))
        exception.setSslIgnoredErrorEnums([QSslError.SslError.HostNameMismatch])
        assert manager.storeSslCertCustomConfig(exception)
        try:
            trust = network.QgisTrust()
            assert trust.pinned("127.0.0.1", server.port) == fingerprint
            assert trust.pinned("127.0.0.1", server.port + 1) is None
            assert fetch_beside_gui(f"{server.url}/") == b"here"
            server.tls = other
            with pytest.raises(CertificateRejected, match="not the one that you accepted"):
                fetch_beside_gui(f"{server.url}/")
        finally:
            manager.removeSslCertCustomConfig(QgsAuthCertUtils.shaHexForCert(exception.sslCertificate()), place)
    assert not manager.masterPasswordIsSet()


def certificate_of(context: ssl.SSLContext, server: WebServer) -> QSslCertificate:
    return QSslCertificate(Worker(lambda: ssl.get_server_certificate(("127.0.0.1", server.port))).result().encode())


def test_the_gui_thread_reads_the_lists_for_all_workers(settings: QgsSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gui_thread, "GUI_WAIT_SECONDS", 3600.0)  # no worker reads by itself
    trust = network.QgisTrust()
    workers = [Worker(trust.authorities) for _ in range(4)]
    assert all("BEGIN CERTIFICATE" in str(while_gui_turns(worker)) for worker in workers)
