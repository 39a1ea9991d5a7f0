"""A piece of work on a daemon thread, as the plugin does it, and what became of it."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Optional


class Worker:
    """Runs `work` at once; `result` gives its value or raises its exception."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._value: Any = None
        self._error: Optional[BaseException] = None
        self.ended_at: Optional[float] = None  # time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self, timeout: float = 10) -> Any:
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise AssertionError(f"still at work after {timeout} s")
        if self._error is not None:
            raise self._error
        return self._value

    def _run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self.ended_at = time.monotonic()
