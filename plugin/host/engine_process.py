"""The local engine from the client's side: attach to it or start it, hold a lease, notice when it is gone."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from ..net.cancel import Cancel, Cancelled
from ..platforms.credentials import Credentials
from .engine_folder import default_data_folder
from .engine_lease import Lease, LeaseRefused
from .engine_network import EngineNetwork
from .engine_start import LOG_FILE, EngineFailed, start
from .errors import HostError
from .local_engine_python import PythonMissing, find_python, how_to_mend
from .words import tr

__all__ = ["EngineAddress", "EngineUnavailable", "LocalEngine", "default_data_folder", "find_python"]

STEP_SECONDS = 0.05  # how soon a cancel is seen while another thread starts the engine
ATTEMPTS = 3  # the engine that was found may have been about to end


class EngineUnavailable(HostError):
    """The local engine can't be had; the text says why and what to do."""


@dataclass(frozen=True)
class EngineAddress:
    """Where the engine is, and the credentials of its two projects."""

    url: str
    practice: Credentials
    free: Credentials


class LocalEngine:
    """One engine per data folder, shared with every other client of it. Any thread."""

    def __init__(
        self,
        data_folder: Path,
        python: Callable[[], Optional[Path]] = find_python,
        network: Optional[EngineNetwork] = None,
    ) -> None:
        """`python` finds the interpreter; it is asked on a worker thread, until it has found one.

        `network`: what QGIS lends the engine of its network settings; None: nothing.
        """
        self.data_folder = data_folder
        self._find_python = python
        self._network = network
        self._python: Optional[Path] = None
        self._starting = threading.Lock()  # held by the one thread that attaches or starts
        self._lock = threading.Lock()  # for the two below; never held while waiting
        self._held: Optional[tuple[EngineAddress, Lease]] = None
        self._releases = 0

    def address(self, cancel: Cancel) -> EngineAddress:
        """Where the engine is; it runs and this client holds a lease. Worker threads only.

        Attaches or starts where there is no lease yet, or where it was lost. Raises EngineUnavailable, Cancelled.
        """
        releases = self._releases
        while True:
            cancel.check()
            address = self._living()
            if address is not None:
                if self._network is not None:
                    self._network.lend_changes(address.url, address.free.user, address.free.secret)
                return address
            if self._starting.acquire(timeout=STEP_SECONDS):
                break
        try:
            return self._living() or self._reach(cancel, releases)
        finally:
            self._starting.release()

    def release(self) -> None:
        """Let go of the engine, quickly; it ends soon if nobody else holds it."""
        with self._lock:
            self._releases += 1
            held, self._held = self._held, None
        if held is not None:
            held[1].close()

    def _living(self) -> Optional[EngineAddress]:
        with self._lock:
            return self._held[0] if self._held is not None and self._held[1].is_alive else None

    def _reach(self, cancel: Cancel, releases: int) -> EngineAddress:
        for _ in range(ATTEMPTS):
            address = self._started(cancel)
            try:
                lease = Lease(address.url, address.free.user, address.free.secret)
            except LeaseRefused:
                continue
            with self._lock:
                if self._releases == releases and not cancel.cancelled:
                    self._held = (address, lease)
                    return address
            lease.close()  # let go of, or no longer wanted, while it was on its way
            raise Cancelled
        raise EngineUnavailable(
            tr("The local engine started, but doesn't answer. Try again; its log is {log}.").format(
                log=self.data_folder / LOG_FILE
            )
        )

    def _started(self, cancel: Cancel) -> EngineAddress:
        try:
            if self._python is None:
                self._python = self._find_python()
        except PythonMissing as e:
            raise EngineUnavailable(str(e)) from e
        if self._python is None:
            raise EngineUnavailable(how_to_mend([]))
        cancel.check()
        try:
            settings = self._network.for_start() if self._network is not None else None
            known = start(self.data_folder, self._python, cancel, settings=settings)
        except EngineFailed as e:
            text = tr("The local engine could not be started: {reason} (Its log is {log}.)")
            raise EngineUnavailable(text.format(reason=e, log=self.data_folder / LOG_FILE)) from e
        return EngineAddress(
            known["url"],
            practice=Credentials.project(known["project_id"], known["project_key"]),
            free=Credentials.project(known["free_project_id"], known["free_project_key"]),
        )
