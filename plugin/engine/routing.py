"""Which route answers a request, and who may ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Callable, Optional, Sequence

from .auth import ACCOUNT
from .engine import Engine
from .projects import Project
from .refusal import Refusal, forbidden, not_found, unauthorised
from .server import Request, Sendable
from .shapes import workspace_id

UNLIMITED = ("/engine", "/signed")  # not of the contract's host: no rate is counted


class Access(Enum):
    """Who may ask: anyone; whoever has a project's key or token; whoever has a project's token."""

    ANYONE = "anyone"
    KEY_HOLDER = "key or token"
    PROJECT = "token"


@dataclass(frozen=True)
class Call:
    """A request on its way to its route: the engine, the request, and the caller's project (None: anyone's).

    The account has both projects: then it is the one that the path names, else Practice, whose credits are its own.
    """

    engine: Engine
    request: Request
    caller: Optional[Project]

    @property
    def project(self) -> Project:
        """The caller's project, on routes that need one."""
        if self.caller is None:
            raise unauthorised()
        return self.caller

    def name(self, key: str) -> str:
        """A part of the path that the route names."""
        return self.request.names[key]


Respond = Callable[[Call], Sendable]


@dataclass(frozen=True)
class Route:
    """A method and a path such as `/projects/{p}/jobs/{j}`, where {p} is always the caller's project."""

    method: str
    path: str
    respond: Respond
    access: Access = Access.PROJECT

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))


class Router:
    """Finds the route of a request and checks that the caller may use it."""

    def __init__(self, engine: Engine, routes: Sequence[Route]):
        self._engine = engine
        self._routes = [(route.pattern, route) for route in routes]

    def dispatch(self, request: Request) -> Sendable:
        """Answer a request. Raises Refusal."""
        if not request.path.startswith(UNLIMITED):
            self._engine.rate_limit.count()
        matches = [(pattern.fullmatch(request.path), route) for pattern, route in self._routes]
        found = [(match, route) for match, route in matches if match]
        for match, route in found:
            if request.method == route.method:
                callers = self._callers(request, route.access)
                named = replace(request, names=match.groupdict())
                return route.respond(Call(self._engine, named, self._chosen(named, callers)))
        self._callers(request, Access.PROJECT)  # strangers don't learn what there is
        if found:
            raise Refusal(405, f"{request.method} is not possible here.")
        raise not_found(f"There is nothing at {request.path}")

    def _callers(self, request: Request, access: Access) -> Sequence[Project]:
        """The projects that the caller may use; none where anyone may ask."""
        if access is Access.ANYONE:
            return ()
        header = request.headers.get("Authorization", "")
        scheme = header.partition(" ")[0].lower()
        holder = None
        if scheme == "bearer":
            holder = self._engine.doorkeeper.holder_of_bearer(header)
        elif scheme == "basic" and access is Access.KEY_HOLDER:
            holder = self._engine.doorkeeper.project_of_basic(header)
        if holder == ACCOUNT:
            return self._engine.projects
        project = self._engine.project(holder) if holder else None
        if project is None:
            raise unauthorised()
        return (project,)

    def _chosen(self, request: Request, callers: Sequence[Project]) -> Optional[Project]:
        """The caller's project that the path names, by {p} or by its workspace {ws} (contract 1.2, 2.1, 2.9)."""
        wanted, workspace = request.names.get("p"), request.names.get("ws")
        if wanted is None and workspace is None:
            return callers[0] if callers else None
        for project in callers:
            if wanted == project.id or (workspace and workspace == workspace_id(project)):
                return project
        if wanted and request.method == "GET" and self._engine.project(wanted) is None:
            raise not_found(f"Project not found for id {wanted}")
        raise forbidden("This token is for another project or workspace.")
