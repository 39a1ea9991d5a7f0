"""Real imagery through the real engine: stac-fastapi and a server of COGs on loopback, from the request to the archive.

Generated scenes in the shape of Sentinel-2's, and where it is there the Landsat sample of `make demo` as COGs.
"""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from osgeo import gdal, osr

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import sentinel_scenes as s2
from servers.stac import StacServer

gdal.UseExceptions()

STAC_API = Path(__file__).parent / "stac_api"
SAMPLE = Path(__file__).parents[2] / "build" / "sample"
LANDSAT_NORTH = "LC08_L1TP_224077_20200518_20200518_01_RT"
INSIDE = [12.01, 52.01, 12.05, 52.03]
MAY = "2024-05-18T00:00:00Z/2024-05-18T23:59:59Z"
ITAIPU = [-54.62, -25.44, -54.55, -25.38]


def _environment():
    spec = importlib.util.spec_from_file_location("stac_environment", STAC_API / "environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A server of files that knows ranges, and the STAC items of what it serves in `folder/items`."""
    folder, stac = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("stac")
    with StacServer(folder) as running:
        items = s2.make_scenes(folder, running.url)
        collections = [s2.collection()]
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


@pytest.fixture(scope="module")
def stac_api(files):
    """The address of stac-fastapi; all its items were validated by pystac."""
    environment = _environment()
    try:
        python = environment.stac_python()
    except environment.NoStacApi as reason:
        pytest.skip(f"stac-fastapi was NOT run: {reason}")
    process = subprocess.Popen(
        [str(python), "-I", str(STAC_API / "serve.py"), str(files[1])],
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


@pytest.fixture(scope="module")
def computer(stac_api, tmp_path_factory):
    """This Computer of an engine whose Sentinel-2 comes from stac-fastapi."""
    from engine_process import Engine

    data = tmp_path_factory.mktemp("engine") / "data"
    engine = Engine(data, "--stay", tiny=False, environment={"UP42_JOBS_STAC_URL": stac_api})
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


def test_a_test_query_finds_what_stac_fastapi_holds(computer):
    data = {"bbox": INSIDE, "limit": 9, "max_cloud_cover": 100}
    job, log, held = run(computer, "Sentinel-2 True Colour (open data)", data, mode="DRY_RUN")
    assert list(held) == ["output/data.json"]
    features = json.loads(held["output/data.json"])["features"]
    assert [feature["id"] for feature in features] == [s2.HALF, s2.CLOUDY, s2.AFTER, s2.BEFORE]
    assert f"{s2.OLDER_PROCESSING} is left out" in log
    task = f"{job}/tasks/{computer.task(job, 0)['id']}"
    assert sorted(computer.data(f"{task}/outputs/quicklooks")) == sorted(f"{f['id']}.jpg" for f in features)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"time": MAY, "limit": 9, "contains": None}, [s2.AFTER]),
        ({"max_cloud_cover": 5, "limit": 9}, [s2.HALF, s2.AFTER]),
        ({"ids": [s2.BEFORE]}, [s2.BEFORE]),
        ({"time_series": ["2021-01-01/2021-12-31", MAY], "limit": 2}, [s2.AFTER, s2.BEFORE]),
    ],
)
def test_every_filter_is_understood_by_stac_fastapi(computer, asked, found):
    data = {"bbox": INSIDE, "max_cloud_cover": 100, **asked}
    _, _, held = run(computer, "Sentinel-2 Bands", data, mode="DRY_RUN")
    assert [feature["id"] for feature in json.loads(held["output/data.json"])["features"]] == found


def test_sentinel_2_bands_are_bit_for_bit_what_gdal_translate_gives(computer, files):
    _, _, held = run(computer, "Sentinel-2 Bands", {"bbox": INSIDE, "ids": [s2.AFTER]})
    raster = opened(held[f"output/{s2.AFTER}.tif"])
    pixels = raster.ReadAsArray()
    assert (pixels != 0).mean() > 0.9
    for number, name in enumerate(("B02", "B03", "B04", "B08")):
        expected = translated(files[0].folder / s2.AFTER / f"{name}.tif", raster)
        inside = pixels[number] != 0
        assert (pixels[number] == expected)[inside].all()
    feature = json.loads(held["output/data.json"])["features"][0]["properties"]
    assert feature["attribution"] == "Contains modified Copernicus Sentinel data 2024"
    assert raster.GetMetadata()["TIFFTAG_COPYRIGHT"].startswith("Contains modified Copernicus Sentinel data 2024")


def test_sentinel_2_ndvi_is_that_of_the_ground_at_both_dates(computer):
    _, _, held = run(computer, "Sentinel-2 NDVI", {"bbox": INSIDE, "ids": [s2.AFTER, s2.BEFORE]})
    after, before = (opened(held[f"output/{name}_ndvi.tif"], name).ReadAsArray() for name in (s2.AFTER, s2.BEFORE))
    valid = after != -9999
    assert valid.mean() > 0.9
    assert np.abs(after - before)[valid].max() < 1e-5
    assert 0.5 < after[valid].mean() < 0.9


def test_the_estimate_has_megabytes_and_no_credits(computer):
    job, _, _ = run(computer, "Sentinel-2 NDVI", {"bbox": INSIDE, "ids": [s2.AFTER]})
    data = computer.data(f"{job}/estimate")["esa-s2-l2a-gtiff-analytic:1"]
    assert computer.data(f"{job}/estimate")["ndvi:1"]["machineConsumption"]["duration"]["max"] > 0
    assert data["blockConsumption"]["credit"] == {"min": 0, "max": 0}
    assert data["blockConsumption"]["resources"]["unit"] == "MEGABYTE"
    assert 0 < data["blockConsumption"]["resources"]["min"] < data["blockConsumption"]["resources"]["max"]
    assert data["machineConsumption"]["duration"]["max"] > 0


def test_one_file_that_is_gone_leaves_the_other_scenes(computer, files):
    server, _, _ = files
    hidden = server.folder / s2.BEFORE / "B08.tif"
    aside = hidden.with_suffix(".aside")
    hidden.rename(aside)
    try:
        _, log, held = run(computer, "Sentinel-2 Bands", {"bbox": INSIDE, "ids": [s2.AFTER, s2.BEFORE]})
    finally:
        aside.rename(hidden)
    assert f"output/{s2.AFTER}.tif" in held and f"output/{s2.BEFORE}.tif" not in held
    assert f"1 of 2 scenes delivered; not: {s2.BEFORE}." in log


def test_the_landsat_sample_through_the_general_block(computer, stac_api, files):
    if not any(item["id"] == LANDSAT_NORTH for item in files[2]):
        pytest.skip("The Landsat sample is not here: `make demo` fetches it.")
    data = {"bbox": ITAIPU, "url": stac_api, "collection": "landsat", "assets": ["red", "green", "blue"]}
    _, _, held = run(computer, "stac", data)
    raster = opened(held[f"output/{LANDSAT_NORTH}.tif"])
    reference = osr.SpatialReference(wkt=raster.GetProjection())
    assert reference.GetAuthorityCode(None) == "32621"
    pixels = raster.ReadAsArray()
    for number, band in enumerate(("B4", "B3", "B2")):
        expected = translated(SAMPLE / f"{LANDSAT_NORTH}_{band}.TIF", raster)
        inside = pixels[number] != 0
        assert inside.mean() > 0.9
        assert (pixels[number] == expected)[inside].all()
    properties = json.loads(held["output/data.json"])["features"][0]["properties"]
    assert properties["attribution"] == "© Test Mission" and properties["platform"] == "landsat-8"
