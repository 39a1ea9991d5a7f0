"""The AOI box: every source, repairs that are seen before they are taken, following a layer, what was used last."""

from __future__ import annotations

import json

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsMimeDataUtils,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsSnappingConfig,
    QgsTolerance,
    QgsVectorLayer,
)
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication
from shapely.geometry import Polygon, box

from up42_jobs.plugin.desktop.aoi_box import AoiBox
from up42_jobs.plugin.desktop.aoi_drawing import AoiDrawing
from up42_jobs.plugin.desktop.aoi_on_map import AoiOnMap
from up42_jobs.plugin.desktop.request_model import RequestModel
from up42_jobs.plugin.host.aoi_reader import AoiReader
from up42_jobs.plugin.host.aoi_recent import MOST, RecentAois
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs.aoi import Aoi, GeometricFilter
from up42_jobs.plugin.jobs.aoi_repairs import RepairKind

from .conftest import SQUARE

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
ONE = "POLYGON((13.3 52.45, 13.4 52.45, 13.4 52.5, 13.3 52.5, 13.3 52.45))"
TWO = "POLYGON((13.5 52.45, 13.55 52.45, 13.55 52.5, 13.5 52.5, 13.5 52.45))"
HOLED = (
    "POLYGON((13.3 52.45, 13.4 52.45, 13.4 52.5, 13.3 52.5, 13.3 52.45),"
    "(13.32 52.46, 13.35 52.46, 13.35 52.48, 13.32 52.48, 13.32 52.46))"
)


@pytest.fixture
def model(qgis_app) -> RequestModel:
    return RequestModel()


class Drawn:
    """An AOI box on a window's map."""

    def __init__(self, window, model, qtbot, recent=None):
        self.window, self.canvas, self.model = window, window.canvas, model
        self.works = Works()
        self.drawing = AoiDrawing(window.canvas, window.status.showMessage)
        self.on_map = AoiOnMap(model, window.canvas)
        self.box = AoiBox(model, window.canvas, self.drawing, self.on_map, AoiReader(self.works), recent)
        qtbot.addWidget(self.box)
        self.box.show()

    def end(self):
        self.box.close_down()
        self.drawing.remove()
        self.on_map.remove()
        self.works.stop()

    def pixel(self, lon, lat):
        pixel = self.canvas.getCoordinateTransform().transform(lon, lat)
        return QPoint(round(pixel.x()), round(pixel.y()))

    def click(self, lon, lat, button=LEFT):
        QTest.mouseClick(self.canvas.viewport(), button, Qt.KeyboardModifier.NoModifier, self.pixel(lon, lat))

    def drag(self, start, end):
        viewport, none = self.canvas.viewport(), Qt.KeyboardModifier.NoModifier
        QTest.mousePress(viewport, LEFT, none, self.pixel(*start))
        QTest.mouseMove(viewport, self.pixel((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
        QTest.mouseMove(viewport, self.pixel(*end))
        QTest.mouseRelease(viewport, LEFT, none, self.pixel(*end))

    def drop(self, mime):
        action, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(QPoint(5, 5), action, mime, LEFT, none)
        self.box.dragEnterEvent(enter)
        if enter.isAccepted():
            self.box.dropEvent(QDropEvent(QPointF(5, 5), action, mime, LEFT, none))
        return enter.isAccepted()

    @property
    def codes(self):
        return [problem.code for problem in self.model.problems if problem.where == "aoi"]

    def repair(self, kind):
        """The button of that repair."""
        return next(button for button, repair in self.box.repairs._repairs.items() if repair.kind is kind)


@pytest.fixture
def aoi(window, model, qtbot, free_catalogue):
    drawn = Drawn(window, model, qtbot)
    model.set_catalogue(free_catalogue)
    yield drawn
    drawn.end()


def polygon_layer(*wkts, crs="EPSG:4326", names=()):
    layer = QgsVectorLayer(f"Polygon?crs={crs}&field=name:string&field=n:integer", "Parcels", "memory")
    features = []
    for number, wkt in enumerate(wkts):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([names[number] if names else None, number])
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer


def text_mime(text):
    mime = QMimeData()
    mime.setText(text)
    return mime


def test_the_map_view_as_aoi(aoi, model):
    aoi.box.mapViewButton.click()
    west, south, east, north = model.request.aoi.geometry.bounds
    seen = aoi.canvas.extent()
    assert (west, south, east, north) == pytest.approx(
        (seen.xMinimum(), seen.yMinimum(), seen.xMaximum(), seen.yMaximum())
    )
    assert "km²" in aoi.box.aoiSizeLabel.text()


def test_a_layer_as_aoi_and_its_selection_followed(aoi, model, qtbot):
    assert not aoi.box.fromLayerButton.isEnabled()
    layer = polygon_layer(ONE, TWO)
    assert aoi.box.fromLayerButton.isEnabled()
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: aoi.codes == ["aoi_several"])
    assert aoi.box.problem.isVisible()
    layer.selectByIds([1])
    row = aoi.box.layer_row
    row.selectedOnlyCheck.click()
    row.followCheck.click()
    qtbot.waitUntil(lambda: model.ready)
    assert model.request.aoi.name == "Parcels"
    assert model.request.aoi.geometry.equals(Polygon([(13.3, 52.45), (13.4, 52.45), (13.4, 52.5), (13.3, 52.5)]))
    layer.selectByIds([2])
    qtbot.waitUntil(lambda: model.request.aoi.geometry.bounds[0] == pytest.approx(13.5))
    layer.removeSelection()
    qtbot.waitUntil(lambda: aoi.codes == ["aoi_nothing_selected"])
    assert model.request.aoi is None
    QgsProject.instance().removeMapLayer(layer)
    assert not aoi.box.fromLayerButton.isChecked()
    assert not aoi.box.fromLayerButton.isEnabled()


def test_a_layer_is_a_snapshot_and_says_when_it_has_changed(aoi, model, qtbot):
    layer = polygon_layer(ONE)
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: model.ready)
    taken = model.request.aoi
    row = aoi.box.layer_row
    assert row.layerChangedLabel.isHidden()
    layer.startEditing()
    layer.changeGeometry(1, QgsGeometry.fromWkt(TWO))
    assert row.layerChangedLabel.isVisible()
    assert model.request.aoi is taken
    row.readAgainButton.click()
    qtbot.waitUntil(lambda: model.request.aoi.geometry.bounds[0] == pytest.approx(13.5))
    assert row.layerChangedLabel.isHidden()
    row.followCheck.click()
    layer.changeGeometry(1, QgsGeometry.fromWkt(ONE))
    qtbot.waitUntil(lambda: model.request.aoi.geometry.bounds[0] == pytest.approx(13.3))
    layer.rollBack()


def test_the_field_that_names_the_aoi(aoi, model, qtbot):
    layer = polygon_layer(ONE, TWO, names=("Field A", "Field B"))
    layer.selectByIds([2])
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: model.ready)
    assert model.request.aoi.name == "Field B"  # a field "name" is taken for it
    assert aoi.box.aoiNameEdit.text() == "Field B"
    combo = aoi.box.layer_row.nameFieldCombo
    combo.setField("n")
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: model.request.aoi.name == "1")
    combo.setField("")
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: model.request.aoi.name == "Parcels")


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:25833", "EPSG:2180"])
def test_a_layer_in_any_crs(aoi, model, qtbot, crs):
    from qgis.core import QgsCoordinateTransform

    geometry = QgsGeometry.fromWkt(ONE)
    geometry.transform(
        QgsCoordinateTransform(
            QgsCoordinateReferenceSystem("EPSG:4326"), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
        )
    )
    polygon_layer(geometry.asWkt(), crs=crs)
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: model.ready)
    assert model.request.aoi.geometry.bounds == pytest.approx((13.3, 52.45, 13.4, 52.5), abs=2e-6)
    assert len(model.request.aoi.geometry.exterior.coords) == 5  # nothing is bent that much on 8 km


def test_a_self_crossing_polygon_is_said_and_made_valid(aoi, model, qtbot):
    aoi.box.drawPolygonButton.click()
    for lon, lat in ((13.3, 52.45), (13.4, 52.5), (13.4, 52.45), (13.3, 52.5)):
        aoi.click(lon, lat)
    aoi.click(13.35, 52.47, RIGHT)
    assert aoi.codes == ["aoi_invalid"]
    assert aoi.box.problem.isVisible()
    assert "cross" in aoi.box.problem.problemText.text()
    qtbot.waitUntil(lambda: aoi.box.repairs.isVisible())
    aoi.repair(RepairKind.HULL).click()
    assert aoi.codes == []
    assert aoi.box.repairs.isHidden()
    aoi.box.clearAoiButton.click()
    assert aoi.codes == ["aoi_missing"]
    assert aoi.box.problem.isHidden()


def test_a_repair_is_shown_on_the_map_before_it_is_taken(aoi, model, qtbot):
    aoi.drop(text_mime(HOLED))
    qtbot.waitUntil(lambda: aoi.box.repairs.isVisible())
    assert aoi.codes == ["aoi_hole"]
    before = model.request.aoi
    button = aoi.repair(RepairKind.FILL_HOLES)
    assert "+4." in button.text()  # km²: 0.03° by 0.02° at 52.5° N
    offered = aoi.on_map._offered._band
    assert offered.numberOfVertices() == 0
    QApplication.sendEvent(button, QEvent(QEvent.Type.Enter))
    assert offered.asGeometry().area() == pytest.approx(0.005)
    assert model.request.aoi is before
    QApplication.sendEvent(button, QEvent(QEvent.Type.Leave))
    assert offered.numberOfVertices() == 0
    button.click()
    assert model.ready
    assert model.request.aoi.geometry.area == pytest.approx(0.005)


def test_too_small_an_aoi_is_grown_to_the_platforms_minimum(aoi, model, qtbot):
    model.set_aoi(Aoi(SQUARE.geometry.centroid.buffer(0.0005, 2), "tiny"))
    assert aoi.codes == ["aoi_small"]
    assert "0.1" in aoi.box.problem.problemText.text()
    qtbot.waitUntil(lambda: aoi.box.repairs.isVisible())
    aoi.repair(RepairKind.GROW).click()
    assert model.ready
    assert 0.1 <= model.request.aoi.area_km2 < 0.101


def test_several_polygons_as_one_or_one_job_each(aoi, model, qtbot):
    layer = polygon_layer(ONE, TWO, names=("Field A", "Field B"))
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: aoi.box.repairs.isVisible())
    kinds = [repair.kind for repair in aoi.box.repairs.repairs]
    assert kinds == [RepairKind.HULL, RepairKind.BOX, RepairKind.LARGEST]  # nobody makes many jobs here
    asked = []
    aoi.box.many_aois.connect(asked.append)
    aoi.box.layer_row.readAgainButton.click()
    qtbot.waitUntil(lambda: any(r.kind is RepairKind.EACH_POLYGON for r in aoi.box.repairs.repairs))
    aoi.repair(RepairKind.EACH_POLYGON).click()
    assert [each.name for each in asked[0]] == ["Field A", "Field B"]
    assert [each.geometry.bounds[0] for each in asked[0]] == [13.3, 13.5]
    aoi.repair(RepairKind.LARGEST).click()
    assert model.ready
    assert model.request.aoi.geometry.bounds[0] == 13.3
    assert layer.isValid()


def test_a_rectangle_by_two_clicks_and_the_tool_before_comes_back(aoi, model):
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


def test_what_is_drawn_and_what_is_sent_is_always_said(aoi, model):
    model.set_aoi(Aoi(Polygon([(13.3, 52.45), (13.4, 52.45), (13.3, 52.5)]), "Corner"))
    assert "drawn and sent" in aoi.box.aoiSizeLabel.text()
    aoi.box.filter.bboxRadio.click()
    assert model.request.geometric_filter is GeometricFilter.BBOX
    drawn, sent = aoi.box.aoiSizeLabel.text().splitlines()
    assert "18.9 km²" in drawn
    assert "37.8 km²" in sent
    assert not aoi.on_map._sent._band.asGeometry().isEmpty()


class Edited:
    """The corners as they are now."""

    def __init__(self, model):
        self._model = model

    @property
    def corners(self):
        return list(self._model.request.aoi.geometry.exterior.coords)[:-1]


def test_corners_are_dragged_added_and_removed(aoi, model):
    model.set_aoi(Aoi.from_geojson(json.loads(QgsGeometry.fromWkt(ONE).asJson()), "Mine"))
    edited = Edited(model)
    aoi.box.editAoiButton.click()
    assert aoi.drawing.editing
    aoi.drag((13.4, 52.5), (13.45, 52.52))
    assert len(edited.corners) == 4
    assert min(abs(x - 13.45) + abs(y - 52.52) for x, y in edited.corners) < 0.002
    assert (13.3, 52.45) in edited.corners  # the others stayed where they were, to the last digit
    aoi.drag((13.35, 52.45), (13.35, 52.42))
    assert len(edited.corners) == 5
    aoi.click(13.35, 52.42, RIGHT)
    assert len(edited.corners) == 4
    QTest.keyClick(aoi.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(edited.corners) == 5
    QTest.keyClick(aoi.canvas, Qt.Key.Key_Return)
    assert not aoi.drawing.editing
    assert not aoi.box.editAoiButton.isChecked()
    assert len(edited.corners) == 5
    assert model.request.aoi.name == "Mine"


def test_escape_gives_back_what_was_before_the_editing(aoi, model):
    model.set_aoi(SQUARE)
    aoi.box.editAoiButton.click()
    _west, _south, east, north = SQUARE.geometry.bounds
    aoi.click(east, north)  # a mere click moves nothing
    assert model.request.aoi.geometry.equals(SQUARE.geometry)
    aoi.drag((east, north), (east + 0.01, north + 0.005))
    assert not model.request.aoi.geometry.equals(SQUARE.geometry)
    QTest.keyClick(aoi.canvas, Qt.Key.Key_Escape)
    assert model.request.aoi.geometry.equals(SQUARE.geometry)
    assert not aoi.drawing.editing


def test_a_triangle_keeps_its_corners_and_another_aoi_ends_the_editing(aoi, model):
    model.set_aoi(Aoi(Polygon([(13.3, 52.45), (13.4, 52.45), (13.3, 52.5)]), "Corner"))
    aoi.box.editAoiButton.click()
    aoi.click(13.4, 52.45, RIGHT)
    assert len(Edited(model).corners) == 3
    assert aoi.drawing.editing
    model.set_aoi(SQUARE)
    assert not aoi.drawing.editing


def test_editing_in_a_projected_map_leaves_the_other_corners(aoi, model, qtbot):
    aoi.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    aoi.canvas.setExtent(QgsRectangle(1470000, 6870000, 1500000, 6900000))
    big = box(13.3, 52.40, 13.4, 52.45)
    model.set_aoi(Aoi(big, "Big"))
    aoi.box.editAoiButton.click()
    band = aoi.drawing.edit_tool._handles
    assert band.numberOfVertices() >= 4
    aoi.drawing.edit_tool._geometry.moveVertex(1_490_000, 6_890_000, 2)
    aoi.drawing.edit_tool._changed(QgsGeometry())
    assert len(Edited(model).corners) == 4
    assert len({*Edited(model).corners} & {*big.exterior.coords}) == 3


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        (ONE, (13.3, 52.45, 13.4, 52.5)),
        ("SRID=3857;POLYGON((1480000 6880000,1490000 6880000,1490000 6890000,1480000 6880000))", None),
        ("13.3, 52.45, 13.4, 52.5", (13.3, 52.45, 13.4, 52.5)),
        ('{"type":"Polygon","coordinates":[[[13.3,52.45],[13.4,52.45],[13.4,52.5],[13.3,52.45]]]}', None),
    ],
)
def test_pasted_texts(aoi, model, qtbot, text, bounds):
    QApplication.clipboard().setText(text)
    aoi.box.taking.paste()
    qtbot.waitUntil(lambda: model.ready)
    if bounds:
        assert model.request.aoi.geometry.bounds == pytest.approx(bounds)


def test_pasted_nonsense_is_said_in_words(aoi, model, qtbot):
    QApplication.clipboard().setText("the field behind the barn")
    aoi.box.taking.paste()
    qtbot.waitUntil(lambda: aoi.codes == ["aoi_unreadable_text"])
    assert "GeoJSON" in aoi.box.problem.problemText.text()


def test_a_file_is_dropped(aoi, model, qtbot, tmp_path):
    path = tmp_path / "The Farm.geojson"
    path.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {"name": "Meadow"},
                        "geometry": json.loads(QgsGeometry.fromWkt(ONE).asJson()),
                    },
                    {
                        "type": "Feature",
                        "properties": {"name": "Gate"},
                        "geometry": {"type": "Point", "coordinates": [13, 52]},
                    },
                ],
            }
        )
    )
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    assert aoi.drop(mime)
    qtbot.waitUntil(lambda: model.ready)
    assert model.request.aoi.name == "Meadow"
    assert "1" in aoi.box.aoiHintLabel.text()  # the gate was left out
    assert aoi.box.aoiHintRow.isVisible()


def test_a_project_layer_is_dropped(aoi, model, qtbot):
    polygon_layer(TWO)
    layer = polygon_layer(ONE)
    mime = QgsMimeDataUtils.encodeUriList([_uri_of(layer)])
    assert aoi.drop(mime)
    qtbot.waitUntil(lambda: model.ready)
    assert aoi.box.fromLayerButton.isChecked()
    assert aoi.box.layer_row.layer is layer
    assert model.request.aoi.geometry.bounds[0] == pytest.approx(13.3)


def _uri_of(layer):
    uri = QgsMimeDataUtils.Uri()
    uri.layerType, uri.providerKey, uri.name = "vector", layer.providerType(), layer.name()
    uri.uri, uri.layerId = layer.source(), layer.id()
    return uri


def test_what_can_be_no_aoi_is_not_taken(aoi):
    assert not aoi.drop(text_mime("hello"))
    assert not aoi.drop(QMimeData())


def test_a_second_source_wins_over_the_first(aoi, model, qtbot):
    polygon_layer(ONE)
    aoi.box.fromLayerButton.click()
    aoi.box.mapViewButton.click()  # before the layer is read
    taken = model.request.aoi
    qtbot.wait(300)
    assert model.request.aoi is taken
    assert not aoi.box.fromLayerButton.isChecked()


def test_save_as_layer_and_clear(aoi, model):
    model.set_aoi(SQUARE)
    aoi.box.saveAoiButton.click()
    (layer,) = QgsProject.instance().mapLayersByName("Square")
    (feature,) = layer.getFeatures()
    assert feature["area_km2"] == pytest.approx(SQUARE.area_km2)
    assert feature.geometry().boundingBox().xMinimum() == pytest.approx(13.30)
    assert layer.crs().authid() == "EPSG:4326"
    aoi.box.clearAoiButton.click()
    assert model.request.aoi is None
    assert not aoi.box.aoiNameRow.isVisible()


@pytest.fixture
def recent(qgis_app):
    QgsSettings().remove("up42_jobs")
    yield RecentAois(Settings())
    QgsSettings().remove("up42_jobs")


def test_the_aoi_is_there_again_after_a_restart(window, qtbot, free_catalogue, recent):
    first = Drawn(window, RequestModel(), qtbot, recent)
    first.model.set_catalogue(free_catalogue)
    first.box.mapViewButton.click()
    first.box.aoiNameEdit.setFocus()
    QTest.keyClicks(first.box.aoiNameEdit, " 2")
    first.end()
    second = Drawn(window, RequestModel(), qtbot, recent)
    second.model.set_catalogue(free_catalogue)
    assert second.model.request.aoi.geometry.equals(first.model.request.aoi.geometry)
    assert second.model.request.aoi.name == first.model.request.aoi.name
    assert not second.on_map._drawn._band.asGeometry().isEmpty()
    second.box.clearAoiButton.click()
    second.end()
    third = Drawn(window, RequestModel(), qtbot, recent)
    third.model.set_catalogue(free_catalogue)
    assert third.model.request.aoi is None
    third.box.more.aboutToShow.emit()
    menu = third.box.more._recent_menu
    assert len(menu.actions()) == 3  # one AOI, a line, Clear List
    menu.actions()[0].trigger()
    assert third.model.request.aoi.geometry.equals(first.model.request.aoi.geometry)
    third.end()


def test_recent_aois_are_few_and_small_and_survive_nonsense(recent):
    for n in range(MOST + 5):
        recent.add(Aoi(box(n, 0, n + 1, 1), f"AOI {n}"))
    recent.add(Aoi(box(7, 0, 8, 1), "again"))
    assert [aoi.name for aoi in recent.all()][:2] == ["again", f"AOI {MOST + 4}"]
    assert len(recent.all()) == MOST
    recent.add(Aoi(SQUARE.geometry.buffer(1, 5000), "round"))
    assert recent.all()[0].name == "again"
    for broken in ("{", "[1, {}]", '[{"geometry": 3, "name": "x"}]', '"x"'):
        Settings().recent_aois = Settings().last_aoi = broken
        assert recent.all() == []
        assert recent.last is None


def test_a_map_over_the_date_line(aoi, model, qtbot):
    aoi.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3832"))  # the Pacific in the middle
    aoi.canvas.setExtent(QgsRectangle(3_000_000, -2_000_000, 4_000_000, -1_800_000))
    aoi.box.mapViewButton.click()
    assert aoi.codes == ["aoi_date_line"]
    qtbot.waitUntil(lambda: aoi.box.repairs.isVisible())
    aoi.repair(RepairKind.EAST_SIDE).click()
    west, _south, east, _north = model.request.aoi.geometry.bounds
    assert west == -180
    assert east < 0


def test_tab_goes_through_the_box_as_the_eye_does(aoi, model, qtbot):
    polygon_layer(HOLED)
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: aoi.box.repairs.isVisible())
    expected = [
        "drawPolygonButton", "drawRectangleButton", "mapViewButton", "fromLayerButton", "moreSourcesButton",
        "layerCombo", "readAgainButton", "nameFieldCombo", "selectedOnlyCheck", "followCheck",
        "aoiNameEdit", "zoomToAoiButton", "editAoiButton", "saveAoiButton", "clearAoiButton",
        "repair_fill_holes", "intersectsRadio",
    ]  # fmt: skip
    aoi.box.drawPolygonButton.setFocus()
    met = [aoi.box.focusWidget().objectName()]
    while met[-1] != expected[-1] and len(met) < 40:
        aoi.box.focusNextChild()
        met.append(aoi.box.focusWidget().objectName())
    assert met == expected


def test_corners_snap_to_layers_as_qgis_is_told(aoi, model, qtbot):
    layer = polygon_layer(ONE)
    aoi.canvas.setLayers([layer])
    utils = aoi.canvas.snappingUtils()
    config = QgsSnappingConfig(QgsProject.instance())
    config.setEnabled(True)
    config.setMode(QgsSnappingConfig.SnappingMode.AllLayers)
    config.setType(QgsSnappingConfig.SnappingType.Vertex)
    config.setTolerance(20)
    config.setUnits(QgsTolerance.UnitType.Pixels)
    utils.setMapSettings(aoi.canvas.mapSettings())
    utils.setConfig(config)
    qtbot.waitUntil(lambda: utils.snapToMap(QgsPointXY(13.3, 52.45)).isValid())
    aoi.box.drawPolygonButton.click()
    for lon, lat in ((13.303, 52.452), (13.35, 52.42), (13.398, 52.452)):
        aoi.click(lon, lat)
    aoi.click(13.35, 52.44, RIGHT)
    corners = Edited(model).corners
    assert (13.3, 52.45) in corners
    assert (13.4, 52.45) in corners


@pytest.mark.parametrize(("crs", "half"), [("EPSG:4326", 400), ("EPSG:3857", 5e7)])
def test_a_map_larger_than_the_world_gives_the_world(aoi, model, crs, half):
    aoi.canvas.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    aoi.canvas.setExtent(QgsRectangle(-half, -half, half, half))
    aoi.box.mapViewButton.click()
    west, south, east, north = model.request.aoi.geometry.bounds
    assert (west, east) == pytest.approx((-180, 180))
    assert south < -85
    assert north > 85
    assert aoi.codes == ["aoi_large"]


def test_a_typed_name_stays_while_its_layer_is_followed(aoi, model, qtbot):
    layer = polygon_layer(ONE, names=("Field A",))
    aoi.box.fromLayerButton.click()
    qtbot.waitUntil(lambda: model.ready)
    aoi.box.aoiNameEdit.setFocus()
    aoi.box.aoiNameEdit.selectAll()
    QTest.keyClicks(aoi.box.aoiNameEdit, "Mine")
    aoi.box.layer_row.followCheck.click()
    layer.startEditing()
    layer.changeGeometry(1, QgsGeometry.fromWkt(TWO))
    qtbot.waitUntil(lambda: model.request.aoi.geometry.bounds[0] == pytest.approx(13.5))
    assert model.request.aoi.name == "Mine"
    layer.rollBack()


def test_the_file_dialog_gives_a_file(aoi, model, qtbot, tmp_path):
    path = tmp_path / "field.wkt.csv"
    path.write_text(f'WKT,name\n"{ONE}",Field A\n')
    aoi.box.more._choose_file()
    dialog = aoi.box.more._dialog
    assert dialog.isVisible()
    assert len(dialog.nameFilters()) > 10
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: model.request.aoi is not None or aoi.codes != ["aoi_missing"])
    assert aoi.codes in ([], ["aoi_no_crs"])  # a CSV has no CRS; which one it gets is a setting of QGIS
