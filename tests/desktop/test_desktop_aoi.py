"""AOIs in the real QGIS with mouse and keyboard: drawn, edited, repaired, pasted, dropped, of layers in four CRSs."""

from __future__ import annotations

import json

import pytest
from qgis_desktop import Desktop

MODEL = "plugin._content.model"
AOI = f"{MODEL}.request.aoi"
BOUNDS = f"list({AOI}.geometry.bounds)"
CODES = f"[p.code for p in {MODEL}.problems if p.where == 'aoi']"
FIELD = ((-54.60, -25.44), (-54.55, -25.44), (-54.55, -25.40), (-54.60, -25.40))


@pytest.fixture
def form(desktop: Desktop) -> Desktop:
    """The dock open, the map at the Itaipu dam."""
    desktop.do(
        "from qgis.PyQt.QtWidgets import QApplication, QToolButton\n"
        "button = next(b for b in iface.mainWindow().findChildren(QToolButton)"
        " if b.isVisible() and b.defaultAction() is plugin._action)\n"
        "button.setObjectName('testPluginButton')\n"
    )
    desktop.click("testPluginButton")
    desktop.wait("find('runButton') is not None and plugin._content.form.isEnabled()")
    desktop.do("iface.mapCanvas().setExtent(QgsRectangle(-54.66, -25.48, -54.50, -25.34))\niface.mapCanvas().refresh()")
    desktop.wait_for_map()
    return desktop


def polygon(corners) -> dict:
    return {"type": "Polygon", "coordinates": [[list(c) for c in (*corners, corners[0])]]}


def paste(desktop: Desktop, text: str) -> None:
    """Ctrl+V with the keyboard on a button of the AOI box."""
    desktop.do(f"QApplication.clipboard().setText({text!r})\nfind('moreSourcesButton').setFocus()")
    desktop.key("ctrl+v")


def drag(desktop: Desktop, start, end) -> None:
    first, second = desktop.get(f"map_point{tuple(start)}"), desktop.get(f"map_point{tuple(end)}")
    halfway = [(a + b) // 2 for a, b in zip(first, second)]
    desktop.xdotool(
        "mousemove", *first, "sleep", 0.1, "mousedown", 1, "sleep", 0.1, "mousemove", *halfway, "sleep", 0.1,
        "mousemove", *second, "sleep", 0.1, "mouseup", 1,
    )  # fmt: skip


def near(value, wanted, by=0.002) -> bool:
    return all(abs(a - b) < by for a, b in zip(value, wanted))


def test_draw_edit_and_switch_the_filter(form: Desktop) -> None:
    form.click("drawPolygonButton")
    for corner in FIELD:
        form.click_map(*corner)
    form.click_map(-54.58, -25.42, "click", "3")
    form.wait(f"{AOI} is not None")
    assert near(form.get(BOUNDS), (-54.60, -25.44, -54.55, -25.40))

    form.click("editAoiButton")
    form.wait("plugin._content.form.drawing.editing")
    drag(form, (-54.55, -25.40), (-54.53, -25.38))
    form.wait(f"abs({AOI}.geometry.bounds[2] + 54.53) < 0.002")
    drag(form, (-54.575, -25.44), (-54.575, -25.46))  # an edge: a corner more
    form.wait(f"len({AOI}.geometry.exterior.coords) == 6")
    form.click_map(-54.575, -25.46, "click", "3")
    form.wait(f"len({AOI}.geometry.exterior.coords) == 5")
    form.key("ctrl+z")
    form.wait(f"len({AOI}.geometry.exterior.coords) == 6")
    form.key("Return")
    form.wait("not plugin._content.form.drawing.editing and not find('editAoiButton').isChecked()")

    assert "drawn and sent" in form.get("find('aoiSizeLabel').text()")
    form.click("bboxRadio")
    form.wait("'sent as a rectangle' in find('aoiSizeLabel').text()")
    sent = form.get("[v for b in [plugin._content.form.on_map._sent._band.asGeometry().boundingBox()]"
                    " for v in (b.xMinimum(), b.yMinimum(), b.xMaximum(), b.yMaximum())]")  # fmt: skip
    assert near(sent, form.get(BOUNDS), 1e-6)
    form.click("containsRadio")
    form.wait("'drawn and sent' in find('aoiSizeLabel').text()")
    form.click("saveAoiButton")
    form.wait("len(QgsProject.instance().mapLayersByName('AOI')) == 1")
    form.click("clearAoiButton")
    form.wait(f"{AOI} is None")
    form.do("QgsProject.instance().removeAllMapLayers()")  # else QGIS asks at the end whether to keep it


def test_paste_repair_take_a_recent_one_and_drop(form: Desktop) -> None:
    holed = polygon(FIELD)
    holed["coordinates"].append([[-54.58, -25.42], [-54.57, -25.42], [-54.57, -25.41], [-54.58, -25.42]])
    paste(form, json.dumps(holed))
    form.wait("find('repair_fill_holes') is not None")
    assert form.get(CODES) == ["aoi_hole"]
    offered = "plugin._content.form.on_map._offered._band.numberOfVertices()"
    assert form.get(offered) == 0
    form.xdotool("mousemove", *form.get("centre('repair_fill_holes')"))
    form.wait(f"{offered} > 0")  # it is seen on the map before it is taken
    assert form.get(CODES) == ["aoi_hole"]
    form.click("repair_fill_holes")
    form.wait(f"{CODES} == [] and find('aoiRepairs') is None")
    assert form.get(f"len({AOI}.geometry.interiors)") == 0

    paste(form, "-54.6, -25.4, -54.5995, -25.3995")  # 50 m
    form.wait(f"{BOUNDS}[3] == -25.3995")
    paste(form, "nothing of the kind")
    form.wait(f"{CODES} == ['aoi_unreadable_text']")
    form.click("moreSourcesButton")
    form.wait("find('aoiMoreMenu') is not None")
    form.key("Escape")
    form.do("m = plugin._content.form.aoi.more\nm.aboutToShow.emit()\nm._recent_menu.actions()[0].trigger()")
    form.wait(f"{BOUNDS}[3] == -25.3995")

    # By Qt's own events: another program to drag from is not there.
    path = form.folder / "farm.geojson"
    path.write_text(json.dumps({"type": "Feature", "properties": {"name": "Meadow"}, "geometry": polygon(FIELD)}))
    form.do(
        "from qgis.PyQt.QtCore import QMimeData, QPoint, QPointF, QUrl, Qt\n"
        "from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent\n"
        "def drop(mime):\n"
        "    box = plugin._content.form.aoi\n"
        "    keep.append(mime)\n"
        "    args = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)\n"
        "    enter = QDragEnterEvent(QPoint(5, 5), *args)\n"
        "    QApplication.sendEvent(box, enter)\n"
        "    QApplication.sendEvent(box, QDropEvent(QPointF(5, 5), *args))\n"
        "keep = []\nmime = QMimeData()\n"
        f"mime.setUrls([QUrl.fromLocalFile({str(path)!r})])\ndrop(mime)"
    )
    form.wait(f"{AOI} is not None and {AOI}.name == 'Meadow'")
    form.do("mime = QMimeData()\nmime.setText('13.3, 52.45, 13.4, 52.5')\ndrop(mime)")
    form.wait(f"{BOUNDS} == [13.3, 52.45, 13.4, 52.5]")
    form.wait("iface.mapCanvas().extent().contains(QgsPointXY(13.35, 52.48))")  # the map goes where the AOI is


MAKE_LAYER = """
def make_layer(crs):
    layer = QgsVectorLayer('Polygon?crs=' + crs + '&field=name:string', 'Parcels ' + crs, 'memory')
    feature = QgsFeature(layer.fields())
    feature.setAttributes(['Field in ' + crs])
    geometry = QgsGeometry.fromWkt('{wkt}')
    world = QgsCoordinateReferenceSystem('EPSG:4326')
    geometry.transform(QgsCoordinateTransform(world, layer.crs(), QgsProject.instance()))
    feature.setGeometry(geometry)
    layer.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(layer)
    iface.setActiveLayer(layer)
    return layer
"""
CRSS = ("EPSG:4326", "EPSG:3857", "EPSG:32721", "EPSG:5641")


def test_layers_in_four_crss_and_one_of_ten_thousand_polygons(form: Desktop) -> None:
    wkt = "POLYGON((" + ", ".join(f"{x} {y}" for x, y in (*FIELD, FIELD[0])) + "))"
    form.do(MAKE_LAYER.format(wkt=wkt))
    for crs in CRSS:
        form.do(f"layer = make_layer({crs!r})")
        form.click("fromLayerButton")
        form.wait(f"{AOI} is not None and {CODES} == [] and find('aoiNameEdit').text() == 'Field in {crs}'")
        assert near(form.get(BOUNDS), (-54.60, -25.44, -54.55, -25.40), 5e-6), crs
        form.click("clearAoiButton")
        form.wait("not find('fromLayerButton').isChecked()")
    form.click("fromLayerButton")
    form.click("selectedOnlyCheck")  # nothing is selected: no AOI, never the whole layer
    form.wait(f"{CODES} == ['aoi_nothing_selected'] and {AOI} is None")
    form.click("followCheck")
    form.do("layer.selectAll()")
    form.wait(f"{AOI} is not None")
    form.click("clearAoiButton")

    form.do(
        "layer = QgsVectorLayer('Polygon?crs=EPSG:32721&field=name:string', 'Many', 'memory')\n"
        "features = []\n"
        "def fill(first):\n"
        "    for n in range(first, first + 250):\n"
        "        f = QgsFeature(layer.fields())\n"
        "        x, y = 740000 + n % 100 * 200, 7180000 + n // 100 * 200\n"
        "        f.setGeometry(QgsGeometry.fromRect(QgsRectangle(x, y, x + 150, y + 150)))\n"
        "        features.append(f)\n"
        "    layer.dataProvider().addFeatures(features)\n"
        "    features.clear()\n"
    )
    for first in range(0, 10_000, 250):  # in small steps: no pause may be the test's own
        form.do(f"fill({first})")
    form.do("layer.updateExtents()\nQgsProject.instance().addMapLayer(layer, False)")
    form.do("plugin._content.form.aoi._dropped_layer = layer\nimport time\nbegin = time.monotonic()")
    form.click("fromLayerButton")
    form.wait(f"'aoi_several' in {CODES} and not plugin._content.form.aoi.taking.sources.reading")
    took = form.get("time.monotonic() - begin")
    form.wait("find('repair_hull') is not None")
    print(f"10,000 polygons in the desktop: there after {took:.1f} s")
    form.click("repair_hull")
    form.wait(f"{CODES} == []")
    form.do("plugin._content.form.aoi._dropped_layer = None\nQgsProject.instance().removeAllMapLayers()")


def test_the_aoi_is_on_the_map_again_after_a_restart_of_the_dock(form: Desktop) -> None:
    form.click("mapViewButton")
    form.wait(f"{AOI} is not None")
    outline = "plugin._content.form.on_map._drawn._band.numberOfVertices()"
    form.do("plugin._dock.close()")
    form.wait(f"{outline} == 0")
    form.click("testPluginButton")
    form.wait(f"{outline} > 0")
    before = form.get(BOUNDS)
    form.do("import qgis.utils\nqgis.utils.reloadPlugin('up42_jobs')\nplugin = plugins['up42_jobs']")
    form.do("plugin._dock.show()")
    form.wait("plugin._content is not None and plugin._content.model.request is not None")
    form.wait(f"{AOI} is not None and {outline} > 0")
    assert form.get(BOUNDS) == before
