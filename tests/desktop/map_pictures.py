"""Pictures of what arrives on the map: scenes of a Test Query, dates in the temporal controller, NDVI, a layout."""

from __future__ import annotations

from typing import Any

CHOSEN = "dock.jobs.chosen"
LOADED = f"{CHOSEN} is not None and {CHOSEN}.delivery.state.value == 'loaded'"
GROUP = f"find_group(QgsProject.instance(), {CHOSEN}.job.id)"
SPRING = "2024-04-01T00:00:00Z/2024-09-30T23:59:59Z"
SUMMER = "2024-01-01T00:00:00Z/2024-03-15T23:59:59Z"  # of the south, where the example lies


def photograph_map(photographer: Any, out: Any) -> None:
    """Each picture is of a job that was really run; `out` is the folder of the layout's own picture."""
    desktop = photographer.desktop
    photographer.open()
    desktop.click("exampleButton")
    photographer.estimated()
    desktop.do(
        "from up42_jobs.plugin.layers.load import find_group, extent_of\n"
        "def set_data(name, value):\n    model.set_parameter(model.data_task.name, name, value)\n"
        "def look(group):\n"
        "    iface.mapCanvas().setExtent(extent_of(group, iface.mapCanvas().mapSettings().destinationCrs()))\n"
        "choose_workflow('Demo Imagery')\nmodel.set_job_type(JobType.TEST_QUERY)\n"
        f"set_data('time', {SPRING!r})\nset_data('limit', 5)\nset_data('max_cloud_cover', 40)\n"
    )
    photographer.run(until="len(dock.scenes.model.scenes) == 5 and find('scenesView') is not None")
    desktop.do(
        f"look({GROUP})\n"
        "for row in (1, 3):\n"
        "    dock.scenes.model.setData(dock.scenes.model.index(row, 0), Qt.CheckState.Checked,"
        " Qt.ItemDataRole.CheckStateRole)\n"
        "dock.scenes.choose(dock.scenes.model.ids[1])"
    )
    photographer.picture("s1-scenes")

    desktop.do(
        "dock.tabs.setCurrentWidget(form)\nchoose_workflow('Demo Imagery')\nmodel.set_job_type(JobType.LIVE_JOB)\n"
        f"model.set_filter(GeometricFilter.CONTAINS)\nset_data('time', {SPRING!r})\nset_data('limit', 3)\n"
        "set_data('max_cloud_cover', 10)\n"
        f"{GROUP}.setItemVisibilityChecked(False)"
    )
    photographer.run(until=LOADED)
    desktop.do(f"look({GROUP})\ndock.scene_actions.show_record({CHOSEN})\ndock.scene_actions.play_action.trigger()")
    desktop.do(
        "controller = iface.mapCanvas().temporalController()\ncontroller.pause()\ncontroller.setCurrentFrameNumber(1)"
    )
    photographer.picture("s2-three-dates")
    desktop.do(
        "controller.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.NavigationOff)\n"
        "iface.mainWindow().findChild(QDockWidget, 'Temporal Controller').close()\n"
        f"{GROUP}.setItemVisibilityChecked(False)"
    )

    desktop.do(
        "dock.tabs.setCurrentWidget(form)\nchoose_workflow('Demo NDVI')\nmodel.set_job_type(JobType.LIVE_JOB)\n"
        f"model.set_filter(GeometricFilter.CONTAINS)\nset_data('time', {SUMMER!r})\nset_data('limit', 1)\n"
        "set_data('max_cloud_cover', 10)\n"
    )
    photographer.run(until=LOADED)
    desktop.do(f"look({GROUP})")
    photographer.picture("s3-ndvi")

    desktop.do(f"dock.scene_actions.show_record({CHOSEN})\ndock.scene_actions.layout_action.trigger()")
    desktop.wait("QgsProject.instance().layoutManager().printLayouts()")
    photographer.settle()
    desktop.shot(out / f"{photographer.name}-s4-layout-window.png")
    desktop.do(
        "layout = QgsProject.instance().layoutManager().printLayouts()[0]\n"
        "settings = QgsLayoutExporter.ImageExportSettings()\nsettings.dpi = 150\n"
        f"QgsLayoutExporter(layout).exportToImage({str(out / f'{photographer.name}-s4-layout.png')!r}, settings)\n"
        "for designer in iface.openLayoutDesigners(): designer.close()"
    )
