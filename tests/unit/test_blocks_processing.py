"""NDVI, sharpening and tiling: right values, kept grids, no seams, clear words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import gdal
from shapely.geometry import shape

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.bands import band_of, role, stack_names
from up42_jobs.plugin.engine.blocks.base import Amount, BlockFailure
from up42_jobs.plugin.engine.blocks.features import make_feature
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

NAMES = ("B02 Blue", "B03 Green", "B04 Red", "B08 NIR")
PLACE = (500000.0, 10.0, 0.0, 5600000.0, 0.0, -10.0)


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def parent(folder, bands, names=NAMES, nodata=0, scene="S1", place=PLACE):
    folder.mkdir(parents=True, exist_ok=True)
    path = write_raster(folder / f"{scene}.tif", bands, place, nodata=nodata, descriptions=names)
    return parent_of(folder, {scene: path})


def picture(columns=700, rows=600, count=4, kind=np.uint16):
    rng = np.random.default_rng(5)
    return rng.integers(200, 6000, (count, rows, columns)).astype(kind)


# ---- bands


@pytest.mark.parametrize(
    ("description", "expected"),
    [("B04 Red", "red"), ("B4 Red", "red"), ("red", "red"), ("B08", "nir"), ("B8", None), ("Near-Infrared", "nir"),
     ("NIR", "nir"), ("B8A NIR Narrow", None), ("Red Edge 1", None), ("rededge", None), ("Infrared", None), ("", None),
     ("B02", "blue"), ("SWIR 1", None), ("near infrared (842 nm)", "nir"), ("SR_B4", None), ("Blue", "blue")],
)  # fmt: skip
def test_what_a_band_shows(description, expected):
    assert role(description) == expected


def test_bands_by_role_and_usual_stacks():
    assert band_of(["Green", "Red", "NIR"], "nir") == 3
    assert band_of(["Green", "Red"], "nir") is None
    assert stack_names("LE07_L2SP_225078_20110306", 3) == ("B1 Blue", "B2 Green", "B3 Red")
    assert stack_names("LC09_X", 3) == ("B2 Blue", "B3 Green", "B4 Red")
    assert stack_names("S2A_33UVR_20240518", 4) == ("B02 Blue", "B03 Green", "B04 Red", "B08 NIR")
    assert stack_names("ortho", 3) is None and stack_names("LC09_X", 5) is None


# ---- NDVI


def test_ndvi_is_computed_from_the_bands_named_red_and_nir(tmp_path):
    bands = picture()
    bands[:, 10:20, 10:20] = 0
    done = run_block("ndvi", {}, tmp_path / "t", parent(tmp_path / "p", bands[::-1], NAMES[::-1]))
    dataset = done.raster()
    band = dataset.GetRasterBand(1)
    assert done.features[0]["properties"]["up42.data_path"] == "S1_ndvi.tif"
    assert (band.DataType, band.GetNoDataValue(), band.GetDescription()) == (gdal.GDT_Float32, -9999, "NDVI")
    assert (dataset.GetGeoTransform(), dataset.GetSpatialRef().GetAuthorityCode(None)) == (PLACE, "32633")
    red, nir = bands[2].astype(float), bands[3].astype(float)
    with np.errstate(invalid="ignore"):
        expected = np.where(red > 0, (nir - red) / (nir + red), -9999)
    np.testing.assert_allclose(dataset.ReadAsArray(), expected, atol=1e-6)
    assert done.features[0]["properties"]["datetime"] == "2024-05-18T10:00:00Z"
    assert done.progress[-1] == 1.0
    assert "mean NDVI" in done.log


def test_ndvi_does_not_depend_on_the_scale_but_honours_an_offset(tmp_path):
    bands = picture(64, 64).astype(np.float32)
    whole = run_block("ndvi", {}, tmp_path / "a", parent(tmp_path / "pa", bands)).raster().ReadAsArray()
    small = run_block("ndvi", {}, tmp_path / "b", parent(tmp_path / "pb", bands / 10_000)).raster().ReadAsArray()
    np.testing.assert_allclose(whole, small, atol=1e-6)
    shifted = parent(tmp_path / "pc", bands + 1000)
    dataset = gdal.Open(str(shifted / "S1.tif"), gdal.GA_Update)
    for number in range(1, 5):
        dataset.GetRasterBand(number).SetScale(0.0001)
        dataset.GetRasterBand(number).SetOffset(-0.1)
    del dataset
    offset = run_block("ndvi", {}, tmp_path / "c", shifted).raster().ReadAsArray()
    np.testing.assert_allclose(whole, offset, atol=1e-4)


def test_ndvi_stays_within_its_range_and_division_by_zero_is_nodata(tmp_path):
    bands = np.array([[[0, 0, -50, 100]], [[0, 100, 60, -100]]], np.int16)
    done = run_block("ndvi", {}, tmp_path / "t", parent(tmp_path / "p", bands, ("Red", "NIR"), nodata=None))
    assert done.raster().ReadAsArray().tolist() == [[-9999.0, 1.0, 1.0, -9999.0]]


def test_the_original_is_handed_on_where_asked_for(tmp_path):
    source = parent(tmp_path / "p", picture(50, 40))
    done = run_block("ndvi", {"output_original_raster": True}, tmp_path / "t", source)
    assert [f["properties"]["up42.data_path"] for f in done.features] == ["S1_ndvi.tif", "S1.tif"]
    assert [f["id"] for f in done.features] == ["S1", "S1_original"]
    np.testing.assert_array_equal(done.raster(1).ReadAsArray(), gdal.Open(str(source / "S1.tif")).ReadAsArray())


def test_ndvi_without_near_infrared_says_what_is_there(tmp_path):
    source = parent(tmp_path / "p", picture(20, 20, 3), ("B2 Blue", "B3 Green", "B4 Red"))
    with pytest.raises(BlockFailure, match=r"S1 has no near infrared band.*“B2 Blue”") as caught:
        run_block("ndvi", {}, tmp_path / "t", source)
    assert caught.value.code == "WRONG_INPUT_ERROR"


# ---- sharpening


@pytest.mark.parametrize("strength", ["light", "medium", "strong"])
def test_sharpening_makes_edges_steeper_and_keeps_the_rest(tmp_path, strength):
    bands = np.full((2, 60, 60), 1000, np.uint16)
    bands[:, :, 30:] = 2000
    bands[:, 0:5, 0:5] = 0
    done = run_block(
        "sharpening", {"strength": strength}, tmp_path / "t", parent(tmp_path / "p", bands, ("Red", "NIR"))
    )
    dataset = done.raster()
    values = dataset.ReadAsArray()
    assert (values[0, 30, 28:32] != bands[0, 30, 28:32]).all()
    assert values[0, 30, 29] < 1000 and values[0, 30, 30] > 2000
    assert (values[:, 30, 8:24] == 1000).all() and (values[:, 30, 36:] == 2000).all()
    assert (values[:, 0:5, 0:5] == 0).all()
    assert (values[:, 5, 0:20] == 1000).all(), "nodata has darkened or brightened its neighbours"
    assert [dataset.GetRasterBand(n).GetDescription() for n in (1, 2)] == ["Red", "NIR"]
    assert dataset.GetRasterBand(1).DataType == gdal.GDT_UInt16
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0


def test_sharpening_is_an_unsharp_mask_of_the_valid_pixels(tmp_path):
    """Pixel by pixel over the whole square around each, which the block never forms; edges and nodata included."""
    bands = picture(57, 43, 1)
    bands[0, 10:16, 20:31] = 0
    bands[0, 0, :7] = 0
    done = run_block("sharpening", {"strength": "medium"}, tmp_path / "t", parent(tmp_path / "p", bands, ("x",)))
    values, valid = bands[0].astype(float), bands[0] != 0
    expected = np.zeros_like(values)
    down, across = np.indices(values.shape)
    for row, column in zip(*np.nonzero(valid)):
        near = valid & (abs(down - row) <= 4) & (abs(across - column) <= 4)
        shares = np.exp(-((down - row) ** 2 + (across - column) ** 2) / 2.0)[near]
        blurred = (shares * values[near]).sum() / shares.sum()
        expected[row, column] = max(1, 2 * values[row, column] - blurred)
    found = done.raster().ReadAsArray().astype(float)
    np.testing.assert_allclose(found, np.minimum(expected, np.iinfo(bands.dtype).max), atol=0.501)


def test_strengths_differ(tmp_path):
    source = parent(tmp_path / "p", picture(80, 80))
    spread = [
        run_block("sharpening", {"strength": s}, tmp_path / s, source).raster().ReadAsArray().astype(float).std()
        for s in ("light", "medium", "strong")
    ]
    assert spread[0] < spread[1] < spread[2]


def test_sharpening_leaves_no_seams_between_windows(tmp_path):
    """A raster over several windows, and its part around their borders alone, give the same inside."""
    bands = picture(1100, 560, 1)
    whole = run_block("sharpening", {}, tmp_path / "a", parent(tmp_path / "pa", bands, ("x",))).raster().ReadAsArray()
    part = bands[:, 480:560, 480:560]
    alone = run_block("sharpening", {}, tmp_path / "b", parent(tmp_path / "pb", part, ("x",))).raster().ReadAsArray()
    np.testing.assert_array_equal(whole[484:556, 484:556], alone[4:-4, 4:-4])


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.float32])
def test_sharpened_values_stay_in_their_type_and_never_become_nodata(tmp_path, kind):
    rng = np.random.default_rng(1)
    bands = rng.choice(np.array([1, 2, 120, 126, 127], kind), (1, 64, 64))
    done = run_block("sharpening", {"strength": "strong"}, tmp_path / "t", parent(tmp_path / "p", bands, ("x",)))
    values = done.raster().ReadAsArray()
    assert values.dtype == kind
    if np.issubdtype(kind, np.unsignedinteger):
        assert values.min() >= 1


@pytest.mark.parametrize("strength", ["extreme", 3, ["medium"]])
def test_an_unknown_strength_is_refused(tmp_path, strength):
    with pytest.raises(BlockFailure, match="light, medium, strong"):
        run_block("sharpening", {"strength": strength}, tmp_path / "t", parent(tmp_path / "p", picture(20, 20)))


# ---- tiling


def test_tiles_are_named_and_placed_as_the_contract_says(tmp_path):
    bands = picture(700, 600)
    done = run_block("tiling", {"tile_width": 256, "tile_height": 300}, tmp_path / "t", parent(tmp_path / "p", bands))
    paths = [feature["properties"]["up42.data_path"] for feature in done.features]
    assert paths == [f"S1/S1_{column}-{row}.tif" for row in range(2) for column in range(3)]
    assert [feature["id"] for feature in done.features][:2] == ["S1_0-0", "S1_1-0"]
    tile = done.raster(5)
    assert (tile.RasterXSize, tile.RasterYSize) == (256, 300)
    assert tile.GetGeoTransform() == (505120.0, 10.0, 0.0, 5597000.0, 0.0, -10.0)
    values = tile.ReadAsArray()
    np.testing.assert_array_equal(values[:, :, :188], bands[:, 300:, 512:])
    assert (values[:, :, 188:] == 0).all()
    assert [tile.GetRasterBand(n).GetDescription() for n in range(1, 5)] == list(NAMES)
    assert tile.GetRasterBand(1).GetNoDataValue() == 0
    first, second = (shape(done.features[n]["geometry"]) for n in (0, 1))
    assert first.is_valid and first.intersection(second).area < 1e-3 * first.area
    assert done.progress[-1] == 1.0


def test_empty_tiles_are_left_out_unless_they_are_wanted(tmp_path):
    bands = picture(512, 256)
    bands[:, :, 256:] = 0
    options = {"tile_width": 256, "tile_height": 256}
    source = parent(tmp_path / "p", bands)
    done = run_block("tiling", options, tmp_path / "a", source)
    assert [feature["id"] for feature in done.features] == ["S1_0-0"]
    assert "1 tiles, 1 empty ones left out" in done.log
    assert not (done.output / "S1" / "S1_1-0.tif").exists()
    kept = run_block("tiling", {**options, "discard_empty_tiles": False}, tmp_path / "b", source)
    assert [feature["id"] for feature in kept.features] == ["S1_0-0", "S1_1-0"]
    with pytest.raises(BlockFailure, match="All tiles are empty"):
        run_block("tiling", options, tmp_path / "c", parent(tmp_path / "q", np.zeros((1, 50, 50), np.uint8), ("x",)))


def test_augmentation_adds_grids_that_are_moved(tmp_path):
    bands = picture(512, 512)
    options = {"tile_width": 256, "tile_height": 256, "augmentation_factor": 2}
    done = run_block("tiling", options, tmp_path / "t", parent(tmp_path / "p", bands))
    ids = [feature["id"] for feature in done.features]
    assert ids == [f"S1_{c}-{r}{grid}" for grid in ("", "_1") for r in range(2) for c in range(2)]
    np.testing.assert_array_equal(done.raster(4).ReadAsArray(), bands[:, 128:384, 128:384])


def test_matched_extents_are_the_same_for_all_rasters(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    one = write_raster(folder / "one.tif", picture(300, 300), PLACE, nodata=0)
    other = write_raster(folder / "other.tif", picture(300, 300), (501000.0, 10, 0, 5601000.0, 0, -10), nodata=0)
    source = parent_of(folder, {"one": one, "other": other})
    options = {"tile_width": 200, "tile_height": 200, "match_extents": True, "discard_empty_tiles": False}
    done = run_block("tiling", options, tmp_path / "t", source)
    places = {}
    for number, feature in enumerate(done.features):
        _, place = feature["id"].split("_")
        places.setdefault(place, []).append(done.raster(number).GetGeoTransform())
    assert len(places) == 4
    assert all(len(found) == 2 and found[0] == found[1] for found in places.values())
    assert places["0-0"][0][0] == 500000.0 and places["0-0"][0][3] == 5601000.0


def test_extents_that_cannot_match_are_refused(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    one = write_raster(folder / "one.tif", picture(30, 30), PLACE)
    other = write_raster(folder / "other.tif", picture(30, 30), (500005.0, 10, 0, 5600000.0, 0, -10))
    with pytest.raises(BlockFailure, match="one and other differ"):
        run_block("tiling", {"match_extents": True}, tmp_path / "t", parent_of(folder, {"one": one, "other": other}))


def test_a_prefix_and_a_nodata_of_ones_own(tmp_path):
    bands = picture(300, 200, 1)
    options = {"tile_width": 256, "tile_height": 256, "output_prefix": "train", "nodata": 65535}
    done = run_block("tiling", options, tmp_path / "t", parent(tmp_path / "p", bands, ("x",), nodata=None))
    assert done.features[1]["properties"]["up42.data_path"] == "S1/train_1-0.tif"
    tile = done.raster(1)
    assert tile.GetRasterBand(1).GetNoDataValue() == 65535
    assert (tile.ReadAsArray()[200:] == 65535).all() and (tile.ReadAsArray()[:, 44:] == 65535).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tile_width": 0}, "tile_width"),
        ({"tile_width": 768.5}, "tile_width"),
        ({"tile_height": float("inf")}, "tile_height"),
        ({"tile_height": "768"}, "tile_height"),
        ({"tile_width": 10**9}, "tile_width"),
        ({"augmentation_factor": 99}, "augmentation_factor"),
        ({"match_extents": "yes"}, "match_extents"),
        ({"output_prefix": "../../x"}, "output_prefix"),
        ({"output_prefix": "a/b"}, "output_prefix"),
        ({"output_prefix": 5}, "output_prefix"),
        ({"nodata": "none"}, "nodata"),
        ({"nodata": -1}, "0 to 65535"),
        ({"nodata": 0.5}, "0 to 65535"),
        ({"tile_width": 16, "tile_height": 16, "augmentation_factor": 10}, "use larger tiles"),
    ],
)
def test_hostile_tiling_parameters_are_refused(tmp_path, options, words):
    source = parent(tmp_path / "p", picture(640, 640, 1), ("x",))
    with pytest.raises(BlockFailure, match=words):
        run_block("tiling", options, tmp_path / "t", source)


# ---- what all three share


@pytest.mark.parametrize("name", ["ndvi", "sharpening", "tiling"])
class TestAnyProcessingBlock:
    def test_vectors_are_refused_in_words(self, tmp_path, name):
        (tmp_path / "v.geojson").write_text('{"type": "FeatureCollection", "features": []}')
        source = parent_of(tmp_path, {"V1": tmp_path / "v.geojson"})
        with pytest.raises(BlockFailure, match="V1 is no GeoTIFF") as caught:
            run_block(name, {}, tmp_path / "t", source)
        assert caught.value.code == "WRONG_INPUT_ERROR"

    def test_a_path_out_of_the_folder_is_not_followed(self, tmp_path, name):
        secret = write_raster(tmp_path / "secret.tif", picture(20, 20), descriptions=NAMES)
        folder = tmp_path / "p"
        folder.mkdir()
        for path in ("../secret.tif", str(secret), "link.tif"):
            (folder / "link.tif").unlink(missing_ok=True)
            (folder / "link.tif").symlink_to(secret)
            feature = make_feature("S1", shape({"type": "Point", "coordinates": [0, 0]}).buffer(1), {}, path)
            (folder / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
            with pytest.raises(BlockFailure, match="outside"):
                run_block(name, {}, tmp_path / f"t{len(path)}", folder)

    def test_without_a_parent_or_its_features_it_says_so(self, tmp_path, name):
        for number, (text, words) in enumerate(
            [(None, "data block"), ("{", "can't be read"), ('{"features": []}', "nothing to work on")]
        ):
            folder = tmp_path / str(number)
            folder.mkdir()
            if text is not None:
                (folder / "data.json").write_text(text)
            with pytest.raises(BlockFailure, match=words) as caught:
                run_block(name, {}, tmp_path / f"t{number}", folder)
            assert caught.value.code == "NO_INPUT_ERROR"

    def test_large_outputs_have_overviews(self, tmp_path, name):
        bands = np.full((2, 2100, 2100), 7, np.uint8)
        source = parent(tmp_path / "p", bands, ("Red", "NIR"))
        done = run_block(
            name, {"tile_width": 2100, "tile_height": 2100} if name == "tiling" else {}, tmp_path / "t", source
        )
        assert done.raster().GetRasterBand(1).GetOverviewCount() >= 2
        assert gdal.GetConfigOption("GDAL_NUM_THREADS") is None  # it would change how the next task reads

    def test_it_estimates_from_its_parent(self, name):
        block = block_by_name(name)
        parent_amount = Amount((25.0, 25.0), (2.0, 5.0), (250_000.0, 300_000.0))
        amount = block.amount({}, {}, parent_amount)
        assert 0 < amount.units[0] <= amount.units[1]
        assert 0 < amount.seconds[0] <= amount.seconds[1]
        assert amount.pixels == pytest.approx((amount.units[0] * 1e6, amount.units[1] * 1e6))
        assert block.amount({}, {}, None).units[0] == 0


def test_the_whole_chain_runs_on_demo_scenes(tmp_path):
    area = {"type": "Polygon", "coordinates": [[[13.40, 52.50], [13.43, 52.50], [13.42, 52.52], [13.40, 52.50]]]}
    asked = {"intersects": area, "time": "2023-06-01/2023-06-30", "limit": 2, "max_cloud_cover": 40}
    found = run_block("demo-s2-l2a", asked, tmp_path / "1")
    sharp = run_block("sharpening", {"strength": "light"}, tmp_path / "2", found.output)
    index = run_block("ndvi", {}, tmp_path / "3", sharp.output)
    tiles = run_block("tiling", {"tile_width": 128, "tile_height": 128}, tmp_path / "4", index.output)
    assert len(index.features) == len(found.features) == 2
    assert all(f["properties"]["rights"] == "Synthetic, not an observation" for f in tiles.features)
    values = tiles.raster().ReadAsArray()
    assert values[values != -9999].min() >= -1 and values.max() <= 1
