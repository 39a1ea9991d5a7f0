"""Generated items in the shape of the presets: Landsat level 2, Sentinel-1 RTC (floats), Copernicus DEM (degrees)."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np
from osgeo import gdal, osr

RADAR = ("sentinel-1-rtc", "S1A_IW_GRDH_1SDV_20240518T165012_rtc", "2024-05-18T16:50:12Z")
HEIGHTS = ("cop-dem-glo-30", "Copernicus_DSM_COG_10_N52_00_E012_00_DEM", "2021-04-22T00:00:00Z")
REFLECTANCE = ("landsat-c2-l2", "LC08_L2SP_193023_20240518_02_T1", "2024-05-18T10:01:30Z")
BANDS = ("blue", "green", "red", "nir08")  # as the Planetary Computer calls these assets
RADAR_NODATA = -32768.0
SIDE = 400  # pixels
KIND = "image/tiff; application=geotiff; profile=cloud-optimized"


def make_items(folder: Path, url: str) -> list[dict]:
    """Write the files as COGs below `folder`; gives their STAC items."""
    gdal.UseExceptions()
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    backscatter = 0.05 + 0.04 * np.sin(x / 23) * np.cos(y / 31)
    backscatter[:60, :60] = RADAR_NODATA  # beyond the swath
    crossed = np.where(backscatter < 0, RADAR_NODATA, backscatter / 5)
    metres, degrees = (305_000.0, 10.0, 5_770_000.0), (12.0, 1 / 3600, 52.1)
    radar = {
        "vv": _cog(folder, RADAR[1], "vv", backscatter, 32633, metres, RADAR_NODATA),
        "vh": _cog(folder, RADAR[1], "vh", crossed, 32633, metres, RADAR_NODATA),
    }
    heights = {"data": _cog(folder, HEIGHTS[1], "data", 30 + x / 10 + y / 7, 4326, degrees, None)}
    metres = (305_000.0, 30.0, 5_790_000.0)
    fields = 9000 + 2000 * ((x // 40 + y // 25) % 3)
    fields[:20, :20] = 0
    bands = {
        key: _cog(folder, REFLECTANCE[1], key, fields + 100 * n * (fields > 0), 32633, metres, 0, gdal.GDT_UInt16)
        for n, key in enumerate(BANDS)
    }
    return [
        _item(RADAR, radar, url), _item(HEIGHTS, heights, url), _item(REFLECTANCE, bands, url, {"eo:cloud_cover": 3.0}),
    ]  # fmt: skip


def _cog(
    folder: Path,
    name: str,
    key: str,
    pixels: np.ndarray,
    epsg: int,
    grid: tuple[float, float, float],
    nodata: Optional[float],
    kind: int = gdal.GDT_Float32,
) -> Path:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    memory = gdal.GetDriverByName("MEM").Create("", SIDE, SIDE, 1, kind)
    memory.SetSpatialRef(reference)
    west, wide, north = grid
    memory.SetGeoTransform((west, wide, 0, north, 0, -wide))
    memory.WriteArray(pixels)
    if nodata is not None:
        memory.GetRasterBand(1).SetNoDataValue(nodata)
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / f"{key}.tif"
    gdal.GetDriverByName("COG").CreateCopy(str(path), memory)
    return path


def _item(of: tuple[str, str, str], files: dict[str, Path], url: str, more: Optional[dict] = None) -> dict:
    collection, name, moment = of
    corners = gdal.Info(str(next(iter(files.values()))), format="json")["wgs84Extent"]
    xs, ys = zip(*corners["coordinates"][0])
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": name, "collection": collection,
        "geometry": corners, "bbox": [min(xs), min(ys), max(xs), max(ys)], "links": [],
        "assets": {key: {"href": f"{url}/{name}/{path.name}", "type": KIND} for key, path in files.items()},
        "properties": {"datetime": moment, **(more or {})},
    }  # fmt: skip
