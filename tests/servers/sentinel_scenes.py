"""Generated scenes in the shape of Earth Search's `sentinel-2-c1-l2a`: COGs, thumbnails and STAC items.

Tiles of 7.68 km in place of 110 km, all else alike: 10, 20 m, SCL, UTM, scale and offset. The ground is the same at all
dates: reflectances depend on the place alone, so that an index must be the same on both sides of 25 January 2022, where
the pixels' offset changed. Every place has its own values, so that a pixel that is out of place is found.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

SIDE = 768  # pixels of 10 m
BLOCK = 128
LON, LAT = 12.0, 52.0  # where UTM zones 32 and 33 meet, and the tiles too
COLLECTION = "sentinel-2-c1-l2a"
ASSETS_10 = {"blue": ("B02", 0.04), "green": ("B03", 0.06), "red": ("B04", 0.05), "nir": ("B08", 0.30)}
ASSETS_20 = {"rededge1": ("B05", 0.1), "swir16": ("B11", 0.2)}
MIDDLE_33 = (293_840.0, 5_765_760.0)  # the corner that four tiles share, on the 20 m grid of zone 33


@dataclass(frozen=True)
class Recipe:
    """One scene. `corner`: north west, in metres of its zone; `clouds`: which columns (of all 1) are cloudy."""

    id: str
    moment: str
    zone: int
    corner: tuple[float, float]
    tile: str
    baseline: str = "05.10"
    offset: float = -0.1
    cloud_cover: float = 3.0
    clouds: float = 0.0
    created: str = "2024-06-01T00:00:00Z"
    sensor: str = "sentinel-2b"
    nodata_columns: int = 0  # at the east: the edge of the swath


def _corner(zone: int, left: bool, north: bool) -> tuple[float, float]:
    x, y = MIDDLE_33 if zone == 33 else (SECOND_X, MIDDLE_33[1])
    return (x - SIDE * 10 if left else x), (y + SIDE * 10 if north else y)


SECOND_X = 706_160.0  # the same meridian in zone 32
NORTH_EAST, SOUTH_EAST = _corner(33, False, True), _corner(33, False, False)
NORTH_WEST_32 = _corner(32, True, True)

AFTER, BEFORE = "S2B_T33UUT_20240518T101559_L2A", "S2A_T33UUT_20210519T101559_L2A"
OLDER_PROCESSING = "S2B_T33UUT_20240518T101559_OLD_L2A"
SOUTH, WEST, CLOUDY = (
    "S2B_T33UUS_20240518T101613_L2A",
    "S2B_T32UQC_20240518T101601_L2A",
    "S2A_T33UUT_20240523T101559_L2A",
)
HALF = "S2A_T33UUT_20240602T101559_L2A"
RECIPES = (
    Recipe(AFTER, "2024-05-18T10:15:59.024Z", 33, NORTH_EAST, "33UUT"),
    Recipe(
        OLDER_PROCESSING, "2024-05-18T10:15:59.010Z", 33, NORTH_EAST, "33UUT", "05.00", created="2024-05-18T20:00:00Z"
    ),
    Recipe(SOUTH, "2024-05-18T10:16:13.500Z", 33, SOUTH_EAST, "33UUS"),
    Recipe(WEST, "2024-05-18T10:16:01.100Z", 32, NORTH_WEST_32, "32UQC"),
    Recipe(
        BEFORE, "2021-05-19T10:15:59.024Z", 33, NORTH_EAST, "33UUT", "03.00", 0.0, 8.0, sensor="sentinel-2a",
        created="2021-05-20T00:00:00Z",
    ),
    Recipe(
        CLOUDY, "2024-05-23T10:15:59.024Z", 33, NORTH_EAST, "33UUT", cloud_cover=85.0, clouds=0.5, sensor="sentinel-2a"
    ),
    Recipe(HALF, "2024-06-02T10:15:59.024Z", 33, NORTH_EAST, "33UUT", nodata_columns=SIDE // 2, sensor="sentinel-2a"),
)  # fmt: skip


def reflectance(zone: int, corner: tuple[float, float], level: float, metres: int) -> np.ndarray:
    """What the ground reflects, 0 to 1, on a tile's grid: hills of some hundred metres, each place a bit different."""
    count = SIDE * 10 // metres
    x = corner[0] + (np.arange(count) + 0.5) * metres - (MIDDLE_33[0] if zone == 33 else SECOND_X)
    y = corner[1] - (np.arange(count) + 0.5) * metres - MIDDLE_33[1]
    wave = np.sin(x / 410.0)[None, :] * np.cos(y / 290.0)[:, None]
    mark = ((x[None, :] // metres * 7 + y[:, None] // metres * 13) % 97) / 97.0
    return level * (1.0 + 0.5 * wave + 0.2 * mark)


def digital_numbers(recipe: Recipe, level: float, metres: int) -> np.ndarray:
    """The pixels of a band: uint16, 0 where the swath has ended."""
    values = reflectance(recipe.zone, recipe.corner, level, metres)
    numbers = np.clip(np.rint((values - recipe.offset) * 10_000), 1, 65_535).astype(np.uint16)
    if recipe.nodata_columns:
        numbers[:, -(recipe.nodata_columns * 10 // metres) :] = 0
    return numbers


def make_scenes(folder: Path, files_url: str, recipes=RECIPES) -> list[dict]:
    """Write all files below `folder`; gives the STAC items, whose files are at `files_url`."""
    gdal.UseExceptions()
    return [make_scene(recipe, folder / recipe.id, f"{files_url}/{recipe.id}") for recipe in recipes]


def make_scene(recipe: Recipe, folder: Path, url: str) -> dict:
    folder.mkdir(parents=True)
    assets = {}
    for metres, known in ((10, ASSETS_10), (20, ASSETS_20)):
        for key, (name, level) in known.items():
            write_cog(folder / f"{name}.tif", digital_numbers(recipe, level, metres)[None], recipe, metres)
            described = {"nodata": 0, "data_type": "uint16", "spatial_resolution": metres}
            described.update(scale=0.0001, offset=recipe.offset)
            assets[key] = _asset(f"{url}/{name}.tif", recipe, metres, described, [key])
    write_cog(folder / "SCL.tif", scene_classes(recipe)[None], recipe, 20)
    assets["scl"] = _asset(f"{url}/SCL.tif", recipe, 20, {"nodata": 0, "data_type": "uint8"}, [])
    picture = colours(recipe)
    write_cog(folder / "TCI.tif", picture, recipe, 10)
    assets["visual"] = _asset(
        f"{url}/TCI.tif", recipe, 10, {"nodata": 0, "data_type": "uint8"}, ["red", "green", "blue"]
    )
    thumbnail = gdal.GetDriverByName("MEM").Create("", 128, 128, 3, gdal.GDT_Byte)
    thumbnail.WriteArray(picture[:, ::6, ::6])
    gdal.GetDriverByName("JPEG").CreateCopy(str(folder / "L2A_PVI.jpg"), thumbnail)
    (folder / "L2A_PVI.jpg.aux.xml").unlink(missing_ok=True)
    assets["thumbnail"] = {"href": f"{url}/L2A_PVI.jpg", "type": "image/jpeg", "roles": ["thumbnail"]}
    return item(recipe, assets)


def _asset(href: str, recipe: Recipe, metres: int, described: dict, colours_in: list[str]) -> dict:
    x, y = recipe.corner
    count = SIDE * 10 // metres
    return {
        "href": href,
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "roles": ["data"],
        "eo:bands": [{"name": name, "common_name": name} for name in colours_in],
        "raster:bands": [described] * max(1, len(colours_in)),
        "gsd": metres,
        "proj:shape": [count, count],
        "proj:transform": [metres, 0, x, 0, -metres, y],
    }


def item(recipe: Recipe, assets: dict) -> dict:
    ring = footprint(recipe)
    west, south = min(x for x, _ in ring), min(y for _, y in ring)
    east, north = max(x for x, _ in ring), max(y for _, y in ring)
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": recipe.id,
        "collection": COLLECTION,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, east, north],
        "properties": {
            "datetime": recipe.moment,
            "created": recipe.created,
            "updated": recipe.created,
            "platform": recipe.sensor,
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "eo:cloud_cover": recipe.cloud_cover,
            "proj:code": f"EPSG:326{recipe.zone}",
            "grid:code": f"MGRS-{recipe.tile}",
            "s2:processing_baseline": recipe.baseline,
        },
        "links": [],
        "assets": assets,
    }


def footprint(recipe: Recipe) -> list[list[float]]:
    """The tile less its nodata, in degrees."""
    x, y = recipe.corner
    right, low = x + (SIDE - recipe.nodata_columns) * 10, y - SIDE * 10
    move = osr.CoordinateTransformation(reference(32600 + recipe.zone), reference(4326))
    steps = np.linspace(0, 1, 5)[:-1]
    corners = [(x, low), (right, low), (right, y), (x, y)]
    ring = [
        (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
        for a, b in zip(corners, [*corners[1:], corners[0]])
        for t in steps
    ]
    moved = [list(point[:2]) for point in move.TransformPoints(ring)]
    return [*moved, moved[0]]


def scene_classes(recipe: Recipe) -> np.ndarray:
    """4 is vegetation, 9 cloud of high probability, 0 no data."""
    classes = np.full((SIDE // 2, SIDE // 2), 4, np.uint8)
    classes[:, : int(SIDE // 2 * recipe.clouds)] = 9
    if recipe.nodata_columns:
        classes[:, -(recipe.nodata_columns // 2) :] = 0
    return classes


def colours(recipe: Recipe) -> np.ndarray:
    bands = [reflectance(recipe.zone, recipe.corner, ASSETS_10[key][1], 10) for key in ("red", "green", "blue")]
    picture = np.stack([np.clip(band * 1500, 1, 255) for band in bands]).astype(np.uint8)
    if recipe.nodata_columns:
        picture[:, :, -recipe.nodata_columns :] = 0
    return picture


def write_cog(path: Path, pixels: np.ndarray, recipe: Recipe, metres: int) -> None:
    count, rows, columns = pixels.shape
    kind = gdal.GDT_Byte if pixels.dtype == np.uint8 else gdal.GDT_UInt16
    memory = gdal.GetDriverByName("MEM").Create("", columns, rows, count, kind)
    memory.SetSpatialRef(reference(32600 + recipe.zone))
    memory.SetGeoTransform((recipe.corner[0], metres, 0, recipe.corner[1], 0, -metres))
    for number in range(1, count + 1):
        memory.GetRasterBand(number).SetNoDataValue(0)
    memory.WriteArray(pixels)
    options = [
        f"BLOCKSIZE={BLOCK}",
        "COMPRESS=DEFLATE",
        "PREDICTOR=YES",
        "RESAMPLING=NEAREST",
        "OVERVIEW_RESAMPLING=NEAREST",
    ]
    gdal.GetDriverByName("COG").CreateCopy(str(path), memory, options=options)


# --- scenes of true size: 10,980 pixels of 10 m ---------------------------------------------------------------------

FULL_CORNER, FULL_SIDE, FULL_BLOCK = (300_000.0, 5_800_020.0), 10_980, 1024
GROUND = 4096  # pixels of 10 m that are drawn, from the corner; the rest of the files is empty


def make_full_size_scenes(folder: Path, files_url: str, moments: tuple[str, ...]) -> list[dict]:
    """Scenes whose files have the size, blocks and overviews of Sentinel-2's; they share their pixels."""
    gdal.UseExceptions()
    first = folder / "full"
    first.mkdir(parents=True)
    for name, level in ASSETS_10.values():
        ground = np.rint((reflectance_of_ground(level) + 0.1) * 10_000).astype(np.uint16)[None]
        write_full_size(first / f"{name}.tif", ground, 10)
    rgb = [np.clip(reflectance_of_ground(ASSETS_10[key][1]) * 1500, 1, 255) for key in ("red", "green", "blue")]
    write_full_size(first / "TCI.tif", np.stack(rgb).astype(np.uint8), 10)
    write_full_size(first / "SCL.tif", np.full((1, GROUND // 2, GROUND // 2), 4, np.uint8), 20)
    return [_full_size_item(moment, f"{files_url}/full") for moment in moments]


def reflectance_of_ground(level: float) -> np.ndarray:
    at = np.arange(GROUND)
    wave = np.sin(at / 41.0)[None, :] * np.cos(at / 29.0)[:, None]
    noise = np.random.default_rng(7).random((GROUND, GROUND), np.float32)
    return (level * (1.0 + 0.5 * wave + 0.3 * noise)).astype(np.float32)


def make_large_scene(folder: Path, files_url: str, side: int) -> dict:
    """A scene of any number of 10 m pixels, drawn all over: larger than any of Sentinel-2's. Its bands share a file."""
    gdal.UseExceptions()
    first = folder / "full"
    first.mkdir(parents=True)
    ground = np.rint((reflectance_of_ground(0.2) + 0.1) * 10_000).astype(np.uint16)[None]
    write_full_size(first / "B02.tif", ground, 10, side, all_over=True)
    for name in ("B03", "B04", "B08"):
        os.link(first / "B02.tif", first / f"{name}.tif")
    write_full_size(first / "SCL.tif", np.full((1, 1, 1), 4, np.uint8), 20, side)
    return _full_size_item("2024-06-17T10:15:59Z", f"{files_url}/full", side)


def write_full_size(
    path: Path, ground: np.ndarray, metres: int, pixels: int = FULL_SIDE, all_over: bool = False
) -> None:
    count = len(ground)
    side = pixels * 10 // metres
    kind = gdal.GDT_Byte if ground.dtype == np.uint8 else gdal.GDT_UInt16
    plain = path.with_suffix(".plain.tif")
    options = ["TILED=YES", f"BLOCKXSIZE={FULL_BLOCK}", f"BLOCKYSIZE={FULL_BLOCK}", "SPARSE_OK=TRUE", "BIGTIFF=NO"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(plain), side, side, count, kind, options)
    dataset.SetSpatialRef(reference(32633))
    dataset.SetGeoTransform((FULL_CORNER[0], metres, 0, FULL_CORNER[1], 0, -metres))
    for number in range(1, count + 1):
        dataset.GetRasterBand(number).SetNoDataValue(0)
    step = ground.shape[-1]
    for top in range(0, side if all_over else 1, step):
        for left in range(0, side if all_over else 1, step):
            dataset.WriteArray(ground[:, : min(step, side - top), : min(step, side - left)], left, top)
    dataset.FlushCache()
    del dataset
    options = [f"BLOCKSIZE={FULL_BLOCK}", "COMPRESS=DEFLATE", "PREDICTOR=YES", "SPARSE_OK=YES", "NUM_THREADS=2"]
    source = gdal.Open(str(plain))
    gdal.GetDriverByName("COG").CreateCopy(str(path), source, options=[*options, "OVERVIEW_RESAMPLING=NEAREST"])
    del source
    plain.unlink()


def _full_size_item(moment: str, url: str, side: int = FULL_SIDE) -> dict:
    day = moment[:10].replace("-", "")
    recipe = Recipe(f"S2B_T33UUT_{day}T101559_L2A", moment, 33, FULL_CORNER, "33UUT")
    assets = {}
    for key, (name, _) in ASSETS_10.items():
        described = {"nodata": 0, "data_type": "uint16", "spatial_resolution": 10, "scale": 0.0001, "offset": -0.1}
        assets[key] = _asset(f"{url}/{name}.tif", recipe, 10, described, [key])
    assets["scl"] = _asset(f"{url}/SCL.tif", recipe, 20, {"nodata": 0}, [])
    assets["visual"] = _asset(f"{url}/TCI.tif", recipe, 10, {"nodata": 0}, ["red", "green", "blue"])
    found = item(recipe, assets)
    found["geometry"] = {"type": "Polygon", "coordinates": [_ring_in_degrees(recipe, FULL_CORNER, side * 10)]}
    xs, ys = zip(*found["geometry"]["coordinates"][0])
    found["bbox"] = [min(xs), min(ys), max(xs), max(ys)]
    return found


def _ring_in_degrees(recipe: Recipe, corner: tuple[float, float], metres: float) -> list[list[float]]:
    x, y = corner
    move = osr.CoordinateTransformation(reference(32600 + recipe.zone), reference(4326))
    ring = [(x, y - metres), (x + metres, y - metres), (x + metres, y), (x, y)]
    moved = [list(point[:2]) for point in move.TransformPoints(ring)]
    return [*moved, moved[0]]


def reference(code: int) -> osr.SpatialReference:
    made = osr.SpatialReference()
    made.ImportFromEPSG(code)
    made.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return made


def collection() -> dict:
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": COLLECTION,
        "title": "Scenes in the shape of Sentinel-2's",
        "description": "Generated for tests",
        "license": "CC0-1.0",
        "providers": [
            {"name": "Test Mission", "roles": ["producer", "licensor"]},
            {"name": "A Host", "roles": ["host"]},
        ],
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "license", "href": "https://creativecommons.org/publicdomain/zero/1.0/"}],
    }


if __name__ == "__main__":
    import sys

    print(json.dumps(make_scenes(Path(sys.argv[1]), sys.argv[2])))
