"""Real imagery through the real engine, from the request to the archive: stac-fastapi and COGs on loopback."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import osr
from servers import landsat_scenes as landsat
from servers import preset_scenes as others
from servers import sentinel_scenes as s2
from stac_imagery import INSIDE, LANDSAT_NORTH, SAMPLE, opened, run, translated

MAY = "2024-05-18T00:00:00Z/2024-05-18T23:59:59Z"
ITAIPU = [-54.62, -25.44, -54.55, -25.38]


def test_a_test_query_finds_what_stac_fastapi_holds(stac_computer):
    data = {"bbox": INSIDE, "limit": 9, "max_cloud_cover": 100}
    job, log, held = run(stac_computer, "Sentinel-2 True Colour (open data)", data, mode="DRY_RUN")
    assert list(held) == ["output/data.json"]
    features = json.loads(held["output/data.json"])["features"]
    assert [feature["id"] for feature in features] == [s2.HALF, s2.CLOUDY, s2.AFTER, s2.BEFORE]
    assert f"{s2.OLDER_PROCESSING} is left out" in log
    task = f"{job}/tasks/{stac_computer.task(job, 0)['id']}"
    assert sorted(stac_computer.data(f"{task}/outputs/quicklooks")) == sorted(f"{f['id']}.jpg" for f in features)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"time": MAY, "limit": 9, "contains": None}, [s2.AFTER]),
        ({"max_cloud_cover": 5, "limit": 9}, [s2.HALF, s2.AFTER]),
        ({"ids": [s2.BEFORE]}, [s2.BEFORE]),
        ({"time_series": ["2021-01-01/2021-12-31", MAY], "limit": 2}, [s2.AFTER, s2.BEFORE]),
    ],
)
def test_every_filter_is_understood_by_stac_fastapi(stac_computer, asked, found):
    data = {"bbox": INSIDE, "max_cloud_cover": 100, **asked}
    _, _, held = run(stac_computer, "Sentinel-2 Bands", data, mode="DRY_RUN")
    assert [feature["id"] for feature in json.loads(held["output/data.json"])["features"]] == found


def test_sentinel_2_bands_are_bit_for_bit_what_gdal_translate_gives(stac_computer, stac_files):
    _, _, held = run(stac_computer, "Sentinel-2 Bands", {"bbox": INSIDE, "ids": [s2.AFTER]})
    raster = opened(held[f"output/{s2.AFTER}.tif"])
    pixels = raster.ReadAsArray()
    assert (pixels != 0).mean() > 0.9
    for number, name in enumerate(("B02", "B03", "B04", "B08")):
        expected = translated(stac_files[0].folder / s2.AFTER / f"{name}.tif", raster)
        inside = pixels[number] != 0
        assert (pixels[number] == expected)[inside].all()
    feature = json.loads(held["output/data.json"])["features"][0]["properties"]
    assert feature["attribution"] == "Contains modified Copernicus Sentinel data 2024"
    assert raster.GetMetadata()["TIFFTAG_COPYRIGHT"].startswith("Contains modified Copernicus Sentinel data 2024")


def test_sentinel_2_ndvi_is_that_of_the_ground_at_both_dates(stac_computer):
    _, _, held = run(stac_computer, "Sentinel-2 NDVI", {"bbox": INSIDE, "ids": [s2.AFTER, s2.BEFORE]})
    after, before = (opened(held[f"output/{name}_ndvi.tif"], name).ReadAsArray() for name in (s2.AFTER, s2.BEFORE))
    valid = after != -9999
    assert valid.mean() > 0.9
    assert np.abs(after - before)[valid].max() < 1e-5
    assert 0.5 < after[valid].mean() < 0.9


def test_the_estimate_has_megabytes_and_no_credits(stac_computer):
    job, _, _ = run(stac_computer, "Sentinel-2 NDVI", {"bbox": INSIDE, "ids": [s2.AFTER]})
    data = stac_computer.data(f"{job}/estimate")["esa-s2-l2a-gtiff-analytic:1"]
    assert stac_computer.data(f"{job}/estimate")["ndvi:1"]["machineConsumption"]["duration"]["max"] > 0
    assert data["blockConsumption"]["credit"] == {"min": 0, "max": 0}
    assert data["blockConsumption"]["resources"]["unit"] == "MEGABYTE"
    assert 0 < data["blockConsumption"]["resources"]["min"] < data["blockConsumption"]["resources"]["max"]
    assert data["machineConsumption"]["duration"]["max"] > 0


def test_one_file_that_is_gone_leaves_the_other_scenes(stac_computer, stac_files):
    server, _, _ = stac_files
    hidden = server.folder / s2.BEFORE / "B08.tif"
    aside = hidden.with_suffix(".aside")
    hidden.rename(aside)
    try:
        _, log, held = run(stac_computer, "Sentinel-2 Bands", {"bbox": INSIDE, "ids": [s2.AFTER, s2.BEFORE]})
    finally:
        aside.rename(hidden)
    assert f"output/{s2.AFTER}.tif" in held and f"output/{s2.BEFORE}.tif" not in held
    assert f"1 of 2 scenes delivered; not: {s2.BEFORE}." in log


def test_the_landsat_sample_through_the_general_block(stac_computer, stac_api, stac_files):
    if not any(item["id"] == LANDSAT_NORTH for item in stac_files[2]):
        pytest.skip("The Landsat sample is not here: `make demo` fetches it.")
    data = {"bbox": ITAIPU, "url": stac_api, "collection": "landsat", "assets": ["red", "green", "blue"]}
    _, _, held = run(stac_computer, "stac", data)
    raster = opened(held[f"output/{LANDSAT_NORTH}.tif"])
    reference = osr.SpatialReference(wkt=raster.GetProjection())
    assert reference.GetAuthorityCode(None) == "32621"
    pixels = raster.ReadAsArray()
    for number, band in enumerate(("B4", "B3", "B2")):
        expected = translated(SAMPLE / f"{LANDSAT_NORTH}_{band}.TIF", raster)
        inside = pixels[number] != 0
        assert inside.mean() > 0.9
        assert (pixels[number] == expected)[inside].all()
    properties = json.loads(held["output/data.json"])["features"][0]["properties"]
    assert properties["attribution"] == "© Test Mission" and properties["platform"] == "landsat-8"


RADAR_BOX, HEIGHTS_BOX = [12.16, 52.01, 12.18, 52.03], [12.02, 52.01, 12.05, 52.04]
REFLECTANCE_BOX = [12.2, 52.16, 12.23, 52.18]


@pytest.mark.parametrize(
    ("scene", "bbox", "bands", "says"),
    [
        (others.RADAR, RADAR_BOX, {"vv": "VV", "vh": "VH"}, "Contains modified Copernicus Sentinel data 2024"),
        (others.HEIGHTS, HEIGHTS_BOX, {"data": "Elevation"}, "Produced using Copernicus WorldDEM-30"),
        (
            others.REFLECTANCE,
            REFLECTANCE_BOX,
            {"blue": "Blue", "green": "Green", "red": "Red", "nir08": "NIR"},
            "Landsat 2024, courtesy of the U.S. Geological Survey",
        ),
    ],
    ids=["Sentinel-1", "Copernicus DEM", "Landsat"],
)
def test_a_preset_gives_its_collections_own_pixels_and_rights(stac_computer, stac_files, scene, bbox, bands, says):
    preset, name, _ = scene
    data = {"bbox": bbox, "preset": preset}
    _, log, held = run(stac_computer, "stac", data)
    raster = opened(held[f"output/{name}.tif"])
    assert [raster.GetRasterBand(n).GetDescription() for n in range(1, len(bands) + 1)] == list(bands.values()), log
    for number, key in enumerate(bands, start=1):
        pixels, nodata = raster.GetRasterBand(number).ReadAsArray(), raster.GetRasterBand(number).GetNoDataValue()
        expected = translated(stac_files[0].folder / name / f"{key}.tif", raster)
        inside = pixels != nodata
        assert inside.mean() > 0.8
        assert (pixels == expected)[inside].all()
    properties = json.loads(held["output/data.json"])["features"][0]["properties"]
    assert properties["attribution"].startswith(says)


def test_colours_in_the_detail_of_a_panchromatic_asset_as_gdal_does_it(stac_computer, stac_api, stac_files):
    """Bands of 30 m and pan of 15 m, whose grids don't lie on each other: two rasters, then one. No parameter but the
    collection's own."""
    colours = list(landsat.BANDS)
    data = {"bbox": [12.15, 52.10, 12.22, 52.14], "url": stac_api, "collection": landsat.COLLECTION, "assets": colours}
    _, log, held = run(
        stac_computer, "stac > pansharpen", data, **{"pansharpen:1": {"method": "Brovey", "weights": [1, 1, 1, 0]}}
    )
    assert set(held) == {"output/data.json", f"output/{landsat.ID}_pansharpened.tif"}, log
    raster = opened(held[f"output/{landsat.ID}_pansharpened.tif"])
    gdals = landsat.pansharpened_by_gdal(stac_files[0].folder / landsat.ID, (1, 1, 1, 0))
    x, wide, _, y, _, high = raster.GetGeoTransform()
    west, _, _, north, _, _ = gdals.GetGeoTransform()
    left, top = (x - west) / wide, (y - north) / high
    assert wide == 15 and left == round(left) and top == round(top)
    ours = raster.ReadAsArray().astype(float)
    theirs = gdals.ReadAsArray(round(left), round(top), raster.RasterXSize, raster.RasterYSize).astype(float)
    valid = (ours > 0).all(axis=0)
    assert valid.mean() > 0.9
    assert (np.abs(ours - theirs)[:, valid] / theirs[:, valid]).max() < 0.0005


def test_a_mosaic_keeps_the_panchromatic_raster_apart(stac_computer, stac_api):
    data = {
        "bbox": [12.15, 52.10, 12.22, 52.14], "url": stac_api, "collection": landsat.COLLECTION, "mosaic": True,
        "assets": ["red", "pan"], "crs": "EPSG:32632",
    }  # fmt: skip
    _, _, held = run(stac_computer, "stac", data)
    features = json.loads(held["output/data.json"])["features"]
    assert [(f["id"], f["properties"]["bands"]) for f in features] == [
        (landsat.ID, ["Red"]), (f"{landsat.ID}_pan", ["Panchromatic"]),
    ]  # fmt: skip
    assert opened(held[f"output/{landsat.ID}_pan.tif"]).GetSpatialRef().GetAuthorityCode(None) == "32632"
