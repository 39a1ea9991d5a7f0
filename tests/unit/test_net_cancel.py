"""A cancel ends the wait at once, wherever the request is, plain and over TLS."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time

import pytest
from servers.proxies import HttpProxy, Socks5Proxy
from servers.tcp import DeafServer, DrippingServer, SilentServer, TcpServer
from servers.web import Reply, WebServer
from servers.worker import Worker

from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import NetworkSettings, Proxy, Session

QUICK = 0.2  # seconds from the cancel to the worker's end


def session_trusting(authority, **settings) -> Session:
    return Session(NetworkSettings(trusted_ca=lambda: authority.pem, **settings))


def cancelled_after(begin) -> float:
    """Seconds between the cancel and the worker's end; best of three, for the machine may be busy.

    `begin(cancel)` gives the worker and an event that says that it is waiting.
    """
    delays = []
    for _ in range(3):
        cancel = Cancel()
        worker, waiting = begin(cancel)
        assert waiting.wait(10)
        at = time.monotonic()
        cancel.cancel()
        with pytest.raises(Cancelled):
            worker.result()
        delays.append(worker.ended_at - at)
        if delays[-1] < QUICK:
            break
    return min(delays)


@pytest.mark.parametrize("stage", ["accept", "request", "headers", "body"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_silent_server(authority, stage, secure):
    session = session_trusting(authority)
    with SilentServer(stage, tls=authority.context() if secure else None) as server:

        def begin(cancel):
            server.reached.clear()
            return Worker(lambda: session.under(cancel).request("GET", server.url)), server.reached

        assert cancelled_after(begin) < QUICK


def test_silent_tls_handshake(authority):
    session = session_trusting(authority)
    with SilentServer("accept") as server:

        def begin(cancel):
            server.reached.clear()
            url = f"https://127.0.0.1:{server.port}/"
            return Worker(lambda: session.under(cancel).request("GET", url)), server.reached

        assert cancelled_after(begin) < QUICK


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_dripping_body(authority, secure):
    session = session_trusting(authority)
    with DrippingServer(b"x" * 1000, interval=0.02, tls=authority.context() if secure else None) as server:

        def begin(cancel):
            server.begun.clear()

            def work():
                with session.under(cancel).stream(server.url) as answer:
                    return sum(len(chunk) for chunk in answer.iter_chunks())

            return Worker(work), server.begun

        assert cancelled_after(begin) < QUICK


def test_connecting_to_a_deaf_port():
    with DeafServer() as server:

        def begin(cancel):
            return Worker(lambda: Session().under(cancel).request("GET", server.url)), server

        assert cancelled_after(begin) < QUICK


def test_name_look_up_that_hangs(monkeypatch):
    asked, answer = threading.Event(), threading.Event()

    def hang(*_args, **_kwargs):
        asked.set()
        answer.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    def begin(cancel):
        asked.clear()
        return Worker(lambda: Session().under(cancel).request("GET", "http://up42.test/")), asked

    try:
        assert cancelled_after(begin) < QUICK
    finally:
        answer.set()


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_silent_proxy(authority, kind):
    with SilentServer("accept") as server:
        session = session_trusting(authority, find_proxy=lambda url: Proxy(kind, "127.0.0.1", server.port))

        def begin(cancel):
            server.reached.clear()
            return Worker(lambda: session.under(cancel).request("GET", "https://up42.test/")), server.reached

        assert cancelled_after(begin) < QUICK


@pytest.mark.parametrize("proxy_class", [HttpProxy, Socks5Proxy])
def test_silent_server_behind_a_proxy(authority, proxy_class):
    server = SilentServer("body", tls=authority.context("up42.test"))
    with server, proxy_class({"up42.test": server.port}) as proxy:
        kind = "http" if proxy_class is HttpProxy else "socks5"
        session = session_trusting(authority, find_proxy=lambda url: Proxy(kind, "127.0.0.1", proxy.port))

        def begin(cancel):
            server.reached.clear()
            return Worker(lambda: session.under(cancel).request("GET", "https://up42.test/")), server.reached

        assert cancelled_after(begin) < QUICK


def test_waiting_for_the_next_try():
    reply = Reply(503, headers={"Retry-After": "60"})
    with WebServer({"/": reply}) as server:
        asked = threading.Event()
        server.routes["/"] = lambda request: asked.set() or reply

        def begin(cancel):
            asked.clear()
            return Worker(lambda: Session().under(cancel).request("GET", server.url)), asked

        assert cancelled_after(begin) < QUICK


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_on_a_connection_that_was_used_before(authority, secure):
    """The second request finds an open connection in the pool; its cancel must reach that one too."""
    silence = threading.Event()
    go_on = threading.Event()

    def wait(_request):
        silence.set()
        go_on.wait(10)
        return Reply()

    session = session_trusting(authority)
    try:
        with WebServer({"/": Reply(body=b"ok"), "/wait": wait}, tls=authority.context() if secure else None) as server:
            assert session.request("GET", server.url).body == b"ok"
            before = server.connections
            cancel = Cancel()
            worker = Worker(lambda: session.under(cancel).request("GET", server.url + "/wait"))
            assert silence.wait(10)
            assert server.connections == before == 1
            at = time.monotonic()
            cancel.cancel()
            with pytest.raises(Cancelled):
                worker.result()
            assert worker.ended_at - at < 2
            go_on.set()
            assert session.request("GET", server.url).body == b"ok"
            assert server.connections == 2  # the cancelled connection was not used again
    finally:
        go_on.set()


def test_the_server_sees_that_the_client_has_gone():
    with SilentServer("body") as server:
        cancel = Cancel()
        worker = Worker(lambda: Session().under(cancel).request("GET", server.url))
        assert server.reached.wait(10)
        assert not server.hung_up.is_set()
        cancel.cancel()
        assert server.hung_up.wait(5)
        with pytest.raises(Cancelled):
            worker.result()


def test_a_cancel_of_finished_work_does_not_touch_the_pooled_connection():
    with WebServer({"/": Reply(body=b"ok")}) as server:
        session = Session()
        first = Cancel()
        session.under(first).request("GET", server.url)
        first.cancel()
        assert session.request("GET", server.url).body == b"ok"
        assert server.connections == 1


def test_a_cancel_after_the_last_byte_does_not_touch_who_has_the_connection_now():
    """A stream that was read to its end has given its connection back, though its `with` is still open."""
    asked, go_on = threading.Event(), threading.Event()

    def wait(_request):
        asked.set()
        go_on.wait(10)
        return Reply(body=b"ok")

    session = Session()
    with WebServer({"/": Reply(body=b"first"), "/wait": wait}) as server:
        first = Cancel()
        with session.under(first).stream(server.url) as answer:
            assert b"".join(answer.iter_chunks()) == b"first"
            second = Worker(lambda: session.request("GET", server.url + "/wait", retry=False).body)
            assert asked.wait(10)
            first.cancel()
            go_on.set()
            assert second.result() == b"ok"
        assert server.connections == 1


def test_a_cancelled_connection_never_returns_to_the_pool():
    """Not even when the whole answer had arrived before the cancel and could still be read."""
    session = Session()
    with WebServer({"/": Reply(body=b"ok")}) as server:
        cancel = Cancel()
        with session.under(cancel).stream(server.url) as answer:
            assert answer._response.raw._fp.fp.peek(2) == b"ok"  # waits until the body is here
            cancel.cancel()
            with pytest.raises(Cancelled):
                list(answer.iter_chunks())
        pools = session._adapter.poolmanager.pools
        kept = [connection for key in list(pools.keys()) for connection in pools.get(key).pool.queue if connection]
        assert [connection.sock for connection in kept] in ([], [None])


def test_a_cancel_ends_its_own_work_only():
    with SilentServer("body") as silent, DrippingServer(b"abcdefghij", interval=0.03) as dripping:
        session = Session()
        cancel, other = Cancel(), Cancel()
        waiting = Worker(lambda: session.under(cancel).request("GET", silent.url))
        reading = Worker(lambda: session.under(other).request("GET", dripping.url).body)
        assert silent.reached.wait(10)
        assert dripping.begun.wait(10)
        cancel.cancel()
        with pytest.raises(Cancelled):
            waiting.result()
        assert reading.result() == b"abcdefghij"


def test_cancelled_before_it_begins_sends_nothing():
    with WebServer({"/": Reply()}) as server:
        cancel = Cancel()
        cancel.cancel()
        with pytest.raises(Cancelled):
            Session().under(cancel).request("GET", server.url)
        assert server.connections == 0


def test_one_cancel_ends_four_requests():
    with SilentServer("request") as server:
        cancel = Cancel()
        session = Session().under(cancel)
        workers = [Worker(lambda: session.request("GET", server.url)) for _ in range(4)]
        for _ in workers:
            assert server.each_reached.acquire(timeout=10)
        at = time.monotonic()
        cancel.cancel()
        for worker in workers:
            with pytest.raises(Cancelled):
                worker.result()
        assert max(worker.ended_at for worker in workers) - at < 2


class TestCancel:
    def test_cancel_is_idempotent_and_says_so(self):
        cancel = Cancel()
        assert not cancel.cancelled
        assert not cancel.wait(0)
        cancel.check()
        cancel.cancel()
        cancel.cancel()
        assert cancel.cancelled
        with pytest.raises(Cancelled):
            cancel.check()

    def test_wait_ends_at_the_cancel(self):
        cancel = Cancel()
        worker = Worker(lambda: cancel.wait(30))
        cancel.cancel()
        assert worker.result(5) is True

    def test_a_socket_registered_after_the_cancel_is_shut_at_once(self):
        cancel = Cancel()
        cancel.cancel()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            line = cancel.register(ours)
            theirs.settimeout(5)
            assert theirs.recv(1) == b""
            cancel.forget(line)

    def test_a_forgotten_socket_lives_on(self):
        cancel = Cancel()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            line = cancel.register(ours)
            cancel.forget(line)
            cancel.forget(line)
            cancel.cancel()
            ours.sendall(b"x")
            theirs.settimeout(5)
            assert theirs.recv(1) == b"x"

    def test_register_forget_and_cancel_race(self):
        """Many threads come and go while another cancels: no error, and every handle is closed."""
        for _ in range(20):
            cancel = Cancel()
            ours, theirs = socket.socketpair()
            with ours, theirs:

                def come_and_go(cancel=cancel, ours=ours):
                    for _ in range(50):
                        cancel.forget(cancel.register(ours))

                workers = [Worker(come_and_go) for _ in range(3)]
                cancel.cancel()
                for worker in workers:
                    worker.result()
                assert not cancel._lines


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
def test_no_descriptor_is_left_behind(authority):
    """Sockets and their duplicates are closed after success, failure, cut, cancel and close."""

    class Rude(TcpServer):
        def serve(self, sock):
            return

    def round_trip():
        session = session_trusting(authority)
        with WebServer({"/": Reply(body=b"ok"), "/close": Reply(body=b"ok", close=True)}) as server:
            session.request("GET", server.url)
            session.request("GET", server.url + "/close")
            session.request("POST", server.url, json={})
            with session.stream(server.url) as answer:
                assert answer.status == 200  # body left unread
            with pytest.raises(Exception, match="404"):
                session.request("GET", server.url + "/none")
        with Rude() as rude, pytest.raises(Exception, match="dropped"):
            session.request("GET", rude.url, retry=False)
        with SilentServer("body", tls=authority.context()) as silent:
            cancel = Cancel()
            worker = Worker(lambda: session.under(cancel).request("GET", silent.url))
            assert silent.reached.wait(10)
            cancel.cancel()
            with pytest.raises(Cancelled):
                worker.result()
        session.close()

    round_trip()
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    gc.disable()  # nothing may depend on the collector
    try:
        round_trip()
        round_trip()
        after = len(os.listdir("/proc/self/fd"))
    finally:
        gc.enable()
    assert after <= before
