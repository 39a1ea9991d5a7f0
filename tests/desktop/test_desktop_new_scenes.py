"""*Watch an AOI* in the real QGIS: a search is kept, the server gets new scenes, and the dock says how many."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
from qgis_desktop import Desktop
from test_desktop_journey import LOADED, open_dock

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import sentinel_scenes as s2
from servers.stac import StacServer

DATA = "esa-s2-l2a-gtiff-visual:1"
AOI = (12.01, 52.01, 12.05, 52.03)
SEARCH = {"time": "2024-05-01T00:00:00Z/2024-12-31T23:59:59Z", "max_cloud_cover": 10}


@pytest.fixture
def api(tmp_path, monkeypatch):
    """A STAC API with one scene of May 2024."""
    with StacServer(tmp_path) as server:
        recipe = next(recipe for recipe in s2.RECIPES if recipe.id == s2.AFTER)
        server.items = s2.make_scenes(tmp_path, server.url, [recipe])
        monkeypatch.setenv("UP42_JOBS_STAC_URL", server.url)
        yield server


def taken(item: dict, day: str, cloud: float) -> dict:
    """The same scene as of another day."""
    other = copy.deepcopy(item)
    other["id"] = f"S2B_T33UUT_{day.replace('-', '')}T101559_L2A"
    other["properties"].update({"datetime": f"{day}T10:15:59Z", "eo:cloud_cover": cloud})
    return other


def test_a_search_is_watched_from_its_scenes_and_says_what_is_new(api, desktop: Desktop) -> None:
    open_dock(desktop)
    desktop.do(
        "from shapely.geometry import box\nfrom up42_jobs.plugin.jobs.aoi import Aoi\n"
        "dock, model, watches = plugin._content, plugin._content.model, plugin._journey.watches\n"
        f"model.set_aoi(Aoi(box(*{AOI}), 'Fields'))\nmodel.set_parameters({DATA!r}, {SEARCH!r})"
    )
    desktop.click("testQueryRadio")
    desktop.click("runButton")
    desktop.wait(LOADED)
    desktop.do("dock.tabs.setCurrentWidget(dock.scenes)")
    desktop.click("watchButton")
    desktop.wait("find('WatchesDialog') is not None and watches.all and watches.all[0].looked")
    desktop.wait("'Nothing new since' in find('watchLabel').text()")

    days = ("2024-06-02", "2024-06-17", "2024-07-02")
    fresh = [taken(api.items[0], day, 5.0) for day in days]
    api.items = [*api.items, *fresh, taken(api.items[0], "2024-07-17", 80.0)]
    desktop.click("lookButton")
    desktop.wait("'3 new scenes under 10 % cloud since' in find('watchLabel').text()")
    desktop.click("formButton")
    desktop.wait(f"model.request.parameters[{DATA!r}].get('ids')")
    assert sorted(desktop.get(f"model.request.parameters[{DATA!r}]['ids']")) == [item["id"] for item in fresh]
    assert desktop.get("model.request.job_type.value") == "live_job"
    desktop.do("find('WatchesDialog').reject()")
    desktop.wait("find('WatchesDialog') is None")
