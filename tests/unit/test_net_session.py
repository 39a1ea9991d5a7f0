"""Requests and answers: what is sent, what comes back, counted bodies, redirects, tries, and no secret in any error."""

from __future__ import annotations

import datetime
import gzip
import http
import json
import threading
import traceback
import tracemalloc
from pathlib import Path

import pytest
from servers.tcp import (
    CuttingServer,
    DeafServer,
    DrippingServer,
    SilentServer,
    TcpServer,
    free_port,
    has_ipv6,
    read_request,
)
from servers.web import Reply, WebServer, json_reply
from servers.worker import Worker

from up42_jobs.plugin.net import retry
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.errors import (
    BadBody,
    BadJson,
    HttpError,
    NetError,
    NotSendable,
    RedirectRefused,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Truncated,
    Unreachable,
)
from up42_jobs.plugin.net.session import NetworkSettings, Session

KEY = "k3y-that-nobody-may-see"


@pytest.fixture
def session():
    session = Session(NetworkSettings(connect_timeout=5, read_timeout=5))
    yield session
    session.close()


@pytest.fixture
def soon(monkeypatch):
    """Back-off of milliseconds."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)


class TestWhatIsSent:
    def test_get_with_parameters_and_headers(self, session):
        with WebServer({"/jobs": json_reply([1, 2])}) as server:
            answer = session.request(
                "GET", server.url + "/jobs", params={"page": 1, "name": "a b"}, headers={"X-A": "b"}
            )
            assert answer.json() == [1, 2]
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            (request,) = server.requests
            assert request.query == "page=1&name=a+b"
            assert request.headers["x-a"] == "b"
            assert request.headers["accept-encoding"] == "gzip"
            assert request.headers["user-agent"] == "UP42-Jobs-QGIS"
            assert request.headers["host"] == f"127.0.0.1:{server.port}"
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers

    def test_json_body(self, session):
        with WebServer({"/": Reply()}) as server:
            session.request("POST", server.url, json={"name": "Köln"}, bearer=KEY)
            (request,) = server.requests
            assert json.loads(request.body) == {"name": "Köln"}
            assert request.headers["content-type"] == "application/json"
            assert request.headers["authorization"] == f"Bearer {KEY}"

    def test_form_and_basic(self, session):
        with WebServer({"/oauth/token": json_reply({})}) as server:
            form = {"grant_type": "client_credentials", "a": "1&2"}
            session.request("POST", server.url + "/oauth/token", data=form, basic=("id", "schlüssel:x"))
            (request,) = server.requests
            assert request.body == b"grant_type=client_credentials&a=1%262"
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
            assert request.headers["authorization"] == "Basic aWQ6c2NobMO8c3NlbDp4"

    def test_login_in_the_url_becomes_basic(self, session):
        with WebServer({"/": Reply()}) as server:
            session.request("GET", f"http://id:p%40ss@127.0.0.1:{server.port}/")
            assert server.requests[0].headers["authorization"] == "Basic aWQ6cEBzcw=="

    def test_netrc_and_environment_are_ignored(self, session, tmp_path, monkeypatch):
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("NO_PROXY", "")
        assert Path.home() == tmp_path
        with WebServer({"/": Reply()}) as server:
            session.request("GET", server.url)
            session.request("GET", server.url, bearer=KEY)
            assert "authorization" not in server.requests[0].headers
            assert server.requests[1].headers["authorization"] == f"Bearer {KEY}"

    def test_cookies_are_not_kept(self, session):
        with WebServer({"/": Reply(headers={"Set-Cookie": "who=me; Path=/"})}) as server:
            session.request("GET", server.url)
            session.request("GET", server.url)
            assert "cookie" not in server.requests[1].headers

    def test_a_signed_url_arrives_as_it_was_signed(self, session):
        query = "X-Goog-Credential=a%2Fb%40c&X-Goog-Signature=00ff+~&sp=%20x"
        with WebServer({"/a/b.tgz": Reply()}) as server, session.stream(f"{server.url}/a/b.tgz?{query}") as answer:
            assert b"".join(answer.iter_chunks()) == b""
            assert server.requests[0].query == query

    @pytest.mark.parametrize(
        "url", ["", "example.com", "ftp://a/b", "file:///etc/passwd", "http://", "http://a:b/", "//a"]
    )
    def test_what_is_no_web_address_is_refused(self, session, url):
        with pytest.raises(NotSendable, match="https://"):
            session.request("GET", url)

    @pytest.mark.parametrize("where", ["bearer", "header", "basic"])
    def test_a_key_with_a_line_break_is_refused_without_being_quoted(self, session, where):
        bad = KEY + "\n"
        given = {"bearer": {"bearer": bad}, "header": {"headers": {"X-Key": bad}}, "basic": {"bearer": "é€" + KEY}}
        with WebServer({"/": Reply()}) as server:
            with pytest.raises(NotSendable) as caught:
                session.request("GET", server.url, **given[where])
            assert KEY not in "".join(traceback.format_exception(caught.type, caught.value, None))
            assert server.connections == 0


class TestAnswers:
    def test_server_date(self, session):
        with WebServer({"/": Reply(headers={"Date": "Wed, 15 May 2024 10:00:00 GMT"}), "/no": Reply()}) as server:
            date = session.request("GET", server.url).server_date
            assert date == datetime.datetime(2024, 5, 15, 10, tzinfo=datetime.timezone.utc)
            assert session.request("GET", server.url + "/no").server_date is None

    @pytest.mark.parametrize("chunked", [False, True])
    def test_gzip_is_unpacked(self, session, chunked):
        body = json.dumps(list(range(5000))).encode()
        reply = Reply(
            200, gzip.compress(body[:9000]) + gzip.compress(body[9000:]), {"Content-Encoding": "gzip"}, chunked
        )
        with WebServer({"/": reply}) as server:
            assert session.request("GET", server.url).body == body

    def test_a_cut_gzip_body_is_an_error(self, session):
        reply = Reply(200, gzip.compress(b"a" * 1000)[:-5], {"Content-Encoding": "gzip"})
        with WebServer({"/": reply}) as server, pytest.raises(BadBody, match="gzip"):
            session.request("GET", server.url)

    def test_a_gzip_bomb_is_stopped(self, session):
        """And never unpacked beyond the limit: its 20 MB don't get into memory."""
        reply = Reply(200, gzip.compress(b"\0" * 20_000_000), {"Content-Encoding": "gzip"})
        with WebServer({"/": reply}) as server:
            tracemalloc.start()
            with pytest.raises(TooLarge, match="1000000 bytes"):
                session.request("GET", server.url, max_bytes=1_000_000)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 8_000_000

    def test_an_encoding_that_was_not_asked_for(self, session):
        with (
            WebServer({"/": Reply(200, b"?", {"Content-Encoding": "br"})}) as server,
            pytest.raises(BadBody, match="br"),
        ):
            session.request("GET", server.url)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_too_large(self, session, chunked):
        with WebServer({"/": Reply(200, b"x" * 1001, chunked=chunked)}) as server:
            with pytest.raises(TooLarge):
                session.request("GET", server.url, max_bytes=1000)
            assert len(session.request("GET", server.url, max_bytes=1001).body) == 1001

    def test_no_body(self, session):
        routes = {"/": Reply(204), "/304": Reply(304, headers={"Content-Length": "99"})}
        with WebServer(routes) as server:
            assert session.request("DELETE", server.url).body == b""
            assert session.request("GET", server.url + "/304").status == 304

    def test_head_announces_and_sends_nothing(self, session):
        with WebServer({"/": Reply(200, b"x" * 500)}) as server:
            answer = session.request("HEAD", server.url)
            assert (answer.body, answer.headers["Content-Length"]) == (b"", "500")
            assert session.request("GET", server.url).body == b"x" * 500
            assert server.connections == 1

    @pytest.mark.parametrize("body", [b"<html>Log in to the Wi-Fi</html>", b"", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_bad_json(self, session, body):
        with WebServer({"/": Reply(200, body)}) as server, pytest.raises(BadJson, match=r"127\.0\.0\.1") as caught:
            session.request("GET", server.url).json()
        assert len(caught.value.values["beginning"]) <= 80

    def test_bad_json_quotes_no_token(self, session):
        with WebServer({"/": Reply(200, b'{"access_token": "%s' % KEY.encode())}) as server:
            with pytest.raises(BadJson) as caught:
                session.request("GET", server.url).json()
            assert KEY not in str(caught.value)

    def test_json_with_a_byte_order_mark(self, session):
        with WebServer({"/": Reply(200, b"\xef\xbb\xbf[1]")}) as server:
            assert session.request("GET", server.url).json() == [1]


class TestHttpErrors:
    @pytest.mark.parametrize(
        ("body", "code", "message"),
        [
            (
                {"error": {"code": "RESOURCE_NOT_FOUND", "message": "No job"}, "data": None},
                "RESOURCE_NOT_FOUND",
                "No job",
            ),
            ({"error": {"code": 404, "message": "No job", "details": None}}, "404", "No job"),
            ({"title": "Not found", "status": 404, "detail": "No asset", "type": "urn:x"}, "urn:x", "No asset"),
            ({"title": "Not found", "status": 404}, None, "Not found"),
            ({"error": None, "code": 415, "message": "No JSON"}, "415", "No JSON"),
            ({"error": "invalid_client", "error_description": "Unknown"}, "invalid_client", "Unknown"),
            ({"code": "NotFound", "description": "No item"}, "NotFound", "No item"),
            ({"error": {"code": {"a": 1}, "message": ["b"]}}, None, None),
            ([], None, None),
            (None, None, None),
        ],
    )
    def test_the_servers_own_words(self, session, body, code, message):
        with WebServer({"/": json_reply(body, 422)}) as server, pytest.raises(HttpError) as caught:
            session.request("GET", server.url)
        error = caught.value
        assert (error.status, error.code, error.message) == (422, code, message)
        assert error.url_host == "127.0.0.1"
        assert (message or http.HTTPStatus(422).phrase) in str(error)
        assert error.headers["content-type"] == "application/json"
        assert json.loads(error.body) == body

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 429, 499, 500, 503, 599])
    def test_every_status_has_a_sentence(self, session, status):
        with WebServer({"/": Reply(status, b"<html>")}) as server, pytest.raises(HttpError, match=str(status)):
            session.request("GET", server.url, retry=False)

    def test_the_body_is_kept_up_to_64_kib(self, session):
        with WebServer({"/": Reply(400, b"x" * 200_000)}) as server, pytest.raises(HttpError) as caught:
            session.request("GET", server.url)
        assert caught.value.body == b"x" * 65536

    def test_an_error_body_that_is_cut_is_still_that_error(self, session):
        reply = Reply(400, b"half", {"Content-Length": "100"}, close=True)
        with WebServer({"/": reply}) as server, pytest.raises(HttpError) as caught:
            session.request("GET", server.url)
        assert caught.value.body == b"half"

    def test_a_secret_in_the_servers_words_is_not_repeated(self, session):
        body = {"error": {"code": 401, "message": f"bad token Bearer {KEY}1 {'x' * 500}"}}
        with WebServer({"/": json_reply(body, 401)}) as server, pytest.raises(HttpError) as caught:
            session.request("GET", server.url)
        assert KEY not in str(caught.value)
        assert len(str(caught.value)) < 500

    def test_stream_raises_it_too(self, session):
        with WebServer({"/": Reply(416)}) as server:
            answer = session.stream(server.url, headers={"Range": "bytes=9-"})
            with pytest.raises(HttpError) as caught, answer:
                pass
        assert caught.value.status == 416
        assert server.requests[0].headers["range"] == "bytes=9-"


class TestCountedBodies:
    """A body that is cut is never a success."""

    @pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
    @pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
    @pytest.mark.parametrize("announce", ["length", "chunked"])
    def test_cut(self, authority, announce, reset, secure):
        session = Session(NetworkSettings(trusted_ca=lambda: authority.pem))
        tls = authority.context() if secure else None
        with CuttingServer(announce=announce, reset=reset, tls=tls) as server:
            with pytest.raises(Truncated) as caught:
                session.request("GET", server.url, retry=False)
            assert caught.value.expected == (100 if announce == "length" else None)
            with pytest.raises(Truncated), session.stream(server.url) as answer:
                assert answer.length == (100 if announce == "length" else None)
                for _ in answer.iter_chunks():
                    pass

    def test_what_came_before_the_cut_is_handed_over(self, session):
        with CuttingServer() as server, session.stream(server.url) as answer:
            received = b""
            with pytest.raises(Truncated) as caught:
                for chunk in answer.iter_chunks(7):
                    assert len(chunk) <= 7
                    received += chunk
            assert received == server.body[:50]
            assert (caught.value.received, caught.value.expected) == (50, 100)

    def test_without_length_the_end_of_the_connection_is_the_end(self, session):
        with CuttingServer(announce="none", cut_at=50) as server:
            assert session.request("GET", server.url).body == server.body[:50]
            with session.stream(server.url) as answer:
                assert answer.length is None
                assert b"".join(answer.iter_chunks()) == server.body[:50]

    @pytest.mark.parametrize("goodbye", [True, False])
    def test_without_length_over_tls_only_with_a_goodbye(self, authority, goodbye):
        session = Session(NetworkSettings(trusted_ca=lambda: authority.pem))
        with CuttingServer(announce="none", goodbye=goodbye, tls=authority.context()) as server:
            if goodbye:
                assert session.request("GET", server.url).body == server.body[:50]
            else:
                with pytest.raises(Truncated):
                    session.request("GET", server.url, retry=False)

    def test_a_whole_body(self, session):
        body = bytes(range(256)) * 4000
        for chunked in (False, True):
            with WebServer({"/": Reply(200, body, chunked=chunked)}) as server, session.stream(server.url) as answer:
                chunks = list(answer.iter_chunks(10_000))
                assert b"".join(chunks) == body
                assert max(map(len, chunks)) <= 10_000

    def test_stream_does_not_unpack(self, session):
        packed = gzip.compress(b"hello")
        with WebServer({"/": Reply(200, packed, {"Content-Encoding": "gzip"})}) as server:
            with session.stream(server.url) as answer:
                assert b"".join(answer.iter_chunks()) == packed
            assert server.requests[0].headers["accept-encoding"] == "identity"

    def test_a_stream_that_is_left_early_is_closed(self, session):
        with SilentServer("body") as server:
            with session.stream(server.url) as answer:
                assert answer.status == 200
            assert server.hung_up.wait(5)

    @pytest.mark.parametrize("length", ["abc", "-1", "5, 6"])
    def test_an_unreadable_length_counts_nothing_and_breaks_nothing(self, session, length):
        reply = Reply(200, b"12345", {"Content-Length": length}, close=True)
        with WebServer({"/": reply}) as server:
            try:
                assert session.request("GET", server.url, retry=False).body == b"12345"
            except NetError as error:
                assert isinstance(error, (Truncated, Unreachable))  # urllib3 2 refuses "5, 6"


class TestTimeOuts:
    @pytest.mark.parametrize("stage", ["accept", "headers", "body"])
    def test_silence(self, stage):
        session = Session(NetworkSettings(read_timeout=0.2))
        with SilentServer(stage) as server, pytest.raises(TimedOut, match=r"127\.0\.0\.1 sent nothing for 0\.2 s"):
            session.request("GET", server.url)
        assert server.connections == 1  # a read that took its time already is not repeated

    def test_for_one_request(self, session):
        with SilentServer("body") as server, pytest.raises(TimedOut):
            session.request("GET", server.url, timeout=0.2)

    def test_connecting(self):
        session = Session(NetworkSettings(connect_timeout=0.2))
        with DeafServer() as server, pytest.raises(TimedOut, match=r"No connection with 127\.0\.0\.1 within 0\.2 s"):
            session.request("GET", server.url)

    def test_tls_handshake(self):
        session = Session(NetworkSettings(connect_timeout=0.2))
        with SilentServer() as server, pytest.raises(TimedOut, match="No connection"):
            session.request("GET", f"https://127.0.0.1:{server.port}")

    def test_it_is_inactivity_and_never_the_whole(self):
        """A body that takes several time-outs to come, but never falls silent for one."""
        session = Session(NetworkSettings(read_timeout=0.5))
        with DrippingServer(b"x" * 60, interval=0.02) as server:
            assert len(session.request("GET", server.url, timeout=0.3).body) == 60
            assert server.drops * server.interval > 0.9


class TestUnreachable:
    def test_refused(self, session):
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1 refused the connection"):
            session.request("GET", f"http://127.0.0.1:{free_port()}/")

    def test_unknown_name(self, session):
        with pytest.raises(Unreachable) as caught:
            session.request("GET", "http://no-such-host.invalid/path?secret=1")
        assert caught.value.key == "host_unknown"
        assert caught.value.url_host == "no-such-host.invalid"

    @pytest.mark.parametrize("label", ["a" * 64, "xn--" + "é" * 70])
    def test_impossible_name(self, session, label):
        with pytest.raises((Unreachable, NotSendable)):
            session.request("GET", f"http://{label}.invalid/")

    def test_dropped(self, session, soon):
        with CuttingServer(cut_at=None) as server, pytest.raises(Unreachable, match="dropped"):
            session.request("GET", server.url)

    def test_not_a_web_server(self, session):
        class Mail(TcpServer):
            def serve(self, sock):
                sock.sendall(b"220 mail.example ESMTP\r\n")
                self.until_hung_up(sock)

        with Mail() as server, pytest.raises(Unreachable) as caught:
            session.request("GET", server.url)
        assert caught.value.key == "not_http"

    def test_localhost_by_name(self, session):
        """The name has two addresses; the server listens on one."""
        with WebServer({"/": Reply(body=b"ok")}) as server:
            assert session.request("GET", f"http://localhost:{server.port}/").body == b"ok"

    @pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
    @pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
    def test_an_ipv6_address(self, authority, secure):
        session = Session(NetworkSettings(trusted_ca=lambda: authority.pem))
        tls = authority.context("::1") if secure else None
        with WebServer({"/": Reply(body=b"ok")}, tls=tls, host="::1") as server:
            assert session.request("GET", server.url).body == b"ok"
            assert server.requests[0].headers["host"] == f"[::1]:{server.port}"

    def test_a_dead_first_address_costs_a_quarter_of_a_second(self, session, monkeypatch):
        """As with a broken IPv6: the first address never answers, the second one does."""
        import socket

        with DeafServer() as deaf, WebServer({"/": Reply(body=b"ok")}) as server:
            both = [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", place)
                for place in ((deaf.host, deaf.port), (server.host, server.port))
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
            assert session.request("GET", "http://two-addresses.test/").body == b"ok"


class TestTries:
    def test_a_read_is_tried_again(self, session, soon):
        with CuttingServer(cut_at=None, times=2) as server:
            assert session.request("GET", server.url).body == server.body
            assert len(server.requests) == 3

    def test_three_tries_at_most(self, session, soon):
        with CuttingServer(cut_at=None) as server:
            with pytest.raises(Unreachable):
                session.request("GET", server.url)
            assert len(server.requests) == 3

    def test_a_cut_body_is_tried_again(self, session, soon):
        with CuttingServer(times=1) as server:
            assert session.request("GET", server.url).body == server.body

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_passing_statuses(self, session, soon, status):
        with WebServer({"/": [Reply(status), Reply(status), Reply(200, b"ok")]}) as server:
            assert session.request("GET", server.url).body == b"ok"
            assert len(server.requests) == 3

    @pytest.mark.parametrize("status", [400, 401, 404, 500, 501])
    def test_other_statuses_are_final(self, session, status):
        with WebServer({"/": Reply(status)}) as server:
            with pytest.raises(HttpError):
                session.request("GET", server.url)
            assert len(server.requests) == 1

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("trouble", ["dropped", "cut", "503", "429"])
    def test_a_write_is_never_repeated(self, session, soon, method, trouble):
        if trouble in ("dropped", "cut"):
            server = CuttingServer(cut_at=None if trouble == "dropped" else 5)
        else:
            server = WebServer({"/": Reply(int(trouble), headers={"Retry-After": "0"})})
        with server:
            with pytest.raises(NetError):
                session.request(method, server.url, json={})
            assert len(server.requests) == 1
            assert server.connections == 1

    def test_a_write_that_may_be_repeated(self, session, soon):
        with WebServer({"/": [Reply(503), None, Reply(200, b"ok")]}) as server:
            assert session.request("POST", server.url, data={"a": "b"}, retry=True).body == b"ok"
            assert [request.body for request in server.requests] == [b"a=b"] * 3

    def test_a_read_that_may_not(self, session):
        with WebServer({"/": Reply(503)}) as server:
            with pytest.raises(HttpError):
                session.request("GET", server.url, retry=False)
            assert len(server.requests) == 1

    def test_a_write_takes_a_new_connection(self, session):
        """A kept one may have died unseen; then nobody could say whether the write arrived."""
        with WebServer({"/": Reply()}) as server:
            session.request("GET", server.url)
            session.request("GET", server.url)
            assert server.connections == 1
            session.request("POST", server.url)
            assert server.connections == 2
            session.request("GET", server.url)
            assert server.connections == 2

    def test_stream_is_tried_again_until_there_is_an_answer(self, session, soon):
        routes = {"/": [Reply(503), None, Reply(200, b"ok")]}
        with WebServer(routes) as server, session.stream(server.url) as answer:
            assert b"".join(answer.iter_chunks()) == b"ok"

    def test_a_connection_that_died_in_the_pool_is_replaced(self, session, soon):
        with WebServer({"/": Reply(body=b"ok")}) as first:
            port = first.port
            assert session.request("GET", first.url).body == b"ok"
        with pytest.raises(Unreachable):
            session.request("GET", f"http://127.0.0.1:{port}/")

    def test_retry_after_seconds(self, session):
        """The server's second is waited for; without it, the back-off would be half of it on average."""
        times = []

        def reply(_request):
            times.append(datetime.datetime.now())
            return Reply(200) if len(times) > 1 else Reply(429, headers={"Retry-After": "1"})

        with WebServer({"/": reply}) as server:
            session.request("GET", server.url)
        assert 1.0 <= (times[1] - times[0]).total_seconds() < 5


class TestRedirects:
    def test_followed_by_path_and_by_url(self, session):
        with WebServer({"/end": Reply(200, b"ok")}) as server:
            server.routes["/"] = Reply(302, headers={"Location": "end?x=1#fragment"})
            server.routes["/again"] = Reply(308, headers={"Location": server.url + "/"})
            assert session.request("GET", server.url + "/again", bearer=KEY).body == b"ok"
            assert [request.target for request in server.requests] == ["/again", "/", "/end?x=1"]
            assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}

    @pytest.mark.parametrize("given", [{"bearer": KEY}, {"basic": ("id", KEY)}, {"headers": {"authorization": KEY}}])
    def test_another_origin_never_sees_the_key(self, session, given):
        with WebServer({"/": Reply(200, b"ok")}) as stranger, WebServer({"/back": Reply(200)}) as server:
            server.routes["/"] = Reply(302, headers={"Location": stranger.url + "/"})
            headers = {"Cookie": KEY, **given.pop("headers", {})}
            assert session.request("GET", server.url, headers=headers, **given).body == b"ok"
            (request,) = stranger.requests
            assert "authorization" not in request.headers
            assert KEY not in str(request.headers)
            # Nor does it come back to life when the way leads home again.
            stranger.routes["/"] = Reply(302, headers={"Location": server.url + "/back"})
            session.request("GET", server.url, headers=headers, **given)
            assert "authorization" not in server.asked("/back")[0].headers

    def test_another_name_of_the_same_machine_is_another_origin(self, session):
        with WebServer({"/end": Reply(200)}) as server:
            server.routes["/"] = Reply(302, headers={"Location": f"http://localhost:{server.port}/end"})
            session.request("GET", server.url, bearer=KEY)
            assert "authorization" not in server.asked("/end")[0].headers

    def test_a_login_in_the_location_is_ignored(self, session):
        with WebServer({"/end": Reply(200)}) as server:
            server.routes["/"] = Reply(302, headers={"Location": f"http://a:b@127.0.0.1:{server.port}/end"})
            session.request("GET", server.url)
            assert "authorization" not in server.asked("/end")[0].headers

    def test_stream_follows_too(self, session):
        routes = {"/": Reply(307, b"moved" * 100_000, {"Location": "/end"}), "/end": Reply(200, b"ok")}
        with WebServer(routes) as server, session.stream(server.url) as answer:
            assert b"".join(answer.iter_chunks()) == b"ok"

    def test_at_most_five(self, session):
        with WebServer() as server:
            for number in range(6):
                server.routes[f"/{number}"] = Reply(302, headers={"Location": f"/{number + 1}"})
            server.routes["/6"] = Reply(200, b"ok")
            assert session.request("GET", server.url + "/1").body == b"ok"
            with pytest.raises(TooManyRedirects):
                session.request("GET", server.url + "/0")

    def test_never_out_of_encryption(self, authority):
        session = Session(NetworkSettings(trusted_ca=lambda: authority.pem))
        with WebServer({"/": Reply(200)}) as plain, WebServer(tls=authority.context()) as secure:
            secure.routes["/"] = Reply(302, headers={"Location": plain.url})
            with pytest.raises(RedirectRefused, match="without encryption"):
                session.request("GET", secure.url)
            assert not plain.requests

    @pytest.mark.parametrize("location", ["ftp://a/b", "http://[::1", "javascript:1", "http://a:x/"])
    def test_to_nowhere(self, session, location):
        with WebServer({"/": Reply(302, headers={"Location": location})}) as server, pytest.raises(NetError):
            session.request("GET", server.url)

    def test_without_a_location_it_is_an_answer(self, session):
        with WebServer({"/": Reply(302, b"choose")}) as server:
            assert session.request("GET", server.url).status == 302

    @pytest.mark.parametrize("end", [200, 401, 404])
    def test_what_came_of_a_write_is_not_read_elsewhere(self, session, end):
        """A 401 there would prove nothing about the write: it must not look as if it had not been done."""
        with WebServer({"/": Reply(303, headers={"Location": "/end"}), "/end": Reply(end)}) as server:
            with pytest.raises(RedirectRefused, match="not known"):
                session.request("POST", server.url, json={"a": 1})
            assert not server.asked("/end")

    def test_a_write_to_be_repeated_within_the_origin(self, session):
        with WebServer({"/": Reply(307, headers={"Location": "/end"}), "/end": Reply(200, b"ok")}) as server:
            assert session.request("POST", server.url, json={"a": 1}).body == b"ok"
            (request,) = server.asked("/end")
            assert (request.method, request.body) == ("POST", b'{"a": 1}')

    @pytest.mark.parametrize(("status", "elsewhere"), [(301, False), (302, False), (307, True), (308, True)])
    def test_a_write_is_neither_lost_nor_carried_elsewhere(self, session, status, elsewhere):
        with WebServer({"/end": Reply(200)}) as stranger, WebServer({"/end": Reply(200)}) as server:
            there = (stranger if elsewhere else server).url + "/end"
            server.routes["/"] = Reply(status, headers={"Location": there})
            with pytest.raises(RedirectRefused, match="nothing was changed"):
                session.request("POST", server.url, data={"a": KEY})
            assert not stranger.requests
            assert not server.asked("/end")


class TestSecrets:
    """Wherever it goes wrong: no key, no path and no query in the error, its causes and its traceback's text."""

    @pytest.mark.parametrize("trouble", ["refused", "dropped", "cut", "silent", "status", "redirects", "too large"])
    def test_no_error_tells_them(self, soon, trouble):
        session = Session(NetworkSettings(read_timeout=0.2))
        with CuttingServer(cut_at=None) as dropping, CuttingServer() as cutting, SilentServer() as silent:
            web = WebServer({"/secret-path": Reply(500, b"no"), "/": Reply(200)})
            with web:
                base, given = {
                    "refused": (f"http://127.0.0.1:{free_port()}", {}),
                    "dropped": (dropping.url, {}),
                    "cut": (cutting.url, {}),
                    "silent": (silent.url, {}),
                    "status": (web.url, {}),
                    "redirects": (web.url, {}),
                    "too large": (cutting.url, {"max_bytes": 1}),
                }[trouble]
                if trouble == "redirects":
                    web.routes["/secret-path"] = lambda r: Reply(302, headers={"Location": r.target})
                with pytest.raises(NetError) as caught:
                    session.request("GET", f"{base}/secret-path?X-Goog-Signature={KEY}", bearer=KEY, **given)
        texts = []
        error = caught.value
        while error is not None:
            texts += [str(error), repr(error), repr(vars(error))]
            error = error.__cause__ or error.__context__
        text = "\n".join(texts)
        assert KEY not in text
        assert "secret-path" not in text

    def test_no_log_tells_them(self, session, soon, caplog):
        with caplog.at_level("DEBUG"), WebServer({"/p": [None, Reply(200)]}) as server:
            session.request("GET", f"{server.url}/p?X-Goog-Signature={KEY}", bearer=KEY)
            session.request("POST", f"{server.url}/p", data={"a": KEY})
            with session.stream(f"{server.url}/p?sig={KEY}"):
                pass
        assert caplog.records  # urllib3 does write
        assert KEY not in caplog.text


class TestManyAtOnce:
    def test_a_hundred_requests_from_a_hundred_threads(self, authority):
        session = Session(NetworkSettings(trusted_ca=lambda: authority.pem))
        together = threading.Barrier(100)

        def answer(request):
            return Reply(200, request.query.encode() * 50, chunked=int(request.query) % 2 == 0)

        def work(number, url):
            together.wait(30)
            return [session.under(Cancel()).request("GET", f"{url}/?{number}").body for _ in range(3)]

        with WebServer({"/": answer}) as plain, WebServer({"/": answer}, tls=authority.context()) as secure:
            workers = [Worker(lambda n=n: work(n, (plain, secure)[n % 3 == 0].url)) for n in range(100)]
            for number, worker in enumerate(workers):
                assert worker.result(60) == [str(number).encode() * 50] * 3
        session.close()

    def test_a_closed_session_still_works(self, session):
        with WebServer({"/": Reply(body=b"ok")}) as server:
            session.request("GET", server.url)
            session.close()
            assert server.hung_up.wait(5)
            assert session.request("GET", server.url).body == b"ok"

    def test_what_ends_after_the_close_keeps_no_connection(self, session):
        asked, closed = threading.Event(), threading.Event()

        def answer(request):
            asked.set()
            closed.wait(10)
            return Reply(body=b"ok")

        with WebServer({"/": answer, "/later": Reply(body=b"ok")}) as server:
            worker = Worker(lambda: session.request("GET", server.url).body)
            assert asked.wait(10)
            session.close()
            closed.set()
            assert worker.result() == b"ok"
            assert server.hung_up.wait(5)
            server.hung_up.clear()
            assert session.request("GET", f"{server.url}/later").body == b"ok"
            assert server.hung_up.wait(5)

    def test_views_share_the_connections(self, session):
        with WebServer({"/": Reply()}) as server:
            for _ in range(5):
                session.under(Cancel()).request("GET", server.url)
            assert server.connections == 1


def test_requests_are_read_whole_by_the_test_server():
    """The servers of these tests must not be the ones that drop what they should count."""
    import io

    stream = io.BytesIO(b"POST /a?b HTTP/1.1\r\nContent-Length: 3\r\nX: y\r\n\r\nabcGET / HTTP/1.1\r\n\r\n")
    first, second, third = read_request(stream), read_request(stream), read_request(stream)
    assert (first.method, first.path, first.query, first.headers["x"], first.body) == ("POST", "/a", "b", "y", b"abc")
    assert second.method == "GET"
    assert third is None
