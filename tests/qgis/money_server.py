"""A small jobs platform on loopback that keeps honest books: what was bought, by which inputs, at which price.

It can lose a request or an answer, raise its prices, refuse for want of places, and tell that nothing is known.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Mapping, Optional
from urllib.parse import parse_qs, unquote

from up42_jobs.tests.servers import web
from up42_jobs.tests.servers.tcp import Request

PROJECT, KEY = "11111111-2222-4333-8444-555555555555", "made-up-key.of-the-test"
DATA, SHARPEN, STORED = "scenes:1", "sharpening:1", "storage:1"
PARAMETERS = {
    "ids": {"type": "array", "default": None},
    "bbox": {"type": "array", "default": None},
    "intersects": {"type": "geometry"},
    "contains": {"type": "geometry"},
    "time": {"type": "dateRange", "default": "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z"},
    "limit": {"type": "integer", "default": 1, "minimum": 1, "maximum": 500},
}
BLOCKS = {
    "scenes": {"type": "DATA", "parameters": PARAMETERS, "isDryRunSupported": True},
    "storage": {"type": "DATA", "parameters": {"asset_ids": {"type": "array", "default": None}}},
    "sharpening": {"type": "PROCESSING", "parameters": {"strength": {"type": "string", "default": "medium"}}},
}
WORKFLOWS = {"plain": ["scenes"], "sharp": ["scenes", "sharpening"], "stored": ["storage"]}
IDS = itertools.count(1)
_NOTHING_LOST: Callable[[str], bool] = lambda _what: False  # noqa: E731


@dataclass(frozen=True)
class Sale:
    """One Live Job that was made, and the most that it cost when it was."""

    job: str
    name: str
    workflow: str
    inputs: str  # JSON, keys sorted
    price: float


class MoneyServer(web.WebServer):
    """`sales` are the books. `rate`: credits for each scene; `places`: how many unfinished jobs may be."""

    def __init__(self) -> None:
        super().__init__()
        self.rate, self.places, self.balance = 10.0, 1000, 1_000_000
        self.running = False  # new jobs go on for ever
        self.sales: list[Sale] = []
        self.jobs: list[dict[str, Any]] = []  # newest first
        self.lose_request = self.lose_answer = _NOTHING_LOST
        self.asked_price: Callable[[], None] = lambda: None  # called when a price was told
        self._ways = [
            (re.compile(pattern), answer)
            for pattern, answer in (
                (r"POST /oauth/token", self._token),
                (r"GET /projects/[^/]+", lambda _r: data({"id": PROJECT, "name": "Money"})),
                (r"GET /projects/[^/]+/settings", self._settings),
                (r"GET /projects/[^/]+/workflows", self._workflows),
                (r"GET /projects/[^/]+/workflows/([^/]+)/tasks", self._tasks),
                (r"POST /projects/[^/]+/workflows/([^/]+)/jobs", self._create),
                (r"POST /projects/[^/]+/estimate/job", self._estimate),
                (r"GET /projects/[^/]+/jobs", self._list),
                (r"GET /projects/[^/]+/jobs/([^/]+)", self._one),
                (r"GET /projects/[^/]+/jobs/([^/]+)/credits", self._credits),
                (r"GET /projects/[^/]+/jobs/([^/]+)/tasks", lambda _r, _job: data([])),
                (r"GET /accounts/me/credits/balance", lambda _r: data({"balance": self.balance})),
            )
        ]

    def calm(self) -> None:
        """No more losses."""
        self.lose_request = self.lose_answer = _NOTHING_LOST

    def price(self, workflow: str, inputs: Mapping[str, Any]) -> float:
        """Credits of a Live Job: so many for each scene, twice for sharpened ones; 500 for what is stored."""
        if workflow == "stored":
            return 500.0
        limit = (inputs.get(DATA) or {}).get("limit") or 1
        return math.ceil(self.rate * limit * (2 if workflow == "sharp" else 1))

    def _reply(self, request: Request) -> Optional[web.Reply]:
        what = f"{request.method} {request.path}"
        cut = len(request.body) < int(request.headers.get("content-length", 0))  # the client has hung up meanwhile
        if cut or self.lose_request(what):
            return None
        answer = self._answer(what, request)
        if self.lose_answer(what):
            return None
        return answer

    def _answer(self, what: str, request: Request) -> web.Reply:
        for pattern, way in self._ways:
            found = pattern.fullmatch(what.rstrip("/"))
            if found:
                with self._lock:
                    return way(request, *map(unquote, found.groups()))
        return refusal(404, "Nothing here")

    def _token(self, _request: Request) -> web.Reply:
        token = "e30." + "eyJleHAiOjQwMDAwMDAwMDB9" + ".e30"  # claims: {"exp": 4000000000}
        return web.json_reply({"data": {"accessToken": token}, "access_token": token, "token_type": "bearer"})

    def _settings(self, _request: Request) -> web.Reply:
        values = {"MAX_CONCURRENT_JOBS": self.places, "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE": 100}
        values["JOB_QUERY_MAX_AOI_SIZE"] = 1000
        return data([{"name": name, "value": str(value)} for name, value in values.items()])

    def _workflows(self, _request: Request) -> web.Reply:
        return data([{"id": name, "name": name.title()} for name in WORKFLOWS])

    def _tasks(self, _request: Request, workflow: str) -> web.Reply:
        tasks: list[dict[str, Any]] = []
        for name in WORKFLOWS[workflow]:
            block = {"id": f"id-{name}", "name": name, "displayName": name.title(), **BLOCKS[name]}
            parents = [tasks[-1]["id"]] if tasks else []
            tasks.append({"id": f"t-{name}", "name": f"{name}:1", "parentsIds": parents, "block": block})
        return data(tasks)

    def _estimate(self, request: Request) -> web.Reply:
        asked = json.loads(request.body)
        names = [task["name"] for task in asked["tasks"]]
        workflow = "sharp" if SHARPEN in names else "stored" if STORED in names else "plain"
        whole = self.price(workflow, asked["inputs"])
        self.asked_price()
        answer = {}
        for place, name in enumerate(names):
            most = whole if place == 0 else 0
            answer[name] = {
                "blockConsumption": {"credit": {"min": most / 2, "max": most}, "resources": {}},
                "machineConsumption": {"credit": {"min": 0, "max": 0}, "duration": {"min": 10, "max": 60}},
            }
        return data(answer)

    def _create(self, request: Request, workflow: str) -> web.Reply:
        if sum(job["status"] == "RUNNING" for job in self.jobs) >= self.places:
            return refusal(429, "Too many jobs: the project has as many unfinished jobs as it may have")
        inputs = json.loads(request.body)
        dry = (inputs.get("config") or {}).get("mode") == "DRY_RUN"
        name = (parse_qs(request.query).get("name") or [""])[0]
        job = {
            "id": f"job-{next(IDS)}",
            "name": name,
            "status": "RUNNING" if self.running else "SUCCEEDED",
            "mode": "DRY_RUN" if dry else "DEFAULT",
            "inputs": inputs,
            "workflowId": workflow,
            "createdAt": datetime.now(timezone.utc).isoformat(),
        }
        self.jobs.insert(0, job)
        if not dry:
            price = self.price(workflow, inputs)
            self.sales.append(Sale(job["id"], name, workflow, json.dumps(inputs, sort_keys=True), price))
        return data(job)

    def _list(self, request: Request) -> web.Reply:
        page = int((parse_qs(request.query).get("page") or ["0"])[0])
        return data(self.jobs[page * 50 : page * 50 + 50])

    def _one(self, _request: Request, job_id: str) -> web.Reply:
        found = next((job for job in self.jobs if job["id"] == job_id), None)
        return data(found) if found else refusal(404, "Job not found")

    def _credits(self, _request: Request, job_id: str) -> web.Reply:
        return data({"creditsUsed": next((sale.price for sale in self.sales if sale.job == job_id), 0)})


def data(value: Any) -> web.Reply:
    """A success in the contract's envelope, with the time."""
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    return web.json_reply({"error": None, "data": value}, Date=stamp)


def refusal(status: int, message: str) -> web.Reply:
    """An error in the contract's envelope."""
    return web.json_reply({"error": {"code": status, "message": message, "details": None}, "data": None}, status)
