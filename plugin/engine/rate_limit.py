"""At most so many requests a second (contract 1.6): off unless the engine is started with `--rate-limit`."""

from __future__ import annotations

import threading
import time
from typing import Callable

from .refusal import too_many

BURST = 5  # times the sustained rate (contract 1.6: 100/s sustained, bursts to 500)


class RateLimit:
    """A bucket that fills at `per_second` and holds `BURST` seconds' worth; 0 is no limit. Any thread.

    The contract counts by client address, and there is one here: 127.0.0.1.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic):
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._left = per_second * BURST
        self._seen = clock()

    def count(self) -> None:
        """Count a request. Raises Refusal (429) where it is one too many."""
        if not self._per_second:
            return
        with self._lock:
            now = self._clock()
            self._left = min(self._per_second * BURST, self._left + (now - self._seen) * self._per_second)
            self._seen = now
            if self._left < 1:
                raise too_many("Too many requests: wait a moment, then try again.")
            self._left -= 1
