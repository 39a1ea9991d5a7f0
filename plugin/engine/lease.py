"""How long the engine lives: while someone holds a lease, or for good."""

from __future__ import annotations

import threading
import time

FIRST_LEASE_SECONDS = 20.0  # a caller that starts or attaches has this long to open its lease
GRACE_SECONDS = 2.0  # after the last lease: long enough to reload the plugin


class Life:
    """Counts leases; `wait` returns when the engine should end. Every method may be called on any thread."""

    def __init__(self, stay: bool):
        self._condition = threading.Condition()
        self._stay = stay
        self._leases = 0
        self._ended = False
        self._deadline = time.monotonic() + FIRST_LEASE_SECONDS

    @property
    def leases(self) -> int:
        """How many leases are open."""
        return self._leases

    @property
    def stays(self) -> bool:
        """True where no lease is needed."""
        return self._stay

    def attach(self, stay: bool) -> bool:
        """Give a new caller time to open its lease, or make the engine stay. False: it is ending, too late."""
        with self._condition:
            self._stay = self._stay or stay
            self._deadline = max(self._deadline, time.monotonic() + FIRST_LEASE_SECONDS)
            self._condition.notify_all()
            return not self._ended

    def open_lease(self) -> bool:
        """Count one lease more. False: the engine is ending, too late."""
        with self._condition:
            if self._ended:
                return False
            self._leases += 1
            self._condition.notify_all()
            return True

    def close_lease(self) -> None:
        """Count one lease less."""
        with self._condition:
            self._leases -= 1
            if self._leases == 0:
                self._deadline = time.monotonic() + GRACE_SECONDS
            self._condition.notify_all()

    def end(self) -> None:
        """End now, whoever holds a lease."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def wait(self) -> None:
        """Return when the engine should end: `end` was called, or no lease is left and the deadline is over."""
        with self._condition:
            while not self._ended:
                if self._stay or self._leases:
                    self._condition.wait()
                    continue
                remaining = self._deadline - time.monotonic()
                if remaining <= 0:
                    self._ended = True
                else:
                    self._condition.wait(remaining)
