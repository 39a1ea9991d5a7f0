"""Pansharpening: the three methods by their formulas, no seams, pairs found and told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import gdal

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.pixels.pairs import pairs_of
from up42_jobs.plugin.engine.blocks.pixels.pansharpen import PanOptions, pansharpen
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

COARSE = (500000.0, 8.0, 0.0, 5600000.0, 0.0, -8.0)
FINE = (500000.0, 2.0, 0.0, 5600000.0, 0.0, -2.0)
NAMES = ("Blue", "Green", "Red", "NIR")


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def pair(folder, nodata=0, names=("scene_ms", "scene_pan"), pan_band="Pan", slanted=False):
    folder.mkdir()
    rng = np.random.default_rng(7)
    fine = rng.integers(500, 3000, (150, 160)).repeat(4, 0).repeat(4, 1)[:600, :640] + rng.integers(0, 300, (600, 640))
    colours = np.stack([fine * share for share in (0.6, 0.8, 1.0, 1.4)])
    coarse = colours.reshape(4, 150, 4, 160, 4).mean(axis=(2, 4)).astype(np.uint16)
    coarse[:, :10, :10] = 0
    if slanted:  # as a satellite scene ends
        down, across = np.mgrid[:150, :160]
        coarse[:, across < 20 + 0.3 * down] = 0
    paths = {
        names[0]: write_raster(folder / f"{names[0]}.tif", coarse, COARSE, nodata=nodata, descriptions=NAMES),
        names[1]: write_raster(
            folder / f"{names[1]}.tif", fine[None].astype(np.uint16), FINE, nodata=nodata, descriptions=[pan_band]
        ),
    }
    return parent_of(folder, paths), fine, colours


def upsampled(source, name="scene_ms"):
    return gdal.Warp(
        "", str(source / f"{name}.tif"), format="MEM", resampleAlg="bilinear", width=640, height=600, errorThreshold=0,
        outputBounds=(500000, 5600000 - 1200, 500000 + 1280, 5600000),
    ).ReadAsArray().astype(np.float64)  # fmt: skip


@pytest.mark.parametrize("method", ["SFIM", "Brovey", "Esri"])
def test_the_methods_by_their_formulas(tmp_path, method):
    source, pan, _ = pair(tmp_path / "p")
    done = run_block("pansharpen", {"method": method, "weights": [1, 1, 2, 0]}, tmp_path / "t", source)
    made = done.raster()
    assert done.features[0]["id"] == "scene_ms" and len(done.features) == 1
    assert done.features[0]["properties"]["up42.data_path"] == "scene_ms_pansharpened.tif"
    assert made.GetGeoTransform() == FINE and made.GetRasterBand(1).DataType == gdal.GDT_UInt16
    assert [made.GetRasterBand(n).GetDescription() for n in range(1, 5)] == list(NAMES)
    colours = upsampled(source)
    mean = (colours * np.array([0.25, 0.25, 0.5, 0])[:, None, None]).sum(axis=0)
    if method == "SFIM":
        padded, count = np.pad(pan.astype(float), 2), np.pad(np.ones(pan.shape), 2)
        places = [(r, c) for r in range(5) for c in range(5)]
        mean = sum(padded[r : r + 600, c : c + 640] for r, c in places) / sum(
            count[r : r + 600, c : c + 640] for r, c in places
        )
    expected = colours + (pan - mean) if method == "Esri" else colours * pan / np.where(mean > 0, mean, 1)
    inside = slice(60, None), slice(60, None)
    np.testing.assert_allclose(
        made.ReadAsArray()[:, inside[0], inside[1]], np.clip(expected, 1, 65535)[:, inside[0], inside[1]], atol=1
    )
    assert (made.ReadAsArray()[:, :30, :30] == 0).all()


@pytest.mark.parametrize("method", ["SFIM", "Brovey", "Esri"])
def test_where_the_colours_hold_nothing_nothing_is_made_up(tmp_path, method):
    source, *_ = pair(tmp_path / "p", slanted=True)
    made = run_block("pansharpen", {"method": method}, tmp_path / "t", source).raster().ReadAsArray()
    there = (upsampled(source) != 0).all(axis=0)
    assert 0.5 < there.mean() < 0.9
    np.testing.assert_array_equal((made != 0).all(axis=0), there)
    np.testing.assert_array_equal((made != 0).any(axis=0), there)


@pytest.mark.parametrize("method", ["SFIM", "Brovey", "Esri"])
def test_a_mask_of_the_colours_is_kept_as_their_nodata_is(tmp_path, monkeypatch, method):
    source, *_ = pair(tmp_path / "p", slanted=True)
    by_nodata = run_block("pansharpen", {"method": method}, tmp_path / "t", source).raster().ReadAsArray()
    colours = gdal.Open(str(source / "scene_ms.tif"), gdal.GA_Update)
    hole = colours.GetRasterBand(1).ReadAsArray() == 0
    for band in (colours.GetRasterBand(number) for number in range(1, 5)):
        band.DeleteNoDataValue()
        band.WriteArray(np.where(hole, 1234, band.ReadAsArray()))  # what lies there is not to be taken for a value
    monkeypatch.setenv("GDAL_TIFF_INTERNAL_MASK", "YES")
    colours.CreateMaskBand(gdal.GMF_PER_DATASET)
    colours.GetRasterBand(1).GetMaskBand().WriteArray(np.where(hole, 0, 255).astype(np.uint8))
    del band, colours
    by_mask = run_block("pansharpen", {"method": method}, tmp_path / "u", source).raster().ReadAsArray()
    np.testing.assert_array_equal((by_mask != 0).all(axis=0), (by_nodata != 0).all(axis=0))
    np.testing.assert_allclose(by_mask, by_nodata, atol=1)


@pytest.mark.parametrize("method", ["SFIM", "Brovey", "Esri"])
def test_it_comes_nearer_to_the_truth_than_the_coarse_colours(tmp_path, method):
    source, _, truth = pair(tmp_path / "p")
    made = (
        run_block("pansharpen", {"method": method, "weights": [0, 0, 1, 0]}, tmp_path / "t", source)
        .raster()
        .ReadAsArray()
    )
    inside = (slice(None), slice(60, -20), slice(60, -20))
    before = np.abs(upsampled(source) - truth)[inside][:3].mean()
    assert np.abs(made - truth)[inside][:3].mean() < before * 0.75


@pytest.mark.parametrize("method", ["SFIM", "Brovey"])
def test_windows_leave_no_trace_and_the_panchromatic_band_comes_along(tmp_path, method):
    source, pan, _ = pair(tmp_path / "p")
    made = run_block("pansharpen", {"include_pan": True, "method": method}, tmp_path / "t", source)
    found = made.raster().ReadAsArray()
    assert made.raster().GetRasterBand(5).GetDescription() == "Panchromatic"
    np.testing.assert_array_equal(found[4, 60:, 60:], pan[60:, 60:])
    features = [(f, source / f["properties"]["up42.data_path"]) for f in _features(source)]
    for side in (61, 4096):
        options = PanOptions(method, True, None)
        pansharpen(pairs_of(features)[0][0], tmp_path / f"{side}.tif", options, lambda part: None, side)
        np.testing.assert_array_equal(gdal.Open(str(tmp_path / f"{side}.tif")).ReadAsArray(), found)


def _features(folder):
    return json.loads((folder / "data.json").read_text())["features"]


def test_pairs_by_time_where_names_differ_and_the_lonely_are_told(tmp_path):
    source, *_ = pair(tmp_path / "p", names=("colour", "grey"), pan_band="Panchromatic")
    lonely = write_raster(source / "other_pan.tif", np.ones((1, 9, 9), np.uint16), (9e5, 1, 0, 1e6, 0, -1))
    paths = {f["id"]: source / f["properties"]["up42.data_path"] for f in _features(source)}
    parent_of(source, {**paths, "other_pan": lonely})
    done = run_block("pansharpen", {}, tmp_path / "t", source)
    assert [f["id"] for f in done.features] == ["colour"] and "other_pan is left out" in done.log


def test_what_cannot_be_sharpened_says_why(tmp_path):
    source, *_ = pair(tmp_path / "p")
    with pytest.raises(BlockFailure, match="weights has 2 numbers, but scene_ms has 4 bands"):
        run_block("pansharpen", {"weights": [1, 2]}, tmp_path / "a", source)
    with pytest.raises(BlockFailure, match="not negative"):
        run_block("pansharpen", {"weights": [1, -1, 0, 0]}, tmp_path / "b", source)
    with pytest.raises(BlockFailure, match="SFIM, Esri, Brovey"):
        run_block("pansharpen", {"method": "magic"}, tmp_path / "c", source)
    alone = parent_of(source, {"scene_ms": source / "scene_ms.tif"})
    with pytest.raises(BlockFailure, match="no panchromatic raster among the 1 scenes"):
        run_block("pansharpen", {}, tmp_path / "d", alone)
