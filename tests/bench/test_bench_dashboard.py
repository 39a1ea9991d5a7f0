"""How long the GUI pauses for us while 10,000 jobs are listed and 200 of them run, in the real QGIS on Xvfb."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "desktop"))

from qgis_desktop import REPOSITORY, Desktop

from up42_jobs.tests.unit.up42_jobs_server import KEY, PROJECT, JobsServer, data, query

JOBS, RUNNING, PAGE = 10_000, 200, 100
LONGEST = 0.050  # seconds
BARRED = ("listing", "following", "sorting", "searching", "chosen")
OUT = REPOSITORY / "build" / "bench" / "dashboard.jsonl"
NEWEST = datetime(2026, 11, 1, tzinfo=timezone.utc)
TAB = "plugin._content.jobs"
MODEL = f"{TAB}._model"
COLLECTIONS = """
import gc, time
collections, began = [], []
def count_collection(phase, info):
    if info["generation"] == 2:
        if phase == "start":
            began.append(time.monotonic())
        elif began:
            collections.append(time.monotonic() - began.pop())
gc.callbacks.append(count_collection)
"""  # going through all objects of QGIS's Python, on whatever thread, stops all that is Python: told beside the pauses


def wire_job(number: int, status: str) -> dict[str, Any]:
    created = NEWEST - timedelta(minutes=7 * number)
    ended = status == "SUCCEEDED"
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "status": status,
        "name": f"Area {number % 97} · Flow {number % 11} · {created:%Y-%m-%d}",
        "mode": "DRY_RUN" if number % 3 == 0 else "DEFAULT",
        "inputs": {"esa-s2:1": {"limit": 2, "bbox": [13.3, 52.4, 13.4, 52.5]}, "sharpening:1": {"strength": "medium"}},
        "createdAt": f"{created:%Y-%m-%dT%H:%M:%S}.123Z",
        "startedAt": f"{created:%Y-%m-%dT%H:%M:%S}.123Z",
        "finishedAt": f"{created + timedelta(minutes=3):%Y-%m-%dT%H:%M:%S}.123Z" if ended else None,
        "workflowId": f"w{number % 11}",
        "workflowName": f"Flow {number % 11}",
    }


class Many(JobsServer):
    """10,000 jobs; the newest 200 have another status each time that their page is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.on("GET", f"/projects/{PROJECT}", data({"id": PROJECT, "name": "Many"}))
        self.on("GET", f"/projects/{PROJECT}/settings", data([]))
        self.on("GET", f"/projects/{PROJECT}/workflows", data([]))
        self.on("GET", f"/projects/{PROJECT}/jobs", self._page)
        self._turn = 0

    def _page(self, request: Any) -> Any:
        first = int(query(request)["page"][0]) * PAGE
        self._turn += first == 0
        running = ("RUNNING", "PENDING")[self._turn % 2]
        rows = range(first, min(first + PAGE, JOBS))
        return data([wire_job(n, running if n < RUNNING else "SUCCEEDED") for n in rows])


def pauses(desktop: Desktop) -> dict[str, Any]:
    """Seconds, then begin anew: `ours`, the longest that the plugin was at work in one pause, and where; `anybody`, the
    longest pause as a whole, in which QGIS may also have painted its window, or answered this test.
    """
    found = desktop.pauses()
    desktop.do("served.heartbeat.pauses = []")
    ours = max(found, key=lambda p: p["ours"], default={"ours": 0.0, "stack": []})
    return {
        "ours": ours["ours"],
        "anybody": max((p["seconds"] for p in found), default=0.0),
        "where": ours["stack"][:3],
    }


def turns(desktop: Desktop, seconds: float) -> None:
    """Let QGIS run."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        desktop.get("1")
        time.sleep(0.1)


def test_the_longest_pause_of_ours_while_10_000_jobs_list_and_200_run() -> None:
    if not os.environ.get("DISPLAY"):
        pytest.fail("This needs a display: tools/test.sh bench gives it one.")
    figures: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch, Many() as server:
        for name, value in zip(("URL", "PROJECT_ID", "PROJECT_KEY"), (server.url, PROJECT, KEY)):
            patch.setenv(f"UP42_JOBS_{name}", value)
        desktop = Desktop()
        try:
            measure(desktop, figures)
        finally:
            desktop.close()
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()}
    line = json.dumps({"at": datetime.now(timezone.utc).isoformat(), "figures": figures, "machine": machine})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("a") as file:
        file.write(line + "\n")
    print(line)
    ours = {what: figures[what] for what in BARRED}
    assert max(figure["ours"] for figure in ours.values()) <= LONGEST, ours


def measure(desktop: Desktop, figures: dict[str, Any]) -> None:
    """Fill `figures`: seconds of the longest pause of ours and of anybody in each part."""

    def note(part: str) -> None:
        collecting = round(desktop.get("max(collections, default=0.0)"), 3)
        desktop.do("collections.clear()")
        figures[part] = {**pauses(desktop), "collecting": collecting}

    desktop.do("plugin = plugins['up42_jobs']\nimport sys\nsys.modules['heartbeat'].WORTH_TELLING = 0.02\n")
    desktop.do(COLLECTIONS)
    desktop.wait("plugin._journey is not None")
    desktop.watch_pauses()
    turns(desktop, 5)
    note("without")  # the plugin is there and does nothing yet
    desktop.do("plugin._action.trigger()")
    desktop.wait("plugin._content is not None and plugin._content.model.catalogue is not None")
    turns(desktop, 2)
    pauses(desktop)  # how the dock opens is another figure
    desktop.do(
        "content = plugin._content\ncontent.tabs.setCurrentWidget(content.jobs)\n"
        "content.header.choose('environment')\ncontent.open_connection()"
    )
    desktop.wait(f"content.model.catalogue.connection.id == 'environment' and {MODEL}.shown_of_all[1] >= {PAGE}")
    note("opening")  # the whole dock changes its connection: no part of the bar
    desktop.wait(f"{MODEL}.shown_of_all[1] >= {RUNNING}")
    deadline = time.monotonic() + 60
    while desktop.get(f"{MODEL}.has_older"):
        desktop.do(f"{TAB}.jobsView.scrollToBottom()")
        assert time.monotonic() < deadline, desktop.get(f"{MODEL}.shown_of_all")
    desktop.wait(f"{MODEL}.rowCount() == {JOBS}")
    assert desktop.get(f"{MODEL}.shown_of_all") == [JOBS, JOBS]
    note("listing")
    turns(desktop, 15)
    note("following")
    desktop.do("from qgis.PyQt.QtCore import Qt")
    for column in (1, 0, 4):
        desktop.do(f"{TAB}.jobsView.sortByColumn({column}, Qt.SortOrder.DescendingOrder)")
        turns(desktop, 0.5)
    note("sorting")
    for text in ("f", "flow 7", "area 12 flow", ""):
        desktop.do(f"{TAB}.searchEdit.setText({text!r})")
        turns(desktop, 0.6)
    note("searching")
    desktop.do(f"{TAB}.jobsView.scrollToTop()\n{TAB}.jobsView.setCurrentIndex({MODEL}.index(0, 0))")
    turns(desktop, 8)
    note("chosen")
    assert desktop.errors == ""
