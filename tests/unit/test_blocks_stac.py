"""The STAC blocks against a STAC API and COGs on loopback: search, filters, clips, clouds, quicklooks, mosaics."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import gdal
from servers import sentinel_scenes as s2
from servers.proxies import HttpProxy
from servers.stac import StacServer
from shapely.geometry import Polygon, box, mapping, shape
from shapely.ops import unary_union

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.stac.sources import CONFIG_VARIABLE, URL_VARIABLE
from up42_jobs.plugin.engine.network import NetworkSettings
from up42_jobs.tests.unit.blocks_support import run_block

VISUAL, ANALYTIC, ANY = "esa-s2-l2a-gtiff-visual", "esa-s2-l2a-gtiff-analytic", "stac"
INSIDE = [12.01, 52.01, 12.05, 52.03]  # within the tile that most scenes show
TRIANGLE = mapping(Polygon([(12.012, 52.012), (12.05, 52.015), (12.03, 52.035)]))
MAY_2024 = "2024-05-18T00:00:00Z/2024-05-18T23:59:59Z"
ACROSS_NORTH_SOUTH = [12.02, 51.99, 12.05, 52.02]  # two tiles of one zone
ACROSS_ZONES = [11.98, 52.01, 12.03, 52.03]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Files once, and their items with addresses to be filled in."""
    folder = tmp_path_factory.mktemp("scenes")
    return folder, s2.make_scenes(folder, "FILES")


@pytest.fixture
def server(made, monkeypatch):
    folder, items = made
    with StacServer(folder) as running:
        running.items = json.loads(json.dumps(items).replace("FILES", running.url))
        running.collection = s2.collection()
        monkeypatch.setenv(URL_VARIABLE, running.url)
        monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
        yield running


def ids(done):
    return [feature["id"] for feature in done.features]


def search(folder, name=ANALYTIC, **parameters):
    return run_block(name, {"max_cloud_cover": 100, **parameters}, folder, dry_run=True)


def translated(made, scene, band, raster):
    """What gdal_translate makes of the window of a scene's file that a raster of ours covers."""
    x, wide, _, y, _, high = raster.GetGeoTransform()
    window = [x, y, x + wide * raster.RasterXSize, y + high * raster.RasterYSize]
    return gdal.Translate("", str(made[0] / scene / f"{band}.tif"), format="MEM", projWin=window).ReadAsArray()


# --- search ---------------------------------------------------------------------------------------------------------


def test_newest_first_and_one_acquisition_once_though_it_was_processed_twice(server, tmp_path):
    done = search(tmp_path, bbox=INSIDE, limit=10)
    assert ids(done) == [s2.HALF, s2.CLOUDY, s2.AFTER, s2.BEFORE]
    assert f"{s2.OLDER_PROCESSING} is left out: {s2.AFTER} is a newer processing" in done.log
    assert not list(done.output.glob("*.tif"))  # a Test Query delivers nothing


def test_limit_counts_scenes_not_processings_and_follows_the_pages(server, tmp_path):
    server.largest_page = 1
    done = search(tmp_path, bbox=INSIDE, limit=4)
    assert ids(done) == [s2.HALF, s2.CLOUDY, s2.AFTER, s2.BEFORE]
    assert len(server.searches()) == 5


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"time": MAY_2024, "limit": 9}, [s2.AFTER]),
        ({"time": "2021-01-01/2021-12-31", "limit": 9}, [s2.BEFORE]),
        ({"time_series": ["2021-01-01/2021-12-31", "2024-01-01/2024-12-31"]}, [s2.HALF, s2.BEFORE]),
        ({"max_cloud_cover": 5, "limit": 9}, [s2.HALF, s2.AFTER]),
        ({"limit": 1}, [s2.HALF]),
        ({"ids": [s2.BEFORE, s2.OLDER_PROCESSING]}, [s2.BEFORE, s2.OLDER_PROCESSING]),
    ],
)
def test_dates_cloud_cover_limit_and_ids(server, tmp_path, asked, found):
    assert ids(search(tmp_path, bbox=INSIDE, **asked)) == found


def test_the_three_geometric_filters_as_shapely_says(server, tmp_path):
    area = Polygon([(11.99, 52.02), (12.02, 52.03), (12.03, 51.99)])
    footprints = {item["id"]: shape(item["geometry"]) for item in server.items if item["id"] != s2.OLDER_PROCESSING}
    for name, value, fits in (
        ("intersects", mapping(area), area.intersects),
        ("bbox", list(area.bounds), box(*area.bounds).intersects),
        ("contains", mapping(area), area.within),
    ):
        expected = {scene for scene, footprint in footprints.items() if fits(footprint)}
        folder = tmp_path / name
        if expected:
            assert set(ids(search(folder, limit=20, **{name: value}))) == expected, name
        else:
            with pytest.raises(BlockFailure, match="contains the whole AOI"):
                search(folder, limit=20, **{name: value})
    assert set(ids(search(tmp_path / "c", contains=TRIANGLE, limit=20))) == {s2.HALF, s2.CLOUDY, s2.AFTER, s2.BEFORE}


def test_ids_that_are_not_there_are_named(server, tmp_path):
    done = search(tmp_path, bbox=INSIDE, ids=["S2_GONE", s2.AFTER, s2.WEST])
    assert ids(done) == [s2.AFTER]
    assert f"Not here for this AOI, so left out: S2_GONE, {s2.WEST}" in done.log


@pytest.mark.parametrize("how", ["sorts not", "refuses sortby", "refuses query"])
def test_a_server_that_can_do_less_gives_the_same_scenes(server, tmp_path, how):
    server.items.reverse()
    server.items.sort(key=lambda item: item["id"][-20:])
    server.sorts, server.refuses = how != "sorts not", {"refuses sortby": ("sortby",)}.get(how, ("query",))
    server.largest_page = 2
    assert ids(search(tmp_path, bbox=INSIDE, limit=2, max_cloud_cover=50)) == [s2.HALF, s2.AFTER]


def test_two_parts_of_a_tile_are_no_duplicates(server, tmp_path):
    parts = [json.loads(json.dumps(item)) for item in server.items if item["id"] == s2.AFTER] * 2
    west, south, east, north = parts[0]["bbox"]
    middle = (west + east) / 2
    server.items = []
    for name, bounds in (("PART_1", (west, south, middle + 0.002, north)), ("PART_2", (middle, south, east, north))):
        server.items.append({**parts[0], "id": name, "geometry": mapping(box(*bounds)), "bbox": list(bounds)})
    done = search(tmp_path, bbox=[middle - 0.01, 52.01, middle + 0.01, 52.03], limit=5)
    assert sorted(ids(done)) == ["PART_1", "PART_2"]


def test_scenes_of_one_pass_are_grouped_with_what_they_cover_together(server, tmp_path):
    done = search(tmp_path, bbox=ACROSS_NORTH_SOUTH, limit=9, time=MAY_2024)
    assert ids(done) == [s2.SOUTH, s2.AFTER]
    assert "18 May 2024: 2 scenes, 100 % of the AOI." in done.lines
    north, south = (feature["properties"] for feature in reversed(done.features))
    assert north["pass"] == south["pass"] and north["pass_scenes"] == 2 and north["pass_aoi_coverage"] == 100
    area = box(*ACROSS_NORTH_SOUTH)
    for feature in done.features:
        share = 100 * shape(feature["geometry"]).intersection(area).area / area.area
        assert feature["properties"]["aoi_coverage"] == pytest.approx(share, abs=0.1)


def test_half_an_aoi_is_said_to_be_half(server, tmp_path):
    done = search(tmp_path, bbox=ACROSS_NORTH_SOUTH, time=MAY_2024)
    assert "No pass covers the whole AOI" in done.log
    assert done.features[0]["properties"]["pass_aoi_coverage"] < 60


def test_cloud_over_the_aoi_is_not_that_of_the_scene(server, tmp_path):
    cloudy = next(item for item in server.items if item["id"] == s2.CLOUDY)
    west, _, east, _ = cloudy["bbox"]
    middle = (west + east) / 2
    for name, bounds, share in (
        ("cloudy", [middle - 0.03, 52.01, middle - 0.01, 52.03], 100),
        ("clear", [middle + 0.01, 52.01, middle + 0.03, 52.03], 0),
        ("both", [middle - 0.02, 52.02, middle + 0.02, 52.03], 50),
    ):
        found = search(tmp_path / name, bbox=bounds, ids=[s2.CLOUDY]).features[0]["properties"]
        assert found["eo:cloud_cover"] == 85
        assert found["aoi_cloud_cover"] == pytest.approx(share, abs=3)


# --- quicklooks -----------------------------------------------------------------------------------------------------


def test_quicklooks_lie_where_the_scene_lies(server, made, tmp_path):
    """The thumbnail is of the tile in UTM; the quicklook covers the feature's bbox in degrees."""
    done = search(tmp_path, bbox=INSIDE, ids=[s2.AFTER])
    quicklook = gdal.Open(str(done.quicklooks / f"{s2.AFTER}.jpg"))
    expected = gdal.Warp(
        "", str(made[0] / s2.AFTER / "TCI.tif"), format="MEM", dstSRS="EPSG:4326",
        outputBounds=done.features[0]["bbox"], width=quicklook.RasterXSize, height=quicklook.RasterYSize,
        resampleAlg="average",
    )  # fmt: skip
    apart = np.abs(quicklook.ReadAsArray().astype(int) - expected.ReadAsArray().astype(int))
    assert np.median(apart) <= 6


def test_without_a_thumbnail_the_scene_itself_is_looked_at(server, tmp_path):
    for item in server.items:
        del item["assets"]["thumbnail"]
    done = search(tmp_path, bbox=INSIDE)
    assert gdal.Open(str(done.quicklooks / f"{s2.HALF}.jpg")).ReadAsArray().std() > 5


# --- pixels ---------------------------------------------------------------------------------------------------------


def test_visual_is_what_gdal_translate_cuts_bit_for_bit(server, made, tmp_path):
    done = run_block(VISUAL, {"intersects": TRIANGLE, "ids": [s2.AFTER]}, tmp_path)
    raster = done.raster()
    pixels, expected = raster.ReadAsArray(), translated(made, s2.AFTER, "TCI", raster)
    inside = (pixels != 0).any(axis=0)
    assert 0.3 < inside.mean() < 0.7  # a triangle in its frame
    assert (pixels[:, inside] == expected[:, inside]).all()
    assert [raster.GetRasterBand(n).GetDescription() for n in (1, 2, 3)] == ["Red", "Green", "Blue"]


def test_the_aoi_is_cut_as_gdalwarp_cuts_it(server, made, tmp_path):
    done = run_block(ANALYTIC, {"intersects": TRIANGLE, "ids": [s2.AFTER], "bands": ["B04"]}, tmp_path / "done")
    raster = done.raster()
    x, wide, _, y, _, high = raster.GetGeoTransform()
    cutline = tmp_path / "aoi.geojson"
    cutline.write_text(json.dumps({"type": "Feature", "geometry": TRIANGLE, "properties": {}}))
    expected = gdal.Warp(
        "", str(made[0] / s2.AFTER / "B04.tif"), format="MEM", cutlineDSName=str(cutline), dstNodata=0,
        outputBounds=[x, y + high * raster.RasterYSize, x + wide * raster.RasterXSize, y], xRes=10, yRes=10,
        resampleAlg="near",
    ).ReadAsArray()  # fmt: skip
    ours = raster.ReadAsArray()
    assert (ours != expected).sum() <= 0.002 * ours.size  # a pixel whose centre is on the edge
    both = (ours != 0) & (expected != 0)
    assert (ours[both] == expected[both]).all()


def test_coarse_bands_are_repeated_never_interpolated(server, made, tmp_path):
    asked = {"bbox": INSIDE, "ids": [s2.AFTER], "bands": ["B08", "B11", "SCL"]}
    done = run_block(ANALYTIC, asked, tmp_path)
    raster = done.raster()
    assert raster.GetGeoTransform()[1] == 10
    inside = raster.GetRasterBand(1).ReadAsArray() != 0
    assert inside.mean() > 0.9
    assert (raster.GetRasterBand(1).ReadAsArray() == translated(made, s2.AFTER, "B08", raster))[inside].all()
    for number, name in ((2, "B11"), (3, "SCL")):
        fine = gdal.Warp(
            "", str(made[0] / s2.AFTER / f"{name}.tif"), format="MEM", resampleAlg="near", xRes=10, yRes=10,
            outputBounds=_bounds(raster),
        ).ReadAsArray()  # fmt: skip
        assert (raster.GetRasterBand(number).ReadAsArray() == fine)[inside].all()
    assert "the coarser pixels of B11 SWIR 1, SCL are repeated" in done.log
    assert [band["description"] for band in gdal.Info(raster, format="json")["bands"]] == [
        "B08 NIR",
        "B11 SWIR 1",
        "SCL",
    ]


def test_only_coarse_bands_keep_their_own_grid(server, made, tmp_path):
    done = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER], "bands": ["B11", "SCL"]}, tmp_path)
    raster = done.raster()
    assert raster.GetGeoTransform()[1] == 20
    pixels = raster.GetRasterBand(1).ReadAsArray()
    assert (pixels == translated(made, s2.AFTER, "B11", raster))[pixels != 0].all()


def test_a_whole_scene_without_an_aoi_is_its_files(server, made, tmp_path):
    done = run_block(ANALYTIC, {"ids": [s2.HALF], "bands": ["B02", "B08"]}, tmp_path)
    pixels = done.raster().ReadAsArray()
    for number, name in enumerate(("B02", "B08")):
        assert (pixels[number] == gdal.Open(str(made[0] / s2.HALF / f"{name}.tif")).ReadAsArray()).all()


def test_reflectance_and_ndvi_are_the_same_on_both_sides_of_january_2022(server, tmp_path):
    """The pixels of the two dates differ by 1000; scale and offset in the file make them the same ground."""
    done = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER, s2.BEFORE]}, tmp_path / "bands")
    after, before = done.raster(0), done.raster(1)
    assert (after.GetRasterBand(3).GetOffset(), before.GetRasterBand(3).GetOffset()) == (-0.1, 0.0)
    valid = before.GetRasterBand(3).ReadAsArray() != 0
    apart = after.GetRasterBand(3).ReadAsArray().astype(int) - before.GetRasterBand(3).ReadAsArray()
    assert (apart[valid] == 1000).all()
    ndvi = run_block("ndvi", {}, tmp_path / "ndvi", parent=done.output)
    first, second = ndvi.raster(0).ReadAsArray(), ndvi.raster(1).ReadAsArray()
    assert np.abs(first - second)[valid].max() < 1e-5
    recipe = next(recipe for recipe in s2.RECIPES if recipe.id == s2.AFTER)
    red, nir = (s2.reflectance(33, recipe.corner, s2.ASSETS_10[key][1], 10) for key in ("red", "nir"))
    x, _, _, y, _, _ = after.GetGeoTransform()
    column, row = round((x - recipe.corner[0]) / 10), round((recipe.corner[1] - y) / 10)
    part = slice(row, row + after.RasterYSize), slice(column, column + after.RasterXSize)
    truth = ((nir - red) / (nir + red))[part]
    assert np.abs(first - truth)[valid].max() < 0.002  # the pixels are rounded to 0.0001


def test_where_the_catalogue_has_added_the_offset_it_is_not_added_again(server, tmp_path):
    item = next(item for item in server.items if item["id"] == s2.AFTER)
    item["properties"]["earthsearch:boa_offset_applied"] = True
    raster = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER]}, tmp_path).raster()
    assert (raster.GetRasterBand(1).GetScale(), raster.GetRasterBand(1).GetOffset()) == (0.0001, 0.0)


@pytest.mark.parametrize(("baseline", "offset"), [("03.01", 0.0), ("04.00", -0.1), ("05.11", -0.1)])
def test_where_the_catalogue_is_silent_the_baseline_decides(server, tmp_path, baseline, offset):
    item = next(item for item in server.items if item["id"] == s2.AFTER)
    item["properties"]["s2:processing_baseline"] = baseline
    for asset in item["assets"].values():
        asset.pop("raster:bands", None)
    raster = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER]}, tmp_path).raster()
    assert (raster.GetRasterBand(1).GetScale(), raster.GetRasterBand(1).GetOffset()) == (0.0001, offset)


def test_each_scene_keeps_its_own_crs_unless_another_is_asked_for(server, tmp_path):
    asked = {"bbox": ACROSS_ZONES, "time": MAY_2024, "limit": 9, "bands": ["B04"]}
    done = run_block(ANALYTIC, asked, tmp_path / "own")
    codes = [done.raster(n).GetSpatialRef().GetAuthorityCode(None) for n in range(2)]
    assert sorted(codes) == ["32632", "32633"]
    assert "asked for" not in done.log
    moved = run_block(ANALYTIC, {**asked, "crs": "EPSG:3857"}, tmp_path / "moved")
    assert [moved.raster(n).GetSpatialRef().GetAuthorityCode(None) for n in range(2)] == ["3857", "3857"]
    raster = moved.raster(0)
    band = raster.GetRasterBand(1)
    assert (band.GetScale(), band.GetOffset(), band.GetDescription()) == (0.0001, -0.1, "B04 Red")
    assert moved.log.count("Reprojected, as asked for") == 2
    with pytest.raises(BlockFailure, match="crs is 'Mars'"):
        run_block(ANALYTIC, {**asked, "crs": "Mars"}, tmp_path / "wrong")


def test_a_mosaic_of_one_zone_has_the_pixels_of_its_scenes(server, made, tmp_path):
    asked = {"bbox": ACROSS_NORTH_SOUTH, "time": MAY_2024, "limit": 9, "bands": ["B04"], "mosaic": True}
    done = run_block(ANALYTIC, asked, tmp_path)
    assert ids(done) == [f"{s2.SOUTH}_mosaic"]
    assert "Mosaic, as asked for" in done.log
    raster, feature = done.raster(), done.features[0]
    pixels = raster.ReadAsArray()
    assert (pixels != 0).mean() > 0.9
    expected = gdal.Warp(
        "", [str(made[0] / name / "B04.tif") for name in (s2.AFTER, s2.SOUTH)], format="MEM", xRes=10, yRes=10,
        outputBounds=_bounds(raster), resampleAlg="near",
    ).ReadAsArray()  # fmt: skip
    assert (pixels == expected)[pixels != 0].all()
    assert feature["properties"]["mosaic_of"] == [s2.SOUTH, s2.AFTER]
    whole = unary_union([shape(item["geometry"]) for item in server.items if item["id"] in (s2.SOUTH, s2.AFTER)])
    assert shape(feature["geometry"]).area == pytest.approx(whole.area, rel=1e-6)
    assert {path.name for path in done.output.iterdir()} == {"data.json", f"{s2.SOUTH}_mosaic.tif"}


def test_a_mosaic_across_zones_is_in_one_crs(server, tmp_path):
    asked = {"bbox": ACROSS_ZONES, "time": MAY_2024, "limit": 9, "mosaic": True}
    raster = run_block(VISUAL, asked, tmp_path).raster()
    assert raster.GetSpatialRef().GetAuthorityCode(None) in ("32632", "32633")
    assert (raster.ReadAsArray() != 0).any(axis=0).mean() > 0.8


# --- the general block ----------------------------------------------------------------------------------------------


def test_any_collection_by_its_assets_with_the_rights_of_the_collection(server, tmp_path):
    asked = {"bbox": INSIDE, "url": f"{server.url}/search", "collection": s2.COLLECTION, "assets": ["red", "nir"]}
    done = run_block(ANY, {**asked, "max_cloud_cover": 10, "time": MAY_2024}, tmp_path / "bands")
    assert ids(done) == [s2.AFTER]
    properties = done.features[0]["properties"]
    assert properties["attribution"] == "© Test Mission"
    assert properties["license"] == "CC0-1.0"
    assert properties["rights"] == "© Test Mission (CC0-1.0)"
    assert properties["license_url"].startswith("https://creativecommons.org")
    raster = done.raster()
    assert [raster.GetRasterBand(n).GetDescription() for n in (1, 2)] == ["Red", "NIR"]
    assert run_block("ndvi", {}, tmp_path / "ndvi", parent=done.output).raster().ReadAsArray().max() > 0.3


def test_a_preset_is_changed_by_the_configuration(server, tmp_path, monkeypatch):
    config = tmp_path / "stac.json"
    config.write_text(
        json.dumps(
            {
                "landsat-c2-l2": {
                    "url": server.url, "collection": s2.COLLECTION, "assets": {"mud": "swir16"},
                    "default_assets": ["mud"], "permits": "", "attribution": "Me {year}",
                }
            }
        )
    )  # fmt: skip
    monkeypatch.setenv(CONFIG_VARIABLE, str(config))
    done = run_block(ANY, {"bbox": INSIDE, "preset": "landsat-c2-l2"}, tmp_path / "done")
    assert done.raster().GetRasterBand(1).GetDescription() == "mud"
    assert done.features[0]["properties"]["attribution"] == "Me 2024"
    config.write_text('{"landsat-c2-l2": {"uri": "x"}}')
    with pytest.raises(BlockFailure, match="has keys other than"):
        run_block(ANY, {"bbox": INSIDE, "preset": "landsat-c2-l2"}, tmp_path / "wrong")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"url": "https://example.org"}, "needs both collection and assets"),
        ({"url": "file:///etc", "collection": "a", "assets": ["b"]}, "must be a URL"),
        ({"preset": "moon"}, "preset must be one of"),
        ({"assets": []}, "assets must be a list"),
    ],
)
def test_wrong_parameters_in_words(tmp_path, asked, message):
    with pytest.raises(BlockFailure, match=message):
        run_block(ANY, {"bbox": INSIDE, **asked}, tmp_path)


# --- estimate -------------------------------------------------------------------------------------------------------


def test_the_estimate_is_in_megabytes_and_holds_what_is_written(server, tmp_path):
    asked = {"bbox": INSIDE, "ids": [s2.AFTER], "bands": ["B02", "B03", "B04", "B08"]}
    asked_before = len(server.requests)
    amount = block_by_name(ANALYTIC).amount(asked, {}, None)
    assert len(server.requests) == asked_before  # without a network
    done = run_block(ANALYTIC, asked, tmp_path)
    written = sum(path.stat().st_size for path in done.output.glob("*.tif")) / 1e6
    raster = done.raster()
    assert block_by_name(ANALYTIC).description.price.credits == 0
    assert amount.units[0] / 3 <= written <= amount.units[1]
    assert amount.pixels[0] * 0.7 <= raster.RasterXSize * raster.RasterYSize <= amount.pixels[1] * 1.4
    assert 0 < amount.seconds[0] < amount.seconds[1]


def _bounds(raster):
    x, wide, _, y, _, high = raster.GetGeoTransform()
    return [x, y + high * raster.RasterYSize, x + wide * raster.RasterXSize, y]


# --- through a proxy ------------------------------------------------------------------------------------------------


def test_search_files_and_thumbnails_go_through_the_proxy_that_the_engine_was_lent(server, tmp_path, monkeypatch):
    """The names are known to the proxy alone; it wants a login. What NetworkSettings makes is what a worker gets."""
    server.items = json.loads(json.dumps(server.items).replace(server.url, "http://stac.invalid"))
    monkeypatch.setenv(URL_VARIABLE, "http://stac.invalid")
    with HttpProxy({"stac.invalid": server.port}, "user", "p@ss:w/rd") as proxy:
        settings = NetworkSettings(tmp_path)
        settings.change({"proxy": f"http://user:p%40ss%3Aw%2Frd@127.0.0.1:{proxy.port}", "ca_pem": None})
        for name, value in settings.environment.items():
            monkeypatch.setenv(name, value)
        done = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER], "bands": ["B04"]}, tmp_path / "done")
        asked = {request.target.rsplit("/", 1)[-1] for request in proxy.requests}
    assert {"search", "B04.tif", "SCL.tif", "L2A_PVI.jpg"} <= asked
    assert ids(done) == [s2.AFTER] and (done.raster().ReadAsArray() != 0).mean() > 0.9
    assert "p@ss" not in done.log


def test_no_proxy_leads_to_this_computer_and_qgis_says_none_for_the_environment_too(server, tmp_path, monkeypatch):
    settings = NetworkSettings(tmp_path)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for given in ({"proxy": None, "ca_pem": None}, {"proxy": "http://127.0.0.1:1", "ca_pem": None}):
        settings.change(given)
        with monkeypatch.context() as patch:
            for name, value in settings.environment.items():
                patch.setenv(name, value)
            done = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER]}, tmp_path / str(bool(given["proxy"])))
            assert ids(done) == [s2.AFTER]


def test_a_proxy_that_lets_nobody_through_is_said(server, tmp_path, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "http://stac.invalid")
    with HttpProxy({}, "user", "other") as proxy:
        settings = NetworkSettings(tmp_path)
        settings.change({"proxy": f"http://127.0.0.1:{proxy.port}", "ca_pem": None})
        for name, value in settings.environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BlockFailure, match="the proxy wants a login") as failure:
            run_block(ANALYTIC, {"bbox": INSIDE}, tmp_path / "done")
    assert failure.value.code == "API_CONNECTION_ERROR"


def test_authorities_that_qgis_lends_are_trusted_by_search_and_files(made, authority, tmp_path, monkeypatch):
    folder, items = made
    with StacServer(folder, tls=authority.context()) as secure:
        secure.items = json.loads(json.dumps(items).replace("FILES", secure.url))
        monkeypatch.setenv(URL_VARIABLE, secure.url)
        with pytest.raises(BlockFailure, match="its certificate isn't trusted"):
            run_block(ANALYTIC, {"bbox": INSIDE}, tmp_path / "no")
        settings = NetworkSettings(tmp_path)
        settings.change({"proxy": None, "ca_pem": authority.pem})
        for name, value in settings.environment.items():
            monkeypatch.setenv(name, value)
        done = run_block(ANALYTIC, {"bbox": INSIDE, "ids": [s2.AFTER], "bands": ["B04"]}, tmp_path / "yes")
        assert ids(done) == [s2.AFTER] and (done.raster().ReadAsArray() != 0).mean() > 0.9
        assert (done.quicklooks / f"{s2.AFTER}.jpg").exists()
