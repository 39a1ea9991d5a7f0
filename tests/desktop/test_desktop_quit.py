"""QGIS can be left at any moment: nothing of ours holds it, not even requests that are never answered."""

from __future__ import annotations

import os
import time

import pytest
from qgis_desktop import Desktop

from up42_jobs.tests.servers.tcp import SilentServer

HANGING = 4
HANG = f"""
from qgis.core import QgsApplication
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.net.session import Session

works, told = Works(), []
for number in range({HANGING}):
    works.start(
        "hang",
        lambda cancel, _progress: Session().under(cancel).request("GET", url),
        succeeded=told.append,
        failed=told.append,
    )
"""
QUIT_SECONDS = 2.0  # promise of the dashboard's issue; QGIS alone takes about half a second


def test_qgis_quits_while_requests_hang():
    if not os.environ.get("DISPLAY"):
        pytest.fail("These tests need a display: tools/test.sh desktop gives them one.")
    qgis = Desktop()
    try:
        with SilentServer() as server:
            qgis.do(f"url = {server.url!r}\n{HANG}")
            qgis.wait(f"QgsApplication.taskManager().countActiveTasks() == {HANGING}")
            deadline = time.monotonic() + 20
            while server.connections < HANGING:
                assert time.monotonic() < deadline
            asked = time.monotonic()
            code = qgis.quit()
            took = time.monotonic() - asked
        assert code == 0, qgis.output
        assert qgis.errors == ""
        assert took < QUIT_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    finally:
        qgis.close()
