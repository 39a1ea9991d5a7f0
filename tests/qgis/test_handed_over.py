"""A job's folder moved to another computer gives the same group, and the request, from its job.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from qgis.core import QgsLayerTreeGroup, QgsProject, QgsReadWriteContext
from qgis.PyQt.QtXml import QDomDocument

from up42_jobs.plugin.host.collect import prepare
from up42_jobs.plugin.host.handed_over import HandedOver, HandOver, job_folder, request_from
from up42_jobs.plugin.host.later_overviews import LaterOverviews
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs.aoi import GeometricFilter
from up42_jobs.plugin.jobs.job import JobType
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask
from up42_jobs.plugin.layers.load import add_job

AOI = {"type": "Polygon", "coordinates": [[[-54.61, -25.31], [-54.6, -25.31], [-54.6, -25.3], [-54.61, -25.31]]]}
FOOTPRINT = [[[-54.7, -25.4], [-54.5, -25.4], [-54.5, -25.2], [-54.7, -25.2], [-54.7, -25.4]]]
DATA = "local-scenes:1"


@pytest.fixture
def folder(tmp_path: Path, make_raster: Callable[..., Path]) -> Path:
    """An output folder as it was delivered: imagery of two dates, an NDVI, job.json."""
    made = tmp_path / "first computer" / "Itaipu · Landsat · 2020-06-01"
    features = []
    for day in ("02", "18"):
        values = np.random.default_rng(int(day)).integers(500, 4000, (3, 40, 40)).astype("uint16")
        make_raster(made / f"S{day}.tif", values, descriptions=["Blue", "Green", "Red"])
        features.append(
            {
                "type": "Feature",
                "id": f"S{day}",
                "geometry": {"type": "Polygon", "coordinates": FOOTPRINT},
                "properties": {"datetime": f"2020-05-{day}T13:24:00Z", "license": "PDM-1.0", "rights": "USGS"},
            }
        )
    make_raster(made / "S02_ndvi.tif", np.full((1, 40, 40), 0.5, "float32"))
    (made / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    manifest = {
        "schema": "up42-jobs/1",
        "delivery": "job-1",
        "request": {
            "workflow": {"id": "w-of-the-first", "name": "Landsat"},
            "job_type": "live_job",
            "aoi": {"name": "Itaipu", "geometry": AOI},
            "filter": "contains",
            "parameters": {DATA: {"limit": 2}},
        },
        "job": {"id": "job-1", "name": made.name, "state": "succeeded", "platform": "Somewhere", "project": "p"},
        "scenes": [],
        "credits": 12,
        "licence": ["PDM-1.0"],
        "attribution": ["USGS"],
        "files": [{"path": path.name} for path in sorted(made.iterdir())],
        "versions": {},
    }
    (made / "job.json").write_text(json.dumps(manifest))
    return made


def told_of(group: QgsLayerTreeGroup, root: Path) -> list[dict[str, Any]]:
    """Everything that makes up the layers of a group, paths relative to the folder."""
    found = []
    for node in group.findLayers():
        layer = node.layer()
        style = QDomDocument("style")
        layer.writeSymbology(style.createElement("x"), style, "", QgsReadWriteContext())
        found.append(
            {
                "name": node.name(),
                "source": layer.source().replace(str(root), "."),
                "renderer": layer.renderer().type(),
                "style": style.toString(),
                "crs": layer.crs().authid(),
                "rights": layer.metadata().rights(),
                "licences": layer.metadata().licenses(),
                "history": layer.metadata().history(),
                "scene": layer.customProperty("up42_jobs/scene_id"),
                "time": layer.temporalProperties().isActive(),
            }
        )
    return found


def load(hand_over: HandOver, path: Path, qtbot: Any) -> HandedOver:
    done: list[HandedOver] = []
    failed: list[str] = []
    hand_over.load(path, done.append, failed.append)
    qtbot.waitUntil(lambda: bool(done or failed), timeout=20_000)
    assert not failed, failed
    return done[0]


@pytest.mark.parametrize("by", ["folder", "job.json"])
def test_the_moved_folder_gives_the_same_group(
    project: QgsProject, folder: Path, tmp_path: Path, qtbot: Any, by: str
) -> None:
    prepared = prepare(folder)
    first_group = add_job(project, prepared.info, prepared.scan, prepared.look)
    first, name = told_of(first_group, folder), first_group.name()
    project.clear()
    moved = tmp_path / "another computer" / "from a colleague"
    moved.parent.mkdir()
    shutil.move(str(folder), moved)

    works = Works()
    hand_over = HandOver(works, LaterOverviews(works, Settings()))
    job = load(hand_over, moved if by == "folder" else moved / "job.json", qtbot)
    hand_over.close()
    works.stop()

    assert job.group.name() == name
    assert len(first) == 5
    assert told_of(job.group, moved) == first
    assert job.level == "success"


def test_a_folder_without_job_json_is_told(project: QgsProject, tmp_path: Path, qtbot: Any) -> None:
    works = Works()
    hand_over = HandOver(works, LaterOverviews(works, Settings()))
    told: list[str] = []
    hand_over.load(tmp_path, lambda _job: pytest.fail("loaded"), told.append)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "job.json" in told[0]
    hand_over.close()
    works.stop()


def test_job_json_names_its_folder(tmp_path: Path) -> None:
    assert job_folder(tmp_path / "job.json") == tmp_path
    assert job_folder(tmp_path) == tmp_path


def workflow(workflow_id: str, name: str) -> Workflow:
    data = Block("d", "local-scenes", "Scenes", True, {"contains": Parameter("contains", "geometry")})
    return Workflow(workflow_id, name, "p", (WorkflowTask(DATA, data),))


def test_the_request_comes_back_by_the_workflows_id_or_name(folder: Path) -> None:
    given = json.loads((folder / "job.json").read_text())["request"]
    here = Project("p", "Mine")
    request = request_from(given, "again", here, [workflow("x", "Other"), workflow("y", "Landsat")])
    assert request.workflow.id == "y"
    assert (request.job_type, request.geometric_filter) == (JobType.LIVE_JOB, GeometricFilter.CONTAINS)
    assert request.aoi.name == "Itaipu"
    assert request.inputs[DATA]["limit"] == 2
    assert request.inputs[DATA]["contains"]["type"] == "Polygon"
    assert request_from(given, "", here, [workflow("w-of-the-first", "Renamed")]).workflow.name == "Renamed"
    with pytest.raises(LookupError, match="Landsat"):
        request_from(given, "", here, [workflow("x", "Other")])
    with pytest.raises(ValueError):
        request_from({**given, "job_type": "nonsense"}, "", here, [workflow("y", "Landsat")])
