"""Pansharpening of a scene in the shape of Landsat's, from files and folders: against GDAL's own weighted Brovey."""

from __future__ import annotations

import numpy as np
import pytest
from servers import landsat_scenes as landsat

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.tests.unit.blocks_support import run_block

PAIR = [landsat.ID, f"{landsat.ID}_pan"]
AOI = [12.15, 52.10, 12.22, 52.14]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("landsat")
    landsat.make_files(made)
    return made


def settings(folder):
    return {"scene_folders": [str(folder)]}


def test_chosen_rasters_bring_their_panchromatic_band_and_gdal_agrees(folder, tmp_path):
    data = run_block(
        "up42-processing-from-storage", {"ids": [landsat.ID], "panchromatic": True}, tmp_path / "d",
        settings=settings(folder),
    )  # fmt: skip
    assert [feature["id"] for feature in data.features] == PAIR
    assert data.features[1]["properties"]["bands"] == ["B8 Panchromatic"] and "left out" not in data.log
    done = run_block("pansharpen", {"method": "Brovey", "weights": [1, 1, 1, 0]}, tmp_path / "p", data.output)
    assert [feature["id"] for feature in done.features] == [landsat.ID] and "2 times as fine" in done.log
    raster, gdals = done.raster(), landsat.pansharpened_by_gdal(folder, (1, 1, 1, 0))
    assert raster.GetGeoTransform() == gdals.GetGeoTransform() == (305092.5, 15, 0, 5780107.5, 0, -15)
    ours, theirs = raster.ReadAsArray().astype(float), gdals.ReadAsArray().astype(float)
    valid = (ours > 0).all(axis=0)
    assert 0.99 < valid.mean() < (theirs > 0).all(axis=0).mean(), "beside nodata GDAL goes on with what there is"
    apart = np.abs(ours - theirs)[:, valid]
    assert apart.max() <= 5 and (apart / theirs[:, valid]).max() < 0.0005  # of up to 20,000: two ways of rounding
    assert np.median(apart) <= 1
    assert [raster.GetRasterBand(n).GetDescription() for n in (1, 4)] == ["B2 Blue", "B5 NIR"]


def test_scenes_of_folders_bring_it_only_when_asked(folder, tmp_path):
    plain = run_block("local-scenes", {"bbox": AOI}, tmp_path / "a", settings=settings(folder))
    assert [feature["id"] for feature in plain.features] == PAIR[:1]
    both = run_block(
        "local-scenes", {"bbox": AOI, "panchromatic": True}, tmp_path / "b", settings=settings(folder)
    )  # fmt: skip
    assert [feature["id"] for feature in both.features] == PAIR
    wide, fine = both.raster(0), both.raster(1)
    assert abs(wide.RasterXSize * 2 - fine.RasterXSize) <= 1 and fine.GetGeoTransform()[1] == 15
    done = run_block("pansharpen", {}, tmp_path / "p", both.output)
    assert done.raster().GetGeoTransform() == fine.GetGeoTransform()
    query = run_block(
        "local-scenes", {"bbox": AOI, "panchromatic": True}, tmp_path / "q", dry_run=True, settings=settings(folder)
    )
    assert [feature["id"] for feature in query.features] == PAIR[:1]


def test_without_the_panchromatic_band_it_says_what_is_missing(folder, tmp_path):
    data = run_block("local-scenes", {"bbox": AOI}, tmp_path / "d", settings=settings(folder))
    with pytest.raises(BlockFailure, match="no panchromatic raster among the 1 scenes"):
        run_block("pansharpen", {}, tmp_path / "p", data.output)
