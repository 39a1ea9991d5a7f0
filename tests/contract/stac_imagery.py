"""Real imagery on loopback for tests: stac-fastapi, a server of COGs, and an engine that searches there.

Generated scenes in the shape of Sentinel-2's, and where it is there the Landsat sample of `make demo` as COGs.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import requests
from engine_process import Engine
from environments import STAC_API, NoEnvironment
from osgeo import gdal

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import landsat_scenes as landsat
from servers import preset_scenes as others
from servers import sentinel_scenes as s2
from servers.stac import StacServer

gdal.UseExceptions()

SERVE = Path(__file__).parent / "stac_api" / "serve.py"
SAMPLE = Path(__file__).parents[2] / "build" / "sample"
LANDSAT_NORTH = "LC08_L1TP_224077_20200518_20200518_01_RT"
OTHER_PRESETS = (others.RADAR[0], others.HEIGHTS[0], others.REFLECTANCE[0])
INSIDE = [12.01, 52.01, 12.05, 52.03]


@pytest.fixture(scope="session")
def stac_files(tmp_path_factory):
    """A server of files that knows ranges, and the STAC items of what it serves in `folder/items`."""
    folder, stac = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("stac")
    with StacServer(folder) as running:
        items = s2.make_scenes(folder, running.url)
        collections = [s2.collection(), {**s2.collection(), "id": landsat.COLLECTION}]
        items.append(landsat.make_item(folder, running.url))
        items += others.make_items(folder, running.url)
        collections += [{**s2.collection(), "id": name} for name in OTHER_PRESETS]
        if (SAMPLE / f"{LANDSAT_NORTH}_B4.TIF").is_file():
            items.append(landsat_item(folder, running.url))
            collections.append({**s2.collection(), "id": "landsat", "license": "proprietary"})
        for name, documents in (("items", items), ("collections", collections)):
            (stac / name).mkdir()
            for document in documents:
                (stac / name / f"{document['id']}.json").write_text(json.dumps(document))
        yield running, stac, items


def landsat_item(folder: Path, url: str) -> dict:
    """The northern scene of the sample, its bands as COGs."""
    assets = {}
    (folder / LANDSAT_NORTH).mkdir()
    for key, band in (("blue", "B2"), ("green", "B3"), ("red", "B4")):
        path = folder / LANDSAT_NORTH / f"{band}.tif"
        gdal.Translate(str(path), str(SAMPLE / f"{LANDSAT_NORTH}_{band}.TIF"), format="COG", noData=0)
        assets[key] = {"href": f"{url}/{LANDSAT_NORTH}/{band}.tif", "type": "image/tiff; application=geotiff"}
    corners = gdal.Info(str(path), format="json")["wgs84Extent"]
    xs, ys = zip(*corners["coordinates"][0])
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": LANDSAT_NORTH, "collection": "landsat",
        "geometry": corners, "bbox": [min(xs), min(ys), max(xs), max(ys)], "links": [], "assets": assets,
        "properties": {"datetime": "2020-05-18T13:23:00Z", "platform": "landsat-8", "eo:cloud_cover": 1.0},
    }  # fmt: skip


@pytest.fixture(scope="session")
def stac_api(stac_files):
    """The address of stac-fastapi; all its items were validated by pystac."""
    try:
        python = STAC_API.python()
    except NoEnvironment as reason:
        pytest.skip(f"stac-fastapi was NOT run: {reason}")
    process = subprocess.Popen(
        [str(python), "-I", str(SERVE), str(stac_files[1])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        url = process.stdout.readline().strip()
        assert url, process.stderr.read()
        deadline = time.monotonic() + 20
        while not _answers(url):
            assert time.monotonic() < deadline, "stac-fastapi doesn't answer"
            time.sleep(0.02)
        yield url
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()
        process.stderr.close()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/conformance", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="session")
def stac_computer(stac_api, tmp_path_factory):
    """This Computer of an engine whose Sentinel-2 comes from stac-fastapi."""
    data = tmp_path_factory.mktemp("engine") / "data"
    config = tmp_path_factory.mktemp("config") / "stac.json"
    config.write_text(json.dumps({name: {"url": stac_api, "permits": ""} for name in OTHER_PRESETS}))
    environment = {"UP42_JOBS_STAC_URL": stac_api, "UP42_JOBS_STAC_CONFIG": str(config)}
    engine = Engine(data, "--stay", tiny=False, environment=environment)
    try:
        engine.read_line()
        yield engine.this_computer()
    finally:
        engine.stop()


def run(client, workflow, data, mode=None, **others):
    """Run a built-in workflow by its name, or one of blocks made here; returns the job, its log and its files."""
    names = {found["name"]: found["id"] for found in client.data(f"{client.project}/workflows")}
    workflow_id = names.get(workflow) or client.make_workflow(*workflow.split(" > "))
    tasks = [task["name"] for task in client.data(f"{client.project}/workflows/{workflow_id}/tasks")]
    inputs = {name: others.get(name, {}) for name in tasks}
    inputs[tasks[0]] = data
    if mode:
        inputs["config"] = {"mode": mode}
    job = client.start(workflow_id, inputs)
    ended = client.wait(job)
    log = client.log(job, 0)
    assert ended["status"] == "SUCCEEDED", log
    answer = requests.get(client.data(f"{job}/downloads/results")["url"], timeout=30)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        held = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    return job, log, held


def opened(content: bytes, name: str = "output.tif"):
    gdal.FileFromMemBuffer(f"/vsimem/{name}", content)
    return gdal.Open(f"/vsimem/{name}")


def translated(path: Path, raster):
    x, wide, _, y, _, high = raster.GetGeoTransform()
    window = [x, y, x + wide * raster.RasterXSize, y + high * raster.RasterYSize]
    return gdal.Translate("", str(path), format="MEM", projWin=window).ReadAsArray()
