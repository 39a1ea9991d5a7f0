"""The whole journey in the real QGIS, with mouse and keyboard: open the dock, draw an AOI, run, layers on the map."""

from __future__ import annotations

from pathlib import Path

from qgis_desktop import DOUBLE_CLICK, Desktop

RECORD = "plugin._content.jobs.chosen"
LOADED = f"{RECORD} is not None and {RECORD}.delivery.state.value == 'loaded'"
CORNERS = [(-54.62, -25.44), (-54.55, -25.45), (-54.54, -25.38), (-54.60, -25.37)]


def open_dock(desktop: Desktop) -> None:
    """Press the plugin's button, and wait until a job could be made."""
    desktop.do(
        "from qgis.PyQt.QtWidgets import QToolButton\n"
        "button = next(b for b in iface.mainWindow().findChildren(QToolButton)"
        " if b.isVisible() and b.defaultAction() is plugin._action)\n"
        "button.setObjectName('testPluginButton')\n"
    )
    desktop.click("testPluginButton")
    desktop.wait("find('runButton') is not None and plugin._content.form.isEnabled()")


def look_at(desktop: Desktop, west: float, south: float, east: float, north: float) -> None:
    """Move the map there."""
    desktop.do(
        f"iface.mapCanvas().setExtent(QgsRectangle({west}, {south}, {east}, {north}))\niface.mapCanvas().refresh()"
    )
    desktop.wait_for_map()


def tab_to(desktop: Desktop, name: str) -> None:
    """Press Tab until that widget has the keyboard."""
    met = []
    while not met or met[-1] != name:
        assert len(met) < 60, f"Tab does not lead to {name}, but to {met}"
        desktop.key("Tab")
        met.append(desktop.get("(iface.mainWindow().focusWidget() or iface.mainWindow()).objectName()"))


def test_draw_a_polygon_run_and_have_layers(desktop: Desktop) -> None:
    open_dock(desktop)
    assert desktop.get("not find('runButton').isEnabled()")
    look_at(desktop, -54.66, -25.48, -54.50, -25.34)
    desktop.do("tool_before = iface.mapCanvas().mapTool()")

    desktop.click("drawPolygonButton")
    desktop.wait("iface.mapCanvas().mapTool() is not tool_before")
    for corner in CORNERS:
        desktop.click_map(*corner)
    desktop.key("BackSpace")  # the last corner, taken back and drawn again: it ends with a right-click
    desktop.click_map(*CORNERS[-1])
    desktop.click_map(-54.58, -25.41, "click", "3")
    desktop.wait("plugin._content.model.request.aoi is not None")

    drawn = desktop.get("list(plugin._content.model.request.aoi.geometry.exterior.coords)")
    assert len(drawn) == len(CORNERS) + 1
    for (x, y), (lon, lat) in zip(drawn, CORNERS):
        assert abs(x - lon) < 0.001 and abs(y - lat) < 0.001
    assert desktop.get("iface.mapCanvas().mapTool() is tool_before")

    desktop.click("runButton")
    desktop.wait(LOADED)
    layers = desktop.get("[node.name() for node in QgsProject.instance().layerTreeRoot().findLayers()]")
    assert any("Demo" in name for name in layers if name != "World"), layers
    folder = Path(desktop.get(f"str({RECORD}.delivery.folder)"))
    assert (folder / "job.json").exists()
    rasters = desktop.get(
        "[l.source() for l in QgsProject.instance().mapLayers().values() if isinstance(l, QgsRasterLayer)]"
    )
    assert rasters and all(Path(source).exists() for source in rasters)


def test_by_keyboard_alone_from_the_example_to_layers(desktop: Desktop) -> None:
    """Nothing is typed and nothing pointed at after the dock is open: Tab, Enter and Space do it all."""
    open_dock(desktop)
    desktop.click("connectionCombo")
    desktop.key("Escape")
    tab_to(desktop, "exampleButton")
    desktop.key("space")
    desktop.wait("find('runButton').isEnabled()")
    tab_to(desktop, "runButton")
    desktop.key("space")
    desktop.wait(LOADED)


def test_rectangle_by_dragging_and_polygon_given_up(desktop: Desktop) -> None:
    open_dock(desktop)
    look_at(desktop, 13.2, 52.4, 13.6, 52.6)
    desktop.click("drawRectangleButton")
    first, second = desktop.get("map_point(13.3, 52.45)"), desktop.get("map_point(13.4, 52.52)")
    desktop.xdotool("mousemove", "--sync", *first, "mousedown", "1", "mousemove", "--sync", *second, "mouseup", "1")
    desktop.wait("plugin._content.model.request.aoi is not None")
    west, south, east, north = desktop.get("list(plugin._content.model.request.aoi.geometry.bounds)")
    for value, wanted in zip((west, south, east, north), (13.3, 52.45, 13.4, 52.52)):
        assert abs(value - wanted) < 0.002

    desktop.click("drawPolygonButton")
    desktop.click_map(13.35, 52.47)
    desktop.key("Escape")
    desktop.wait("not find('drawPolygonButton').isChecked()")
    assert desktop.get("list(plugin._content.model.request.aoi.geometry.bounds)") == [west, south, east, north]

    desktop.click("drawPolygonButton")
    desktop.click_map(13.32, 52.46)
    desktop.click_map(13.38, 52.46)
    desktop.click_map(13.35, 52.51, *DOUBLE_CLICK)
    desktop.wait("not find('drawPolygonButton').isChecked()")
    assert len(desktop.get("list(plugin._content.model.request.aoi.geometry.exterior.coords)")) == 4
