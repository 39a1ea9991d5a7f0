"""The connections: This Computer, Practice, the servers of the user, and one that the environment gives."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Callable, Optional
from urllib.parse import urlsplit

from ..net.cancel import Cancel
from ..net.session import Session
from ..platforms.closed import is_closed
from ..platforms.contract import Platform
from ..platforms.credentials import Credentials
from ..platforms.tokens import TokenStore
from ..platforms.up42_jobs import Up42Jobs
from .engine_process import LocalEngine
from .errors import HostError
from .servers import Login, Server, closed_words, read_servers, tidy_url, url_faults
from .vault import Vault
from .words import tr

ENVIRONMENT = ("UP42_JOBS_URL", "UP42_JOBS_PROJECT_ID", "UP42_JOBS_PROJECT_KEY")


class Kind(Enum):
    """Where a connection leads."""

    FREE = "this-computer"
    PRACTICE = "practice"
    SERVER = "server"


@dataclass(frozen=True)
class Connection:
    """A place that runs jobs. `has_credits`: jobs can have a price there. The credentials are never in its repr.

    A server signs in with `credentials`, or with what `authcfg` names in QGIS's vault.
    """

    id: str
    title: str
    hint: str
    kind: Kind
    has_credits: bool
    url: str = ""
    credentials: Optional[Credentials] = field(default=None, repr=False, compare=False)
    login: Login = Login.PROJECT_KEY
    authcfg: str = ""
    project_ids: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """True where the local engine runs the jobs."""
        return self.kind is not Kind.SERVER


class Connections:
    """All connections, and the way to a platform for one piece of work."""

    def __init__(self, engine: LocalEngine, make_session: Callable[[], Session]) -> None:
        self.engine = engine
        self.vault = Vault()
        self._make_session = make_session
        self._session: Optional[Session] = None
        self._making = threading.Lock()
        self._tokens = TokenStore()

    def all(self) -> list[Connection]:
        """This Computer first: it needs no account and nothing to set up."""
        return [*_always_there(), *map(_of_server, read_servers()), *_of_environment()]

    def by_id(self, connection_id: str) -> Optional[Connection]:
        """The connection of that id, or None."""
        return next((c for c in self.all() if c.id == connection_id), None)

    def unlock_or_tell(self, connection: Connection, refused: Callable[[str], None]) -> bool:
        """`unlock` as the user asked for it; where that fails `refused` gets why, and it is False."""
        try:
            self.unlock(connection)
        except HostError as e:
            refused(str(e))
            return False
        return True

    def unlock(self, connection: Connection) -> None:
        """Have the connection's login readable; may ask for QGIS's master password, so only on a user's act.

        GUI thread. Raises HostError with a sentence where it stays locked.
        """
        if connection.authcfg and not is_closed(connection.url):
            self.vault.unlock(connection.authcfg)

    def session(self, cancel: Cancel) -> Session:
        """The session with QGIS's network settings, bound to one piece of work."""
        with self._making:  # works that begin together share one: `close` knows of no other
            if self._session is None:
                self._session = self._make_session()
        return self._session.under(cancel)

    def open(self, connection: Connection, cancel: Cancel) -> Platform:
        """A platform for one piece of work; may start the local engine. Worker threads only."""
        url, credentials = connection.url, connection.credentials
        if connection.is_local:
            address = self.engine.address(cancel)
            url = address.url
            credentials = address.free if connection.kind is Kind.FREE else address.practice
        else:
            check_address(url)
            if connection.authcfg:
                first = connection.project_ids[0] if connection.project_ids else ""
                credentials = self.vault.credentials(connection.authcfg, connection.login, first)
        if credentials is None:
            text = tr("The connection “{name}” has no authentication: choose one in Manage Connections.")
            raise HostError(text.format(name=connection.title))
        return Up42Jobs(
            self.session(cancel),
            url,
            credentials,
            self._tokens,
            project_ids=connection.project_ids,
            has_credits=connection.has_credits,
        )

    def close(self) -> None:
        """Let go of the engine and the sockets; for unload."""
        self.engine.release()
        if self._session is not None:
            self._session.close()


def of_same_server(connection_id: str) -> tuple[str, ...]:
    """The ids of all connections that lead to the same server, this one first: a job is listed by each of them."""
    addresses = {c.id: _address(c.url) for c in (*map(_of_server, read_servers()), *_of_environment())}
    mine = addresses.get(connection_id)
    return connection_id, *(other for other, one in addresses.items() if other != connection_id and one == mine)


def _address(url: str) -> str:
    parts = urlsplit(tidy_url(url))
    return f"{parts.scheme}://{parts.netloc}".lower() + parts.path


def check_address(url: str) -> None:
    """Raise HostError, without asking anybody, where nothing can or may be sent to this address."""
    if is_closed(url):
        raise HostError(closed_words())
    for fault in url_faults(url):
        raise HostError(fault.text)


def _always_there() -> list[Connection]:
    return [
        Connection(
            Kind.FREE.value,
            tr("This Computer"),
            tr("Free, without an account: jobs run on this computer."),
            Kind.FREE,
            has_credits=False,
        ),
        Connection(
            Kind.PRACTICE.value,
            tr("Practice (Play Credits)"),
            tr("Jobs run on this computer for play credits, to learn the paths that cost money elsewhere."),
            Kind.PRACTICE,
            has_credits=True,
        ),
    ]


def _of_server(server: Server) -> Connection:
    return Connection(
        server.id,
        server.name,
        tr("Jobs run on {url}, for its credits.").format(url=server.url),
        Kind.SERVER,
        has_credits=True,
        url=server.url,
        login=server.login,
        authcfg=server.authcfg,
        project_ids=server.project_ids,
    )


def _of_environment() -> list[Connection]:
    url, project_id, project_key = (os.environ.get(name) for name in ENVIRONMENT)
    if not (url and project_id and project_key):
        return []
    return [
        Connection(
            "environment",
            tr("Server of the Environment"),
            tr("Given by the environment: {url}").format(url=url),
            Kind.SERVER,
            has_credits=True,
            url=url,
            credentials=Credentials.project(project_id, project_key),
        )
    ]
