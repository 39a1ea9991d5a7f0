"""The whole journey in the real QGIS, with mouse and keyboard: open the dock, draw an AOI, run, layers on the map."""

from __future__ import annotations

import time
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


def choose_demo(desktop: Desktop) -> None:
    """The workflow that needs no network."""
    desktop.do(
        "model = plugin._content.model\n"
        "model.set_workflow(next(w for w in model.catalogue.workflows if w.name == 'Demo Imagery'))"
    )


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
    choose_demo(desktop)
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
    """Nothing is typed and nothing pointed at after the dock is open: Tab and Space do it, within a minute."""
    begin = time.monotonic()
    open_dock(desktop)
    desktop.click("connectionCombo")
    desktop.key("Escape")
    tab_to(desktop, "exampleButton")
    desktop.key("space")
    desktop.wait("find('runButton').isEnabled()")
    tab_to(desktop, "runButton")
    desktop.key("space")
    desktop.wait(LOADED)
    assert time.monotonic() - begin < 60


def test_rectangle_by_dragging_and_polygon_given_up(desktop: Desktop) -> None:
    open_dock(desktop)
    look_at(desktop, 13.2, 52.4, 13.6, 52.6)
    desktop.click("drawRectangleButton")
    first, second = desktop.get("map_point(13.3, 52.45)"), desktop.get("map_point(13.4, 52.52)")
    drag = ("mousemove", *first, "mousedown", 1, "sleep", 0.1, "mousemove", *second, "sleep", 0.1, "mouseup", 1)
    desktop.xdotool(*drag)
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


def test_a_mistake_is_marked_as_it_is_typed_and_a_paid_job_needs_a_confirmation(desktop: Desktop) -> None:
    open_dock(desktop)
    desktop.do(
        "dock = plugin._content\nform, model = dock.form, dock.model\n"
        "from up42_jobs.plugin.jobs.job import JobType\n"
        "def jobs():\n    return len(plugin._journey.records('practice'))\n"
    )
    desktop.click("connectionCombo")
    desktop.key("End", "Up", "Return")  # the last one is Manage Connections…
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'practice'")
    desktop.click("exampleButton")
    desktop.wait("find('runButton').text() == 'Run Test Query (Free)'")

    desktop.do("form.parameters.setCollapsed(False)\nform.formScroll.ensureWidgetVisible(form.parameters)")
    desktop.click("parametersEditor")
    desktop.key("ctrl+a")
    desktop.xdotool("type", "--delay", "15", '{"demo-s2-l2a:1": {"limit": 0, "cloud": 3}}')
    desktop.wait("not find('runButton').isEnabled()")
    typed = "form.parameters.parametersEditor.text()"
    assert desktop.get(typed) == desktop.get("model.text") == '{"demo-s2-l2a:1": {"limit": 0, "cloud": 3}}'
    assert sorted(desktop.get("[p.code for p in model.problems]")) == ["parameter_small", "parameter_unknown"]
    desktop.click("resetParametersButton")
    desktop.wait("find('runButton').isEnabled()")

    desktop.do("form.formScroll.verticalScrollBar().setValue(0)")
    desktop.click("liveJobRadio")
    desktop.wait("form.estimator.current is not None and find('runButton').isEnabled()")
    assert desktop.get("find('runButton').text()").endswith("Credits)…")
    desktop.click("runButton")
    desktop.wait("find('ConfirmDialog') is not None")
    desktop.key("Return")
    desktop.wait("find('ConfirmDialog') is None")
    assert desktop.get("jobs()") == 0
    balance = desktop.get("model.catalogue.balance")
    desktop.click("runButton", *DOUBLE_CLICK)
    desktop.click("confirmRunButton", *DOUBLE_CLICK)
    desktop.wait("plugin._content.jobs.chosen is not None and plugin._content.jobs.chosen.job.state.ended")
    assert desktop.get("jobs()") == 1
    desktop.wait(f"model.catalogue.balance < {balance}")
    desktop.wait(LOADED)
