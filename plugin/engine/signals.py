"""SIGTERM and SIGINT end the engine, whichever of its threads the system interrupts with them.

Python runs a handler on the main thread, once that comes back from what it waits for. Where the signal interrupts
another thread, the main one goes on waiting: an engine that had just started workers sometimes lived on after SIGTERM.
Python's C code writes a byte to the wake-up socket at once, on any thread.
"""

from __future__ import annotations

import signal
import socket
import threading

from .lease import Life


def end_on_signals(life: Life) -> None:
    """Call `life.end` when the process is asked to end. Main thread only."""
    receiver, sender = socket.socketpair()
    sender.setblocking(False)  # demanded by Python
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the byte says it all; without a handler none would be written
    threading.Thread(target=_wait, args=(life, receiver, sender), name="signals", daemon=True).start()


def _wait(life: Life, receiver: socket.socket, sender: socket.socket) -> None:
    """Wait for the byte; both sockets stay open for as long as the process lives."""
    with sender, receiver:
        while receiver.recv(1):
            life.end()
