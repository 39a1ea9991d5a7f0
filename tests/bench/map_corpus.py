"""The image that the figures of the map are measured on; made once, from a fixed seed, in build/bench."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

SIDE, BANDS = 13_824, 4
ROWS = 512  # written at once
VERSION = "1"  # another one makes it anew
OPTIONS = ("TILED=YES", "COMPRESS=DEFLATE", "BIGTIFF=IF_SAFER", "NUM_THREADS=ALL_CPUS")
NAMES = ("Blue", "Green", "Red", "NIR")


def make(folder: Path) -> Path:
    """A tar.gz with one GeoTIFF of 13,824² pixels, four bands of 16 bits, DEFLATE, without overviews."""
    folder = (folder / f"map-{VERSION}").resolve()
    archive = folder / "large.tgz"
    if not (folder / "whole").exists():
        output = folder / "output"
        output.mkdir(parents=True, exist_ok=True)
        _scene(output / "large.tif")
        (output / "data.json").write_text('{"type": "FeatureCollection", "features": []}')
        subprocess.run(["sh", "-c", 'tar c output | gzip -1 > "$1"', "sh", archive], cwd=folder, check=True)
        for path in output.iterdir():
            path.unlink()
        output.rmdir()
        (folder / "whole").touch()
    return archive


def _scene(path: Path) -> None:
    """Smooth land with parcels of fields under noise of 6 bits: reflectances as DEFLATE finds them."""
    chance = np.random.default_rng(8)
    fields = chance.integers(0, 900, (BANDS, SIDE // 64, SIDE // 64), dtype=np.uint16)
    target = gdal.GetDriverByName("GTiff").Create(str(path), SIDE, SIDE, BANDS, gdal.GDT_UInt16, list(OPTIONS))
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(32621)
    target.SetProjection(srs.ExportToWkt())
    target.SetGeoTransform((700000, 2, 0, -2700000, 0, -2))
    columns = np.arange(SIDE)
    for top in range(0, SIDE, ROWS):
        rows = np.arange(top, top + ROWS)
        land = 900 + 500 * np.sin(rows / 700)[:, None] * np.cos(columns / 500)[None, :]
        for band in range(BANDS):
            parcels = fields[band][rows // 64][:, columns // 64]
            noise = chance.integers(0, 64, (ROWS, SIDE), dtype=np.uint16)
            target.GetRasterBand(band + 1).WriteArray(land.astype(np.uint16) + parcels + noise, 0, top)
    for band, name in enumerate(NAMES):
        target.GetRasterBand(band + 1).SetDescription(name)
    target.FlushCache()
