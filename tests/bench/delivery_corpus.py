"""The archives that the figures of delivery are measured on; made once, from fixed seeds, in build/bench."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

BANDS, SIDE = 4, 4500  # UInt16: 162 MB a scene, of which gzip leaves about four fifths
SCENES = 8
SMALL_FILES, SMALL_SIZE = 10_000, 4_000  # bytes
VERSION = "1"  # another one makes all archives anew


def scene(path: Path, seed: int, side: int = SIDE) -> None:
    """A GeoTIFF as reflectances look to gzip: smooth land under noise of 10 bits."""
    chance = np.random.default_rng(seed)
    rows, columns = np.ogrid[:side, :side]
    land = 1500 + 800 * np.sin(rows / 300 + seed) * np.cos(columns / 200)
    gdal.UseExceptions()
    target = gdal.GetDriverByName("GTiff").Create(str(path), side, side, BANDS, gdal.GDT_UInt16)
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(32621)
    target.SetProjection(srs.ExportToWkt())
    target.SetGeoTransform((700000, 10, 0, -2700000, 0, -10))
    for band in range(1, BANDS + 1):
        noise = chance.integers(0, 1024, (side, side), dtype=np.uint16)
        target.GetRasterBand(band).WriteArray((land * band / 2).astype(np.uint16) + noise)
    target.FlushCache()


def make(folder: Path) -> dict[str, Path]:
    """The archives by name: large (1 GB), twice (2 GB), medium (100 MB), small (10,000 files)."""
    folder = folder / f"corpus-{VERSION}"
    names = ("large", "twice", "medium", "small")
    archives = {name: folder / f"{name}.tgz" for name in names}
    if not (folder / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / "output"
        output.mkdir(exist_ok=True)
        for number in range(SCENES):
            scene(output / f"S{number}.tif", number)
        (output / "data.json").write_text('{"type": "FeatureCollection", "features": []}')
        command = 'tar c output | gzip -1 > "$1"'
        subprocess.run(["sh", "-c", command, "sh", archives["large"]], cwd=folder, check=True)
        _copies(archives["twice"], output / "S0.tif", 2 * SCENES)
        scene(output / "M.tif", 99, side=SIDE * 7 // 8)
        _copies(archives["medium"], output / "M.tif", 1)
        archives["small"].write_bytes(_small())
        for path in output.iterdir():
            path.unlink()
        output.rmdir()
        (folder / "whole").touch()
    return archives


def _copies(archive: Path, file: Path, copies: int) -> None:
    """The same file under several names; a gzip member for each, so that it is packed only once."""
    content = file.read_bytes()
    packed = gzip.compress(content + bytes(-len(content) % 512), 1)
    with archive.open("wb") as target:
        for copy in range(copies):
            info = tarfile.TarInfo(f"output/S{copy}.tif")
            info.size = len(content)
            target.write(gzip.compress(info.tobuf()) + packed)
        target.write(gzip.compress(bytes(1024)))


def _small() -> bytes:
    chance = np.random.default_rng(3)
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for number in range(SMALL_FILES):
            info = tarfile.TarInfo(f"output/{number // 100:03}/tile_{number:05}.tif")
            info.size = SMALL_SIZE
            archive.addfile(info, io.BytesIO(chance.integers(0, 64, SMALL_SIZE, dtype=np.uint8).tobytes()))
    return gzip.compress(target.getvalue(), 1)


def size(path: Path) -> int:
    return os.stat(path).st_size
