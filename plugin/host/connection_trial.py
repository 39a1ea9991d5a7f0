"""One Test Connection from start to end: the vault on the user's act, then the work off the GUI thread."""

from __future__ import annotations

from typing import Callable, Sequence

from ..net.cancel import Cancel
from ..net.session import Session
from .errors import HostError, explain
from .network import make_session
from .servers import Server
from .try_connection import Finding, Progress, try_connection
from .vault import Vault
from .words import tr
from .work import Works

__all__ = ["ConnectionTrial", "Finding"]


class ConnectionTrial:
    """`found` is called once with the findings, on the GUI thread; never after `stop`."""

    def __init__(
        self, server: Server, progressed: Callable[[float], None], found: Callable[[Sequence[Finding]], None]
    ) -> None:
        self._server, self._progressed, self._found = server, progressed, found
        self._vault = Vault()
        self._works = Works()

    def start(self) -> None:
        """Unlock the vault, which may ask for the master password, then test. For a user's act, on the GUI thread."""
        try:
            self._vault.unlock(self._server.authcfg)
        except HostError as e:
            self._end([Finding(False, str(e))])
            return
        self._works.start(
            tr("Test Connection"),
            self._test,
            shown=False,
            succeeded=self._end,
            failed=lambda error: self._end([Finding(False, explain(error))]),
            progressed=self._progressed,
        )

    def _test(self, cancel: Cancel, progress: Progress) -> list[Finding]:
        server = self._server
        first = server.project_ids[0] if server.project_ids else ""
        credentials = self._vault.credentials(server.authcfg, server.login, first)
        session: Session = make_session()
        try:
            return try_connection(server, credentials, session, cancel, progress)
        finally:
            session.close()

    def _end(self, findings: Sequence[Finding]) -> None:
        self._works.stop()
        self._found(findings)

    def stop(self) -> None:
        """Give it up; the connection is closed at once."""
        self._works.stop()
