"""From a host name to a connected socket, in small steps, so that a cancel is seen at any moment."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time
from typing import Optional, Union

from .cancel import Cancel
from .errors import NetError, TimedOut, Unreachable

STEP = 0.05  # seconds between two looks at the cancel
STAGGER = 0.25  # seconds until the next address is tried beside a silent one (RFC 8305: 150-250 ms)
_UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}

# family, type, protocol, canonical name, socket address: what getaddrinfo gives
Address = tuple[int, int, int, str, tuple]


def dial(host: str, port: int, seconds: float, cancel: Cancel) -> socket.socket:
    """Connect to host:port within `seconds`, name look-up included; the socket's time-out is then `seconds`.

    All addresses of the host are tried, a new one every quarter of a second, so that a network with a broken IPv6
    costs no more than that. Raises Unreachable, TimedOut, Cancelled.
    """
    deadline = time.monotonic() + seconds
    addresses = _look_up(host, port, deadline, cancel)
    winner = _race(addresses, deadline, cancel) if addresses is not None else None
    if winner is None:
        raise TimedOut(host, "connect_timed_out", seconds)
    if isinstance(winner, OSError):
        raise _told(host, winner)
    winner.settimeout(seconds)
    return winner


def _look_up(host: str, port: int, deadline: float, cancel: Cancel) -> Optional[list[Address]]:
    """The host's addresses; None if nothing is known at the deadline.

    getaddrinfo can't be interrupted, so it is left to a thread, which is left alone when the work is cancelled.
    """
    found: list[Union[list[Address], Exception]] = []
    done = threading.Event()

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            found.append(error)
        finally:
            done.set()

    threading.Thread(target=ask, name="up42-jobs look-up", daemon=True).start()
    while not done.wait(STEP):
        cancel.check()
        if time.monotonic() > deadline:
            return None
    cancel.check()
    if not found or isinstance(found[0], Exception):
        raise Unreachable(host, "host_unknown")
    return found[0]


def _race(addresses: list[Address], deadline: float, cancel: Cancel) -> Union[socket.socket, OSError, None]:
    """The first socket that connects; else the last address's error; None at the deadline."""
    waiting = list(addresses)
    failure = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    next_start = 0.0
    winner: Optional[socket.socket] = None
    with selectors.DefaultSelector() as trying:
        try:
            while waiting or trying.get_map():
                cancel.check()
                now = time.monotonic()
                if now >= deadline:
                    return None
                if waiting and (now >= next_start or not trying.get_map()):
                    next_start = now + STAGGER
                    begun = _begin(waiting.pop(0))
                    if isinstance(begun, OSError):
                        failure, next_start = begun, now
                        continue
                    trying.register(begun, selectors.EVENT_WRITE)
                for key, _ in trying.select(min(STEP, deadline - now)):
                    sock: socket.socket = key.fileobj  # type: ignore[assignment]
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        winner = sock
                        return winner
                    trying.unregister(sock)
                    sock.close()
                    failure, next_start = OSError(code, os.strerror(code)), 0.0
            return failure
        finally:
            for key in list(trying.get_map().values()):
                if key.fileobj is not winner:
                    key.fileobj.close()  # type: ignore[union-attr]


def _begin(address: Address) -> Union[socket.socket, OSError]:
    """A socket that has begun to connect, or why it can't."""
    family, kind, protocol, _, place = address
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:  # e.g. a machine without IPv6
        return error
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    code = sock.connect_ex(place)
    if code in _UNDER_WAY:
        return sock
    sock.close()
    return OSError(code, os.strerror(code))


def _told(host: str, error: OSError) -> NetError:
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(host, "refused")
    return Unreachable(host, "no_way", reason=error.strerror or type(error).__name__)
