"""Time and memory of the processing blocks, beside what a user would run by hand: `make bench`, docs/performance.md.

Rasters of 1000² and 5000² pixels, and of 20,000² for three blocks (`BENCH_LARGE=1`; 2 GB of disk). By hand the
outputs get the same compression and, where ours have them, overviews. Each figure is a line of JSON in
build/bench/blocks.jsonl.
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
from typing import Optional

import numpy as np
import pytest
from osgeo import gdal, osr

pytestmark = pytest.mark.bench

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"
FOLDER = BUILD / "blocks"
RUNS = 3
RATIO_BAR, MEMORY_BAR = 1.3, 1000.0  # of the time by hand; MB
SIZES = (1000, 5000)
LARGE = 20_000
NAMES = ("B02 Blue", "B03 Green", "B04 Red", "B08 NIR", "SCL")
PACKED = ["-co", "TILED=YES", "-co", "COMPRESS=DEFLATE", "-co", "ZLEVEL=4", "-co", "BIGTIFF=IF_SAFER"]
CALC = [text.replace("-co", "--co") for text in PACKED]


def tell(**line: object) -> None:
    text = json.dumps({**line, "load": round(os.getloadavg()[0], 1)}, ensure_ascii=False)
    print(text, flush=True)
    with (BUILD / "blocks.jsonl").open("a") as target:
        target.write(text + "\n")


@pytest.fixture(scope="module", autouse=True)
def told():
    FOLDER.mkdir(parents=True, exist_ok=True)
    print()
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    tell(figure="machine", date=date, cores=os.cpu_count(), gdal=gdal.__version__)
    yield
    shutil.rmtree(FOLDER, ignore_errors=True)


def parent_of_size(side: int, kind: str) -> Path:
    """A parent task's output: land with noise that repeats every 1024 pixels, made once.

    `kind`: scene (five bands), classes (one), or three (three scenes of one band).
    """
    folder = FOLDER / f"{kind}-{side}"
    path = folder / "S1.tif"
    if path.exists():
        return folder
    folder.mkdir(parents=True)
    rng = np.random.default_rng(side)
    field = rng.integers(0, 6, (32, 32)).repeat(32, 0).repeat(32, 1)
    if kind == "classes":
        tile = (field + 1).astype(np.uint8)[None]
        names, data_type = ("Cluster",), gdal.GDT_Byte
    else:
        bands = [field * 300 + 400 * (n + 1) + rng.integers(0, 200, field.shape) for n in range(4)]
        tile = np.stack([*bands, rng.choice([4, 5, 8, 9], (64, 64)).repeat(16, 0).repeat(16, 1)]).astype(np.uint16)
        tile = tile[:1] if kind == "three" else tile
        names, data_type = NAMES[: len(tile)], gdal.GDT_UInt16
    options = ["TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=1", "INTERLEAVE=BAND", "BLOCKXSIZE=512", "BLOCKYSIZE=512"]
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), side, side, len(tile), data_type, [*options, "BIGTIFF=YES"]
    )
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    dataset.SetSpatialRef(reference)
    dataset.SetGeoTransform((400000.0, 10.0, 0.0, 5800000.0, 0.0, -10.0))
    for number, name in enumerate(names, start=1):
        dataset.GetRasterBand(number).SetDescription(name)
        dataset.GetRasterBand(number).SetNoDataValue(0)
    for top in range(0, side, 1024):
        for left in range(0, side, 1024):
            dataset.WriteArray(tile[:, : min(1024, side - top), : min(1024, side - left)], left, top)
    dataset.FlushCache()
    del dataset
    ring = [[14, 52], [15, 52], [15, 53], [14, 53], [14, 52]]
    features = []
    for name in ("S1", "S2", "S3") if kind == "three" else ("S1",):
        if name != "S1":
            os.link(path, folder / f"{name}.tif")
        properties = {"datetime": "2024-05-18T10:00:00Z", "up42.data_path": f"{name}.tif"}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "id": name, "geometry": geometry, "properties": properties})
    (folder / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder


def by_hand(block: str, source: str, out: Path, side: int) -> Optional[list[list[str]]]:
    """The commands that a user would type; None where GDAL and QGIS have nothing of the kind."""
    made = str(out / "made.tif")
    overviews = [["gdaladdo", "-q", "-r", "average", "--config", "COMPRESS_OVERVIEW", "DEFLATE", made]]
    after = overviews if side > 2048 else []
    if block == "index":
        formula = "(A.astype(float32)-B)/(A.astype(float32)+B)"
        bands = ["-A", source, "--A_band=4", "-B", source, "--B_band=3"]
        return [
            ["gdal_calc.py", "--quiet", *bands, f"--calc={formula}", "--type=Float32", "--outfile", made, *CALC],
            *after,
        ]
    if block == "crs-conversion":
        return [["gdalwarp", "-q", "-multi", "-r", "near", "-t_srs", "EPSG:3857", *PACKED, source, made], *after]
    if block == "vectorising":
        drawn = str(out / "drawn.gpkg")
        return [
            ["gdal_polygonize.py", "-q", source, "-f", "GPKG", drawn],
            ["ogr2ogr", "-t_srs", "EPSG:4326", str(out / "made.geojson"), drawn],
        ]
    if block == "zonal-statistics":
        return [["gdalinfo", "-stats", "--config", "GDAL_PAM_ENABLED", "NO", source]]
    if block == "cloud-mask":
        formula = "A*((B!=3)*(B!=8)*(B!=9)*(B!=10))"
        bands = ["-A", source, "--allBands=A", "-B", source, "--B_band=5", "--NoDataValue=0"]
        return [["gdal_calc.py", "--quiet", *bands, f"--calc={formula}", "--outfile", made, *CALC], *after]
    if block == "composite":
        files = [text for n, name in zip((1, 2, 3), "ABC") for text in (f"-{name}", source.replace("S1", f"S{n}"))]
        formula = "numpy.median(numpy.stack((A,B,C)),axis=0)"
        end = ["--type=UInt16", "--NoDataValue=0", "--outfile", made, *CALC]
        return [["gdal_calc.py", "--quiet", *files, f"--calc={formula}", *end], *after]
    return None


CASES = {
    "index": ("scene", {}),
    "crs-conversion": ("scene", {"output_epsg_code": 3857, "resampling_method": "near"}),
    "kmeans-clustering": ("scene", {"n_sieve_pixels": 0}),
    "zonal-statistics": ("scene", {}),
    "vectorising": ("classes", {}),
    "cloud-mask": ("scene", {}),
    "composite": ("three", {}),
}
LARGE_CASES = ("index", "kmeans-clustering", "zonal-statistics")


def run_ours(block: str, parent: Path, parameters: dict) -> dict:
    out = FOLDER / "ours"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, str(HERE / "blocks_worker.py"), block, str(parent), str(out), json.dumps(parameters)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr[-2000:]
    shutil.rmtree(out)
    return json.loads(done.stdout.splitlines()[-1])


def run_by_hand(commands: list[list[str]], out: Path) -> float:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    started = time.monotonic()
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=800)
    seconds = time.monotonic() - started
    shutil.rmtree(out)
    return seconds


@pytest.mark.parametrize("block", CASES)
def test_blocks_beside_the_tools_by_hand(block: str) -> None:
    kind, parameters = CASES[block]
    seconds, peaks = {}, {}
    large = (LARGE,) if block in LARGE_CASES and os.environ.get("BENCH_LARGE") else ()
    for side in (*SIZES, *large):
        parent = parent_of_size(side, kind)
        hand = by_hand(block, str(parent / "S1.tif"), FOLDER / "hand", side)
        ours, theirs = [], []
        for _ in range(RUNS if side < LARGE else 1):
            ours.append(run_ours(block, parent, parameters))
            if hand:
                theirs.append(run_by_hand(hand, FOLDER / "hand"))
        seconds[side] = statistics.median(run["seconds"] for run in ours)
        peaks[side] = max(run["peak_mb"] for run in ours)
        usual = statistics.median(theirs) if theirs else None
        ratio = round(seconds[side] / usual, 2) if usual else None
        tell(
            figure=block, side=side, seconds=round(seconds[side], 2), by_hand=usual and round(usual, 2), ratio=ratio,
            peak_mb=round(peaks[side]), runs=[round(run["seconds"], 2) for run in ours],
            runs_by_hand=[round(one, 2) for one in theirs],
        )  # fmt: skip
        assert peaks[side] < MEMORY_BAR
        if ratio is not None and side > SIZES[0]:  # of the smallest, starting a program is most of the time
            assert ratio <= RATIO_BAR
    if large:
        assert peaks[LARGE] < peaks[SIZES[1]] * 1.5, "memory grows with the raster"
