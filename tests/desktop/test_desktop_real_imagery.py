"""Real imagery without an account in the real QGIS: scenes of Sentinel-2's size and shape, all of it on loopback."""

from __future__ import annotations

import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from qgis_desktop import Desktop
from test_desktop_journey import LOADED, RECORD, look_at, open_dock

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import sentinel_scenes as s2
from servers.stac import StacServer

DAYS = [date.today() - timedelta(days=days) for days in (20, 35, 50)]
MOMENTS = tuple(f"{day}T10:15:59Z" for day in DAYS)
RIGHTS = f"Contains modified Copernicus Sentinel data {DAYS[0].year}"
LARGE = (12.14, 52.0, 12.573, 52.3)  # just under 1,000 km², the most that a job may have


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    """A STAC API and COGs of 10,980 x 10,980 pixels, blocks of 1024 and overviews."""
    folder = tmp_path_factory.mktemp("imagery")
    with StacServer(folder) as server, pytest.MonkeyPatch.context() as patch:
        server.items = s2.make_full_size_scenes(folder, server.url, MOMENTS)
        patch.setenv("UP42_JOBS_STAC_URL", server.url)
        yield server


def test_from_the_first_click_to_real_imagery_on_the_map(imagery, desktop: Desktop) -> None:
    look_at(desktop, 12.2, 52.1, 12.4, 52.2)
    begin = time.monotonic()
    open_dock(desktop)
    assert desktop.get("plugin._content.model.workflow.name") == "Sentinel-2 True Colour (open data)"
    desktop.click("drawRectangleButton")
    first, second = desktop.get("map_point(12.25, 52.12)"), desktop.get("map_point(12.32, 52.16)")
    drag = ("mousemove", *first, "mousedown", 1, "sleep", 0.1, "mousemove", *second, "sleep", 0.1, "mouseup", 1)
    desktop.xdotool(*drag)
    desktop.click("runButton")
    desktop.wait(LOADED)
    desktop.wait_for_map()
    seconds = time.monotonic() - begin
    print(f"\nFrom the first click to the map: {seconds:.1f} s")
    assert seconds < 60
    rights = desktop.get(
        "[l.metadata().rights() for l in QgsProject.instance().mapLayers().values() if isinstance(l, QgsRasterLayer)]"
    )
    assert any(RIGHTS in text for texts in rights for text in texts), rights
    handed_on = Path(desktop.get(f"str({RECORD}.delivery.folder)")) / "job.json"
    assert RIGHTS in handed_on.read_text(encoding="utf-8")


def test_a_thousand_square_kilometres_of_ndvi_from_three_scenes_without_a_pause(imagery, desktop: Desktop) -> None:
    open_dock(desktop)
    begin = time.monotonic()
    desktop.do(
        "from shapely.geometry import box\nfrom up42_jobs.plugin.jobs.aoi import Aoi\n"
        "model = plugin._content.model\n"
        "model.set_workflow(next(w for w in model.catalogue.workflows if w.name == 'Sentinel-2 NDVI'))\n"
        f"model.set_aoi(Aoi(box(*{LARGE}), 'Large'))\n"
        "model.set_parameter('esa-s2-l2a-gtiff-analytic:1', 'limit', 3)\n"
    )
    assert 900 < desktop.get("model.request.aoi.area_km2") < 1100
    desktop.click("runButton")
    desktop.wait(LOADED, 110)
    desktop.wait_for_map()
    longest = max((pause["seconds"] for pause in desktop.pauses()), default=0.0)
    said = f"longest pause {longest:.2f} s" if longest else "no pause over 0.1 s"
    print(f"\n1,000 km2, three scenes, NDVI: {time.monotonic() - begin:.1f} s, {said}")
    names = desktop.get("[l.name() for l in QgsProject.instance().mapLayers().values()]")
    assert sum("NDVI" in name for name in names) >= 3, names


def test_the_lines_of_the_guide_as_a_newcomer_follows_them(imagery, desktop: Desktop) -> None:
    """docs/first-ndvi.md. Its ninth line, the Test Query, is test_desktop_scenes_journey.py."""
    open_dock(desktop)  # 1
    assert desktop.get("find('connectionCombo').currentText()") == "This Computer"
    look_at(desktop, 12.25, 52.12, 12.29, 52.15)  # 2
    desktop.click("workflowCombo")  # 3
    desktop.key("Home", *["Down"] * desktop.get("find('workflowCombo').findText('Sentinel-2 NDVI')"), "Return")
    desktop.wait("plugin._content.model.workflow.name == 'Sentinel-2 NDVI'")
    desktop.click("mapViewButton")  # 4
    desktop.wait("find('aoiSizeLabel') is not None and 'km²' in find('aoiSizeLabel').text()")
    desktop.do("plugin._content.form.formScroll.ensureWidgetVisible(plugin._content.form.quick)")
    desktop.click("datesButton")  # 5
    desktop.wait("find('datesMenu') is not None")
    choices = desktop.get("[action.text() for action in find('datesMenu').actions()]")
    desktop.key(*["Down"] * (choices.index("Last 12 Months") + 1), "Return")
    given = "plugin._content.model.request.parameters['esa-s2-l2a-gtiff-analytic:1']"
    desktop.wait(f"{given}['time'].startswith('{date.today().year - 1}-')")
    desktop.click("limitSpin")  # 6
    desktop.key("ctrl+a", "2", "Tab")
    desktop.wait(f"{given}['limit'] == 2")
    desktop.wait("all(word in find('estimateLabel').text() for word in ('Free · about', ' MB'))")
    desktop.click("runButton")  # 7
    desktop.wait(LOADED)
    assert desktop.get("plugin._content.tabs.currentWidget() is plugin._content.jobs")
    desktop.click("logButton")
    desktop.wait("find('logText') is not None and 'cloud over the AOI' in find('logText').toPlainText()")
    assert "% of the AOI" in desktop.get("find('logText').toPlainText()")
    ndvi = "[l for l in QgsProject.instance().mapLayers().values() if isinstance(l, QgsRasterLayer)]"  # 8
    assert desktop.get(f"len({ndvi})") == 2
    scales = desktop.get(
        f"[[l.renderer().shader().minimumValue(), l.renderer().shader().maximumValue()] for l in {ndvi}]"
    )
    assert scales[0] == scales[1]
    for rights in desktop.get(f"[l.metadata().rights() for l in {ndvi}]"):  # 10
        assert any(f"Sentinel data {day.year}" in text for text in rights for day in DAYS[:2]), rights
