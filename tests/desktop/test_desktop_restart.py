"""QGIS is killed while jobs run, and started again: every job is announced, delivered and loaded, once."""

from __future__ import annotations

from pathlib import Path

from qgis_desktop import Desktop

JOBS = 3
SUBMIT = f"""
from qgis.core import *
from shapely.geometry import box
from up42_jobs.plugin.jobs import parameters
from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.request import JobRequest
catalogue = plugin._content.model.catalogue
workflow = next(w for w in catalogue.workflows if w.name == 'Demo NDVI')
sent, refused = [], []
for n in range({JOBS}):
    aoi = Aoi(box(13.3, 52.4 + n / 10, 13.4, 52.46 + n / 10), f'Area {{n}}')
    request = JobRequest(catalogue.project, workflow, aoi=aoi, parameters=parameters.defaults(workflow))
    request = request.named(f'Job {{n}}').with_parameter(workflow.tasks[0].name, 'limit', 2)
    plugin._journey.submit(catalogue, request, None, sent.append, refused.append)
"""
NOTICED = (
    "noticed = []\n"
    "plugin._journey.noticed.connect(lambda n: noticed.append([n.level, n.text, len(n.jobs)]))\n"
)
LOADED = "sum(e.loaded and e.told == 'succeeded' for e in entries().values())"
BEGIN = (
    "from qgis.core import *\nplugin = plugins['up42_jobs']\n"
    "def entries(): return plugin._journey._ledger.entries('this-computer')\n"
    "def groups(): return [g.name() for g in QgsProject.instance().layerTreeRoot().findGroups() if 'Job' in g.name()]\n"
)


def start(desktops: list[Desktop], project: Path) -> Desktop:
    """QGIS in the same profile once more, and the plugin's own work begun."""
    desktop = Desktop(again=desktops[-1] if desktops else None, project=project if desktops else None)
    desktops.append(desktop)
    desktop.wait("plugins['up42_jobs']._journey is not None")
    desktop.do(BEGIN + NOTICED)
    return desktop


def test_jobs_of_a_killed_session_are_announced_delivered_and_loaded_once(desktops, tmp_path):
    project = tmp_path / "work.qgz"
    first = start(desktops, project)
    first.do(f"iface.newProject()\nassert QgsProject.instance().write({str(project)!r})\nplugin._action.trigger()")
    first.wait("plugin._content is not None and plugin._content.form.isEnabled() and plugin._content.model.catalogue")
    first.do(SUBMIT)
    first.wait(f"len(sent) == {JOBS} or refused")
    assert first.get("refused") == []
    first.kill()

    second = start(desktops, project)
    assert second.get("plugin._content is None")  # the dock was not opened: the work goes on without it
    second.wait(f"{LOADED} == {JOBS}")
    second.wait("noticed")
    assert sorted(second.get("groups()")) == [f"Demo Job {n}" for n in range(JOBS)]
    outputs = sorted((tmp_path / "UP42 Jobs").iterdir())
    assert [path.name for path in outputs if not path.name.startswith(".")] == [f"Job {n}" for n in range(JOBS)]
    assert not [path for path in outputs if path.name.startswith(".")]
    second.wait(f"sum(jobs for _level, _text, jobs in noticed) == {JOBS}")
    assert {level for level, _text, _jobs in second.get("noticed")} == {"success"}
    second.do("QgsProject.instance().write()")
    second.kill()

    third = start(desktops, project)
    third.wait("len(groups()) == 3")
    third.do("plugin._action.trigger()")
    third.wait("plugin._content is not None and plugin._content.jobs is not None and plugin._content.jobs.chosen")
    third.do("polls = []\nplugin._journey._tracker.polled.connect(lambda *_polled: polls.append(1))")
    third.wait("len(polls) >= 3")
    assert third.get("len(groups())") == JOBS
    assert third.get("noticed") == []
    assert third.quit() == 0
    assert third.errors == ""
