"""Demo imagery: the same everywhere and always, without seams, a plausible landscape, true GeoTIFFs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from shapely.geometry import Point, box, mapping, shape

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.demo.clouds import Weather
from up42_jobs.plugin.engine.blocks.demo.paint import paint
from up42_jobs.plugin.engine.blocks.demo.relief import survey
from up42_jobs.plugin.engine.blocks.demo.seasons import season
from up42_jobs.plugin.engine.blocks.demo.view import View
from up42_jobs.plugin.engine.blocks.pixels.crs import Reprojection
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.plugin.jobs.area import area_km2
from up42_jobs.tests.unit.blocks_support import run_block

BLOCK = block_by_name("demo-s2-l2a")
TRIANGLE = {"type": "Polygon", "coordinates": [[[13.36, 52.48], [13.46, 52.49], [13.38, 52.54], [13.36, 52.48]]]}
SUMMER = {"time": "2023-06-01/2023-08-31", "max_cloud_cover": 5}
TO_DEGREES = {}
FOUND_IN_JUNE_2023 = [
    ("DEMO_S2_20230628_T6350525", 2.2),
    ("DEMO_S2_20230623_T6340525", 25.0),
    ("DEMO_S2_20230618_T6350524", 13.5),
    ("DEMO_S2_20230608_T6350524", 0.0),
    ("DEMO_S2_20230603_T6340526", 53.0),
]
MEANS_OF_A_BLOCK = [333.269, 589.822, 458.686, 2723.603]


@pytest.fixture(scope="module", autouse=True)
def _gdal():
    prepare_gdal()


class ClearSky(Weather):
    """No cloud at all."""

    def thickness(self, places):
        return np.full(places.x.shape, -1.0)


def window(epsg, column, row, columns, rows):
    """A view of 10 m pixels in a UTM zone; pixels count from the zone's origin, rows to the south."""
    if epsg not in TO_DEGREES:
        TO_DEGREES[epsg] = Reprojection(f"EPSG:{epsg}", "EPSG:4326")

    def place(x, y):
        return TO_DEGREES[epsg].points(x * 10.0, y * -10.0)

    return View(place, (column, row, columns, rows), 8, 10.0)


def painted(view, month=6):
    when = datetime(2023, month, 15, 10, 30, tzinfo=timezone.utc)
    return paint(view, season(when, 50.0), ClearSky(1))


def pixel_of(epsg, longitude, latitude):
    x, y = Reprojection("EPSG:4326", f"EPSG:{epsg}").points(np.array([longitude]), np.array([latitude]))
    return int(x[0] // 10), int(-y[0] // 10)


def ndvi(bands):
    red, nir = bands[2].astype(float), bands[3].astype(float)
    return (nir - red) / (nir + red)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """One scene over the triangle as a Live Job delivers it."""
    return run_block("demo-s2-l2a", {"contains": TRIANGLE, **SUMMER}, tmp_path_factory.mktemp("live"))


def test_the_geotiff_is_what_the_contract_and_qgis_want(live):
    dataset = live.raster()
    feature = live.features[0]
    assert feature["properties"]["up42.data_path"] == f"{feature['id']}.tif"
    assert {path.name for path in live.output.iterdir()} == {"data.json", f"{feature['id']}.tif"}
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32633"
    assert dataset.GetGeoTransform()[1::4] == (10.0, -10.0)
    assert dataset.GetGeoTransform()[0] % 10 == 0 and dataset.GetGeoTransform()[3] % 10 == 0
    bands = [dataset.GetRasterBand(n) for n in range(1, 5)]
    assert [band.GetDescription() for band in bands] == ["B02 Blue", "B03 Green", "B04 Red", "B08 NIR"]
    assert {band.DataType for band in bands} == {gdal.GDT_UInt16}
    assert {band.GetNoDataValue() for band in bands} == {0}
    assert bands[0].GetBlockSize() == [512, 512]
    assert dataset.GetMetadata("IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
    assert bands[2].GetColorInterpretation() == gdal.GCI_RedBand
    assert dataset.GetMetadataItem("TIFFTAG_COPYRIGHT") == "Synthetic, not an observation"
    assert live.progress[-1] == 1.0 and live.progress == sorted(live.progress)


def test_pixels_outside_of_the_polygon_are_nodata_and_inside_none_is(live):
    dataset = live.raster()
    values = dataset.ReadAsArray()
    outline = Reprojection("EPSG:4326", "EPSG:32633").polygon(shape(TRIANGLE), 0.001)
    left, _, _, top, _, _ = dataset.GetGeoTransform()
    rng = np.random.default_rng(7)
    for column, row in zip(rng.integers(0, values.shape[2], 300), rng.integers(0, values.shape[1], 300)):
        place = Point(left + column * 10 + 5, top - row * 10 - 5)
        if outline.boundary.distance(place) > 1:
            assert (values[:, row, column] != 0).all() == outline.contains(place)


def test_a_bounding_box_is_filled_to_its_edges(tmp_path):
    done = run_block("demo-s2-l2a", {"bbox": [13.40, 52.50, 13.41, 52.51], **SUMMER}, tmp_path)
    values = done.raster().ReadAsArray()
    assert (values[0] != 0).mean() > 0.9  # UTM is turned a little against the parallels
    assert (values == 0).any(axis=0).sum() == (values == 0).all(axis=0).sum()


def test_a_scene_that_covers_the_aoi_in_part_ends_at_its_footprint(tmp_path):
    area = shape(TRIANGLE)
    partial = [
        feature["id"]
        for feature in BLOCK.search({"intersects": TRIANGLE, "time": "2023-01-01/2023-12-31", "limit": 500}, {})
        if 0.2 < shape(feature["geometry"]).intersection(area).area / area.area < 0.8
    ]
    done = run_block("demo-s2-l2a", {"intersects": TRIANGLE, "ids": partial[:1]}, tmp_path)
    share = shape(done.features[0]["geometry"]).intersection(area).area / area.area
    pixels = np.count_nonzero(done.raster().ReadAsArray()[0])
    assert pixels * 1e-4 == pytest.approx(area_km2(area) * share, rel=0.02)


def test_the_same_request_gives_the_same_pixels(tmp_path, live):
    again = run_block("demo-s2-l2a", {"contains": TRIANGLE, **SUMMER}, tmp_path)
    one, other = live.raster().ReadAsArray(), again.raster().ReadAsArray()
    assert hashlib.sha256(one.tobytes()).digest() == hashlib.sha256(other.tobytes()).digest()


def test_the_demo_world_is_the_same_for_everyone_and_for_ever():
    """Scenes that a colleague or an older version has seen: their ids, clouds and colours must stay."""
    found = BLOCK.search(
        {"contains": TRIANGLE, "time": "2023-06-01/2023-06-30", "limit": 9, "max_cloud_cover": 100}, {}
    )
    assert [(f["id"], f["properties"]["eo:cloud_cover"]) for f in found] == FOUND_IN_JUNE_2023
    column, row = (index // 512 * 512 for index in pixel_of(32633, 13.4, 52.5))
    means = painted(window(32633, column, row, 512, 512)).mean(axis=(1, 2))
    assert means == pytest.approx(MEANS_OF_A_BLOCK, rel=1e-4)


def test_windows_meet_without_a_seam():
    """A block painted whole and in pieces of any size is the same to the bit."""
    column, row = (index // 512 * 512 for index in pixel_of(32633, 13.4, 52.5))
    whole = painted(window(32633, column, row, 512, 512))
    for left, top, columns, rows in ((0, 0, 100, 512), (100, 30, 301, 77), (500, 500, 12, 12), (0, 511, 512, 1)):
        piece = painted(window(32633, column + left, row + top, columns, rows))
        np.testing.assert_array_equal(piece, whole[:, top : top + rows, left : left + columns])


def test_neighbouring_blocks_have_no_visible_border():
    column, row = (index // 512 * 512 for index in pixel_of(32633, 13.4, 52.5))
    left = painted(window(32633, column, row, 512, 256)).astype(float)
    right = painted(window(32633, column + 512, row, 64, 256)).astype(float)
    across = np.abs(right[:, :, 0] - left[:, :, -1]).mean()
    inside = np.abs(np.diff(left, axis=2)).mean(axis=(0, 1))
    assert across < np.percentile(inside, 99.5)


def test_the_ground_is_the_same_in_both_utm_zones_of_a_place():
    """At 12° E zones 32 and 33 meet: sampled at the same places, they show the same landscape."""
    rng = np.random.default_rng(3)
    longitude, latitude = rng.uniform(11.99, 12.01, 400), rng.uniform(50.0, 50.01, 400)
    samples = []
    for epsg in (32632, 32633):
        x, y = Reprojection("EPSG:4326", f"EPSG:{epsg}").points(longitude, latitude)
        columns, rows = (x // 10).astype(int), (-y // 10).astype(int)
        values = np.zeros((4, 400))
        for block_column in np.unique(columns // 512):
            for block_row in np.unique(rows // 512):
                here = (columns // 512 == block_column) & (rows // 512 == block_row)
                if here.any():
                    picture = painted(window(epsg, block_column * 512, block_row * 512, 512, 512))
                    values[:, here] = picture[:, rows[here] % 512, columns[here] % 512]
        samples.append(values)
    assert np.corrcoef(samples[0][3], samples[1][3])[0, 1] > 0.9
    assert np.median(np.abs(samples[0][3] - samples[1][3]) / samples[0][3]) < 0.05


def test_dates_change_the_fields_and_not_the_ground():
    column, row = (index // 512 * 512 for index in pixel_of(32633, 13.4, 52.5))
    view = window(32633, column, row, 512, 512)
    june, december = painted(view, 6), painted(view, 12)
    water = ndvi(june) < -0.1
    assert 0.005 < water.mean() < 0.9
    assert (ndvi(december)[water] < 0.05).mean() > 0.95
    assert ndvi(june)[~water].mean() > ndvi(december)[~water].mean() + 0.15


def test_ndvi_is_that_of_water_towns_fields_and_woods():
    """Pixels well within each kind of ground, over ten places, in June."""
    kinds = {"water": [], "wood": [], "town": [], "field": []}
    for longitude, latitude in ((13.4, 52.5), (2.3, 48.8), (-74.0, 40.7), (139.7, 35.7), (11.6, 48.1), (4.9, 52.4)):
        epsg = 32601 + int((longitude + 180) // 6)
        column, row = (index // 512 * 512 for index in pixel_of(epsg, longitude, latitude))
        view = window(epsg, column, row, 512, 512)
        index, ground = ndvi(painted(view)), survey(view)
        water = (view.fill(ground.sea) < -0.02) | (view.fill(ground.lake) > 0.03)
        town, wood = view.fill(ground.town), view.fill(ground.wood)
        dry = ~water & (view.fill(ground.sea) > 0.05) & (view.fill(ground.lake) < -0.1)
        kinds["water"].append(index[water])
        kinds["town"].append(index[dry & (town > 0.4)])
        kinds["wood"].append(index[dry & (wood > 0.2) & (town < -0.2)])
        kinds["field"].append(index[dry & (wood < -0.3) & (town < -0.2)])
    medians = {kind: float(np.median(np.concatenate(values))) for kind, values in kinds.items()}
    assert medians["water"] < 0
    assert 0.08 < medians["town"] < 0.3
    assert 0.7 < medians["wood"] < 0.88
    fields = np.concatenate(kinds["field"])
    assert np.percentile(fields, 5) < 0.4 < 0.7 < np.percentile(fields, 80)


def test_cloud_cover_is_what_is_drawn(tmp_path):
    """Of the pixels of a scene about as many are bright as its cloud cover says."""
    asked = {"intersects": TRIANGLE, "time": "2023-05-01/2023-09-30", "limit": 90, "max_cloud_cover": 100}
    covers = {f["id"]: f["properties"]["eo:cloud_cover"] for f in BLOCK.search(asked, {})}
    chosen = [scene_id for scene_id, cover in covers.items() if 30 < cover < 70][:2]
    done = run_block("demo-s2-l2a", {"ids": chosen}, tmp_path, dry_run=True)
    for scene_id in chosen:
        drawn = gdal.Open(str(done.quicklooks / f"{scene_id}.jpg")).ReadAsArray()
        bright = (drawn[:, drawn.max(axis=0) > 8].min(axis=0) > 110).mean() * 100
        assert bright == pytest.approx(covers[scene_id], abs=18)


def test_a_test_query_gives_quicklooks_and_no_rasters(tmp_path):
    done = run_block("demo-s2-l2a", {"intersects": TRIANGLE, **SUMMER, "limit": 3}, tmp_path, dry_run=True)
    assert [path.name for path in done.output.iterdir()] == ["data.json"]
    assert sorted(path.stem for path in done.quicklooks.iterdir()) == sorted(f["id"] for f in done.features)
    for feature in done.features:
        assert "up42.data_path" not in feature["properties"]
        picture = gdal.Open(str(done.quicklooks / f"{feature['id']}.jpg"))
        assert (picture.RasterCount, max(picture.RasterXSize, picture.RasterYSize)) == (3, 512)
        west, south, east, north = feature["bbox"]
        wide = (east - west) * np.cos(np.radians((south + north) / 2))
        assert picture.RasterXSize / picture.RasterYSize == pytest.approx(wide / (north - south), rel=0.02)


def test_quicklooks_say_demo(tmp_path):
    """Drawn in near white over the darkest picture there is: the word's strokes and gaps are where they belong."""
    from up42_jobs.plugin.engine.blocks.pixels.quicklooks import stamp

    picture = np.zeros((3, 300, 512), np.uint8)
    stamp(picture)
    sign = picture[0] > 100
    assert 0.03 < sign.mean() < 0.3
    rows, columns = np.flatnonzero(sign.any(axis=1)), np.flatnonzero(sign.any(axis=0))
    assert len(rows) > 100 and len(columns) > 200
    assert (picture[0] == picture[2]).all()


@pytest.mark.parametrize(("longitude", "latitude"), [(-179.98, 10), (179.95, -65), (30, -85), (-100, 84.02), (0, 0)])
def test_it_draws_at_the_ends_of_the_earth(tmp_path, longitude, latitude):
    wide = 0.005 / np.cos(np.radians(latitude))
    area = box(max(-180, longitude - wide), latitude - 0.005, min(180, longitude + wide), latitude + 0.005)
    done = run_block(
        "demo-s2-l2a", {"intersects": mapping(area), "time": "2023-01-01/2023-12-31", "max_cloud_cover": 100}, tmp_path
    )
    values = done.raster().ReadAsArray()
    assert np.count_nonzero(values[0]) > 3000 and (values[values > 0] < 16001).all()


MEASURE = """
import logging, re, sys
from pathlib import Path
from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import TaskContext
output = Path(sys.argv[1])
(output / "q").mkdir()
west, south, east, north = 13.3, 52.42, 13.62, 52.62
ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
parameters = {"contains": {"type": "Polygon", "coordinates": [ring]}, "time": "2023-01-01/2023-12-31"}
block_by_name("demo-s2-l2a").run(TaskContext(parameters, output, output / "q", logging.getLogger()))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def test_a_large_aoi_takes_bounded_memory_and_gets_overviews(tmp_path):
    """480 km²; twice as much takes no more, as the peak is that of one window and of GDAL's cache."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux to tell the peak of a process's memory")
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    dataset = gdal.Open(str(next(tmp_path.glob("*.tif"))))
    assert dataset.RasterXSize * dataset.RasterYSize > 4_500_000
    assert dataset.GetRasterBand(4).GetOverviewCount() >= 2
    assert not list(tmp_path.glob("*.aux.xml"))
    assert int(told.stdout) < 300  # MB


def test_too_little_of_a_scene_is_left_out_with_words(tmp_path):
    """An AOI that touches a scene's edge in less than a pixel gives nothing, said so."""
    feature = BLOCK.search({"intersects": TRIANGLE, "time": "2023-06-01/2023-06-30", "max_cloud_cover": 100}, {})[0]
    west, south, _, _ = feature["bbox"]
    corner = [west - 0.01, south - 0.01, west + 0.00002, south + 0.00002]
    with pytest.raises(Exception, match="less than a pixel") as caught:
        run_block("demo-s2-l2a", {"bbox": corner, "ids": [feature["id"]]}, tmp_path)
    assert caught.value.code == "NO_OUTPUT_ERROR"
    assert not list((tmp_path / "output").iterdir())
