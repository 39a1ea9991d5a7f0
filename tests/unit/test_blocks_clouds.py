"""Cloud mask and composite: against numpy, with nodata, offsets that differ, and scenes that lie apart."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.pixels.mask import mask_classes
from up42_jobs.plugin.engine.blocks.pixels.median import median_of
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

PLACE = (500000.0, 10.0, 0.0, 5600000.0, 0.0, -10.0)
TAGS = {"TIFFTAG_DATETIME": "2024:05:18 10:00:00", "TIFFTAG_COPYRIGHT": "Contains modified Copernicus Sentinel data"}


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def scaled(path, offset, scale=0.0001):
    dataset = gdal.Open(str(path), gdal.GA_Update)
    for number in range(1, dataset.RasterCount + 1):
        if dataset.GetRasterBand(number).GetDescription() != "SCL":
            dataset.GetRasterBand(number).SetScale(scale)
            dataset.GetRasterBand(number).SetOffset(offset)
    return path


def with_classes(rows=530, columns=540, seed=1):
    rng = np.random.default_rng(seed)
    classes = rng.choice([4, 5, 6, 3, 8, 9, 10, 11], (rows // 10, columns // 10)).repeat(10, 0).repeat(10, 1)
    bands = rng.integers(1000, 6000, (2, rows, columns))
    bands[:, :30, :30] = 0
    return np.stack([bands[0], classes, bands[1]]).astype(np.uint16)


NAMES = ("B04 Red", "SCL", "B08 NIR")


def parent(folder, bands, names=NAMES, nodata=0):
    folder.mkdir()
    path = write_raster(folder / "S1.tif", bands, PLACE, nodata=nodata, descriptions=names, tags=TAGS)
    return parent_of(folder, {"S1": scaled(path, -0.1)})


# ---- cloud mask


def test_clouds_and_shadows_become_nodata_and_scl_goes(tmp_path):
    bands = with_classes()
    done = run_block("cloud-mask", {}, tmp_path / "t", parent(tmp_path / "p", bands))
    made = done.raster()
    clear = ~np.isin(bands[1], [3, 8, 9, 10])
    np.testing.assert_array_equal(made.ReadAsArray(), bands[[0, 2]] * clear)
    assert [made.GetRasterBand(n).GetDescription() for n in (1, 2)] == ["B04 Red", "B08 NIR"]
    assert (made.GetRasterBand(2).GetScale(), made.GetRasterBand(2).GetOffset()) == (0.0001, -0.1)
    assert made.GetRasterBand(1).GetNoDataValue() == 0
    assert {name: made.GetMetadataItem(name) for name in TAGS} == TAGS
    valid = bands[0] > 0
    masked = 100 * (1 - (valid & clear).sum() / valid.sum())
    assert done.features[0]["properties"]["masked_percent"] == round(masked, 2)
    index = run_block("ndvi", {}, tmp_path / "n", done.output).raster().ReadAsArray()
    np.testing.assert_array_equal(index == -9999, ~(clear & valid))


def test_classes_and_a_buffer_of_ones_own_without_seams(tmp_path):
    bands = with_classes()
    source = parent(tmp_path / "p", bands)
    done = run_block("cloud-mask", {"classes": [9, 11], "buffer_pixels": 7}, tmp_path / "t", source)
    clouds = np.isin(bands[1], [9, 11])
    near = np.zeros_like(clouds)
    for row, column in zip(*np.nonzero(clouds & (np.pad(clouds, 1)[2:, 1:-1] + np.pad(clouds, 1)[:-2, 1:-1] < 9))):
        near[max(0, row - 7) : row + 8, max(0, column - 7) : column + 8] = True
    made = done.raster().ReadAsArray()
    np.testing.assert_array_equal(made, bands[[0, 2]] * ~near)
    for side in (23, 4096):
        mask_classes("S1", source / "S1.tif", tmp_path / f"{side}.tif", (9, 11), 7, lambda part: None, side)
        np.testing.assert_array_equal(gdal.Open(str(tmp_path / f"{side}.tif")).ReadAsArray(), made)


def test_without_nodata_dark_pixels_stay_valid(tmp_path):
    bands = np.zeros((2, 20, 20), np.uint16)
    bands[1] = 4
    bands[1, :5] = 9
    done = run_block("cloud-mask", {}, tmp_path / "t", parent(tmp_path / "p", bands, ("Red", "SCL"), None))
    made = done.raster()
    assert made.GetRasterBand(1).GetNoDataValue() == 0
    assert (made.ReadAsArray()[:5] == 0).all() and (made.ReadAsArray()[5:] == 1).all()


def test_without_scl_it_says_how_to_get_it_and_all_cloud_is_no_output(tmp_path):
    with pytest.raises(BlockFailure, match=r"S1 has no SCL band.*B02, B03, B04, B08, SCL"):
        run_block("cloud-mask", {}, tmp_path / "a", parent(tmp_path / "p", with_classes()[[0, 2]], ("Red", "NIR")))
    bands = with_classes(40, 40)
    bands[1] = 9
    with pytest.raises(BlockFailure, match="cloudy everywhere") as caught:
        run_block("cloud-mask", {}, tmp_path / "b", parent(tmp_path / "q", bands))
    assert caught.value.code == "NO_OUTPUT_ERROR"
    assert not list((tmp_path / "b" / "output").iterdir())


@pytest.mark.parametrize("classes", [[], [12], ["9"], [9.5], "9", [True]])
def test_wrong_classes_are_refused(tmp_path, classes):
    with pytest.raises(BlockFailure, match="classes must be a list"):
        run_block("cloud-mask", {"classes": classes}, tmp_path / "t", parent(tmp_path / "p", with_classes(20, 20)))


# ---- composite


def scenes(folder, stack, places=None, offsets=None, nodata=0, names=("Red", "NIR"), crs=None):
    folder.mkdir()
    paths = {}
    for n, bands in enumerate(stack):
        place = places[n] if places else PLACE
        path = folder / f"demo-{n}.tif"
        write_raster(path, bands, place, crs[n] if crs else 32633, nodata, names, TAGS)
        paths[f"demo-{n}"] = scaled(path, offsets[n]) if offsets else path
    return parent_of(folder, paths)


def pictures(count, rows=140, columns=150, kind=np.uint16):
    rng = np.random.default_rng(9)
    stack = rng.integers(1, 6000, (count, 2, rows, columns)).astype(kind)
    stack[rng.random((count, 1, rows, columns)).repeat(2, 1) < 0.4] = 0
    stack[:, :, :4, :4] = 0
    return stack


def expected_median(stack, nodata=0.0):
    masked = np.ma.masked_equal(stack.astype(np.float64), nodata)
    return np.ma.median(masked, axis=0).filled(nodata)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 9, 10])
def test_the_median_is_numpys(tmp_path, count):
    stack = pictures(count)
    done = run_block("composite", {}, tmp_path / "t", scenes(tmp_path / "p", stack))
    made = done.raster()
    np.testing.assert_array_equal(made.ReadAsArray(), np.rint(expected_median(stack)))
    assert [feature["id"] for feature in done.features] == ["demo-0_composite"]
    assert made.GetMetadataItem("TIFFTAG_COPYRIGHT") == TAGS["TIFFTAG_COPYRIGHT"]
    assert done.features[0]["properties"]["scenes"] == [f"demo-{n}" for n in range(count)]
    assert made.GetGeoTransform() == PLACE


def test_floats_keep_their_decimals_and_windows_leave_no_trace(tmp_path):
    stack = pictures(4).astype(np.float32) / 7
    source = scenes(tmp_path / "p", stack)
    made = run_block("composite", {}, tmp_path / "t", source).raster().ReadAsArray()
    np.testing.assert_allclose(made, expected_median(stack), rtol=1e-6)
    paths = [(f"demo-{n}", source / f"demo-{n}.tif") for n in range(4)]
    median_of(paths, tmp_path / "tiny.tif", lambda part: None, 19)
    np.testing.assert_array_equal(gdal.Open(str(tmp_path / "tiny.tif")).ReadAsArray(), made)


def test_offsets_that_differ_are_brought_together(tmp_path):
    """Scenes on both sides of 25 January 2022: the same ground, pixels 1000 apart."""
    ground = pictures(3)
    ground[ground > 0] += 100
    moved = ground.copy()
    moved[1][moved[1] > 0] += 1000
    done = run_block("composite", {}, tmp_path / "t", scenes(tmp_path / "p", moved, offsets=[0.0, -0.1, 0.0]))
    made = done.raster()
    np.testing.assert_allclose(made.ReadAsArray(), np.rint(expected_median(ground)), atol=1)
    assert made.GetRasterBand(1).GetScale() == 0.0001 and not made.GetRasterBand(1).GetOffset()


def test_scenes_side_by_side_become_one_raster(tmp_path):
    stack = pictures(2)
    places = [PLACE, (PLACE[0] + 1000.0, 10.0, 0.0, PLACE[3] - 300.0, 0.0, -10.0)]
    made = run_block("composite", {}, tmp_path / "t", scenes(tmp_path / "p", stack, places)).raster()
    assert (made.RasterXSize, made.RasterYSize) == (250, 170) and made.GetGeoTransform() == PLACE
    wide = np.zeros((2, 2, 170, 250))
    wide[0, :, :140, :150] = stack[0]
    wide[1, :, 30:, 100:] = stack[1]
    np.testing.assert_array_equal(made.ReadAsArray(), np.rint(expected_median(wide)))


def test_a_scene_of_another_zone_or_grid_is_put_onto_the_first_ones(tmp_path):
    stack = pictures(3)
    stack[1] = 2000
    places = [PLACE, (500004.0, 10.0, 0.0, 5600003.0, 0.0, -10.0), PLACE]
    done = run_block("composite", {}, tmp_path / "t", scenes(tmp_path / "p", stack, places))
    assert "By nearest neighbour onto the grid of demo-0: demo-1" in done.log
    made = done.raster()
    x, y = made.GetGeoTransform()[0], made.GetGeoTransform()[3]
    assert (x - PLACE[0]) % 10 == 0 and (y - PLACE[3]) % 10 == 0
    left, top = round((PLACE[0] - x) / 10), round((y - PLACE[3]) / 10)
    inside = made.ReadAsArray()[:, top + 2 : top + 138, left + 2 : left + 148]
    np.testing.assert_array_equal(inside, np.rint(expected_median(stack))[:, 2:138, 2:148])


def test_scenes_of_two_utm_zones_meet(tmp_path):
    stack = np.full((2, 2, 100, 100), 500, np.uint16)
    places = [(780000.0, 10, 0, 5600000.0, 0, -10), (356000.0, 10, 0, 5597000.0, 0, -10)]
    source = scenes(tmp_path / "p", stack, places, crs=[32632, 32633])
    made = run_block("composite", {}, tmp_path / "t", source).raster()
    assert made.GetSpatialRef().GetAuthorityCode(None) == "32632"
    values = made.ReadAsArray()
    assert set(np.unique(values)) <= {0, 500} and (values[0] == 500).sum() > 10_500


def test_bands_that_differ_are_named_and_classes_have_no_median(tmp_path):
    folder = tmp_path / "p"
    source = scenes(folder, pictures(2, 20, 20))
    dataset = gdal.Open(str(folder / "demo-1.tif"), gdal.GA_Update)
    dataset.GetRasterBand(2).SetDescription("Green")
    del dataset
    with pytest.raises(BlockFailure, match="demo-0 has “Red”, “NIR”, demo-1 “Red”, “Green”"):
        run_block("composite", {}, tmp_path / "t", source)
    done = run_block("composite", {}, tmp_path / "u", scenes(tmp_path / "q", pictures(2, 20, 20), names=("Red", "SCL")))
    assert done.raster().RasterCount == 1 and "Left out, as classes have no median: SCL" in done.log
    with pytest.raises(BlockFailure, match="No scene has a valid pixel"):
        run_block("composite", {}, tmp_path / "v", scenes(tmp_path / "r", pictures(2, 20, 20) * 0))
