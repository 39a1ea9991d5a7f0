"""The real QGIS desktop for each test: any Python error, any long pause of the GUI or an unclean end fails the test."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(0, str(Path(__file__).parent))

from qgis_desktop import REPOSITORY, Desktop

LONGEST_PAUSE = 0.5  # seconds, whoever pauses
LONGEST_PAUSE_OF_OURS = 0.1
WORTH_DOUBTING = 0.03  # seconds stolen
PAUSED = "The GUI paused:"
NO_DISPLAY = "These tests need a display: tools/test.sh desktop gives them one."
PICTURES = REPOSITORY / "build" / "desktop"


def too_long(pause: dict[str, Any]) -> bool:
    """True where the plugin paused the GUI so long that a person would feel it, or for a very long pause of anybody's.

    Where other work fills the machine (its load is above its processors), all that QGIS does takes so many times
    longer. What other machines took of this one's time can't be told from a pause: such a one is not judged.
    """
    crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    long = pause["ours"] > LONGEST_PAUSE_OF_OURS or pause["seconds"] > LONGEST_PAUSE * crowded
    return long and pause["stolen"] < WORTH_DOUBTING


def pytest_runtest_protocol(item: pytest.Item, nextitem: Optional[pytest.Item]) -> bool:
    """Drive it once more where nothing but a pause failed: one of ours comes again, the machine's own doesn't."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    failures = [report for report in reports if report.failed]
    if failures and all(PAUSED in str(report.longrepr) for report in failures):
        print(f"\n{failures[0].longrepr.reprcrash.message}\nOnce more:")
        item._initrequest()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def in_words(pause: dict[str, Any]) -> str:
    """The pause and where it was, one frame a line."""
    length = f"{pause['seconds']} s, ours {pause['ours']} s ({pause['wall']} s on the clock)"
    return "\n  ".join([length, *pause["stack"]])


@pytest.fixture
def desktop(request: pytest.FixtureRequest) -> Iterator[Desktop]:
    """QGIS with the plugin, an empty project and a map of the world; its pauses are measured from here on."""
    if not os.environ.get("DISPLAY"):
        pytest.fail(NO_DISPLAY)
    qgis = Desktop()
    try:
        qgis.do(
            "from qgis.core import *\nfrom qgis.PyQt.QtCore import Qt\n"
            "iface.newProject()\n"
            "countries = QgsApplication.pkgDataPath() + '/resources/data/world_map.gpkg|layername=countries'\n"
            "iface.addVectorLayer(countries, 'World', 'ogr')\n"
            "plugin = plugins['up42_jobs']\n"
        )
        qgis.wait_for_map()
        qgis.watch_pauses()
        yield qgis
        qgis.shot(PICTURES / f"{request.node.name}.png")
        felt = "\n".join(in_words(pause) for pause in qgis.pauses() if too_long(pause))
        code = qgis.quit()
        assert qgis.errors == ""
        assert code == 0, qgis.output
        assert not felt, f"{PAUSED}\n{felt}"
    finally:
        qgis.close()


@pytest.fixture
def desktops() -> Iterator[list[Desktop]]:
    """For tests that start QGIS more than once: what is put in is closed at the end. Pauses are not measured."""
    if not os.environ.get("DISPLAY"):
        pytest.fail(NO_DISPLAY)
    started: list[Desktop] = []
    yield started
    for desktop in started:
        desktop.close()
