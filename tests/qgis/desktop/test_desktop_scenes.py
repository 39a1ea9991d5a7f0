"""The scene list: what it says of each scene, its ticks, and how it is tied to the map."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsPointXY, QgsProject, QgsVectorLayer
from qgis.gui import QgsMapToolPan, QgsMapToolZoom
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QColor, QImage, QPalette
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QStyle, QStyleOptionViewItem
from shapely.geometry import box

from up42_jobs.plugin.delivery.manifest import write_manifest
from up42_jobs.plugin.desktop.scenes_list import ScenesList
from up42_jobs.plugin.desktop.scenes_model import SceneColumn, ScenesModel
from up42_jobs.plugin.host.connections import Kind
from up42_jobs.plugin.host.found_scenes import FoundScene, _number, read_found_scenes, thumbnail_of
from up42_jobs.plugin.host.records import Delivery, DeliveryState, JobRecord
from up42_jobs.plugin.jobs.job import Job, JobState, JobType, Scene, inputs_as_text
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.tests.unit.delivery_archives import data_json, feature
from up42_jobs.tests.unit.test_delivery_manifest import manifest

from .conftest import SQUARE

CHECK = Qt.ItemDataRole.CheckStateRole
WIDE = ("s1", "s2", "s3", "s4", "s5")


def scene(number: int, cloud: Optional[float] = 10.0, coverage: Optional[float] = 100.0) -> FoundScene:
    """Footprints that lie side by side over the window's map, each later than the one before."""
    west = 13.2 + 0.06 * number
    acquired = datetime(2024, 5, number + 1, 10, 30, tzinfo=timezone.utc)
    found = Scene(f"s{number}", {}, acquired, cloud)
    return FoundScene(found, coverage, box(west, 52.42, west + 0.05, 52.58).wkt, None)


def query(folder: Optional[Path] = None, state: JobState = JobState.SUCCEEDED, **inputs) -> JobRecord:
    job = Job(
        "q",
        "p",
        "Berlin · Test",
        state,
        state.name,
        JobType.TEST_QUERY,
        "w",
        "Flow",
        inputs_text=inputs_as_text({"data:1": inputs}),
    )
    delivery = Delivery(DeliveryState.LOADED, 1.0, folder) if folder else Delivery()
    return JobRecord("free", job, delivery=delivery)


@pytest.fixture
def scenes(window, journey, qtbot):
    """The list beside a map, with five scenes."""
    made = ScenesList(journey.scene_search, window.canvas)
    qtbot.addWidget(made)
    made.resize(400, 500)
    made.show_record(query(state=JobState.RUNNING))
    made._read(query(), [scene(n) for n in range(1, 6)])
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.stop()


def tick(scenes: ScenesList, *ids: str) -> None:
    for scene_id in ids:
        index = scenes.model.index(scenes.model.row_of(scene_id), SceneColumn.DATE)
        assert scenes.model.setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)


def text(model: ScenesModel, row: int, column: SceneColumn, role: int = Qt.ItemDataRole.DisplayRole) -> str:
    return model.data(model.index(row, column), role)


def click_map(scenes: ScenesList, lon: float, lat: float) -> None:
    canvas = scenes.on_map._canvas
    point = canvas.getCoordinateTransform().transform(QgsPointXY(lon, lat))
    QTest.mouseClick(
        canvas.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        QPoint(round(point.x()), round(point.y())),
    )


def test_each_scene_is_said_in_local_time_with_utc_beside(scenes, qtmodeltester):
    model = scenes.model
    qtmodeltester.check(model)
    assert "2024-05-02T10:30:00Z" in text(model, 0, SceneColumn.DATE, Qt.ItemDataRole.ToolTipRole)
    assert text(model, 0, SceneColumn.CLOUD) == "10 %"
    assert text(model, 0, SceneColumn.COVERAGE) == "100 %"
    assert text(model, 0, SceneColumn.ID) == "s1"


@pytest.mark.parametrize(
    ("coverage", "said"), [(99.97, "99 %"), (0.02, "1 %"), (0.0, "0 %"), (47.4, "47 %"), (None, "")]
)
def test_a_scene_with_a_gap_never_covers_100_percent(qgis_app, coverage, said):
    model = ScenesModel()
    model.set_scenes([scene(1, None, coverage)])
    assert text(model, 0, SceneColumn.COVERAGE) == said
    assert text(model, 0, SceneColumn.CLOUD) == ""


def test_a_narrow_list_has_the_ids_below_the_dates(scenes, qtbot):
    assert scenes.scenesView.isColumnHidden(SceneColumn.ID)
    assert text(scenes.model, 0, SceneColumn.DATE).endswith("\ns1")
    tick(scenes, "s2")
    scenes.choose("s3")
    scenes.resize(700, 500)
    qtbot.waitUntil(lambda: not scenes.scenesView.isColumnHidden(SceneColumn.ID))
    assert "\n" not in text(scenes.model, 0, SceneColumn.DATE)
    assert (scenes.chosen, scenes.model.ticked) == (["s3"], ["s2"])


def test_nothing_is_ticked_at_first_and_exactly_the_ticked_are_wanted(scenes):
    wanted: list[tuple] = []
    scenes.live_job_wanted.connect(lambda record, ids: wanted.append((record.job.id, ids)))
    assert scenes.model.ticked == []
    assert not scenes.tickedButton.isEnabled()
    tick(scenes, "s4", "s2")
    assert scenes.tickedButton.text() == "2 Ticked"
    assert scenes.allButton.text() == "All 5 Found"
    assert scenes.summaryLabel.text() == "Found: 5 · ticked: 2"
    for button in (scenes.tickedButton, scenes.allButton, scenes.searchAgainButton):
        button.click()
    assert wanted == [("q", ["s2", "s4"]), ("q", list(WIDE)), ("q", None)]
    scenes.untickButton.click()
    assert scenes.model.ticked == []


def test_ticks_stay_with_their_test_query(scenes):
    tick(scenes, "s3")
    scenes.message.tell("another Test Query is chosen")
    scenes._read(query(), [scene(n) for n in range(1, 6)])
    assert scenes.model.ticked == ["s3"]


def test_space_ticks_the_row_whichever_column_was_clicked(scenes, qtbot):
    index = scenes._sorted.index(0, SceneColumn.CLOUD)
    rect = scenes.scenesView.visualRect(index)
    QTest.mouseClick(scenes.scenesView.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    QTest.keyClick(scenes.scenesView, Qt.Key.Key_Space)
    assert scenes.model.ticked == ["s5"]  # the newest is on top


def test_a_chosen_row_and_a_pointed_row_are_outlined_on_the_map(scenes):
    scenes.choose("s2")
    band = scenes.on_map._chosen_band.asGeometry()
    assert band.boundingBox().xMinimum() == pytest.approx(13.32)
    assert scenes.zoomButton.isEnabled()
    scenes.scenesView.entered.emit(scenes._sorted.index(0, 0))
    assert scenes.on_map._pointed_band.asGeometry().boundingBox().xMinimum() == pytest.approx(13.5)
    scenes.hide()
    assert scenes.on_map._chosen_band.asGeometry().isEmpty()


def test_outlines_follow_the_map_into_another_crs(scenes, window):
    scenes.choose("s2")
    window.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:25833"))
    assert scenes.on_map._chosen_band.asGeometry().boundingBox().xMinimum() > 300_000


def test_a_click_on_the_map_chooses_the_scene_and_then_the_one_below(window, scenes):
    window.canvas.setMapTool(QgsMapToolZoom(window.canvas, False))
    scenes.pickButton.click()
    click_map(scenes, 13.40, 52.5)
    assert scenes.chosen == ["s3"]
    below = scene(3)
    double = [*(scene(n) for n in range(1, 6)), FoundScene(Scene("s3b", {}), 50.0, below.outline, None)]
    scenes.model.set_scenes(double)
    scenes.on_map.set_scenes(double)
    chosen = []
    for _ in range(3):
        click_map(scenes, 13.40, 52.5)
        chosen += scenes.chosen
    assert sorted(chosen[:2]) == ["s3", "s3b"]
    assert chosen[2] == chosen[0]


def test_the_panning_tool_gives_way_to_clicks_and_comes_back_and_no_other_does(window, scenes):
    pan, zoom = QgsMapToolPan(window.canvas), QgsMapToolZoom(window.canvas, False)
    scenes.hide()
    window.canvas.setMapTool(zoom)
    scenes.show()
    assert window.canvas.mapTool() is zoom
    scenes.hide()
    window.canvas.setMapTool(pan)
    extent = window.canvas.extent()
    scenes.show()
    assert window.canvas.mapTool() is scenes.on_map.tool
    assert scenes.pickButton.isChecked()
    click_map(scenes, 13.40, 52.5)
    assert window.canvas.extent() == extent
    scenes.hide()
    assert window.canvas.mapTool() is pan
    window.canvas.unsetMapTool(pan)
    window.canvas.unsetMapTool(zoom)


def test_what_qgis_selects_in_the_footprints_is_chosen_in_the_list(scenes):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=scene_id:string", "Footprints", "memory")
    from qgis.core import QgsFeature

    for number in (1, 4):
        feature = QgsFeature(layer.fields())
        feature["scene_id"] = f"s{number}"
        layer.dataProvider().addFeature(feature)
    layer.setCustomProperty("up42_jobs/role", "footprints")
    QgsProject.instance().addMapLayer(layer, False)
    group = QgsProject.instance().layerTreeRoot().addGroup("job")
    group.addLayer(layer)
    scenes.follow_layer(group)
    layer.selectAll()
    assert sorted(scenes.chosen) == ["s1", "s4"]


def test_an_empty_result_names_the_filters(scenes, tmp_path):
    record = query(tmp_path, max_cloud_cover=5, time="2024-06-01T00:00:00Z/2024-06-02T23:59:59Z", contains={"a": 1})
    scenes._read(record, [])
    said = scenes.messageLabel.text()
    assert "at most 5 %" in said
    assert "2024-06-01 to 2024-06-02" in said
    assert "Contains" in said
    assert scenes.countButton.isVisible()


def other(record: JobRecord) -> JobRecord:
    return replace(record, job=replace(record.job, id="other", name="Other"))


def test_scenes_that_are_still_read_never_come_up_as_those_of_the_next_test_query(scenes, tmp_path, qtbot):
    """A Live Job of the ticked ones would be of the next search, with the ids of the first."""
    (tmp_path / "data.json").write_bytes(data_json(feature("s9")))
    write_manifest(tmp_path, manifest(files=[{"path": "data.json", "bytes": 1}]))
    scenes.show_record(query(tmp_path))
    reading = scenes._reading
    scenes.show_record(other(query(state=JobState.RUNNING)))
    qtbot.waitUntil(lambda: reading not in scenes._search._works._running)
    assert scenes.model.scenes == []
    assert "is running" in scenes.messageLabel.text()
    scenes.show_record(query(tmp_path))
    qtbot.waitUntil(lambda: scenes.model.ids == ["s9"])


def test_a_count_that_fails_leaves_the_scenes_of_the_test_query_chosen_since(scenes, tmp_path, qtbot, monkeypatch):
    for name, value in (("URL", "http://127.0.0.1:9"), ("PROJECT_ID", "p"), ("PROJECT_KEY", "k")):
        monkeypatch.setenv(f"UP42_JOBS_{name}", value)
    empty = replace(query(tmp_path, max_cloud_cover=5), connection_id="environment")
    scenes.show_record(replace(empty, delivery=Delivery()))
    for chosen, listed in ((None, 0), (other(query()), 2)):
        scenes._read(empty, [])
        scenes.countButton.click()
        counting = scenes.message._counting
        if chosen is not None:
            scenes.show_record(chosen)
            scenes._read(chosen, [scene(1), scene(2)])
        running = scenes._search._works._running
        qtbot.waitUntil(lambda counting=counting, running=running: counting not in running, timeout=20_000)
        assert counting.error is not None
        assert len(scenes.model.scenes) == listed
    assert scenes.pages.currentWidget() is scenes.listPage


def test_thumbnails_are_of_images_only(qgis_app, tmp_path):
    (tmp_path / "a.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff broken")
    assert thumbnail_of(tmp_path / "a.jpg") is None
    assert thumbnail_of(tmp_path / "b.jpg") is None
    assert thumbnail_of(None) is None


def test_a_real_test_query_fills_the_list_and_an_empty_one_counts_what_else_there_is(
    window, journey, open_catalogue, qtbot
):
    """On the real engine: five scenes with coverage and thumbnails; none at 0 % cloud in two days, some without."""
    catalogue = open_catalogue(Kind.FREE)
    demo = next(w for w in catalogue.workflows if w.data_task.block.name.startswith("demo"))
    task = demo.data_task.name
    values = {task: {"limit": 5, "time": "2024-04-01T00:00:00Z/2024-09-30T00:00:00Z", "max_cloud_cover": 100}}
    request = JobRequest(catalogue.project, demo, JobType.TEST_QUERY, SQUARE, parameters=values, name="five")
    journey.watch(catalogue)
    scenes = ScenesList(journey.scene_search, window.canvas)
    qtbot.addWidget(scenes)
    connection = catalogue.connection.id

    def run(wanted: JobRequest) -> JobRecord:
        sent: list[Job] = []
        journey.submit(catalogue, wanted, None, sent.append, pytest.fail)
        qtbot.waitUntil(lambda: bool(sent), timeout=20_000)

        def record() -> Optional[JobRecord]:
            return next((r for r in journey.records(connection) if r.job.id == sent[0].id), None)

        qtbot.waitUntil(lambda: record() is not None and record().job.state.ended, timeout=40_000)
        qtbot.waitUntil(lambda: bool(record().delivery.folder or record().delivery.message), timeout=40_000)
        return record()

    five = run(request)
    scenes.show_record(five)
    qtbot.waitUntil(lambda: len(scenes.model.scenes) == 5, timeout=20_000)
    found = read_found_scenes(five.delivery.folder)
    assert [f.scene.id for f in found] == scenes.model.ids
    assert all(f.thumbnail is not None and 0 < f.coverage <= 100 for f in found)

    first_day = {**values[task], "time": "2024-04-01T00:00:00Z/2024-04-01T00:00:01Z", "max_cloud_cover": 0}
    empty = run(
        JobRequest(catalogue.project, demo, JobType.TEST_QUERY, SQUARE, parameters={task: first_day}, name="none")
    )
    scenes.show_record(empty)
    qtbot.waitUntil(lambda: "No scene" in scenes.messageLabel.text(), timeout=20_000)
    assert "cloud cover of at most 0 %" in scenes.messageLabel.text()
    scenes.countButton.click()
    qtbot.waitUntil(lambda: "Scenes at any date" in scenes.messageLabel.text(), timeout=60_000)
    assert "Scenes without the limit of cloud cover: 0" in scenes.messageLabel.text()
    counts = scenes.messageLabel.text().splitlines()
    assert any(line.startswith("• Scenes at any date: ") and line[-1] != "0" for line in counts), counts
    ours = {r.job.name for r in journey.records(connection) if r.ours}
    assert not any("any date" in name for name in ours)  # what was only counted is never loaded unasked
    scenes.stop()


def test_clouds_over_the_aoi_and_the_scenes_of_one_pass_are_said(scenes) -> None:
    plain = scene(1, cloud=12.0)
    first, second = (replace(scene(n, 40.0, 62.0), aoi_cloud=3.2, pass_scenes=2, pass_coverage=100.0) for n in (2, 3))
    scenes._read(query(), [first, second, plain])
    model = scenes.model
    assert text(model, 0, SceneColumn.CLOUD) == "AOI 3 %\nscene 40 %"
    assert text(model, 2, SceneColumn.CLOUD) == "12 %"
    assert text(model, 0, SceneColumn.DATE).splitlines()[-1] == "2 scenes: 100 %"
    assert "scenes" not in text(model, 2, SceneColumn.DATE)
    assert "One pass" in text(model, 0, SceneColumn.DATE, Qt.ItemDataRole.ToolTipRole)
    scenes.scenesView.sortByColumn(int(SceneColumn.CLOUD), Qt.SortOrder.AscendingOrder)
    assert scenes._found(scenes.scenesView.model().index(0, 0)).aoi_cloud == 3.2  # what lies over the AOI counts
    view = scenes.scenesView
    assert scenes.width() == 400 and view.header().length() <= view.viewport().width()


def test_what_a_stranger_says_of_clouds_and_passes_is_taken_with_care() -> None:
    assert [_number(value) for value in (3, 3.5, 0, "3", None, True, -1, float("nan"), 1e9)] == [
        *(3.0, 3.5, 0.0), *[None] * 6
    ]  # fmt: skip


@pytest.mark.parametrize("state", [Qt.CheckState.Checked, Qt.CheckState.Unchecked])
def test_the_tick_of_a_chosen_row_looks_like_that_of_any_other(scenes, qtbot, state) -> None:
    """In a theme where text and selection are of alike colours."""
    view, ids = scenes.scenesView, scenes.model.ids
    dark = view.palette()
    dark.setColor(QPalette.ColorRole.Base, QColor("#eeeeee"))
    dark.setColor(QPalette.ColorRole.Highlight, QColor("#333333"))
    dark.setColor(QPalette.ColorRole.HighlightedText, QColor("#333333"))
    view.setPalette(dark)
    view.setAlternatingRowColors(False)
    for scene_id in ids:
        scenes.model.setData(scenes.model.index(scenes.model.row_of(scene_id), 0), state, CHECK)

    def tick(row: int) -> QImage:
        index = view.model().index(row, 0)
        option = QStyleOptionViewItem()
        option.initFrom(view)
        option.rect = view.visualRect(index)
        view.itemDelegate(index).initStyleOption(option, index)
        place = view.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, view)
        return view.viewport().grab(place).toImage()

    scenes.choose(scenes._found(view.model().index(0, 0)).scene.id)
    qtbot.waitUntil(lambda: view.selectionModel().isRowSelected(0, view.rootIndex()))
    assert tick(0) == tick(2)
