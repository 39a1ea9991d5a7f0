"""Stop a piece of work from another thread, also while it waits for a silent server."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Optional


class Cancelled(Exception):
    """The work was cancelled; not an error, and nothing to tell a person."""


class Line:
    """A second handle on a connection's socket, so that another thread can shut the connection down.

    Closing a socket does not wake a `recv` that is blocked in another thread; shutting it down does. The handle is a
    duplicate, because TLS and http.client take over, wrap and close the first one as they please.
    """

    def __init__(self, sock: socket.socket) -> None:
        # fromfd and not dup: an SSLSocket can't be duplicated, its descriptor can.
        self._copy: Optional[socket.socket] = socket.fromfd(sock.fileno(), sock.family, sock.type)

    def shut(self) -> None:
        if self._copy is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._copy.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
            self._copy = None


class Cancel:
    """Says whether one piece of work is still wanted. Thread-safe; made once per piece of work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flag = threading.Event()
        self._lines: set[Line] = set()

    @property
    def cancelled(self) -> bool:
        return self._flag.is_set()

    def cancel(self) -> None:
        """Set the flag and shut down every connection that works for this piece of work. Never blocks."""
        with self._lock:
            self._flag.set()
            for line in self._lines:
                line.shut()

    def check(self) -> None:
        """Raise Cancelled if the work is no longer wanted."""
        if self._flag.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Wait for up to `seconds`; True, and at once, if cancelled meanwhile."""
        return self._flag.wait(max(0.0, seconds))

    def register(self, sock: socket.socket) -> Line:
        """Let `cancel` shut this connected socket down; after a cancel that happens at once.

        The connection stays open until the line is given back to `forget`. Raises OSError if `sock` is closed.
        """
        line = Line(sock)
        with self._lock:
            self._lines.add(line)
            if self._flag.is_set():
                line.shut()
        return line

    def forget(self, line: Line) -> None:
        """The socket no longer works for this piece of work: it is out of reach for `cancel`. Idempotent."""
        with self._lock:
            self._lines.discard(line)
            line.close()
