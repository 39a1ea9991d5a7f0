"""A job on the map: one group, names, order, provenance, time; no duplicates; kept by a saved project."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDateTimeRange,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayerTreeGroup,
    QgsLayoutItemMap,
    QgsMapLayer,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt
from qgis.PyQt.QtGui import QColor, QImage

from up42_jobs.plugin.jobs.job import scene_of
from up42_jobs.plugin.layers.job_info import JobInfo
from up42_jobs.plugin.layers.load import JobLayers, add_job, extent_of, find_group
from up42_jobs.plugin.layers.look import Look
from up42_jobs.plugin.layers.prepare import prepare
from up42_jobs.plugin.layers.provenance import time_ranges
from up42_jobs.plugin.layers.scan import Scan

MakeRaster = Callable[..., Path]
AOI = {"type": "Polygon", "coordinates": [[[-54.61, -25.31], [-54.60, -25.31], [-54.60, -25.30], [-54.61, -25.31]]]}
FOOTPRINT = [[[-54.7, -25.4], [-54.5, -25.4], [-54.5, -25.2], [-54.7, -25.2], [-54.7, -25.4]]]
INFO = JobInfo(
    job_id="4d10c1aa",
    name="Itaipu · Landsat NDVI · 2020-06-01",
    aoi_name="Itaipu",
    aoi_geometry=AOI,
    job_type="live_job",
    workflow_name="Landsat NDVI",
    product="NDVI",
    credits=12,
    rights="Public domain",
    attribution="Landsat-8 image courtesy of the U.S. Geological Survey",
    licence="PDM-1.0",
    parameters={"local-scenes:1": {"limit": 3}},
)


def feature(scene_id: str, time: Optional[str], cloud: Optional[float] = 3.2, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": scene_id,
        "geometry": {"type": "Polygon", "coordinates": FOOTPRINT},
        "properties": {"datetime": time, "eo:cloud_cover": cloud, **properties},
    }


FEATURES = [
    feature("LC08_224078", "2020-05-18T13:24:12Z"),
    feature("LC08_224077", "2020-05-18T13:23:48Z"),
    feature("LC08_late", "2020-06-03T13:24:00Z", None, rights="© Somebody", license="CC-BY-4.0"),
]


@pytest.fixture
def output(tmp_path: Path, make_raster: MakeRaster) -> Path:
    """A job's output folder: NDVI of three scenes, a vector file and data.json."""
    folder = tmp_path / "job"
    for scene in FEATURES:
        make_raster(folder / f"{scene['id']}_ndvi.tif", np.full((1, 40, 40), 0.6, "float32"))
    zones = {"type": "FeatureCollection", "features": [feature("z", None)]}
    (folder / "zones.geojson").write_text(json.dumps(zones))
    (folder / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": FEATURES}))
    return folder


def ready(folder: Path, info: JobInfo = INFO) -> tuple[Scan, Look]:
    return prepare(folder, sorted(folder.iterdir()), FEATURES, info)


def layers(group: QgsLayerTreeGroup) -> dict[str, QgsMapLayer]:
    return {node.name(): node.layer() for node in group.findLayers()}


def test_a_job_becomes_one_group_at_the_top(project: QgsProject, output: Path) -> None:
    project.layerTreeRoot().addGroup("what was there")
    group = add_job(project, INFO, *ready(output))

    assert [child.name() for child in project.layerTreeRoot().children()] == [INFO.name, "what was there"]
    assert [node.name() for node in group.findLayers()] == [
        "AOI",
        "Footprints",
        "Itaipu NDVI",  # the vector file, which belongs to no scene
        "2020-06-03 Itaipu NDVI",
        "2020-05-18 Itaipu NDVI 224078",
        "2020-05-18 Itaipu NDVI 224077",
    ]
    assert all(layer.isValid() for layer in layers(group).values())
    assert len(project.mapLayers()) == 6


def test_the_same_job_is_not_loaded_twice(project: QgsProject, output: Path) -> None:
    scan, look = ready(output)
    first = add_job(project, INFO, scan, look)
    folder = project.layerTreeRoot().insertGroup(0, "moved by the user")
    folder.addChildNode(first.clone())
    project.layerTreeRoot().removeChildNode(first)

    again = JobLayers(project, INFO, scan, look)

    assert again.group.parent().name() == "moved by the user"
    assert not again.add_next()
    assert len(project.mapLayers()) == 6
    assert find_group(project, "another job") is None


def test_layers_come_one_at_a_time_and_stop_when_the_project_is_closed(project: QgsProject, output: Path) -> None:
    coming = JobLayers(project, INFO, *ready(output))
    counts = []
    for _ in range(2):
        assert coming.add_next()
        counts.append(len(project.mapLayers()))
    assert counts == [1, 2]
    project.clear()
    assert not coming.add_next()
    assert len(project.mapLayers()) == 0


def test_provenance_reaches_layer_and_credits(project: QgsProject, output: Path) -> None:
    found = layers(add_job(project, INFO, *ready(output)))
    layer = found["2020-05-18 Itaipu NDVI 224077"]
    metadata = layer.metadata()

    assert layer.customProperty("up42_jobs/job_id") == "4d10c1aa"
    assert layer.customProperty("up42_jobs/scene_id") == "LC08_224077"
    assert metadata.title() == layer.name()
    assert "2020-05-18 13:23 UTC" in metadata.abstract()
    assert metadata.rights() == ["Landsat-8 image courtesy of the U.S. Geological Survey", "Public domain"]
    assert metadata.licenses() == ["PDM-1.0"]
    history = "\n".join(metadata.history())
    for said in ("4d10c1aa", "Landsat NDVI", '{"local-scenes:1": {"limit": 3}}', "Credits: 12", "LC08_224077"):
        assert said in history
    own = found["2020-06-03 Itaipu NDVI"].metadata()
    assert own.rights()[1] == "© Somebody"
    assert own.licenses() == ["CC-BY-4.0"]


def test_a_layout_prints_the_credits(project: QgsProject, output: Path) -> None:
    found = layers(add_job(project, INFO, *ready(output)))
    layout = QgsPrintLayout(project)
    item = QgsLayoutItemMap(layout)
    item.setId("map")
    layout.addLayoutItem(item)
    item.setLayers([found["2020-05-18 Itaipu NDVI 224077"]])
    credits = QgsExpression("array_to_string(map_credits('map'))").evaluate(layout.createExpressionContext())
    assert "U.S. Geological Survey" in credits


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def test_scenes_of_one_pass_are_shown_together_until_the_next_pass() -> None:
    scenes = [scene_of(f) for f in FEATURES] + [scene_of(feature("undated", None))]
    shown = time_ranges(scenes)
    first = (utc("2020-05-18T13:23:48"), utc("2020-06-03T13:23:59"))
    assert shown["LC08_224077"] == first
    assert shown["LC08_224078"] == first
    assert shown["LC08_late"][0] == utc("2020-06-03T13:24:00")
    assert shown["LC08_late"][1] > utc("2020-06-19T13:00:00")  # as long as the one before
    assert "undated" not in shown
    alone = time_ranges(scenes[:1])["LC08_224078"]
    assert (alone[1] - alone[0]).total_seconds() == 86399


def test_the_temporal_controller_sees_each_pass(project: QgsProject, output: Path) -> None:
    found = layers(add_job(project, INFO, *ready(output)))

    def visible(moment: str) -> set[str]:
        time = QDateTime.fromString(moment, Qt.DateFormat.ISODate)
        return {
            name
            for name, layer in found.items()
            if layer.temporalProperties().isActive()
            and layer.temporalProperties().isVisibleInTemporalRange(QgsDateTimeRange(time, time))
        }

    assert visible("2020-05-20T00:00:00Z") == {"2020-05-18 Itaipu NDVI 224077", "2020-05-18 Itaipu NDVI 224078"}
    assert visible("2020-06-04T00:00:00Z") == {"2020-06-03 Itaipu NDVI"}
    assert visible("2020-05-01T00:00:00Z") == set()


def test_footprints_tell_date_cloud_and_id_without_letting_ids_be_html(project: QgsProject, output: Path) -> None:
    nasty = feature("<img src='http://127.0.0.1/x'>", "2020-05-18T23:30:00Z", 41.6)
    scan, look = prepare(
        output, [], [nasty, feature("plain", None, None), feature("day", "2020-05-18T00:00:00Z")], INFO
    )
    group = add_job(project, INFO, scan, look)
    footprints = layers(group)["Footprints"]
    assert isinstance(footprints, QgsVectorLayer)
    tips = []
    for each in footprints.getFeatures():
        context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(footprints))
        context.setFeature(each)
        tips.append(QgsExpression.replaceExpressionText(footprints.mapTipTemplate(), context))
    assert "2020-05-18 23:30 UTC" in tips[0]
    assert "42 % cloud" in tips[0]
    assert "<img" not in tips[0]
    assert "<b>?</b>" in tips[1]
    assert "cloud" not in tips[1]
    assert "plain" in tips[1]
    assert "<b>2020-05-18</b>" in tips[2]  # only the day is known: no time is made up


def test_a_saved_project_keeps_everything_and_moves_with_its_folder(
    project: QgsProject, output: Path, tmp_path: Path
) -> None:
    add_job(project, INFO, *ready(output))
    assert project.write(str(tmp_path / "map.qgz"))
    project.clear()
    moved = tmp_path.with_name(f"{tmp_path.name} moved")
    tmp_path.rename(moved)

    assert project.read(str(moved / "map.qgz"))

    group = find_group(project, INFO.job_id)
    assert group is not None
    found = layers(group)
    assert len(found) == 6
    assert all(layer.isValid() for layer in found.values())
    ndvi = found["2020-06-03 Itaipu NDVI"]
    assert str(moved) in ndvi.source()
    assert ndvi.crs().authid() == "EPSG:32721"
    assert ndvi.renderer().type() == "singlebandpseudocolor"
    assert ndvi.temporalProperties().isActive()
    assert ndvi.temporalProperties().fixedTemporalRange().begin().toUTC().toString("yyyy-MM-dd HH:mm") == (
        "2020-06-03 13:24"
    )
    assert ndvi.metadata().rights()[1] == "© Somebody"
    assert not JobLayers(project, INFO, Scan([], []), Look()).add_next()


def test_the_zoom_is_the_aoi_of_a_live_job_and_the_scenes_of_a_test_query(project: QgsProject, output: Path) -> None:
    wgs84, mercator = QgsCoordinateReferenceSystem("EPSG:4326"), QgsCoordinateReferenceSystem("EPSG:3857")
    scan, look = ready(output)
    live = extent_of(add_job(project, INFO, scan, look), wgs84)
    query = extent_of(add_job(project, replace(INFO, job_id="q", job_type="test_query"), scan, look), wgs84)
    storage = extent_of(add_job(project, replace(INFO, job_id="s", aoi_geometry=None), scan, look), wgs84)

    assert live.width() == pytest.approx(0.01 * 1.1)
    assert query.width() == pytest.approx(0.2 * 1.1)
    raster = next(layer for layer in project.mapLayers().values() if layer.name() == "2020-06-03 Itaipu NDVI")
    to_wgs84 = QgsCoordinateTransform(raster.crs(), wgs84, project)
    assert storage.contains(to_wgs84.transformBoundingBox(raster.extent()))
    in_metres = extent_of(find_group(project, INFO.job_id), mercator)
    assert in_metres.width() == pytest.approx(0.01 * 1.1 * 111319.5, rel=1e-4)
    assert extent_of(project.layerTreeRoot().addGroup("empty"), wgs84) == QgsRectangle()


def test_demo_is_said_in_every_name_that_shows_demo_scenes(
    project: QgsProject, tmp_path: Path, make_raster: MakeRaster
) -> None:
    folder = tmp_path / "demo"
    make_raster(folder / "DEMO_1_ndvi.tif", np.full((1, 40, 40), 0.6, "float32"))
    make_raster(folder / "merged.tif", np.full((1, 40, 40), 0.6, "float32"))
    features = [feature("DEMO_1", "2024-05-01T10:00:00Z", rights="Synthetic, not an observation")]
    scan, look = prepare(folder, sorted(folder.iterdir()), features, INFO)
    group = add_job(project, INFO, scan, look)

    assert group.name() == f"Demo {INFO.name}"
    found = layers(group)
    assert set(found) == {"AOI", "Demo Footprints", "2024-05-01 Itaipu Demo NDVI", "Itaipu Demo NDVI"}
    assert found["2024-05-01 Itaipu Demo NDVI"].metadata().rights()[-1] == "Synthetic, not an observation"


def test_quicklooks_lie_inside_their_footprints(project: QgsProject, tmp_path: Path) -> None:
    folder = tmp_path / "query"
    folder.mkdir()
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 40, 40))
    assert image.save(str(folder / "tilted.jpg"))
    assert image.convertToFormat(QImage.Format.Format_Indexed8).save(str(folder / "DEMO_q.png"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no image")
    tilted = feature("tilted", "2020-05-18T13:24:12Z")
    tilted["geometry"]["coordinates"] = [
        [[-54.6, -25.4], [-54.5, -25.3], [-54.6, -25.2], [-54.7, -25.3], [-54.6, -25.4]]
    ]
    features = [tilted, feature("DEMO_q", "2020-05-20T13:24:12Z"), feature("broken", None)]
    info = replace(INFO, job_type="test_query")

    scan, look = prepare(folder, [], features, info, quicklooks=sorted(folder.iterdir()))
    group = add_job(project, info, scan, look)

    names = [node.name() for node in group.findGroup("Quicklooks").findLayers()]
    assert names == ["2020-05-20 Itaipu Demo Quicklook", "2020-05-18 Itaipu Quicklook"]
    placed = layers(group)["2020-05-18 Itaipu Quicklook"]
    assert placed.crs().authid() == "EPSG:4326"
    extent = placed.extent()
    corners = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
    assert corners == pytest.approx((-54.7, -25.4, -54.5, -25.2))
    alpha = placed.dataProvider().block(4, extent, 200, 200)
    assert alpha.value(100, 100) == 255
    assert alpha.value(5, 5) == 0
    red = placed.dataProvider().block(1, extent, 200, 200)
    assert red.value(100, 100) == pytest.approx(200, abs=4)


def test_what_an_archive_puts_in_the_place_of_our_files_is_not_followed(
    project: QgsProject, tmp_path: Path, silent_server: tuple[str, list[str]]
) -> None:
    url, asked = silent_server
    folder = tmp_path / "query"
    (folder / "placed").mkdir(parents=True)
    image = QImage(50, 50, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 40, 40))
    assert image.save(str(folder / "LC08_224077.jpg"))
    remote = f"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/vsicurl/{url}/x</SrcDataSource></OGRVRTLayer>"
    for name in ("job_aoi.geojson", "job_footprints.geojson", "placed/LC08_224077.tif"):
        (folder / name).write_text(f"{remote}</OGRVRTDataSource>")

    scan, look = prepare(folder, [], FEATURES, INFO, quicklooks=[folder / "LC08_224077.jpg"])
    found = layers(add_job(project, INFO, scan, look))

    assert asked == []
    assert set(found) == {"AOI", "Footprints", "2020-05-18 Itaipu Quicklook"}
    assert found["AOI"].featureCount() == 1
    assert found["Footprints"].featureCount() == 3


def test_files_that_end_up_alike_are_told_apart_by_what_differs(
    project: QgsProject, tmp_path: Path, make_raster: MakeRaster
) -> None:
    folder = tmp_path / "tiles"
    for name in ("LC08_224078/LC08_224078_0-0.tif", "LC08_224078/LC08_224078_0-1.tif", "a/x.tif", "b/x.tif"):
        make_raster(folder / name, np.full((1, 40, 40), 0.6, "float32"))
    scan, look = prepare(folder, [p.relative_to(folder) for p in folder.rglob("*.tif")], FEATURES[:1], INFO)
    assert sorted(layers(add_job(project, INFO, scan, look))) == [
        "2020-05-18 Itaipu NDVI 0-0",
        "2020-05-18 Itaipu NDVI 0-1",
        "AOI",
        "Footprints",
        "Itaipu NDVI a",
        "Itaipu NDVI b",
    ]


def test_a_scan_alone_is_enough_for_aoi_and_footprints(project: QgsProject, output: Path) -> None:
    """For callers that scan and measure themselves: the outlines are written when they are needed."""
    scan, look = ready(output)
    for outline in output.glob("job_*.geojson"):
        outline.unlink()
    assert {"AOI", "Footprints"} <= set(layers(add_job(project, INFO, scan, look)))


def test_a_file_that_vanished_is_told_and_the_others_load(project: QgsProject, output: Path) -> None:
    (output / "readme.txt").write_text("hello")
    scan, look = ready(output)
    logged: list[str] = []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, _level: logged.append(f"{tag}: {text}"))
    (output / "LC08_224077_ndvi.tif").unlink()
    coming = JobLayers(project, INFO, scan, look)
    while coming.add_next():
        continue
    assert [skipped.path.name for skipped in coming.failed] == ["LC08_224077_ndvi.tif"]
    assert len(project.mapLayers()) == 5
    assert [line.partition(INFO.name)[2].split(": ")[1] for line in logged if line.startswith("UP42 Jobs")] == [
        "readme.txt",
        "LC08_224077_ndvi.tif",
    ]
