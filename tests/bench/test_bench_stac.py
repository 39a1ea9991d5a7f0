"""How long clipping real-size Sentinel-2 files takes, and how much memory, beside GDAL's own tools run by hand.

By hand: one VRT of the four bands over HTTP, `gdal_translate` of the AOI's frame with the same compression. Ours also
searches, cuts to the AOI, looks at the clouds and draws the quicklook.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Sequence

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import sentinel_scenes as s2
from servers.stac import StacServer

pytestmark = pytest.mark.bench
RUNS = 3
LARGE = 20_000
RATIO, PEAK_KB = 1.3, 800_000
# West, south, east, north, and about the same frame in UTM 33: ulx uly lrx lry. About 100, 500, 1,000 km².
SIZES = {
    100: ([12.20, 52.15, 12.345, 52.24], ("309000", "5792000", "319000", "5782000")),
    500: ([12.14, 52.11, 12.465, 52.31], ("305000", "5799500", "327300", "5777200")),
    1000: ([12.12, 52.05, 12.557, 52.35], ("303800", "5800000", "334300", "5768000")),
}
FILES = ("B02", "B03", "B04", "B08")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    with StacServer(folder) as running:
        running.items = s2.make_full_size_scenes(folder, running.url, ("2024-06-17T10:15:59Z",))
        yield running


def by_hand(url: str, frame: Sequence[str], folder: Path) -> float:
    environment = {**os.environ, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "CPL_VSIL_CURL_USE_HEAD": "NO"}
    files = [f"/vsicurl/{url}/full/{name}.tif" for name in FILES]
    options = ("TILED=YES", "COMPRESS=DEFLATE", "PREDICTOR=2", "ZLEVEL=4", "INTERLEAVE=BAND")
    begin = time.monotonic()
    vrt = ["gdalbuildvrt", "-q", "-separate", str(folder / "x.vrt"), *files]
    window = ["-projwin", *frame] if frame else []
    cut = ["gdal_translate", "-q", *window, *(word for option in options for word in ("-co", option))]
    for command in (vrt, [*cut, str(folder / "x.vrt"), str(folder / "x.tif")]):
        subprocess.run(command, check=True, env=environment, timeout=600)
    return time.monotonic() - begin


def ours(url: str, asked: dict, folder: Path) -> dict:
    command = [sys.executable, str(Path(__file__).with_name("stac_worker.py")), "esa-s2-l2a-gtiff-analytic"]
    done = subprocess.run(
        [*command, json.dumps(asked), str(folder)],
        env={**os.environ, "UP42_JOBS_STAC_URL": url}, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("km2", list(SIZES))
def test_clipping_four_bands_beside_gdal_by_hand(server, km2, tmp_path):
    area, frame = SIZES[km2]
    hand, runs = [], []
    for number in range(RUNS):
        folder = tmp_path / str(number)
        folder.mkdir()
        hand.append(by_hand(server.url, frame, folder))
        runs.append(ours(server.url, {"bbox": area}, folder / "ours"))
    seconds = statistics.median(run["seconds"] for run in runs)
    peak = statistics.median(run["peak_kb"] for run in runs)
    ratio = seconds / statistics.median(hand)
    print(json.dumps({"km2": km2, "ours": seconds, "by_hand": hand, "ratio": ratio, "peak_kb": peak}))
    assert peak < PEAK_KB
    if km2 >= 500:  # below, search and quicklook are most of it
        assert ratio <= RATIO


def test_a_whole_scene_of_20_000_pixels_squared(tmp_path):
    """One run of each: 1.6 billion pixels, over three gigabytes of them."""
    if not os.environ.get("BENCH_LARGE"):
        pytest.skip("20,000² takes minutes and 6 GB of disk: BENCH_LARGE=1")
    with StacServer(tmp_path / "served") as running:
        item = s2.make_large_scene(tmp_path / "served", running.url, LARGE)
        running.items = [item]
        run = ours(running.url, {"ids": [item["id"]]}, tmp_path / "ours")
        shutil.rmtree(tmp_path / "ours")
        hand = by_hand(running.url, (), tmp_path)
    line = {"side": LARGE, "ours": run["seconds"], "by_hand": hand, "peak_kb": run["peak_kb"]}
    print(json.dumps({**line, "ratio": run["seconds"] / hand}))
    assert run["peak_kb"] < PEAK_KB
    assert run["seconds"] <= hand * RATIO
