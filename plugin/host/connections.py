"""The connections: This Computer, Practice, and one that the environment gives."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum
from typing import Callable, Optional
from urllib.parse import urlsplit

from ..net.cancel import Cancel
from ..net.proxy import is_loopback
from ..net.session import Session
from ..platforms.contract import Platform
from ..platforms.credentials import Credentials
from ..platforms.tokens import TokenStore
from ..platforms.up42_jobs import Up42Jobs
from .engine_process import LocalEngine
from .errors import HostError
from .words import tr

ENVIRONMENT = ("UP42_JOBS_URL", "UP42_JOBS_PROJECT_ID", "UP42_JOBS_PROJECT_KEY")


class Kind(Enum):
    """Where a connection leads."""

    FREE = "this-computer"
    PRACTICE = "practice"
    SERVER = "server"


@dataclass(frozen=True)
class Connection:
    """A place that runs jobs. `has_credits`: jobs can have a price there. The credentials are never in its repr."""

    id: str
    title: str
    hint: str
    kind: Kind
    has_credits: bool
    url: str = ""
    credentials: Optional[Credentials] = field(default=None, repr=False, compare=False)

    @property
    def is_local(self) -> bool:
        """True where the local engine runs the jobs."""
        return self.kind is not Kind.SERVER


class Connections:
    """All connections, and the way to a platform for one piece of work."""

    def __init__(self, engine: LocalEngine, make_session: Callable[[], Session]) -> None:
        self.engine = engine
        self._make_session = make_session
        self._session: Optional[Session] = None
        self._tokens = TokenStore()

    def all(self) -> list[Connection]:
        """This Computer first: it needs no account and nothing to set up."""
        found = [
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
        url, project_id, project_key = (os.environ.get(name) for name in ENVIRONMENT)
        if url and project_id and project_key:
            found.append(
                Connection(
                    "environment",
                    tr("Server of the Environment"),
                    tr("Given by the environment: {url}").format(url=url),
                    Kind.SERVER,
                    has_credits=True,
                    url=url,
                    credentials=Credentials.project(project_id, project_key),
                )
            )
        return found

    def by_id(self, connection_id: str) -> Optional[Connection]:
        """The connection of that id, or None."""
        return next((c for c in self.all() if c.id == connection_id), None)

    def session(self, cancel: Cancel) -> Session:
        """The session with QGIS's network settings, bound to one piece of work."""
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
        elif urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname or ""):
            text = tr("The address {url} is not encrypted, so the project key is not sent there: use https.")
            raise HostError(text.format(url=url))
        if credentials is None:
            raise ValueError(f"The connection {connection.title} has no credentials.")
        session = self.session(cancel)
        return Up42Jobs(session, url, credentials, self._tokens, has_credits=connection.has_credits)

    def close(self) -> None:
        """Let go of the engine and the sockets; for unload."""
        self.engine.release()
        if self._session is not None:
            self._session.close()
