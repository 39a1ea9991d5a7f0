"""Scenes one after the other, and a layout of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsProject,
    QgsTemporalNavigationObject,
)
from qgis.PyQt.QtGui import QImage

from up42_jobs.plugin.layers.job_info import JobInfo
from up42_jobs.plugin.layers.layout import layout_of
from up42_jobs.plugin.layers.load import add_job
from up42_jobs.plugin.layers.play import OneAtATime, passes_of, scenes_group, set_up_controller
from up42_jobs.plugin.layers.prepare import prepare
from up42_jobs.plugin.layers.provenance import ROLE

AOI = [[[-54.61, -25.31], [-54.605, -25.31], [-54.605, -25.305], [-54.61, -25.305], [-54.61, -25.31]]]
FOOTPRINT = [[[-54.7, -25.4], [-54.5, -25.4], [-54.5, -25.2], [-54.7, -25.2], [-54.7, -25.4]]]
INFO = JobInfo(
    *("j", "Itaipu · Landsat NDVI · 2020-06-01", "Itaipu", {"type": "Polygon", "coordinates": AOI}),
    *("live_job", "Landsat NDVI", "NDVI"),
    attribution="Landsat-8 image courtesy of the U.S. Geological Survey",
    licence="PDM-1.0",
)
TIMES = {
    "S_a": "2020-05-02T13:23:48Z",
    "S_b": "2020-05-18T13:23:48Z",
    "S_c": "2020-05-18T13:24:12Z",  # the same pass
    "S_d": "2020-06-03T13:24:00Z",
}


def feature(scene_id: str, time: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": scene_id,
        "geometry": {"type": "Polygon", "coordinates": FOOTPRINT},
        "properties": {"datetime": time},
    }


@pytest.fixture
def group(project: QgsProject, tmp_path: Path, make_raster: Callable[..., Path]) -> QgsLayerTreeGroup:
    """Three dates of NDVI over the same place; the middle one has two scenes."""
    for scene_id in TIMES:
        make_raster(tmp_path / f"{scene_id}_ndvi.tif", np.full((1, 80, 80), 0.6, "float32"))
    features = [feature(*each) for each in TIMES.items()]
    return add_job(project, INFO, *prepare(tmp_path, sorted(tmp_path.glob("*.tif")), features, INFO))


def shown(group: QgsLayerTreeGroup) -> set[str]:
    nodes = scenes_group(group).findLayers()
    return {node.layer().customProperty("up42_jobs/scene_id") for node in nodes if node.isVisible()}


def test_the_controller_has_one_frame_for_each_pass_and_never_a_blank_one(group: QgsLayerTreeGroup) -> None:
    passes = passes_of(group)
    assert [p.begin().toUTC().toString("yyyy-MM-dd") for p in passes] == ["2020-05-02", "2020-05-18", "2020-06-03"]
    controller = QgsTemporalNavigationObject()
    set_up_controller(controller, passes)
    assert controller.totalFrameCount() == 3
    visible = []
    for frame in range(3):
        span = controller.dateTimeRangeForFrameNumber(frame)
        layers = [node.layer() for node in scenes_group(group).findLayers()]
        visible.append(
            {
                layer.customProperty("up42_jobs/scene_id")
                for layer in layers
                if layer.temporalProperties().isVisibleInTemporalRange(span)
            }
        )
    assert visible == [{"S_a"}, {"S_b", "S_c"}, {"S_d"}]


def test_one_pass_at_a_time_and_back(group: QgsLayerTreeGroup) -> None:
    compare = OneAtATime(group)
    scenes_group(group).children()[0].setItemVisibilityChecked(False)  # not of interest: what was before is kept
    before = shown(group)
    compare = OneAtATime(group)
    seen = []
    for place in (0, 1, 2, 3, -1):
        compare.show(place)
        seen.append(shown(group))
    assert seen == [{"S_a"}, {"S_b", "S_c"}, {"S_d"}, {"S_a"}, {"S_d"}]
    assert compare.times[1].toString("yyyy-MM-dd HH:mm") == "2020-05-18 13:23"
    compare.end()
    assert shown(group) == before


def text_of(label: QgsLayoutItemLabel) -> str:
    return label.currentText()


def test_a_layout_says_what_is_seen_and_whose_it_is(
    project: QgsProject, group: QgsLayerTreeGroup, tmp_path: Path
) -> None:
    layout = layout_of(project, group)
    assert project.layoutManager().layoutByName(INFO.name) is layout
    assert text_of(layout.itemById("title")) == INFO.name
    assert text_of(layout.itemById("subtitle")) == "AOI Itaipu · acquired on 2020-06-03 (UTC)"
    assert text_of(layout.itemById("credits")) == f"{INFO.attribution} · Licence: PDM-1.0"
    shown_map = layout.itemById("map")
    assert shown_map.crs().authid() == "EPSG:32721"
    scenes = {layer.customProperty("up42_jobs/scene_id") for layer in shown_map.layers()} - {""}
    assert scenes == {"S_d"}  # what lies under it is not seen
    assert 0 < layout.itemById("scale").unitsPerSegment() < 1000
    assert layout_of(project, group).name() == f"{INFO.name} (2)"
    names = [node.name() for node in group.findLayers()]
    assert "2020-06-03 Itaipu NDVI" in names  # the legend's title renames no layer

    path = tmp_path / "layout.png"
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 60
    QgsLayoutExporter(layout).exportToImage(str(path), settings)
    image = QImage(str(path))
    middle = image.pixelColor(int(image.width() * 0.4), int(image.height() * 0.5))
    assert middle.green() > middle.red() + 30  # an NDVI of 0.6


ACROSS = [[[-54.7, -25.4], [-54.607, -25.4], [-54.607, -25.2], [-54.7, -25.2], [-54.7, -25.4]]]


@pytest.mark.parametrize(
    ("footprint", "is_named"),
    [(FOOTPRINT, False), (AOI, False), (ACROSS, True)],
    ids=["outside of the map", "under the AOI", "across the AOI"],
)
def test_the_legend_names_footprints_that_are_seen(
    project: QgsProject, tmp_path: Path, make_raster: Callable[..., Path], footprint: Any, is_named: bool
) -> None:
    path = make_raster(tmp_path / "S_a_ndvi.tif", np.full((1, 80, 80), 0.6, "float32"))
    scene = {**feature("S_a", TIMES["S_a"]), "geometry": {"type": "Polygon", "coordinates": footprint}}
    layout = layout_of(project, add_job(project, INFO, *prepare(tmp_path, [path], [scene], INFO)))
    roles = [n.layer().customProperty(ROLE) for n in layout.itemById("legend").model().rootGroup().findLayers()]
    assert roles == (["aoi", "footprints", "output"] if is_named else ["aoi", "output"])


def test_a_layout_without_footprints_dates_or_aoi(
    project: QgsProject, tmp_path: Path, make_raster: Callable[..., Path]
) -> None:
    path = make_raster(tmp_path / "x.tif", np.full((3, 40, 40), 900, "uint16"))
    info = JobInfo("k", "Storage", "", None, "live_job", "Storage", "Imagery")
    layout = layout_of(project, add_job(project, info, *prepare(tmp_path, [path], [], info)))
    assert text_of(layout.itemById("subtitle")) == ""
    assert not layout.itemById("map").extent().isEmpty()
