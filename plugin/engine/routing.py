"""Which route answers a request, and who may ask for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Callable, Optional, Sequence

from .engine import Engine
from .projects import Project
from .refusal import Refusal, forbidden, not_found, unauthorised
from .server import Request, Sendable


class Access(Enum):
    """Who may ask: anyone; whoever has a project's key or token; whoever has a project's token."""

    ANYONE = "anyone"
    KEY_HOLDER = "key or token"
    PROJECT = "token"


@dataclass(frozen=True)
class Call:
    """A request on its way to its route: the engine, the request, and the caller's project (None: anyone's)."""

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
        matches = [(pattern.fullmatch(request.path), route) for pattern, route in self._routes]
        found = [(match, route) for match, route in matches if match]
        for match, route in found:
            if request.method == route.method:
                caller = self._caller(request, route.access)
                named = replace(request, names=match.groupdict())
                self._check_project(named, caller)
                return route.respond(Call(self._engine, named, caller))
        self._caller(request, Access.PROJECT)  # strangers don't learn what there is
        if found:
            raise Refusal(405, f"{request.method} is not possible here.")
        raise not_found(f"There is nothing at {request.path}")

    def _caller(self, request: Request, access: Access) -> Optional[Project]:
        if access is Access.ANYONE:
            return None
        header = request.headers.get("Authorization", "")
        scheme = header.partition(" ")[0].lower()
        project_id = None
        if scheme == "bearer":
            project_id = self._engine.doorkeeper.project_of_bearer(header)
        elif scheme == "basic" and access is Access.KEY_HOLDER:
            project_id = self._engine.doorkeeper.project_of_basic(header)
        project = self._engine.project(project_id) if project_id else None
        if project is None:
            raise unauthorised()
        return project

    def _check_project(self, request: Request, caller: Optional[Project]) -> None:
        """A token is good for its own project only (contract 1.2, 2.1)."""
        wanted = request.names.get("p")
        if wanted is None or (caller and wanted == caller.id):
            return
        if request.method == "GET" and self._engine.project(wanted) is None:
            raise not_found(f"Project not found for id {wanted}")
        raise forbidden("This token is for another project.")
