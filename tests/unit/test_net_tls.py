"""Who is trusted: authorities that QGIS lends, one pinned certificate, and nobody else; before a byte is sent."""

from __future__ import annotations

import ssl

import pytest
from servers.certificates import Authority
from servers.tcp import TcpServer
from servers.web import Reply, WebServer

from up42_jobs.plugin.net.errors import CertificateRejected, Unreachable
from up42_jobs.plugin.net.session import NetworkSettings, Session
from up42_jobs.plugin.net.tls import Trust


def session(pem: str = "", pinned=None) -> Session:
    return Session(NetworkSettings(trusted_ca=lambda: pem, pinned=lambda host, port: pinned))


def test_an_authority_that_qgis_trusts(authority):
    with WebServer({"/": Reply(body=b"ok")}, tls=authority.context()) as server:
        assert session(authority.pem).request("GET", server.url).body == b"ok"
        assert session(authority.pem).request("GET", f"https://localhost:{server.port}").body == b"ok"


def test_an_unknown_authority(authority):
    with WebServer({"/": Reply()}, tls=authority.context()) as server:
        for trusted in ("", Authority().pem):
            with pytest.raises(CertificateRejected) as caught:
                session(trusted).request("GET", server.url, bearer="never-sent")
            assert "127.0.0.1 is not trusted (unable to get local issuer certificate)" in str(caught.value)
            assert "Manage Certificates" in str(caught.value)
        assert not server.requests


def test_a_certificate_for_another_host(authority):
    with WebServer({"/": Reply()}, tls=authority.context("up42.test")) as server:
        with pytest.raises(CertificateRejected, match=r"127\.0\.0\.1.*(mismatch|not valid for)"):
            session(authority.pem).request("GET", server.url)
        assert not server.requests


def test_the_authorities_are_asked_for_at_each_new_connection(authority):
    trusted = [""]
    lent = Session(NetworkSettings(trusted_ca=lambda: trusted[0]))
    with WebServer({"/": Reply(body=b"ok")}, tls=authority.context()) as server:
        with pytest.raises(CertificateRejected):
            lent.request("GET", server.url)
        trusted[0] = authority.pem
        assert lent.request("GET", server.url).body == b"ok"


def test_a_broken_certificate_costs_no_other(authority):
    broken = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
    pem = f"Émetteur inconnu\n{broken}\n# comment\n{authority.pem}{broken}{Authority().pem}"
    with WebServer({"/": Reply(body=b"ok")}, tls=authority.context()) as server:
        assert session(pem).request("GET", server.url).body == b"ok"


def test_the_pinned_certificate_is_enough():
    context, fingerprint = Authority().leaf("another-name.test")  # unknown authority, wrong name
    colons = ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    with WebServer({"/": Reply(body=b"ok")}, tls=context) as server:
        assert session(pinned=fingerprint).request("GET", server.url).body == b"ok"
        assert session(pinned=colons).request("GET", server.url).body == b"ok"


def test_the_pin_is_asked_for_by_host_and_port(authority):
    asked = []
    settings = NetworkSettings(trusted_ca=lambda: authority.pem, pinned=lambda *where: asked.append(where))
    with WebServer({"/": Reply()}, tls=authority.context()) as server:
        Session(settings).request("GET", server.url)
        assert asked == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("pin", ["00" * 32, "ab", "?"])
def test_another_than_the_pinned_certificate_gets_nothing(authority, pin):
    with WebServer({"/": Reply()}, tls=authority.context()) as server:
        with pytest.raises(CertificateRejected, match="not the one that you accepted"):
            session(authority.pem, pinned=pin).request("POST", server.url, bearer="never-sent", json={})
        assert server.hung_up.wait(5)
        assert not server.requests


def test_not_a_tls_server():
    class Plain(TcpServer):
        def serve(self, sock):
            sock.recv(1)
            sock.sendall(b"HTTP/1.1 400 What?\r\n\r\n")
            self.until_hung_up(sock)

    with Plain() as server, pytest.raises(Unreachable, match=r"wrong version number.*https://") as caught:
        session().request("GET", f"https://127.0.0.1:{server.port}")
    assert caught.value.key == "tls_failed"


def test_a_tls_server_asked_without_tls(authority):
    class Server(TcpServer):
        def serve(self, sock):
            raise AssertionError("the handshake can't succeed")

    with Server(tls=authority.context()) as server, pytest.raises(Unreachable):
        session().request("GET", f"http://127.0.0.1:{server.port}", retry=False)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_not_spoken(authority):
    context = authority.context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with WebServer({"/": Reply()}, tls=context) as server, pytest.raises(Unreachable):
        session(authority.pem).request("GET", server.url)


def test_company_authorities_need_not_be_strict(authority):
    context = Trust(lambda: authority.pem)._chained()
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 1  # the system's beside ours


def test_where_the_system_has_no_list_that_of_requests_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert ssl.create_default_context().cert_store_stats()["x509_ca"] == 0
    assert Trust(lambda: "")._chained().cert_store_stats()["x509_ca"] > 20
