"""From a Test Query to exactly the scenes that were ticked, played by date; and a job's folder dropped on the dock."""

from __future__ import annotations

import shutil
from pathlib import Path

from qgis_desktop import Desktop

RECORD = "plugin._content.jobs.chosen"
LOADED = f"{RECORD} is not None and {RECORD}.delivery.state.value == 'loaded'"
FOUND = "plugin._content.scenes.model"
GROUPS = "[c.name() for c in QgsProject.instance().layerTreeRoot().children() if QgsLayerTree.isGroup(c)]"


def test_scenes_are_picked_on_the_map_ticked_bought_played_and_handed_on(desktop: Desktop, tmp_path: Path) -> None:
    desktop.do("plugin._dock.setUserVisible(True)")
    desktop.wait("find('runButton') is not None and plugin._content.form.isEnabled()")
    desktop.do(
        "from qgis.core import *\nfrom qgis.PyQt.QtWidgets import QDockWidget\n"
        "from up42_jobs.plugin.jobs.job import JobType\nfrom up42_jobs.plugin.layers.load import find_group\n"
        "dock = plugin._content\nmodel = dock.model\n"
    )
    desktop.click("exampleButton")
    desktop.wait("model.request.aoi is not None")
    desktop.do(
        "model.set_workflow(next(w for w in model.catalogue.workflows if w.name == 'Demo Imagery'))\n"
        "model.set_job_type(JobType.TEST_QUERY)\ndata = model.data_task.name\n"
        "model.set_parameter(data, 'time', '2024-04-01T00:00:00Z/2024-09-30T23:59:59Z')\n"
        "model.set_parameter(data, 'limit', 4)\n"
        "from up42_jobs.plugin.jobs.aoi import GeometricFilter\nmodel.set_filter(GeometricFilter.CONTAINS)\n"
    )
    desktop.click("runButton")
    desktop.wait(f"len({FOUND}.scenes) == 4 and find('scenesView') is not None")
    assert desktop.get(f"{FOUND}.ticked") == []
    desktop.wait("find('pickButton').isChecked()")  # the panning tool has given way
    desktop.wait_for_map()
    lon, lat = desktop.get("list(model.request.aoi.geometry.representative_point().coords[0])")
    desktop.click_map(lon, lat)
    desktop.wait("dock.scenes.chosen")
    first = desktop.get("dock.scenes.chosen[0]")
    desktop.do("dock.scenes.scenesView.setFocus()")
    desktop.key("space")
    desktop.wait(f"{FOUND}.ticked == [{first!r}]")
    desktop.key("Down" if desktop.get("dock.scenes.scenesView.currentIndex().row()") == 0 else "Up", "space")
    desktop.wait(f"len({FOUND}.ticked) == 2")
    ticked = desktop.get(f"{FOUND}.ticked")

    desktop.click("tickedButton")
    desktop.wait("dock.tabs.currentWidget() is dock.form")
    assert desktop.get("model.request.job_type is JobType.LIVE_JOB")
    assert sorted(desktop.get("model.request.parameters[data]['ids']")) == sorted(ticked)
    desktop.click("runButton")
    desktop.wait(f"{LOADED} and {RECORD}.job.job_type is JobType.LIVE_JOB")
    scenes = desktop.get(
        f"sorted({{n.layer().customProperty('up42_jobs/scene_id') for n in"
        f" find_group(QgsProject.instance(), {RECORD}.job.id).findLayers()}} - {{''}})"
    )
    assert scenes == sorted(ticked)

    desktop.do(f"dock.scene_actions.show_record({RECORD})\ndock.scene_actions.play_action.trigger()")
    desktop.wait("iface.mainWindow().findChild(QDockWidget, 'Temporal Controller').isVisible()")
    desktop.wait("iface.mapCanvas().temporalController().totalFrameCount() == 2")
    desktop.wait("iface.mapCanvas().temporalController().currentFrameNumber() == 1")  # it plays
    name, folder = desktop.get(GROUPS)[0], Path(desktop.get(f"str({RECORD}.delivery.folder)"))
    moved = tmp_path / "from a colleague"
    shutil.copytree(folder, moved)

    desktop.do("QgsProject.instance().clear()\nmodel.set_aoi(None)")
    desktop.do(f"from pathlib import Path\ndock._job_drop.load(Path({str(moved / 'job.json')!r}))")
    desktop.wait(f"{GROUPS} == [{name!r}]")
    assert desktop.get("model.request.aoi is None")  # the form is the user's
    desktop.click("restoreRequestButton")
    desktop.wait("model.request.aoi is not None")
    assert sorted(desktop.get("model.request.parameters[data]['ids']")) == sorted(ticked)
    sources = desktop.get(
        "[l.source() for l in QgsProject.instance().mapLayers().values() if isinstance(l, QgsRasterLayer)]"
    )
    assert len(sources) == 2 and all(source.startswith(str(moved)) for source in sources)
