"""A server whose list of jobs has several pages, and the Jobs tab on it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator

import pytest

from up42_jobs.plugin.desktop.jobs_tab import JobsTab
from up42_jobs.plugin.host.journey import Journey
from up42_jobs.plugin.host.period import today
from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, data, query

LIST = f"/projects/{PROJECT}/jobs"
PAGE = 100
NOON = datetime.combine(today().replace(day=1), datetime.min.time(), timezone.utc) + timedelta(hours=12)


def wire_job(number: int) -> dict[str, Any]:
    """Job 0 is of noon of the first of this month; each is a day older than the one before."""
    return {
        "id": f"j{number}",
        "status": "SUCCEEDED",
        "name": f"Job {number}",
        "mode": "DEFAULT",
        "inputs": {},
        "createdAt": f"{NOON - timedelta(days=number):%Y-%m-%dT%H:%M:%SZ}",
        "workflowId": f"w{number % 2}",
        "workflowName": ("Even", "Odd")[number % 2],
    }


def page(request: Any, jobs: int) -> Any:
    """The answer to a question for a page of so many jobs."""
    first = int(query(request)["page"][0]) * PAGE
    return data([wire_job(number) for number in range(first, min(first + PAGE, jobs))])


@contextmanager
def paged_server(monkeypatch: pytest.MonkeyPatch, jobs: int) -> Iterator[JobsServer]:
    """With so many ended jobs, the connection of the environment."""
    with JobsServer() as server:
        server.on("GET", f"/projects/{PROJECT}", data({"id": PROJECT, "name": "Many"}))
        for part in ("settings", "workflows"):
            server.on("GET", f"/projects/{PROJECT}/{part}", data([]))
        server.on("GET", LIST, lambda request: page(request, jobs))
        for name, value in (("URL", server.url), ("PROJECT_ID", PROJECT), ("PROJECT_KEY", KEY)):
            monkeypatch.setenv(f"UP42_JOBS_{name}", value)
        yield server


def open_tab(journey: Journey, qtbot: Any) -> JobsTab:
    """The Jobs tab, with the server's first page."""
    got: list[Any] = []
    journey.open(journey.connections.by_id("environment"), got.append, pytest.fail)
    qtbot.waitUntil(lambda: bool(got), timeout=20_000)
    tab = JobsTab(journey)
    qtbot.addWidget(tab)
    tab.set_catalogue(got[0])
    journey.watch(got[0])
    qtbot.waitUntil(lambda: journey.book.find("environment", "j0") is not None, timeout=20_000)
    return tab
