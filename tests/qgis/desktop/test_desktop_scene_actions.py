"""Play, compare and lay out in the dock; a job's folder dropped on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from qgis.core import QgsProject
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QMenu, QPushButton, QWidget

from up42_jobs.plugin.desktop.job_drop import JobDrop
from up42_jobs.plugin.desktop.messages import Messages
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.desktop.scenes_actions import SceneActions, job_of
from up42_jobs.plugin.host.handed_over import HandedOver
from up42_jobs.plugin.layers.job_info import JobInfo
from up42_jobs.plugin.layers.load import add_job
from up42_jobs.plugin.layers.play import scenes_group
from up42_jobs.plugin.layers.prepare import prepare

FOOTPRINT = [[[-54.7, -25.4], [-54.5, -25.4], [-54.5, -25.2], [-54.7, -25.2], [-54.7, -25.4]]]


@pytest.fixture
def group(window, tmp_path: Path, make_raster: Callable[..., Path]):
    """A job of two dates in the project."""
    features = []
    for day in (2, 18):
        make_raster(tmp_path / f"S{day}.tif", np.full((1, 20, 20), 0.6, "float32"))
        properties = {"datetime": f"2020-05-{day:02}T13:00:00Z"}
        geometry = {"type": "Polygon", "coordinates": FOOTPRINT}
        features.append({"type": "Feature", "id": f"S{day}", "geometry": geometry, "properties": properties})
    info = JobInfo("job-1", "Two dates", "AOI", None, "live_job", "Flow", "NDVI")
    scanned, look = prepare(tmp_path, sorted(tmp_path.glob("*.tif")), features, info)
    return add_job(QgsProject.instance(), info, scanned, look)


@pytest.fixture
def actions(window):
    told: list[tuple] = []
    made = SceneActions(window, lambda *what: told.append(what))
    made.told = told
    yield made
    made.remove()


def shown(group: Any) -> list[bool]:
    return [node.isVisible() for node in scenes_group(group).children()]


def test_the_arrow_keys_step_and_esc_ends(window, group, actions) -> None:
    before, extent = window.canvas.mapTool(), window.canvas.extent()
    actions._job_id = "job-1"
    actions._enable()
    assert all(action.isEnabled() for action in actions.actions)
    actions.compare_action.trigger()
    assert shown(group) == [False, True]  # the oldest lies below
    assert scenes_group(group).isMutuallyExclusive()
    QTest.keyClick(window.canvas, Qt.Key.Key_Right)
    assert shown(group) == [True, False]
    assert "2 of 2" in actions.compare._label.text()
    assert "2020-05-18 13:00 UTC" in actions.compare._label.text()
    QTest.keyClick(window.canvas, Qt.Key.Key_Left)
    assert shown(group) == [False, True]
    assert window.canvas.extent() == extent
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert shown(group) == [True, True]
    assert not scenes_group(group).isMutuallyExclusive()
    assert not actions.compare._label.isVisible()
    assert window.canvas.mapTool() is before


def test_removing_the_group_ends_comparing(window, group, actions) -> None:
    actions.compare.start(group)
    QgsProject.instance().clear()
    QTest.keyClick(window.canvas, Qt.Key.Key_Right)
    assert not actions.compare._label.isVisible()


def test_the_layer_tree_offers_the_actions_for_any_part_of_a_job(window, group, actions) -> None:
    assert job_of(group.findLayers()[-1]) == "job-1"
    assert job_of(QgsProject.instance().layerTreeRoot()) == ""
    actions.layout_action.setEnabled(False)
    menu = QMenu()
    window.tree.currentNode = lambda: scenes_group(group)
    actions._tree = window.tree
    actions._fill_tree_menu(menu)
    assert set(actions.actions) <= set(menu.actions())
    actions.layout_action.trigger()
    assert [layout.name() for layout in window.layouts] == ["Two dates"]
    assert actions.told[0][0] == "success"


def test_without_layers_nothing_is_offered(window, actions) -> None:
    actions.show_record(None)
    menu = QMenu()
    actions.add_to(menu)
    menu.aboutToShow.emit()
    assert not any(action.isEnabled() for action in actions.actions)


class HandOver:
    """Takes note of what is to be loaded."""

    def __init__(self) -> None:
        self.wanted: list[Path] = []

    def load(self, path: Path, _done: Any, _failed: Any) -> None:
        self.wanted.append(path)


def drop(widget: QWidget, path: Path) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    where = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(5, 5), *where)
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), *where))
    return True


def test_a_folder_or_its_job_json_is_taken_and_nothing_else(window, qtbot, tmp_path: Path) -> None:
    hand_over, widget = HandOver(), QWidget(window)
    watch = JobDrop(RequestModel(), hand_over, Messages(QgsMessageBar(window)), lambda _group: None)
    watch.watch(widget)
    (tmp_path / "job.json").write_text(json.dumps({}))
    (tmp_path / "aoi.geojson").write_text("{}")
    assert drop(widget, tmp_path)
    assert drop(widget, tmp_path / "job.json")
    assert not drop(widget, tmp_path / "aoi.geojson")
    (tmp_path / "aois.gdb").mkdir()
    assert not drop(widget, tmp_path / "aois.gdb")
    assert hand_over.wanted == [tmp_path, tmp_path / "job.json"]


def test_the_form_is_overwritten_only_when_the_user_says_so(window, group, free_catalogue, qtbot) -> None:
    model, bar = RequestModel(), QgsMessageBar(window)
    model.set_catalogue(free_catalogue)
    before = model.request
    workflow = free_catalogue.workflows[0]
    request = {
        "workflow": {"id": workflow.id, "name": workflow.name}, "job_type": "live_job", "filter": "intersects",
        "aoi": {"name": "Theirs", "geometry": {"type": "Polygon", "coordinates": FOOTPRINT}},
        "parameters": {},
    }  # fmt: skip
    watch = JobDrop(model, HandOver(), Messages(bar), lambda _group: None)
    watch._loaded(HandedOver(group, "success", "“Theirs” is on the map.", request, "Theirs"))
    assert model.request == before
    with qtbot.waitSignal(watch.restored):
        bar.findChild(QPushButton, "restoreRequestButton").click()
    assert model.request.aoi.name == "Theirs"
    assert "Theirs" in bar.currentItem().text()
