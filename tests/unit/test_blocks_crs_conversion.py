"""CRS conversion: the same pixels as gdalwarp, classes untouched, and everything that the file says kept."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from osgeo import gdal

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.plugin.engine.blocks.pixels.reproject import utm_of
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

NAMES = ("B04 Red", "B08 NIR")
TAGS = {"TIFFTAG_DATETIME": "2024:05:18 10:00:00", "TIFFTAG_COPYRIGHT": "(c) somebody"}


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def scene(folder, count=2, nodata=0, names=NAMES, kind=np.uint16, size=(300, 260)):
    folder.mkdir()
    bands = np.random.default_rng(3).integers(200, 6000, (count, *size)).astype(kind)
    bands[:, 100:120, 50:80] = nodata or 0
    path = write_raster(folder / "S1.tif", bands, nodata=nodata, descriptions=names, tags=TAGS)
    dataset = gdal.Open(str(path), gdal.GA_Update)
    for number in range(1, count + 1):
        dataset.GetRasterBand(number).SetScale(0.0001)
        dataset.GetRasterBand(number).SetOffset(-0.1)
    del dataset
    return parent_of(folder, {"S1": path})


@pytest.mark.parametrize("method", ["near", "bilinear", "cubic", "lanczos", "average", "mode"])
def test_the_pixels_are_those_of_gdalwarp(tmp_path, method):
    source = scene(tmp_path / "p")
    done = run_block("crs-conversion", {"output_epsg_code": 3857, "resampling_method": method}, tmp_path / "t", source)
    by_hand = tmp_path / "hand.tif"
    command = ["gdalwarp", "-q", "-t_srs", "EPSG:3857", "-r", method, str(source / "S1.tif"), str(by_hand)]
    subprocess.run(command, check=True, timeout=60)
    made, expected = done.raster(), gdal.Open(str(by_hand))
    assert made.GetGeoTransform() == expected.GetGeoTransform()
    np.testing.assert_array_equal(made.ReadAsArray(), expected.ReadAsArray())


def test_what_the_file_says_is_kept(tmp_path):
    done = run_block("crs-conversion", {"output_epsg_code": 4326}, tmp_path / "t", scene(tmp_path / "p"))
    made = done.raster()
    assert made.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert [made.GetRasterBand(n).GetDescription() for n in (1, 2)] == list(NAMES)
    assert {(made.GetRasterBand(n).GetScale(), made.GetRasterBand(n).GetOffset()) for n in (1, 2)} == {(0.0001, -0.1)}
    assert made.GetRasterBand(1).GetNoDataValue() == 0 and made.GetRasterBand(1).DataType == gdal.GDT_UInt16
    assert {name: made.GetMetadataItem(name) for name in TAGS} == TAGS
    properties = done.features[0]["properties"]
    assert properties["proj:epsg"] == 4326 and properties["datetime"] == "2024-05-18T10:00:00Z"
    assert "from EPSG:32633 to EPSG:4326 (cubic)" in done.log


def test_without_a_code_it_is_the_utm_zone_of_the_centre(tmp_path):
    first = run_block("crs-conversion", {"output_epsg_code": 4326}, tmp_path / "a", scene(tmp_path / "p"))
    back = run_block("crs-conversion", {}, tmp_path / "b", first.output)
    assert back.raster().GetSpatialRef().GetAuthorityCode(None) == "32633"
    assert [utm_of(*place) for place in ((-54.6, -25.4), (13, 52), (179.9, 1), (180, 1), (0, 85), (0, -81))] == [
        32721, 32633, 32660, 32601, 5041, 5042,
    ]  # fmt: skip


def test_classes_are_never_interpolated(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    rng = np.random.default_rng(1)
    bands = np.stack([rng.integers(500, 6000, (200, 200)), rng.choice([4, 9, 11], (200, 200))]).astype(np.uint16)
    source = parent_of(folder, {"S1": write_raster(folder / "S1.tif", bands, nodata=0, descriptions=("Red", "SCL"))})
    done = run_block("crs-conversion", {"output_epsg_code": 3857}, tmp_path / "t", source)
    red, classes = done.raster().ReadAsArray()
    assert set(np.unique(classes)) <= {0, 4, 9, 11} and (classes == 9).sum() > 1000
    assert "SCL by nearest neighbour" in done.log
    alone = gdal.Warp("", str(source / "S1.tif"), format="MEM", dstSRS="EPSG:3857", resampleAlg="cubic").ReadAsArray()
    np.testing.assert_array_equal(red, alone[0])
    assert not list(done.output.glob("*.part.tif"))


def test_without_nodata_an_alpha_band_says_what_lies_outside(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    zeros = write_raster(folder / "S1.tif", np.zeros((1, 80, 80), np.uint8), descriptions=("x",))
    done = run_block("crs-conversion", {"output_epsg_code": 31467}, tmp_path / "t", parent_of(folder, {"S1": zeros}))
    made = done.raster()
    assert made.RasterCount == 2
    assert made.GetRasterBand(2).GetColorInterpretation() == gdal.GCI_AlphaBand
    assert 0.8 < (made.GetRasterBand(2).ReadAsArray() > 0).mean() < 1


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"output_epsg_code": 999999}, "no coordinate reference system"),
        ({"output_epsg_code": 5}, "from 1024"),
        ({"output_epsg_code": "EPSG:3857"}, "whole number"),
        ({"resampling_method": "magic"}, "near, bilinear"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, parameters, words):
    with pytest.raises(BlockFailure, match=words):
        run_block("crs-conversion", parameters, tmp_path / "t", scene(tmp_path / "p"))
