"""A generated scene in the shape of Landsat's level 1: bands of 30 m and the panchromatic one of 15 m.

As in USGS's files the centres of the 30 m pixels are centres of 15 m pixels too, so that the corners of the two grids
lie 7.5 m apart: no pixel of one is a whole number of the other's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal, osr

ID = "LC08_L1TP_193023_20240518_20240527_02_T1"
COLLECTION = "landsat-like"
MOMENT = "2024-05-18T10:01:30Z"
SIDE = 320  # pixels of 30 m
CORNER = (305_085.0, 5_780_115.0)  # of the 30 m grid, UTM 33
PAN_CORNER = (CORNER[0] + 7.5, CORNER[1] - 7.5)
BANDS = {"blue": ("B2", 0.7), "green": ("B3", 0.9), "red": ("B4", 1.1), "nir08": ("B5", 2.2)}
PAN = ("pan", "B8")


def ground(corner: tuple[float, float], metres: float, side: int) -> np.ndarray:
    """What is there, at the pixels' centres: fields with edges and hills, from 4000 to 12,000."""
    x = corner[0] + (np.arange(side) + 0.5) * metres - CORNER[0]
    y = CORNER[1] - corner[1] + (np.arange(side) + 0.5) * metres
    fields = ((x[None, :] // 210 * 5 + y[:, None] // 330 * 3) % 7) * 800
    return 6000 + fields + 1200 * np.sin(x / 90)[None, :] * np.cos(y / 70)[:, None]


def pixels() -> dict[str, np.ndarray]:
    """Band name (B2 …) -> uint16, 0 where there is nothing: a corner of the 30 m bands."""
    found = {name: ground(CORNER, 30, SIDE) * share for name, share in BANDS.values()}
    for band in found.values():
        band[:20, :20] = 0
    found[PAN[1]] = ground(PAN_CORNER, 15, 2 * SIDE)
    return {name: np.rint(band).astype(np.uint16) for name, band in found.items()}


def make_files(folder: Path, driver: str = "GTiff") -> dict[str, Path]:
    """`<ID>_B2.TIF` … in a folder, as USGS names them."""
    gdal.UseExceptions()
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    paths = {}
    for name, band in pixels().items():
        metres, corner = (15, PAN_CORNER) if name == PAN[1] else (30, CORNER)
        memory = gdal.GetDriverByName("MEM").Create("", *band.shape[::-1], 1, gdal.GDT_UInt16)
        memory.SetSpatialRef(reference)
        memory.SetGeoTransform((corner[0], metres, 0, corner[1], 0, -metres))
        memory.WriteArray(band)
        memory.GetRasterBand(1).SetNoDataValue(0)
        paths[name] = folder / f"{ID}_{name}.TIF"
        gdal.GetDriverByName(driver).CreateCopy(str(paths[name]), memory)
    return paths


def make_item(folder: Path, url: str) -> dict:
    """Write the files as COGs; gives the STAC item, its assets called as USGS calls them."""
    (folder / ID).mkdir()
    paths = make_files(folder / ID, "COG")
    kind = "image/vnd.stac.geotiff; cloud-optimized=true"
    keys = {**{key: name for key, (name, _) in BANDS.items()}, PAN[0]: PAN[1]}
    corners = gdal.Info(str(paths["B2"]), format="json")["wgs84Extent"]
    xs, ys = zip(*corners["coordinates"][0])
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": ID, "collection": COLLECTION,
        "geometry": corners, "bbox": [min(xs), min(ys), max(xs), max(ys)], "links": [],
        "assets": {key: {"href": f"{url}/{ID}/{paths[name].name}", "type": kind} for key, name in keys.items()},
        "properties": {"datetime": MOMENT, "platform": "landsat-8", "eo:cloud_cover": 1.0},
    }  # fmt: skip


def pansharpened_by_gdal(folder: Path, weights: tuple[float, ...], resampling: str = "Bilinear") -> gdal.Dataset:
    """GDAL's own weighted Brovey of files in a folder, on the panchromatic grid: a virtual raster."""
    pan = f"{ID}_{PAN[1]}.TIF"
    spectral = "".join(
        f'<SpectralBand dstBand="{n}"><SourceFilename relativeToVRT="0">{folder}/{ID}_{name}.TIF</SourceFilename>'
        "<SourceBand>1</SourceBand></SpectralBand>"
        for n, (name, _) in enumerate(BANDS.values(), start=1)
    )
    text = ",".join(str(weight / sum(weights)) for weight in weights)
    return gdal.Open(
        '<VRTDataset subClass="VRTPansharpenedDataset"><PansharpeningOptions><Algorithm>WeightedBrovey</Algorithm>'
        f"<AlgorithmOptions><Weights>{text}</Weights></AlgorithmOptions><Resampling>{resampling}</Resampling>"
        "<NoData>0</NoData><SpatialExtentAdjustment>NoneWithoutWarning</SpatialExtentAdjustment>"
        f'<PanchroBand><SourceFilename relativeToVRT="0">{folder}/{pan}</SourceFilename><SourceBand>1</SourceBand>'
        f"</PanchroBand>{spectral}</PansharpeningOptions></VRTDataset>"
    )
