"""Local scenes: the user's rasters as scenes, as they lie in folders in real life."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timezone

import numpy as np
import pytest
from osgeo import gdal
from shapely.affinity import rotate
from shapely.geometry import Point, Polygon, box, mapping, shape

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.dates import Span, day_span
from up42_jobs.plugin.engine.blocks.local import index as folder_index
from up42_jobs.plugin.engine.blocks.local.acquisition import acquisition, date_in_name
from up42_jobs.plugin.engine.blocks.local.header import read_header
from up42_jobs.plugin.engine.blocks.local.index import index_folder
from up42_jobs.plugin.engine.blocks.local.search import kept_scenes
from up42_jobs.plugin.engine.blocks.pixels.crs import Reprojection
from up42_jobs.plugin.engine.blocks.pixels.rasters import Cutter, Window, prepare_gdal
from up42_jobs.plugin.jobs.area import area_km2
from up42_jobs.tests.unit.blocks_support import run_block, write_raster

BLOCK = block_by_name("local-scenes")
SIDE = 300
CORNER = (500000.0, 10.0, 0.0, 5600000.0, 0.0, -10.0)  # UTM 33 N, 3 km x 3 km
RNG = np.random.default_rng(11)


@pytest.fixture(scope="module", autouse=True)
def _gdal():
    prepare_gdal()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "my scenes"
    path.mkdir()
    return path


def settings_of(folder, cache=None):
    registered = {
        "id": "f1",
        "name": "My Scenes",
        "path": str(folder),
        "licence": "Public domain",
        "attribution": "USGS",
    }
    return {"scene_folders": [registered], **({"cache_folder": str(cache)} if cache else {})}


def pixels(bands=1, kind=np.uint16, side=SIDE, low=1, high=10_000):
    return RNG.integers(low, high, (bands, side, side)).astype(kind)


def in_degrees(west, north, east, south):
    """A rectangle of UTM 33 N as a GeoJSON polygon in degrees."""
    return mapping(Reprojection("EPSG:32633", "EPSG:4326").polygon(box(west, south, east, north), 1e9))


ALL = in_degrees(500000, 5600000, 503000, 5597000)
MIDDLE = in_degrees(501000, 5599000, 502000, 5598000)


def slanted(bands=3, side=SIDE, degrees=14.0):
    """An image that lies turned in its raster, zeros around it, as a Landsat scene does; and its outline in pixels."""
    square = rotate(box(side * 0.14, side * 0.14, side * 0.86, side * 0.86), degrees)
    cutter = Cutter(square, (0, 1, 0, 0, 0, 1), "EPSG:32633")
    return pixels(bands, side=side) * cutter.mask(Window(0, 0, side, side)), square


# ---- dates


@pytest.mark.parametrize(
    ("name", "year", "month", "day"),
    [
        ("LC08_L1TP_224077_20200518_20200530_01_RT", 2020, 5, 18),
        ("LC82240772020139LGN00", 2020, 5, 18),
        ("S2A_31UFU_20240518_0_L2A", 2024, 5, 18),
        ("ortho 2024-05-18 field 7", 2024, 5, 18),
        ("2024_05_18", 2024, 5, 18),
        ("drone.2024.05.18.v2", 2024, 5, 18),
        ("20241345_20240518", 2024, 5, 18),
    ],
)
def test_dates_in_names(name, year, month, day):
    assert date_in_name(name) == day_span(datetime(year, month, day, tzinfo=timezone.utc))


def test_times_in_names():
    moment = datetime(2024, 5, 18, 10, 10, 31, tzinfo=timezone.utc)
    for name in ("S2A_MSIL2A_20240518T101031_N0510_R022_T32UQD_20240518T155959", "T32UQD_20240518T101031_B04_10m"):
        assert date_in_name(name) == Span(moment, moment)


@pytest.mark.parametrize("name", ["ortho", "224077", "18-05-2024", "99999999", "20240230", "12345678901234", "1240518"])
def test_what_is_no_date(name):
    assert date_in_name(name) is None


def test_an_mtl_file_is_trusted_most(tmp_path):
    mtl = tmp_path / "x_MTL.txt"
    mtl.write_text(
        'GROUP = L1\n  SPACECRAFT_ID = "LANDSAT_8"\n  DATE_ACQUIRED = 2020-05-18\n'
        '  SCENE_CENTER_TIME = "13:31:02.9034560Z"\n  CLOUD_COVER = 2.28\nEND\n'
    )
    known = acquisition("x_20010101", {"TIFFTAG_DATETIME": "2022:01:01 00:00:00"}, mtl)
    moment = datetime(2020, 5, 18, 13, 31, 2, 903456, tzinfo=timezone.utc)
    assert (known.taken, known.cloud_cover, known.platform) == (Span(moment, moment), 2.28, "LANDSAT_8")
    mtl.write_text("CLOUD_COVER = -1.00\nDATE_ACQUIRED = 2020-05-18")
    known = acquisition("x", {}, mtl)
    assert (known.taken, known.cloud_cover) == (day_span(moment), None)


def test_tags_come_next_and_the_files_own_time_last():
    moment = datetime(2024, 5, 18, 10, 20, tzinfo=timezone.utc)
    assert acquisition("a_20010101", {"ACQUISITIONDATETIME": "2024-05-18T10:20:00Z"}).taken == Span(moment, moment)
    assert acquisition("a", {"ACQUISITION_DATE": "2024-05-18"}).taken == day_span(moment)
    assert acquisition("a", {"TIFFTAG_DATETIME": "2024:05:18 10:20:00"}).taken == Span(moment, moment)
    assert acquisition("a_20240518", {"TIFFTAG_DATETIME": "2024:05:18 10:20:00"}).taken == Span(moment, moment)
    assert acquisition("a_20240518", {"TIFFTAG_DATETIME": "2025:01:01 00:00:00"}).taken == day_span(moment)


# ---- footprints


def test_the_footprint_is_the_image_and_not_its_frame(folder):
    image, square = slanted()
    write_raster(folder / "LC08_L1TP_224077_20200518_20200518_01_RT.TIF", image, CORNER)
    feature = BLOCK.search({"intersects": ALL}, settings_of(folder))[0]
    on_ground = Polygon([(500000 + x * 10, 5600000 - y * 10) for x, y in square.exterior.coords])
    expected = Reprojection("EPSG:32633", "EPSG:4326").polygon(on_ground, 50)
    found = shape(feature["geometry"])
    assert found.symmetric_difference(expected).area < 0.02 * expected.area
    assert found.is_valid and len(found.exterior.coords) < 30
    outside = in_degrees(500000, 5600000, 500150, 5599850)  # a corner of the raster, all nodata
    assert BLOCK.search({"intersects": outside}, settings_of(folder)) == []


def test_declared_nodata_and_a_full_frame(folder):
    half = pixels(kind=np.int16)
    half[:, :, 150:] = -32768
    write_raster(folder / "a_20240101.tif", half, nodata=-32768)
    write_raster(folder / "b_20240102.tif", pixels())
    whole, left = (shape(f["geometry"]) for f in BLOCK.search({"intersects": ALL, "limit": 9}, settings_of(folder)))
    assert area_km2(whole) == pytest.approx(9.0, rel=0.01)
    assert area_km2(left) == pytest.approx(4.5, rel=0.02)


def test_a_raster_across_the_antimeridian_has_parts_on_both_sides(folder):
    write_raster(folder / "fiji_20240101.tif", pixels(), (800000.0, 100.0, 0.0, 8000000.0, 0.0, -100.0), 32760)
    feature = BLOCK.search({"bbox": [-179.99, -19, -179.9, -17]}, settings_of(folder))[0]
    footprint = shape(feature["geometry"])
    assert footprint.geom_type == "MultiPolygon"
    assert area_km2(footprint) == pytest.approx(900, rel=0.02)
    assert BLOCK.search({"bbox": [0, -19, 100, -17]}, settings_of(folder)) == []


# ---- scenes


def test_bands_in_files_of_their_own_are_one_scene(folder, tmp_path):
    image, _ = slanted(3)
    name = "LC08_L1TP_224077_20200518_20200518_01_RT"
    for number, band in zip("234", image):
        write_raster(folder / f"{name}_B{number}.TIF", band[None], CORNER)
    write_raster(folder / f"{name}_B2_60m.TIF", pixels(side=150), (500000.0, 20.0, 0.0, 5600000.0, 0.0, -20.0))
    write_raster(folder / f"{name}_QA_PIXEL.TIF", pixels(), CORNER)
    done = run_block("local-scenes", {"intersects": ALL, "limit": 9}, tmp_path / "t", settings=settings_of(folder))
    assert [feature["id"] for feature in done.features] == [name]
    dataset = done.raster()
    assert [dataset.GetRasterBand(n).GetDescription() for n in (1, 2, 3)] == ["B2 Blue", "B3 Green", "B4 Red"]
    inside = dataset.ReadAsArray()
    np.testing.assert_array_equal(inside[:, 150, 100:200], image[:, 150, 100:200])
    assert "_B2_60m.TIF is left out" in done.log and "_QA_PIXEL.TIF is left out" in done.log


def test_a_stack_without_descriptions_is_named_in_its_sensors_order_and_that_is_said(folder, tmp_path):
    write_raster(folder / "LC08_L1TP_224078_20200518_20200518_01_RT.TIF", slanted(3)[0], CORNER)
    done = run_block("local-scenes", {"bbox": list(shape(ALL).bounds)}, tmp_path / "t", settings=settings_of(folder))
    dataset = done.raster()
    assert [dataset.GetRasterBand(n).GetDescription() for n in (1, 2, 3)] == ["B2 Blue", "B3 Green", "B4 Red"]
    assert "doesn't name its bands" in done.log
    properties = done.features[0]["properties"]
    assert (properties["attribution"], properties["license"]) == ("USGS", "Public domain")
    assert properties["datetime"] == "2020-05-18T00:00:00Z"
    assert properties["end_datetime"] == "2020-05-18T23:59:59Z"


def test_sentinel_bands_in_a_folder_named_like_the_scene(folder):
    for name in ("B02", "B03", "B04", "B08"):
        write_raster(folder / "S2A_33UVR_20240518_0_L2A" / f"{name}.tif", pixels(), CORNER)
    write_raster(folder / "S2A_33UVR_20240518_0_L2A" / "B11.tif", pixels(side=150), (5e5, 20, 0, 56e5, 0, -20))
    feature = BLOCK.search({"intersects": ALL}, settings_of(folder))[0]
    assert feature["id"] == "S2A_33UVR_20240518_0_L2A"
    assert feature["properties"]["bands"] == ["B02 Blue", "B03 Green", "B04 Red", "B08 NIR"]


def test_names_descriptions_and_unusual_file_names(folder):
    write_raster(folder / "Mein Bild (1) 2024-05-18.tif", pixels(4), descriptions=["R", "G", "B", "near-infrared"])
    write_raster(folder / "sub" / "ortho.tif", pixels())
    write_raster(folder / "ortho.tif", pixels())
    features = BLOCK.search({"intersects": ALL, "limit": 9}, settings_of(folder))
    ids = [feature["id"] for feature in features]
    assert len(set(ids)) == 3 and "ortho" in ids
    assert all(
        set(scene_id) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") for scene_id in ids
    )
    assert features[0]["properties"]["bands"] == ["R", "G", "B", "near-infrared"]
    assert [feature["properties"]["datetime"] for feature in features] == ["2024-05-18T00:00:00Z", None, None]


def test_found_by_the_same_filters(folder):
    for day in ("10", "20", "30"):
        write_raster(folder / f"scene_202405{day}.tif", pixels())
    write_raster(folder / "undated.tif", pixels())
    settings = settings_of(folder)

    def ids(**parameters):
        return [f["id"] for f in BLOCK.search({"limit": 9, **parameters}, settings)]

    wide = mapping(shape(MIDDLE).buffer(0.05))
    assert ids(contains=MIDDLE) == ["scene_20240530", "scene_20240520", "scene_20240510", "undated"]
    assert ids(contains=wide) == []
    assert len(ids(intersects=wide)) == 4
    assert ids(intersects=ALL, time="2024-05-15/2024-05-25") == ["scene_20240520"]
    assert ids(intersects=ALL, time="2024-05-20T12:00:00Z") == ["scene_20240520"]  # some time on that day
    assert ids(intersects=ALL, limit=2) == ["scene_20240530", "scene_20240520"]
    assert ids(intersects=ALL, ids=["undated", "scene_20240510", "nowhere"], limit=1) == ["undated", "scene_20240510"]
    assert ids(intersects=ALL, max_cloud_cover=0, limit=1) == ["scene_20240530"]  # unknown cloud cover passes
    assert ids(bbox=[0, 0, 1, 1]) == []


def test_cloud_cover_from_the_mtl_file(folder):
    write_raster(folder / "LC08_L1TP_224077_20200518_20200518_01_T1.TIF", slanted()[0], CORNER)
    (folder / "LC08_L1TP_224077_20200518_20200518_01_T1_MTL.txt").write_text(
        'DATE_ACQUIRED = 2020-05-18\nSCENE_CENTER_TIME = "13:31:02Z"\nCLOUD_COVER = 41.5\nSPACECRAFT_ID = "LANDSAT_8"'
    )
    found = BLOCK.search({"intersects": ALL, "max_cloud_cover": 50}, settings_of(folder))[0]["properties"]
    assert (found["eo:cloud_cover"], found["datetime"], found["platform"]) == (
        41.5,
        "2020-05-18T13:31:02Z",
        "LANDSAT_8",
    )
    assert BLOCK.search({"intersects": ALL, "max_cloud_cover": 40}, settings_of(folder)) == []


# ---- clips


def test_a_clip_keeps_grid_type_nodata_and_descriptions(folder, tmp_path):
    image = pixels(2, np.int16)
    image[:, 120:140, 120:140] = -1
    write_raster(folder / "a_20240101.tif", image, nodata=-1, descriptions=["B4 Red", "B5 NIR"])
    done = run_block("local-scenes", {"intersects": MIDDLE}, tmp_path / "t", settings=settings_of(folder))
    dataset = done.raster()
    assert (dataset.RasterXSize, dataset.RasterYSize) == (100, 100)
    assert dataset.GetGeoTransform() == (501000.0, 10.0, 0.0, 5599000.0, 0.0, -10.0)
    assert dataset.GetRasterBand(1).DataType == gdal.GDT_Int16
    assert dataset.GetRasterBand(2).GetNoDataValue() == -1
    assert dataset.GetRasterBand(2).GetDescription() == "B5 NIR"
    np.testing.assert_array_equal(dataset.ReadAsArray()[:, 2:-2, 2:-2], image[:, 102:198, 102:198])
    assert done.progress[-1] == 1.0


def test_outside_of_the_aoi_is_nodata_even_where_the_file_knows_none(folder, tmp_path):
    image = pixels(3, np.uint8, low=0, high=255)
    image[:, 0, 0] = 7  # no collar of zeros
    write_raster(folder / "rgb_20240101.tif", image)
    circle = mapping(shape(MIDDLE).centroid.buffer(0.005))
    done = run_block("local-scenes", {"intersects": circle}, tmp_path / "t", settings=settings_of(folder))
    dataset = done.raster()
    values = dataset.ReadAsArray()
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0
    assert (values[:, 0, 0] == 0).all()
    middle = values[:, values.shape[1] // 2, values.shape[2] // 2]
    assert (middle > 0).all()
    assert (values == 0).all(axis=0).sum() == (values == 0).any(axis=0).sum(), "a valid 0 has become nodata"
    assert "raised by 1" in done.log


def test_a_turned_raster_is_clipped_too(folder, tmp_path):
    turned = (500000.0, 8.0, 6.0, 5600000.0, 6.0, -8.0)
    image = pixels()
    write_raster(folder / "turned_20240101.tif", image, turned)
    area = Reprojection("EPSG:32633", "EPSG:4326").polygon(Point(502100, 5599700).buffer(300), 20)
    done = run_block("local-scenes", {"contains": mapping(area)}, tmp_path / "t", settings=settings_of(folder))
    dataset = done.raster()
    assert dataset.GetGeoTransform()[1:3] == (8.0, 6.0)
    valid = np.count_nonzero(dataset.ReadAsArray())
    assert valid * 100e-6 == pytest.approx(np.pi * 0.09, rel=0.02)
    column, row = (int(value) for value in gdal.ApplyGeoTransform(gdal.InvGeoTransform(turned), 502100, 5599700))
    here = [int(v) for v in gdal.ApplyGeoTransform(gdal.InvGeoTransform(dataset.GetGeoTransform()), 502100, 5599700)]
    assert dataset.ReadAsArray(*here, 1, 1)[0, 0] == image[0, row, column]


def test_the_users_folder_is_only_read_and_its_side_files_count(folder, tmp_path):
    write_raster(folder / "a_20240101.tif", pixels(2))
    (folder / "a_20240101.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Description>B4 Red</Description></PAMRasterBand></PAMDataset>'
    )
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    settings = settings_of(folder, tmp_path / "cache")
    done = run_block("local-scenes", {"intersects": MIDDLE}, tmp_path / "t", settings=settings)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert done.raster().GetRasterBand(1).GetDescription() == "B4 Red"
    assert {path.suffix for path in [*done.output.iterdir(), *done.quicklooks.iterdir()]} == {".tif", ".json", ".jpg"}


def test_floats_alpha_and_scale(folder, tmp_path):
    values = RNG.random((1, SIDE, SIDE)).astype(np.float32)
    values[0, 100:110, 100:110] = np.nan
    path = write_raster(folder / "f_20240101.tif", values, nodata=float("nan"))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(1).SetScale(0.0001)
    dataset.GetRasterBand(1).SetOffset(-0.1)
    del dataset
    rgba = pixels(4, np.uint8, high=255)
    rgba[3] = 255
    rgba[3, :, :150] = 0
    path = write_raster(folder / "rgba_20240102.tif", rgba)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(4).SetColorInterpretation(gdal.GCI_AlphaBand)
    del dataset
    done = run_block("local-scenes", {"intersects": ALL, "limit": 2}, tmp_path / "t", settings=settings_of(folder))
    rgb, floating = done.raster(0), done.raster(1)
    assert rgb.RasterCount == 3
    assert (rgb.ReadAsArray()[:, 150, 20:140] == 0).all() and (rgb.ReadAsArray()[:, 150, 160:280] > 0).all()
    assert area_km2(shape(done.features[0]["geometry"])) == pytest.approx(4.5, rel=0.02)
    assert (floating.GetRasterBand(1).GetScale(), floating.GetRasterBand(1).GetOffset()) == (0.0001, -0.1)
    assert np.isnan(floating.GetRasterBand(1).GetNoDataValue())
    assert np.isnan(floating.ReadAsArray()[105, 105])


def test_ids_without_an_aoi_give_the_whole_scene(folder, tmp_path):
    image = pixels()
    write_raster(folder / "a_20240101.tif", image)
    done = run_block("local-scenes", {"ids": ["a_20240101"]}, tmp_path / "t", settings=settings_of(folder))
    np.testing.assert_array_equal(done.raster().ReadAsArray(), image[0])


def test_a_scene_with_only_nodata_in_the_aoi_is_left_out_and_named(folder, tmp_path):
    hole = pixels()
    hole[:, 90:210, 90:210] = 0
    write_raster(folder / "hole_20240102.tif", hole, nodata=0)
    write_raster(folder / "full_20240101.tif", pixels())
    done = run_block("local-scenes", {"intersects": MIDDLE, "limit": 5}, tmp_path / "t", settings=settings_of(folder))
    assert [feature["id"] for feature in done.features] == ["full_20240101"]
    assert "hole_20240102 has no valid pixel inside the AOI" in done.log
    assert not (done.output / "hole_20240102.tif").exists()
    with pytest.raises(BlockFailure, match="only nodata") as caught:
        run_block("local-scenes", {"intersects": MIDDLE, "limit": 1}, tmp_path / "u", settings=settings_of(folder))
    assert caught.value.code == "NO_OUTPUT_ERROR"


def test_a_test_query_gives_stretched_quicklooks_on_the_bbox(folder, tmp_path):
    image, _ = slanted(3)
    write_raster(folder / "LC08_L1TP_224078_20200518_20200518_01_RT.TIF", image, CORNER)
    done = run_block("local-scenes", {"intersects": ALL}, tmp_path / "t", dry_run=True, settings=settings_of(folder))
    feature = done.features[0]
    assert "up42.data_path" not in feature["properties"]
    assert [path.name for path in done.output.iterdir()] == ["data.json"]
    picture = gdal.Open(str(done.quicklooks / f"{feature['id']}.jpg")).ReadAsArray()
    assert picture.shape[0] == 3 and max(picture.shape[1:]) == 512
    assert picture[:, 256, 256].max() > 60 and picture[:, 3, 3].max() < 60  # image in the middle, nodata in the corner


def test_a_large_clip_has_overviews(folder, tmp_path):
    write_raster(folder / "large_20240101.tif", np.full((1, 2600, 2300), 9, np.uint8))
    done = run_block("local-scenes", {"ids": ["large_20240101"]}, tmp_path / "t", settings=settings_of(folder))
    assert done.raster().GetRasterBand(1).GetOverviewCount() == 3


# ---- the index


def test_a_second_search_reads_no_raster(folder, tmp_path):
    for day in range(10, 16):
        write_raster(folder / f"scene_202405{day}.tif", pixels())
    settings = settings_of(folder, tmp_path / "cache")
    first = BLOCK.search({"intersects": ALL, "limit": 9}, settings)
    for path in folder.iterdir():  # same size and time of change, but nothing that could be read
        status = path.stat()
        path.write_bytes(b"\0" * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert BLOCK.search({"intersects": ALL, "limit": 9}, settings) == first


def test_new_changed_and_removed_files_are_noticed(folder, tmp_path):
    settings = settings_of(folder, tmp_path / "cache")
    write_raster(folder / "a_20240101.tif", pixels())
    write_raster(folder / "b_20240102.tif", pixels())

    def bands():
        return {f["id"]: len(f["properties"]["bands"]) for f in BLOCK.search({"intersects": ALL, "limit": 9}, settings)}

    assert bands() == {"a_20240101": 1, "b_20240102": 1}
    write_raster(folder / "a_20240101.tif", pixels(2))
    (folder / "b_20240102.tif").unlink()
    write_raster(folder / "c_20240103.tif", pixels(3))
    assert bands() == {"a_20240101": 2, "c_20240103": 3}


def test_a_search_that_is_cancelled_is_gone_on_with_where_it_was(folder, tmp_path, monkeypatch):
    for day in range(10, 18):
        write_raster(folder / f"scene_202405{day}.tif", pixels())
    settings = settings_of(folder, tmp_path / "cache")
    whole = BLOCK.search({"intersects": ALL, "limit": 9}, settings_of(folder, tmp_path / "other"))
    read: list[str] = []

    def counted(path):
        if len(read) == 5:
            raise KeyboardInterrupt  # in real life the process is killed
        read.append(path.name)
        return read_header(path)

    monkeypatch.setattr(folder_index, "read_header", counted)
    monkeypatch.setattr(folder_index, "KEEP_EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        BLOCK.search({"intersects": ALL, "limit": 9}, settings)
    assert kept_scenes(settings) is None, "not all of them are known"
    first = read.copy()
    read.clear()
    assert BLOCK.search({"intersects": ALL, "limit": 9}, settings) == whole
    assert (len(first), len(read)) == (5, 3) and not set(first) & set(read)
    assert len(kept_scenes(settings)) == 8


def test_a_broken_index_is_made_anew(folder, tmp_path):
    write_raster(folder / "a_20240101.tif", pixels())
    settings = settings_of(folder, tmp_path / "cache")
    first = BLOCK.search({"intersects": ALL}, settings)
    (index,) = (tmp_path / "cache").iterdir()
    for text in ("{", "[]", '{"version": 2, "whole": true, "files": {"a": {}}}', '{"version": 99}'):
        index.write_text(text)
        assert BLOCK.search({"intersects": ALL}, settings) == first


def test_the_amount_is_exact_once_the_folder_is_indexed_and_a_guess_before(folder, tmp_path):
    write_raster(folder / "a_20240101.tif", pixels(), CORNER)
    settings = settings_of(folder, tmp_path / "cache")
    guess = BLOCK.amount({"intersects": MIDDLE, "limit": 3}, settings, None)
    assert guess.units == (0.0, pytest.approx(3.0, rel=0.01))
    BLOCK.search({"intersects": MIDDLE}, settings)
    exact = BLOCK.amount({"intersects": MIDDLE, "limit": 3}, settings, None)
    assert exact.units == (pytest.approx(1.0, rel=0.01), pytest.approx(1.0, rel=0.01))
    assert exact.pixels[0] == pytest.approx(10_000, rel=0.1)


# ---- what goes wrong


def test_files_that_are_no_scenes_are_named_and_hurt_nobody(folder, tmp_path):
    write_raster(folder / "good_20240101.tif", pixels())
    write_raster(folder / "plain_20240102.tif", pixels(), crs=None)
    write_raster(folder / "empty_20240103.tif", np.zeros((1, 50, 50), np.uint16), nodata=0)
    (folder / "text_20240104.tif").write_text("no TIFF at all")
    whole = write_raster(tmp_path / "w.tif", pixels(3)).read_bytes()
    (folder / "cut_20240105.tif").write_bytes(whole[: len(whole) // 3])
    done = run_block("local-scenes", {"intersects": ALL, "limit": 9}, tmp_path / "t", settings=settings_of(folder))
    assert [feature["id"] for feature in done.features] == ["good_20240101"]
    for name in ("plain_20240102", "empty_20240103", "text_20240104", "cut_20240105"):
        assert name in done.log


def test_no_folder_a_folder_that_is_gone_and_an_empty_one(folder, tmp_path):
    cases = [({}, "no folder of scenes"), (settings_of(tmp_path / "gone"), "drive"), (settings_of(folder), "no georef")]
    for settings, words in cases:
        with pytest.raises(BlockFailure, match=words) as caught:
            BLOCK.search({"intersects": ALL}, settings)
        assert caught.value.code == "NO_INPUT_ERROR"


def test_one_folder_that_is_gone_does_not_stop_the_others(folder, tmp_path):
    write_raster(folder / "a_20240101.tif", pixels())
    both = {"scene_folders": [str(tmp_path / "gone"), str(folder)]}
    done = run_block("local-scenes", {"intersects": ALL}, tmp_path / "t", settings=both)
    assert [feature["id"] for feature in done.features] == ["a_20240101"]
    assert "can't be read" in done.log


def test_the_same_file_through_two_folders_is_one_scene_and_equal_names_are_two(folder, tmp_path):
    write_raster(folder / "sub" / "a_20240101.tif", pixels())
    other = tmp_path / "other"
    shutil.copytree(folder / "sub", other)
    settings = {"scene_folders": [str(folder), str(folder / "sub"), str(other)]}
    ids = [feature["id"] for feature in BLOCK.search({"intersects": ALL, "limit": 9}, settings)]
    assert len(ids) == len(set(ids)) == 2


def test_hidden_folders_and_links_to_folders_are_not_followed(folder, tmp_path):
    write_raster(folder / ".trash" / "a_20240101.tif", pixels())
    write_raster(tmp_path / "elsewhere" / "b_20240101.tif", pixels())
    (folder / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "dangling.tif").symlink_to(tmp_path / "nothing.tif")
    from up42_jobs.plugin.engine.blocks.local.folders import SceneFolder

    assert index_folder(SceneFolder("f", "f", str(folder)), None) == {}


def test_nothing_found_says_so(folder):
    write_raster(folder / "a_20240101.tif", pixels())
    parameters = {"intersects": ALL, "time": "2020-01-01/2020-02-01"}
    assert BLOCK.search(parameters, settings_of(folder)) == []


def test_a_job_that_finds_nothing_fails_in_words(folder, tmp_path):
    write_raster(folder / "a_20240101.tif", pixels())
    parameters = {"intersects": ALL, "time": "2020-01-01/2020-02-01"}
    with pytest.raises(BlockFailure, match="between 1 January 2020 and 1 February 2020") as caught:
        run_block("local-scenes", parameters, tmp_path / "t", settings=settings_of(folder))
    assert caught.value.code == "NO_INPUT_ERROR"
