"""The local engine goes out as QGIS does: by its proxy, trusting what was added to it; changes reach it as it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtNetwork import QSslCertificate

from up42_jobs.plugin.host import engine_network
from up42_jobs.plugin.host.engine_network import EngineNetwork, proxy_url
from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.proxy import Proxy
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.account_calls import Webhook
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.servers.certificates import Authority
from up42_jobs.tests.servers.proxies import HttpProxy
from up42_jobs.tests.servers.worker import Worker

HOST = "hooks.example"
DEADLINE = 60.0


@pytest.fixture()
def settings(qgis_app: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[QgsSettings]:
    """QGIS's settings without any proxy, before and after; what is changed is lent at once."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(engine_network, "MAX_AGE_SECONDS", 0.0)
    QgsSettings().remove("proxy")
    yield QgsSettings()
    QgsSettings().remove("proxy")


@pytest.fixture()
def engine(tmp_path: Path, settings: QgsSettings) -> Iterator[LocalEngine]:
    engine = LocalEngine(tmp_path / "engine", lambda: Path(sys.executable), EngineNetwork())
    yield engine
    engine.release()


def set_proxy(settings: QgsSettings, port: int) -> None:
    values = {"Enabled": True, "Type": "HttpProxy", "Host": "127.0.0.1", "Port": port, "User": "jane",
              "Password": "secret:word"}  # fmt: skip
    for name, value in values.items():
        settings.setValue(f"proxy/proxy{name}", value)


def address_of(engine: LocalEngine):
    return Worker(lambda: engine.address(Cancel())).result(DEADLINE)


def send_message(engine: LocalEngine) -> None:
    """Have the engine send something to a host that only a proxy knows."""
    address = address_of(engine)
    platform = Up42Jobs(Session(), address.url, address.practice, TokenStore())
    webhook = platform.create_webhook(Webhook("Test", f"https://{HOST}/in"))
    platform.try_webhook(webhook)


def test_the_proxy_of_qgis_is_lent_at_the_start_and_when_it_changes(
    engine: LocalEngine, settings: QgsSettings, tmp_path: Path
) -> None:
    def asked() -> int:
        """How many more requests came to the proxy since the last time."""
        new = [r for r in proxy.requests if r.target == f"{HOST}:443"]
        proxy.requests.clear()
        return len(new)

    with HttpProxy({}, "jane", "secret:word", connect_status=502) as proxy:
        send_message(engine)
        assert asked() == 0
        set_proxy(settings, proxy.port)
        send_message(engine)
        assert asked() > 0
        settings.remove("proxy")
        send_message(engine)
        assert asked() == 0
        set_proxy(settings, proxy.port)
        engine.release()
        again = LocalEngine(tmp_path / "engine", lambda: Path(sys.executable), EngineNetwork())
        send_message(again)
        pid = json.loads((tmp_path / "engine" / "engine.json").read_text())["pid"]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        again.release()
        assert asked() > 0
        assert b"secret" not in command
    for path in (tmp_path / "engine").rglob("*"):
        assert not path.is_file() or b"secret:word" not in path.read_bytes(), path


def test_authorities_are_lent_where_the_user_has_added_one(engine: LocalEngine, tmp_path: Path) -> None:
    address_of(engine)
    assert not (tmp_path / "engine" / "network-ca.pem").exists()
    engine.release()
    manager, authority = QgsApplication.authManager(), Authority()
    certificate = QSslCertificate(authority.pem.encode())
    manager.storeCertAuthority(certificate)
    rebuild_trust()
    other = LocalEngine(tmp_path / "other", lambda: Path(sys.executable), EngineNetwork())
    try:
        address_of(other)
        lent = (tmp_path / "other" / "network-ca.pem").read_text()
        assert authority.pem.strip().splitlines()[1] in lent
        assert lent.count("BEGIN CERTIFICATE") > 1  # the system's beside it: the engine trusts this list alone
    finally:
        other.release()
        manager.removeCertAuthority(certificate)
        rebuild_trust()


def rebuild_trust() -> None:
    """What QGIS's own certificate manager does after a change."""
    manager = QgsApplication.authManager()
    manager.rebuildCaCertsCache()
    manager.rebuildCertTrustCache()
    manager.rebuildTrustedCaCertsCache()


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        (Proxy("http", "proxy.example", 8080), "http://proxy.example:8080"),
        (Proxy("http", "::1", 3128, "a b", "p@ss:word"), "http://a%20b:p%40ss%3Aword@[::1]:3128"),
        (Proxy("socks5", "proxy.example", 1080, "jane", None), "socks5h://jane:@proxy.example:1080"),
    ],
)
def test_a_proxy_as_the_engine_takes_it(proxy: Proxy, url: str) -> None:
    assert proxy_url(proxy) == url
