"""Time and memory of the processing blocks, beside what a user would run by hand: `make bench`, docs/performance.md.

Rasters of 1000² and 5000² pixels, and with `BENCH_LARGE=1` of 20,000² (6 GB of disk). By hand outputs get the same
compression and, where ours have them, overviews. Each figure is a test and a process of its own (`-k "20000 and ndvi"`)
and a line of JSON in build/bench/blocks.jsonl. `BENCH_KEEP=1` keeps the rasters for the next run.
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
    if not os.environ.get("BENCH_KEEP"):
        shutil.rmtree(FOLDER, ignore_errors=True)


def parent_of_size(side: int, kind: str) -> Path:
    """A parent task's output: land with noise that repeats every 1024 pixels, made once.

    `kind`: scene (five bands), classes (one), three (three scenes of one band), or pair (four bands of half the side
    and a panchromatic one).
    """
    folder = FOLDER / f"{kind}-{side}"
    if (folder / "data.json").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = {"three": ("S1", "S2", "S3"), "pair": ("S1_ms", "S1_pan")}.get(kind, ("S1",))
    for number, name in enumerate(names):
        if kind == "three" and number:
            os.link(folder / "S1.tif", folder / f"{name}.tif")
        elif kind == "pair":
            write_raster(folder / f"{name}.tif", side if number else side // 2, ("scene", "pan")[number])
        else:
            write_raster(folder / f"{name}.tif", side, kind)
    ring = [[14, 52], [15, 52], [15, 53], [14, 53], [14, 52]]
    features = []
    for name in names:
        properties = {"datetime": "2024-05-18T10:00:00Z", "up42.data_path": f"{name}.tif"}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "id": name, "geometry": geometry, "properties": properties})
    (folder / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder


def write_raster(path: Path, side: int, kind: str) -> None:
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
        if path.stem.endswith("_ms"):
            tile, names = tile[:4], NAMES[:4]
        if kind == "pan":
            tile, names = tile[2:3], ("Pan",)
    options = ["TILED=YES", "COMPRESS=DEFLATE", "ZLEVEL=1", "INTERLEAVE=BAND", "BLOCKXSIZE=512", "BLOCKYSIZE=512"]
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), side, side, len(tile), data_type, [*options, "BIGTIFF=YES"]
    )
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    dataset.SetSpatialRef(reference)
    metres = 20.0 if path.stem.endswith("_ms") else 10.0
    dataset.SetGeoTransform((400000.0, metres, 0.0, 5800000.0, 0.0, -metres))
    for number, name in enumerate(names, start=1):
        dataset.GetRasterBand(number).SetDescription(name)
        dataset.GetRasterBand(number).SetNoDataValue(0)
    for top in range(0, side, 1024):
        for left in range(0, side, 1024):
            dataset.WriteArray(tile[:, : min(1024, side - top), : min(1024, side - left)], left, top)
    dataset.FlushCache()


def by_hand(block: str, source: str, out: Path, side: int) -> Optional[list[list[str]]]:
    """The commands that a user would type; None where GDAL and QGIS have nothing of the kind."""
    made = str(out / "made.tif")
    overviews = [["gdaladdo", "-q", "-r", "average", "--config", "COMPRESS_OVERVIEW", "DEFLATE", made]]
    after = overviews if side > 2048 else []
    if block in ("index", "ndvi"):
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
    if block == "pansharpen":
        colours, pan = source.replace("S1.tif", "S1_ms.tif"), source.replace("S1.tif", "S1_pan.tif")
        return [["gdal_pansharpen.py", "-q", "-r", "bilinear", *PACKED, pan, colours, made], *after]
    if block == "sharpening":
        return [["gdal_translate", "-q", *PACKED, str(kernel_vrt(source, out.parent)), made], *after]
    if block == "tiling":
        return [["gdal_retile.py", "-q", "-ps", "768", "768", *PACKED, "-targetDir", str(out), source]]
    return None


def kernel_vrt(source: str, folder: Path) -> Path:
    """An unsharp mask as a virtual raster with a kernel: what GDAL has for a sharpening by hand."""
    path = folder / "kernel.vrt"
    dataset = gdal.Translate("", source, format="VRT")
    text = dataset.GetMetadata("xml:VRT")[0]
    blur = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    unsharp = -np.outer(blur, blur) / blur.sum() ** 2
    unsharp[4, 4] += 2
    weights = " ".join(str(weight) for weight in unsharp.ravel())
    kernel = f'<Kernel normalized="0"><Size>{len(unsharp)}</Size><Coefs>{weights}</Coefs></Kernel>'
    for kind in ("Simple", "Complex"):
        text = text.replace(f"<{kind}Source>", "<KernelFilteredSource>")
        text = text.replace(f"</{kind}Source>", f"{kernel}</KernelFilteredSource>")
    path.write_text(text)
    return path


CASES = {
    "ndvi": ("scene", {}),
    "index": ("scene", {}),
    "crs-conversion": ("scene", {"output_epsg_code": 3857, "resampling_method": "near"}),
    "kmeans-clustering": ("scene", {"n_sieve_pixels": 0}),
    "zonal-statistics": ("scene", {}),
    "vectorising": ("classes", {}),
    "cloud-mask": ("scene", {}),
    "composite": ("three", {}),
    "pansharpen": ("pair", {"method": "Brovey"}),  # what GDAL has
    "sharpening": ("scene", {}),
    "tiling": ("scene", {}),
}


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


@pytest.mark.parametrize("side", [*SIZES, LARGE])
@pytest.mark.parametrize("block", CASES)
def test_blocks_beside_the_tools_by_hand(block: str, side: int) -> None:
    if side == LARGE and not os.environ.get("BENCH_LARGE"):
        pytest.skip("20,000² takes minutes and 3 GB of disk: BENCH_LARGE=1")
    kind, parameters = CASES[block]
    parent = parent_of_size(side, kind)
    hand = by_hand(block, str(parent / "S1.tif"), FOLDER / "hand", side)
    ours, theirs = [], []
    for _ in range(RUNS if side < LARGE else 1):
        ours.append(run_ours(block, parent, parameters))
        if hand:
            theirs.append(run_by_hand(hand, FOLDER / "hand"))
    seconds, peak = statistics.median(run["seconds"] for run in ours), max(run["peak_mb"] for run in ours)
    usual = statistics.median(theirs) if theirs else None
    ratio = round(seconds / usual, 2) if usual else None
    tell(
        figure=block, side=side, seconds=round(seconds, 2), by_hand=usual and round(usual, 2), ratio=ratio,
        peak_mb=round(peak), runs=[round(run["seconds"], 2) for run in ours],
        runs_by_hand=[round(one, 2) for one in theirs],
    )  # fmt: skip
    assert peak < MEMORY_BAR
    if ratio is not None and side > SIZES[0]:  # of the smallest, starting a program is most of the time
        assert ratio <= RATIO_BAR
