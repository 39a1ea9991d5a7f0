"""Proxies: asked for at each connection, HTTP and SOCKS5, with and without login; never for this computer."""

from __future__ import annotations

import socket

import pytest
from servers.proxies import HttpProxy, Socks5Proxy
from servers.tcp import CuttingServer, SilentServer, TcpServer, free_port
from servers.web import Reply, WebServer
from servers.worker import Worker

from up42_jobs.plugin.net.errors import HttpError, ProxyRefused, TimedOut, Unreachable
from up42_jobs.plugin.net.proxy import Proxy, is_loopback, open_way
from up42_jobs.plugin.net.session import NetworkSettings, Session

HIDDEN = "proxy-pass-word"


class Asked:
    """A `find_proxy` that remembers what it was asked."""

    def __init__(self, proxy) -> None:
        self.proxy = proxy
        self.urls = []

    def __call__(self, url):
        self.urls.append(url)
        return self.proxy


def through(proxy, authority=None, **settings) -> Session:
    pem = authority.pem if authority else ""
    return Session(NetworkSettings(find_proxy=Asked(proxy), trusted_ca=lambda: pem, **settings))


class TestHttpProxy:
    def test_plain_requests_are_handed_over_whole(self):
        with WebServer({"/a": Reply(body=b"ok")}) as server, HttpProxy({"up42.test": server.port}) as proxy:
            session = through(Proxy("http", "127.0.0.1", proxy.port))
            assert session.request("GET", "http://up42.test/a?b=c", bearer="key").body == b"ok"
            assert session.request("POST", "http://up42.test:8080/a", json=[1]).body == b"ok"
            assert [request.target for request in proxy.requests] == [
                "http://up42.test/a?b=c",
                "http://up42.test:8080/a",
            ]
            assert proxy.requests[0].headers["host"] == "up42.test"
            assert proxy.requests[1].headers["host"] == "up42.test:8080"
            assert "proxy-authorization" not in proxy.requests[0].headers
            assert server.requests[0].headers["authorization"] == "Bearer key"
            assert server.requests[1].body == b"[1]"

    def test_https_goes_through_a_tunnel(self, authority):
        tls = authority.context("up42.test")
        with WebServer({"/a": Reply(body=b"ok")}, tls=tls) as server, HttpProxy({"up42.test": server.port}) as proxy:
            session = through(Proxy("http", "127.0.0.1", proxy.port), authority)
            for _ in range(2):
                assert session.request("GET", "https://up42.test/a?b=c", bearer="key").body == b"ok"
            (request,) = proxy.requests  # one tunnel serves both
            assert (request.method, request.target) == ("CONNECT", "up42.test:443")
            assert "authorization" not in request.headers
            assert server.requests[0].target == "/a?b=c"

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_login(self, authority, scheme):
        tls = authority.context("up42.test") if scheme == "https" else None
        with WebServer({"/": Reply(body=b"ok")}, tls=tls) as server:
            with HttpProxy({"up42.test": server.port}, "me", HIDDEN) as proxy:
                session = through(Proxy("http", "127.0.0.1", proxy.port, "me", HIDDEN), authority)
                assert session.request("GET", f"{scheme}://up42.test/").body == b"ok"
            assert "proxy-authorization" not in server.requests[0].headers

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("login", [(), ("me", HIDDEN)])
    def test_refused_login(self, scheme, login):
        with WebServer() as server, HttpProxy({"up42.test": server.port}, "me", "another") as proxy:
            session = through(Proxy("http", "127.0.0.1", proxy.port, *login))
            with pytest.raises(ProxyRefused, match=r"The proxy 127\.0\.0\.1 wants a user name.*Network") as caught:
                session.request("GET", f"{scheme}://up42.test/")
            assert caught.value.url_host == "up42.test"
            assert HIDDEN not in str(vars(caught.value))
            assert len(proxy.requests) == 1
            assert not server.requests

    def test_407_of_a_server_is_not_the_proxys(self):
        with WebServer({"/": Reply(407)}) as server, pytest.raises(HttpError, match="407"):
            Session().request("GET", server.url)

    def test_a_tunnel_that_the_proxy_does_not_give(self, authority):
        with HttpProxy({}, connect_status=403) as proxy, pytest.raises(Unreachable, match="403 Not Here") as caught:
            through(Proxy("http", "127.0.0.1", proxy.port), authority).request("GET", "https://up42.test/")
        assert caught.value.key == "proxy_blocked"

    def test_the_certificate_is_checked_through_the_tunnel(self, authority):
        tls = authority.context("another.test")
        with WebServer(tls=tls) as server, HttpProxy({"up42.test": server.port}) as proxy:
            with pytest.raises(Exception, match=r"up42\.test is not trusted"):
                through(Proxy("http", "127.0.0.1", proxy.port), authority).request("GET", "https://up42.test/")
            assert not server.requests

    def test_a_body_cut_behind_the_proxy(self):
        with CuttingServer() as server, HttpProxy({"up42.test": server.port}) as proxy:
            session = through(Proxy("http", "127.0.0.1", proxy.port))
            with pytest.raises(Exception, match="cut off after 50 of 100 bytes"):
                session.request("GET", "http://up42.test/", retry=False)


class TestSocks5:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("login", [(), ("me", HIDDEN)], ids=["open", "login"])
    def test_the_proxy_looks_the_name_up(self, authority, scheme, login):
        tls = authority.context("up42.test") if scheme == "https" else None
        server = WebServer({"/a": Reply(body=b"ok")}, tls=tls)
        with server, Socks5Proxy({"up42.test": server.port}, *login) as proxy:
            session = through(Proxy("socks5", "127.0.0.1", proxy.port, *login), authority)
            assert session.request("GET", f"{scheme}://up42.test/a?b=c").body == b"ok"
            (asked,) = proxy.asked
            assert (asked.host, asked.port) == ("up42.test", 443 if scheme == "https" else 80)
            assert (asked.user, asked.password) == (login or (None, None))
            assert server.requests[0].target == "/a?b=c"

    @pytest.mark.parametrize(("host", "known"), [("192.0.2.7", "192.0.2.7"), ("[2001:db8::7]", "2001:db8::7")])
    def test_addresses(self, host, known):
        with WebServer({"/": Reply(body=b"ok")}) as server, Socks5Proxy({known: server.port}) as proxy:
            assert through(Proxy("socks5", "127.0.0.1", proxy.port)).request("GET", f"http://{host}/").body == b"ok"
            assert proxy.asked[0].host == known
            assert server.requests[0].headers["host"] == host

    @pytest.mark.parametrize("login", [(), ("me", "wrong"), ("me", "x" * 256)])
    def test_refused_login(self, login):
        with Socks5Proxy({}, "me", HIDDEN) as proxy, pytest.raises(ProxyRefused):
            through(Proxy("socks5", "127.0.0.1", proxy.port, *login)).request("GET", "http://up42.test/")
        assert not proxy.asked

    @pytest.mark.parametrize(("reply", "words"), [(2, "not allowed"), (4, "host unreachable"), (99, "reply 99")])
    def test_refused_way(self, reply, words):
        with Socks5Proxy({}, reply=reply) as proxy, pytest.raises(Unreachable, match=words):
            through(Proxy("socks5", "127.0.0.1", proxy.port)).request("GET", "http://up42.test/")

    @pytest.mark.parametrize("answer", [b"", b"\x05", b"HT", b"\x05\x00\x05\x00\x00\x03"])
    def test_nonsense(self, answer):
        class Nonsense(TcpServer):
            def serve(self, sock):
                sock.recv(3)
                sock.sendall(answer)

        with Nonsense() as server, pytest.raises(Unreachable):
            through(Proxy("socks5", "127.0.0.1", server.port)).request("GET", "http://up42.test/")


class TestTheProxyItself:
    @pytest.mark.parametrize("kind", ["http", "socks5"])
    def test_not_there(self, kind):
        with pytest.raises(
            Unreachable, match=r"The proxy 127\.0\.0\.1 can’t be reached \(connection refused\)"
        ) as caught:
            through(Proxy(kind, "127.0.0.1", free_port())).request("GET", "https://up42.test/")
        assert caught.value.url_host == "up42.test"

    def test_unknown_name(self):
        with pytest.raises(Unreachable, match="unknown address"):
            through(Proxy("http", "no-proxy.invalid", 3128)).request("GET", "https://up42.test/")

    @pytest.mark.parametrize("kind", ["http", "socks5"])
    def test_silent(self, kind):
        with SilentServer() as server, pytest.raises(TimedOut, match=r"The proxy .* within 0\.2 s"):
            through(Proxy(kind, "127.0.0.1", server.port), connect_timeout=0.2).request("GET", "https://up42.test/")

    @pytest.mark.parametrize("kind", ["http", "socks5"])
    def test_hanging_up(self, kind):
        class Rude(TcpServer):
            def serve(self, sock):
                return

        with Rude() as server, pytest.raises(Unreachable) as caught:
            through(Proxy(kind, "127.0.0.1", server.port)).request("GET", "https://up42.test/")
        assert caught.value.key == "proxy_no_way"

    def test_its_password_is_not_shown(self):
        assert HIDDEN not in repr(Proxy("http", "proxy.test", 3128, "me", HIDDEN))


class TestWhichProxy:
    def test_this_computer_is_never_asked_about(self):
        find = Asked(Proxy("http", "127.0.0.1", free_port()))
        session = Session(NetworkSettings(find_proxy=find))
        with WebServer({"/": Reply(body=b"ok")}) as server:
            assert session.request("GET", server.url).body == b"ok"
            assert session.request("GET", f"http://localhost:{server.port}/").body == b"ok"
        assert find.urls == []

    def test_asked_at_each_new_connection_without_path_and_query(self):
        with WebServer({"/a": Reply()}) as server, HttpProxy({"up42.test": server.port}) as proxy:
            find = Asked(Proxy("http", "127.0.0.1", proxy.port))
            session = Session(NetworkSettings(find_proxy=find))
            session.request("GET", "http://up42.test/a?sig=hidden")
            assert find.urls == ["http://up42.test:80/"]
            # It may change at any moment: the next connection (a write's is always a new one) takes another way.
            with Socks5Proxy({"up42.test": server.port}) as other:
                find.proxy = Proxy("socks5", "127.0.0.1", other.port)
                session.request("POST", "http://up42.test/a")
                assert [asked.host for asked in other.asked] == ["up42.test"]
            assert len(proxy.requests) == 1
            assert server.requests[1].target == "/a"

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("localhost", True),
            ("LOCALHOST.", True),
            ("engine.localhost", True),
            ("127.0.0.1", True),
            ("127.9.9.9", True),
            ("::1", True),
            ("[::1]", True),
            ("::ffff:127.0.0.1", True),
            ("localhost.example.com", False),
            ("notlocalhost", False),
            ("10.0.0.1", False),
            ("::2", False),
            ("api.up42.com", False),
        ],
    )
    def test_is_loopback(self, host, expected):
        assert is_loopback(host) is expected


def test_the_way_is_open_when_the_answer_has_been_read():
    """CONNECT's answer comes byte by byte; the bytes after it belong to the tunnel."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        worker = Worker(lambda: open_way(ours, Proxy("http", "p", 1), "2001:db8::7", 443, "UA"))
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += theirs.recv(100)
        assert asked.startswith(b"CONNECT [2001:db8::7]:443 HTTP/1.1\r\nHost: [2001:db8::7]:443\r\nUser-Agent: UA\r\n")
        for byte in b"HTTP/1.1 200 Fine\r\nVia: x\r\n\r\n":
            theirs.send(bytes([byte]))
        worker.result()
