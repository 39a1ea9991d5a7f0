"""Every built-in workflow runs from the request to the archive, on both projects' engine, with its real blocks."""

from __future__ import annotations

import csv
import io
import json
import os
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from engine_process import BBOX, until
from osgeo import gdal, osr

gdal.UseExceptions()

BUILT_IN = sorted((Path(__file__).parents[2] / "resources" / "workflows").glob("*.json"))
OPEN_DATA = [  # test_contract_stac.py
    *("Sentinel-2 True Colour (open data)", "Sentinel-2 Bands", "Sentinel-2 NDVI"),
    *("Sentinel-2 Clusters", "Sentinel-2 NDVI Statistics"),
    *("Sentinel-2 Cloud-Free Composite", "Sentinel-2 Cloud-Free NDVI"),
]
CHOSEN = "My Chosen Rasters"  # takes no AOI: below
NAMES = [json.loads(path.read_text(encoding="utf-8"))["name"] for path in BUILT_IN]


@pytest.fixture(scope="module")
def computer(engine):
    return engine.this_computer()


@pytest.fixture(scope="module")
def scenes(computer, tmp_path_factory):
    """A folder with one scene that covers the AOI, registered with the engine; taken off it at the end."""
    folder = tmp_path_factory.mktemp("scenes")
    west, south, east, north = BBOX
    path = str(folder / "scene_2024-05-18.tif")
    raster = gdal.GetDriverByName("GTiff").Create(path, 320, 240, 3, gdal.GDT_UInt16)
    raster.SetGeoTransform((west - 0.01, (east - west + 0.02) / 320, 0, north + 0.01, 0, -(north - south + 0.02) / 240))
    wgs84 = osr.SpatialReference()
    wgs84.ImportFromEPSG(4326)
    raster.SetProjection(wgs84.ExportToWkt())
    for band in range(1, 4):
        raster.GetRasterBand(band).WriteArray(np.random.default_rng(band).integers(1, 3000, (240, 320), np.uint16))
    raster.FlushCache()
    del raster
    added = computer.call("POST", "/engine/scene-folders", json={"path": str(folder), "licence": "CC0-1.0"}).json()
    yield folder
    computer.call("DELETE", f"/engine/scene-folders/{added['data']['id']}")


def inputs_of(client, workflow_id, limit=1):
    """What a newcomer sends: every default, and the AOI."""
    tasks = client.data(f"{client.project}/workflows/{workflow_id}/tasks")
    inputs = {
        task["name"]: {
            key: value["default"] for key, value in task["block"]["parameters"].items() if "default" in value
        }
        for task in tasks
    }
    inputs[tasks[0]["name"]].update(bbox=BBOX, limit=limit)
    return inputs


def workflows(client):
    return client.data(f"{client.project}/workflows")


def files_of(client, path):
    """The archive's files by name."""
    answer = requests.get(client.data(f"{path}/downloads/results")["url"], timeout=30)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def test_both_projects_list_them_in_order_the_first_for_newcomers(engine):
    """Real imagery comes first, but for practising, where the demo does."""
    assert [workflow["name"] for workflow in workflows(engine.this_computer())] == NAMES
    first = len(OPEN_DATA)
    assert NAMES[: first + 1] == [*OPEN_DATA, "Demo Imagery"]
    assert [workflow["name"] for workflow in workflows(engine.practice())] == [*NAMES[first:], *OPEN_DATA]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*OPEN_DATA, CHOSEN)])
def test_a_live_job_delivers_rasters_where_the_aoi_is(computer, scenes, name):
    workflow_id = next(workflow["id"] for workflow in workflows(computer) if workflow["name"] == name)
    job = computer.start(workflow_id, inputs_of(computer, workflow_id), name=name)
    ended = computer.wait(job)
    last = len(computer.data(f"{job}/tasks")) - 1
    assert ended["status"] == "SUCCEEDED", computer.log(job, 0) + computer.log(job, last)
    files = files_of(computer, job)
    features = json.loads(files.pop("output/data.json"))["features"]
    assert files
    assert {f"output/{feature['properties']['up42.data_path']}" for feature in features} <= set(files)
    if "Statistics" in name:
        check_table(files)
    for member, content in files.items():
        if not member.endswith(".tif"):
            continue
        gdal.FileFromMemBuffer("/vsimem/output.tif", content)
        raster = gdal.Open("/vsimem/output.tif")
        assert raster.GetSpatialRef() is not None, member
        pixels = raster.ReadAsArray()
        assert np.ptp(pixels) > 0, f"{member} is empty"
        del raster
        gdal.Unlink("/vsimem/output.tif")


def check_table(files):
    """One CSV and the same as GeoJSON, with a mean for each scene."""
    (table,) = [content for member, content in files.items() if member.endswith(".csv")]
    (shapes,) = [content for member, content in files.items() if member.endswith(".geojson")]
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8"))))
    assert rows and all(-1 <= float(row["mean"]) <= 1 and row["zone"] == "AOI" for row in rows)
    assert [float(row["mean"]) for row in rows] == [f["properties"]["mean"] for f in json.loads(shapes)["features"]]


@pytest.mark.parametrize("name", ["Demo Imagery", "My Scenes"])
def test_a_test_query_finds_what_the_live_job_delivers(engine, scenes, name):
    client = engine.practice()
    workflow_id = next(workflow["id"] for workflow in workflows(client) if workflow["name"] == name)
    inputs = inputs_of(client, workflow_id, limit=2)
    query = client.start(workflow_id, {**inputs, "config": {"mode": "DRY_RUN"}})
    assert client.wait(query)["status"] == "SUCCEEDED", client.log(query, 0)
    assert list(files_of(client, query)) == ["output/data.json"]
    found = [feature["id"] for feature in client.call("GET", f"{query}/outputs/data-json").json()["features"]]
    assert found
    task = f"{query}/tasks/{client.task(query, 0)['id']}"
    names = client.data(f"{task}/outputs/quicklooks")
    assert sorted(Path(image).stem for image in names) == sorted(found)
    image = client.call("GET", f"{task}/outputs/quicklooks/{names[0]}")
    assert image.headers["Content-Type"] in ("image/jpeg", "image/png")
    pinned = {**inputs, next(iter(inputs)): {"bbox": BBOX, "ids": found[:1]}}
    job = client.start(workflow_id, pinned)
    assert client.wait(job)["status"] == "SUCCEEDED", client.log(job, 0)
    delivered = client.call("GET", f"{job}/outputs/data-json").json()["features"]
    assert [feature["id"] for feature in delivered] == found[:1]
    estimated = client.data(f"{job}/estimate")
    used = client.data(f"{job}/credits")["creditsUsed"]
    least, most = (
        sum(part["credit"][end] for task in estimated.values() for part in task.values()) for end in ("min", "max")
    )
    assert least <= used <= most


def test_rasters_are_chosen_one_by_one_without_an_aoi(computer, scenes):
    workflow_id = next(workflow["id"] for workflow in workflows(computer) if workflow["name"] == CHOSEN)
    task = "up42-processing-from-storage:1"
    query = computer.start(workflow_id, {task: {}, "config": {"mode": "DRY_RUN"}})
    assert computer.wait(query)["status"] == "SUCCEEDED", computer.log(query, 0)
    shown = computer.call("GET", f"{query}/outputs/data-json").json()["features"]
    asset = next(feature["properties"]["asset_id"] for feature in shown if feature["id"] == "scene_2024-05-18")
    job = computer.start(workflow_id, {task: {"asset_ids": [asset]}})
    assert computer.wait(job)["status"] == "SUCCEEDED", computer.log(job, 0)
    files = files_of(computer, job)
    assert set(files) == {"output/data.json", "output/scene_2024-05-18.tif"}
    unchosen = computer.start(workflow_id, {task: {}})
    assert computer.wait(unchosen)["status"] == "FAILED"
    assert "No raster is chosen: run a Test Query" in computer.log(unchosen, 0)


def test_cancelling_while_a_large_folder_is_read_takes_under_a_second_and_the_next_job_knows_all(
    computer, scenes, tmp_path
):
    many = 1500
    raster = scenes / "scene_2024-05-18.tif"
    for number in range(many):
        os.link(raster, tmp_path / f"n{number:04}_2022-01-02.tif")
    added = computer.call("POST", "/engine/scene-folders", json={"path": str(tmp_path), "licence": "CC0-1.0"}).json()
    workflow_id = next(workflow["id"] for workflow in workflows(computer) if workflow["name"] == CHOSEN)
    task, test = "up42-processing-from-storage:1", {"config": {"mode": "DRY_RUN"}}
    query = computer.start(workflow_id, {task: {}, **test})
    until(lambda: computer.task(query, 0)["progress"], "the folder is being read")
    asked = time.monotonic()
    assert computer.call("POST", f"{query}/cancel").status_code == 204
    computer.wait(query, "CANCELLED")
    assert time.monotonic() - asked < 1
    again = computer.start(workflow_id, {task: {"ids": ["n0007_2022-01-02"]}, **test})
    assert computer.wait(again)["status"] == "SUCCEEDED", computer.log(again, 0)
    assert f"{many + 1} rasters are in the folders." in computer.log(again, 0)
    computer.call("DELETE", f"/engine/scene-folders/{added['data']['id']}")
