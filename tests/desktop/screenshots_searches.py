"""Pictures of searches that are made again, of workflows, of stored rasters, and of what is said without a network."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from qgis_desktop import REPOSITORY

if TYPE_CHECKING:
    from take_screenshots import Photographer

OUT = REPOSITORY / "build" / "screenshots"
DATA = "demo-s2-l2a:1"
CHOSEN = "dock.jobs.chosen"
OVER = f"{CHOSEN} is not None and {CHOSEN}.job.state.ended"
LOADED = f"{CHOSEN} is not None and {CHOSEN}.delivery.state.value == 'loaded'"


def photograph_searches(photographer: Photographer) -> None:
    """All of them, on the local engine."""
    photographer.open()
    _offline(photographer)
    _watches(photographer)
    _repeat(photographer)
    _workflows(photographer)
    _rasters(photographer)


def _dialog(photographer: Photographer, name: str, state: str) -> None:
    """A picture of one dialog."""
    photographer.desktop.wait(f"find({name!r}) is not None")
    photographer.settle()
    path = OUT / f"{photographer.name}-{state}.png"
    photographer.desktop.shot(path, name)
    print(path.relative_to(REPOSITORY), flush=True)


def _offline(photographer: Photographer) -> None:
    """Real imagery where nothing answers: the STAC API is a port that is closed (see take_screenshots)."""
    desktop = photographer.desktop
    desktop.do("choose_workflow('Sentinel-2 True Colour (open data)')")
    desktop.click("exampleButton")
    desktop.do("choose_workflow('Sentinel-2 True Colour (open data)')")
    desktop.do("model.set_job_type(JobType.TEST_QUERY)")
    photographer.run(until=OVER)
    desktop.wait("iface.messageBar().currentItem() is not None")
    photographer.picture("w1-offline-jobs")
    desktop.do("dock.tabs.setCurrentWidget(dock.scenes)")
    photographer.picture("w2-offline-scenes")
    desktop.do("iface.messageBar().clearWidgets()")


def _watches(photographer: Photographer) -> None:
    desktop = photographer.desktop
    desktop.do(
        "choose_workflow('Demo Imagery')\nmodel.set_job_type(JobType.TEST_QUERY)\n"
        f"model.set_parameters({DATA!r}, {{'time': '2024-03-01T00:00:00Z/2024-06-30T23:59:59Z', "
        "'max_cloud_cover': 10, 'limit': 20})"
    )
    photographer.run(until=LOADED)
    desktop.do("dock.tabs.setCurrentWidget(dock.scenes)")
    desktop.wait("dock.scenes.model.scenes")
    photographer.picture("w3-scenes-watch-button")
    desktop.click("watchButton")
    desktop.wait("find('WatchesDialog') is not None and plugin._journey.watches.all")
    desktop.wait("plugin._journey.watches.all[0].looked")
    _dialog(photographer, "WatchesDialog", "w4-watch-nothing-new")
    desktop.do(  # as if three scenes had not been there at the first look, on 12 March
        "from datetime import datetime\n"
        "since = datetime(datetime.now().year, 3, 12, 12).timestamp()\n"
        "with plugin._parts.ledger.transaction() as db:\n"
        "    db.execute(\"UPDATE watch SET since = ?, seen = json_remove(seen, '$[0]', '$[0]', '$[0]')\", (since,))"
    )
    desktop.click("lookButton")
    desktop.wait("len(plugin._journey.watches.all[0].fresh) == 3")
    _dialog(photographer, "WatchesDialog", "w5-watch-new-scenes")
    text = desktop.get("find('watchLabel').text()")
    assert "3 new scenes under 10 % cloud since 12 March" in text, text
    desktop.do("find('WatchesDialog').reject()")
    desktop.wait("find('WatchesDialog') is None")


def _repeat(photographer: Photographer) -> None:
    desktop = photographer.desktop
    desktop.do("dock.tabs.setCurrentWidget(form)\ndock.header.choose('practice')\ndock.open_connection()")
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'practice'")
    desktop.do("choose_workflow('Demo Imagery')\nmodel.set_job_type(JobType.LIVE_JOB)\nform.quick.repeat_wanted.emit()")
    desktop.wait("find('RepeatDialog') is not None")
    desktop.do(
        "d = find('RepeatDialog')\nd.firstMonthCombo.setCurrentIndex(5)\nd.firstYearSpin.setValue(2018)\n"
        "d.lastMonthCombo.setCurrentIndex(7)\nd.lastYearSpin.setValue(2025)\nd._tick(False)\n"
        "[d.boxes[m].setChecked(True) for m in (5, 6, 7)]"
    )
    _dialog(photographer, "RepeatDialog", "w6-repeat")
    desktop.do("d.jobsRadio.setChecked(True)")
    desktop.click("repeatOkButton")
    desktop.wait("find('manyRunButton') is not None and find('manyRunButton').isEnabled()")
    _dialog(photographer, "ManyDialog", "w7-repeat-jobs")
    desktop.click("manyRunButton")
    _dialog(photographer, "ConfirmDialog", "w8-repeat-confirmation")
    desktop.key("Escape")
    desktop.wait("find('ConfirmDialog') is None")
    desktop.do("dock.orders.dialog.reject()\nform.quick.repeat_wanted.emit()")
    desktop.click("repeatOkButton")
    photographer.estimated()
    desktop.do("form.parameters.setCollapsed(False)\nform.formScroll.ensureWidgetVisible(form.parameters)")
    photographer.picture("w9-repeat-in-form")
    desktop.do("form.parameters.setCollapsed(True)\ndock.header.choose('this-computer')\ndock.open_connection()")
    desktop.wait("form.isEnabled() and model.catalogue.connection.id == 'this-computer'")


def _workflows(photographer: Photographer) -> None:
    desktop = photographer.desktop
    desktop.click("workflowsButton")
    desktop.wait("find('addBlockButton') is not None and find('addBlockButton').isEnabled()")
    _dialog(photographer, "WorkflowsDialog", "w10-workflows")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "theirs.json"
        path.write_text('{\n  "name": "Theirs",\n  "blocks": ["ndvi"],\n}\n', encoding="utf-8")
        desktop.do(f"from pathlib import Path\nfind('WorkflowsDialog')._import(Path({str(path)!r}))")
        desktop.wait("find('workflowMessage') is not None and 'theirs.json' in find('workflowMessage').text()")
    _dialog(photographer, "WorkflowsDialog", "w11-workflow-file-wrong")
    desktop.do("find('WorkflowsDialog').reject()")
    desktop.wait("find('WorkflowsDialog') is None")


def _rasters(photographer: Photographer) -> None:
    """The GeoTIFFs of the job that ran last are the user's own rasters here."""
    desktop = photographer.desktop
    desktop.do(
        "dock.tabs.setCurrentWidget(form)\nchoose_workflow('Demo Imagery')\nmodel.set_job_type(JobType.LIVE_JOB)"
    )
    desktop.do(f"model.set_parameters({DATA!r}, {{'limit': 3, 'max_cloud_cover': 60}})")
    photographer.run(until=LOADED)
    desktop.do(
        f"dock.scene_folders.add({CHOSEN}.delivery.folder)\ndock.tabs.setCurrentWidget(form)\n"
        "model.set_workflow(next(w for w in model.catalogue.workflows if not w.needs_aoi))"
    )
    desktop.click("pickRastersButton")
    desktop.wait("find('rastersTree') is not None and find('rastersTree').topLevelItemCount() >= 3")
    desktop.wait("dock.picking._fetching is None")
    desktop.do(
        "tree = find('rastersTree')\n[tree.topLevelItem(n).setCheckState(0, Qt.CheckState.Checked) for n in (0, 1)]"
    )
    desktop.do("tree.setCurrentItem(tree.topLevelItem(0))")
    _dialog(photographer, "RasterPicker", "w12-rasters")
    desktop.click("takeRastersButton")
    desktop.wait("find('RasterPicker') is None")
    photographer.picture("w13-rasters-chosen")
