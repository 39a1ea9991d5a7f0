"""QGIS is killed while a priced queue waits, and started again: nothing is sent before the user says Continue."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from qgis_desktop import Desktop
from test_desktop_spending import DATA, open_practice

ORDER = (
    f"live(7.0)\nmodel.set_parameter('{DATA}', 'limit', 6)\n"
    "from up42_jobs.plugin.host.submit import Confirmation\n"
    "requests = [model.request.named(f'Field {n}') for n in range(3)]\n"
    "from dataclasses import replace\n"
    "requests = [replace(r, aoi=aoi(7 + n / 5, 0.1 if n == 0 else 0.006)) for n, r in enumerate(requests)]\n"
    "ordered = [(r, Confirmation(r.fingerprint, 2000.0)) for r in requests]\n"
    "queued, refused = [], []\n"
    "journey.queue.add(model.catalogue.connection, ordered, queued.append, refused.append)\n"
)
POLLS = "polls = []\njourney._tracker.polled.connect(lambda *_polled: polls.append(1))"


def start(desktops: list[Desktop]) -> Desktop:
    """QGIS with the dock open on Practice; the second one in the profile of the first."""
    desktop = Desktop(again=desktops[-1] if desktops else None)
    desktops.append(desktop)
    desktop.do("from qgis.core import *\nplugin = plugins['up42_jobs']\n")
    open_practice(desktop)
    return desktop


def one_job_at_a_time(desktop: Desktop) -> None:
    """What the project's settings on the platform can say too."""
    with closing(sqlite3.connect(desktop.folder / "engine" / "engine.sqlite", timeout=10)) as db, db:
        settings = "UPDATE project_settings SET value = 1 WHERE kind = 'practice' AND name = 'MAX_CONCURRENT_JOBS'"
        db.execute(settings)


def test_a_priced_queue_of_a_killed_session_waits_for_continue(desktops):
    first = start(desktops)
    one_job_at_a_time(first)
    first.do(ORDER)
    first.wait("queued or refused")
    assert first.get("refused") == []
    first.wait("len(jobs()) == 1")  # the large one; the others have no place
    first.kill()

    second = start(desktops)
    second.wait("find('queueGoOnButton') is not None and find('queueGoOnButton').isVisible()")
    told = second.get("find('queueLabel').text()")
    assert told.startswith("2 Live Jobs, at most 4000 credits, confirmed 1 min ago"), told
    assert second.get("[find('queueGoOnButton').text(), find('queueDiscardButton').text()]") == ["Continue", "Discard"]
    second.do(POLLS)
    second.wait("len(polls) >= 3 and [r.job.state.ended for r in journey.records('practice')] == [True]")
    assert second.get("jobs()") == ["Field 0"]  # there is a place now, and nobody has taken it
    second.click("queueGoOnButton")
    second.wait("sorted(jobs()) == ['Field 0', 'Field 1', 'Field 2']")
    second.wait("not journey.queue.batches")
    assert second.get("len(jobs())") == 3
    assert second.quit() == 0
    assert second.errors == ""
