"""The form's widgets and the request are two views of one value: edit either, the other follows, the cursor stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QPoint, Qt
from qgis.PyQt.QtTest import QTest
from shapely.geometry import Polygon

from up42_jobs.plugin.desktop.aoi_box import AoiBox
from up42_jobs.plugin.desktop.aoi_drawing import AoiDrawing
from up42_jobs.plugin.desktop.aoi_on_map import AoiOnMap
from up42_jobs.plugin.desktop.job_type_box import JobTypeBox
from up42_jobs.plugin.desktop.json_editor import replace_text
from up42_jobs.plugin.desktop.parameters_box import ParametersBox
from up42_jobs.plugin.desktop.quick_controls import QuickControls
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.host.aoi_source import layer_reader
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.job import JobType

from .conftest import SQUARE

DATA = "scenes:1"
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def model(qgis_app, free_catalogue) -> RequestModel:
    model = RequestModel()
    return model


def begin(model, catalogue):
    model.set_catalogue(catalogue)
    model.set_aoi(SQUARE)


@pytest.fixture
def quick(model, qtbot, free_catalogue):
    quick = QuickControls(model)
    qtbot.addWidget(quick)
    begin(model, free_catalogue)
    quick.show()
    return quick


@pytest.fixture
def parameters(model, qtbot, free_catalogue):
    box = ParametersBox(model)
    qtbot.addWidget(box)
    begin(model, free_catalogue)
    box.resize(500, 600)
    box.show()
    box.setCollapsed(False)
    qtbot.waitExposed(box)
    return box


def given_value(model, name):
    return model.request.parameters[DATA][name]


def test_quick_controls_show_and_set_the_parameters(quick, model):
    assert (quick.limitSpin.value(), quick.cloudSpin.value()) == (1, 100)
    assert quick.fromDate.date() == QDate(2024, 1, 1)
    assert quick.toDate.date() == QDate(2024, 12, 31)
    quick.limitSpin.setValue(4)
    quick.cloudSpin.setValue(30)
    quick.fromDate.setDate(QDate(2024, 3, 5))
    assert json.loads(model.text)[DATA] == {
        "ids": None,
        "time": "2024-03-05T00:00:00Z/2024-12-31T23:59:59Z",
        "limit": 4,
        "max_cloud_cover": 30,
    }
    model.set_text(model.text.replace('"limit": 4', '"limit": 6').replace("2024-03-05", "2023-02-01"))
    assert quick.limitSpin.value() == 6
    assert quick.fromDate.date() == QDate(2023, 2, 1)


def test_dates_never_cross_and_none_is_any_date(quick, model):
    quick.fromDate.setDate(QDate(2025, 6, 1))
    assert given_value(model, "time") == "2025-06-01T00:00:00Z/2025-06-01T23:59:59Z"
    quick.toDate.setDate(QDate(2020, 6, 1))
    assert given_value(model, "time") == "2020-06-01T00:00:00Z/2020-06-01T23:59:59Z"
    next(a for a in quick.datesButton.menu().actions() if a.text() == "Any Date").trigger()
    assert given_value(model, "time") is None
    for edit in (quick.fromDate, quick.toDate):
        assert edit.isNull()
        assert edit.text() == "any date"
    quick.toDate.setDate(QDate(2022, 6, 1))
    assert given_value(model, "time") == "2021-06-01T00:00:00Z/2022-06-01T23:59:59Z"
    next(a for a in quick.datesButton.menu().actions() if a.text() == "Default Dates").trigger()
    assert given_value(model, "time") == "2024-01-01T00:00:00Z/2024-12-31T23:59:59Z"


@pytest.mark.parametrize("value", [0, 9999, None, "many", 2.5, True, [1]])
def test_showing_any_value_never_changes_it(quick, model, value):
    model.set_text(model.text.replace('"limit": 1', f'"limit": {json.dumps(value)}'))
    assert given_value(model, "limit") == value
    assert type(given_value(model, "limit")) is type(value)
    if type(value) is int:
        assert quick.limitSpin.value() == value
    elif value is not None:
        assert not quick.limitSpin.isEnabled()


def test_quick_controls_wait_while_the_text_can_not_be_read(quick, model):
    model.set_text(model.text[:-1])
    assert not quick.isEnabled()
    model.set_text(model.text + "}")
    assert quick.isEnabled()


def test_quick_controls_are_those_that_the_block_has(quick, model, free_catalogue):
    assert not quick.limitSpin.isHidden()
    model.set_workflow(None)
    assert quick.isHidden()


def test_typing_in_the_editor_keeps_cursor_and_letters(parameters, model, qtbot):
    editor = parameters.parametersEditor
    line = next(n for n in range(editor.lines()) if '"limit"' in editor.text(n))
    editor.setCursorPosition(line, editor.text(line).index("1"))
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    QTest.keyClicks(editor, "17")
    assert editor.getCursorPosition() == (line, editor.text(line).index("17") + 2)
    assert given_value(model, "limit") == 17
    assert model.text == editor.text()


def test_a_control_changes_the_text_without_moving_the_cursor(parameters, model):
    editor = parameters.parametersEditor
    line = next(n for n in range(editor.lines()) if '"max_cloud_cover"' in editor.text(n))
    editor.setCursorPosition(line, 9)
    seen = []
    model.changed.connect(lambda: seen.append(model.text))
    model.set_parameter(DATA, "limit", 12)
    assert editor.text() == model.text
    assert editor.getCursorPosition() == (line, 9)
    assert seen == [model.text]  # one change, and none to a text in between
    editor.undo()
    assert given_value(model, "limit") == 1


def test_mistakes_are_marked_and_listed_and_lead_to_their_place(parameters, model):
    editor = parameters.parametersEditor
    model.set_text(model.text.replace('"limit": 1', '"limit": 0').replace('"medium"', '"much"'))
    lines = [n for n in range(editor.lines()) if '"limit"' in editor.text(n) or '"much"' in editor.text(n)]
    assert [n for n in range(editor.lines()) if editor.markersAtLine(n)] == lines
    assert parameters.parameterProblems.count() == 2
    assert "2" in parameters.title()
    parameters._go_to_item(parameters.parameterProblems.item(1))
    assert editor.getCursorPosition()[0] == lines[1]
    model.reset_parameters()
    assert not [n for n in range(editor.lines()) if editor.markersAtLine(n)]
    assert parameters.parameterProblems.isHidden()


TEXTS = st.text(alphabet='{}":,ab é“𝄞\n', max_size=30)


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replacing_text_gives_exactly_the_new_text(parameters, before, after):
    editor = parameters.parametersEditor
    editor.setText(before)
    replace_text(editor, after)
    assert editor.text() == after


def test_job_type_says_why_a_test_query_is_not_to_be_had(model, qtbot, free_catalogue):
    box = JobTypeBox(model)
    qtbot.addWidget(box)
    begin(model, free_catalogue)
    assert box.liveJobRadio.isChecked()
    box.testQueryRadio.click()
    assert model.request.job_type is JobType.TEST_QUERY
    model.set_workflow(free_catalogue.workflows[2])
    assert not box.testQueryRadio.isEnabled()
    assert box.liveJobRadio.isChecked()
    assert free_catalogue.workflows[2].tasks[0].block.display_name in box.testQueryHint.text()


class Drawn:
    """An AOI box on a window's map."""

    def __init__(self, window, model, qtbot):
        self.window, self.canvas, self.model = window, window.canvas, model
        self.drawing = AoiDrawing(window.canvas, window.status.showMessage)
        self.on_map = AoiOnMap(model, window.canvas)
        self.works = Works()
        self.box = AoiBox(model, window.canvas, self.drawing, self.on_map, self.read_aoi)
        qtbot.addWidget(self.box)
        self.box.show()

    def read_aoi(self, layer, selected_only, done, refused):
        read = layer_reader(layer, selected_only)
        return self.works.start(
            "read",
            lambda _cancel, _progress: read(),
            shown=False,
            succeeded=done,
            failed=lambda error: refused(error.problem),
        )

    def click(self, lon, lat, button=LEFT):
        pixel = self.canvas.getCoordinateTransform().transform(lon, lat)
        QTest.mouseClick(
            self.canvas.viewport(), button, Qt.KeyboardModifier.NoModifier, QPoint(round(pixel.x()), round(pixel.y()))
        )


@pytest.fixture
def aoi(window, model, qtbot, free_catalogue):
    drawn = Drawn(window, model, qtbot)
    model.set_catalogue(free_catalogue)
    yield drawn
    drawn.box.close_down()
    drawn.drawing.remove()
    drawn.on_map.remove()


def polygon_layer(*wkts, crs="EPSG:4326"):
    layer = QgsVectorLayer(f"Polygon?crs={crs}", "Parcels", "memory")
    features = []
    for wkt in wkts:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer


ONE = "POLYGON((13.3 52.45, 13.4 52.45, 13.4 52.5, 13.3 52.5, 13.3 52.45))"
TWO = "POLYGON((13.5 52.45, 13.55 52.45, 13.55 52.5, 13.5 52.5, 13.5 52.45))"


def test_the_map_view_as_aoi(aoi, model):
    aoi.box.mapViewButton.click()
    west, south, east, north = model.request.aoi.geometry.bounds
    seen = aoi.canvas.extent()
    assert (west, south, east, north) == pytest.approx(
        (seen.xMinimum(), seen.yMinimum(), seen.xMaximum(), seen.yMaximum())
    )
    assert "km²" in aoi.box.aoiSizeLabel.text()


def test_a_layer_as_aoi_and_its_selection(aoi, model, qtbot):
    assert not aoi.box.fromLayerButton.isEnabled()
    layer = polygon_layer(ONE, TWO)
    assert aoi.box.fromLayerButton.isEnabled()
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: [problem.code for problem in model.problems] == ["aoi_several"])
    assert aoi.box.problem.isVisible()
    layer.selectByIds([1])
    aoi.box.selectedOnlyCheck.click()
    qtbot.waitUntil(lambda: model.ready)
    assert model.request.aoi.name == "Parcels"
    assert model.request.aoi.geometry.equals(Polygon([(13.3, 52.45), (13.4, 52.45), (13.4, 52.5), (13.3, 52.5)]))
    layer.selectByIds([2])
    qtbot.waitUntil(lambda: model.request.aoi.geometry.bounds[0] == pytest.approx(13.5))
    layer.removeSelection()
    qtbot.waitUntil(lambda: not model.ready)
    assert model.request.aoi is None
    QgsProject.instance().removeMapLayer(layer)
    assert not aoi.box.fromLayerButton.isChecked()
    assert not aoi.box.fromLayerButton.isEnabled()


def test_a_self_crossing_polygon_is_said_where_it_was_drawn(aoi, model, qtbot):
    aoi.box.drawPolygonButton.click()
    for lon, lat in ((13.3, 52.45), (13.4, 52.5), (13.4, 52.45), (13.3, 52.5)):
        aoi.click(lon, lat)
    aoi.click(13.35, 52.47, RIGHT)
    assert [problem.code for problem in model.problems] == ["aoi_invalid"]
    assert aoi.box.problem.isVisible()
    assert "cross" in aoi.box.problem.problemText.text()
    aoi.box.clearAoiButton.click()
    assert [problem.code for problem in model.problems] == ["aoi_missing"]
    assert aoi.box.problem.isHidden()


def test_too_small_an_aoi_is_said(aoi, model):
    model.set_aoi(Aoi(SQUARE.geometry.centroid.buffer(0.0005, 2), "tiny"))
    assert [problem.code for problem in model.problems] == ["aoi_small"]
    assert "0.1" in aoi.box.problem.problemText.text()


def test_a_rectangle_by_two_clicks_and_the_tool_before_comes_back(aoi, model):
    from qgis.gui import QgsMapToolPan

    pan = QgsMapToolPan(aoi.canvas)
    aoi.canvas.setMapTool(pan)
    aoi.box.drawRectangleButton.click()
    assert aoi.box.drawRectangleButton.isChecked()
    aoi.click(13.3, 52.45)
    aoi.click(13.4, 52.5)
    assert model.request.aoi.geometry.bounds == pytest.approx((13.3, 52.45, 13.4, 52.5), abs=0.002)
    assert aoi.canvas.mapTool() is pan
    assert not aoi.box.drawRectangleButton.isChecked()


def test_another_tool_chosen_while_drawing_ends_it(aoi, model):
    from qgis.gui import QgsMapToolPan

    pan = QgsMapToolPan(aoi.canvas)
    aoi.box.drawPolygonButton.click()
    aoi.click(13.3, 52.45)
    aoi.canvas.setMapTool(pan)
    assert not aoi.box.drawPolygonButton.isChecked()
    assert aoi.canvas.mapTool() is pan
    assert model.request.aoi is None
    aoi.box.drawPolygonButton.click()
    for lon, lat in ((13.3, 52.45), (13.4, 52.45), (13.35, 52.5)):
        aoi.click(lon, lat)
    QTest.keyClick(aoi.canvas, Qt.Key.Key_Return)
    assert len(model.request.aoi.geometry.exterior.coords) == 4  # the corner before was forgotten


def test_what_is_sent_is_said_where_it_is_more_than_what_was_drawn(aoi, model):
    model.set_aoi(Aoi(Polygon([(13.3, 52.45), (13.4, 52.45), (13.3, 52.5)]), "Corner"))
    drawn = aoi.box.aoiSizeLabel.text()
    aoi.box.filter.bboxRadio.click()
    assert model.request.geometric_filter is GeometricFilter.BBOX
    both = aoi.box.aoiSizeLabel.text()
    assert both.startswith(drawn)
    assert both != drawn
