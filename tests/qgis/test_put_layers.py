"""A job's layers go into the project one by one, and stop where they are told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, QTimer

from up42_jobs.plugin.host.collect import Prepared
from up42_jobs.plugin.host.put_layers import PutLayers
from up42_jobs.plugin.layers.job_info import JobInfo
from up42_jobs.plugin.layers.load import JobLayers
from up42_jobs.plugin.layers.prepare import prepare

COUNT = 12
PATIENCE_MS = 20_000
INFO = JobInfo("job-1", "Twelve", "AOI", None, "live_job", "Flow", "Imagery")


@pytest.fixture
def prepared(make_raster: Callable[..., Path], tmp_path: Path, project: QgsProject) -> Prepared:
    for number in range(COUNT):
        make_raster(tmp_path / f"{number}.tif", np.full((1, 32, 32), number, "uint16"))
    scan, look = prepare(tmp_path, sorted(tmp_path.glob("*.tif")), [], INFO)
    return Prepared(tmp_path, INFO, scan, look)


def test_all_are_put_while_the_gui_goes_on(prepared: Prepared, project: QgsProject, qtbot: Any) -> None:
    parent, ended, beats = QObject(), [], []
    beat = QTimer()
    beat.timeout.connect(lambda: beats.append(len(project.mapLayers())))
    beat.start(0)
    PutLayers(prepared, ended.append, parent)
    qtbot.waitUntil(lambda: bool(ended), timeout=PATIENCE_MS)
    beat.stop()
    (layers,) = ended
    assert isinstance(layers, JobLayers) and not layers.failed
    assert len(layers.group.findLayers()) == len(project.mapLayers()) == COUNT
    assert layers.group.itemVisibilityChecked()
    assert len(set(beats)) > COUNT / 2  # they came one by one
    qtbot.waitUntil(lambda: not parent.findChildren(PutLayers), timeout=PATIENCE_MS)


def test_when_stopped_no_more_are_put_and_nobody_is_told(prepared: Prepared, project: QgsProject, qtbot: Any) -> None:
    parent = QObject()
    coming = PutLayers(prepared, lambda _layers: pytest.fail("told"), parent)
    qtbot.waitUntil(lambda: bool(project.mapLayers()), timeout=PATIENCE_MS)
    coming.stop()
    there = len(project.mapLayers())
    qtbot.waitUntil(lambda: not parent.findChildren(PutLayers), timeout=PATIENCE_MS)
    assert len(project.mapLayers()) == there < COUNT


def test_a_project_that_is_closed_meanwhile_gets_no_layers(prepared: Prepared, project: QgsProject, qtbot: Any) -> None:
    parent, ended = QObject(), []
    PutLayers(prepared, ended.append, parent)
    qtbot.waitUntil(lambda: bool(project.mapLayers()), timeout=PATIENCE_MS)
    project.clear()
    qtbot.waitUntil(lambda: bool(ended), timeout=PATIENCE_MS)
    assert not project.mapLayers()
