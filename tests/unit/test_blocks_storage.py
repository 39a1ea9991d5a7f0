"""The storage block: rasters of the registered folders, chosen one by one, whole, without an AOI."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
from osgeo import gdal

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.local import looks
from up42_jobs.plugin.engine.blocks.storage import block
from up42_jobs.tests.unit.blocks_support import run_block, write_raster

NAME = "up42-processing-from-storage"
RNG = np.random.default_rng(3)


@pytest.fixture
def settings(tmp_path):
    """Two folders with three rasters; an index is kept."""
    for path in ("one/a_2024-05-18.tif", "one/deep/b_2023-01-02.tif", "two/c.tif"):
        pixels = RNG.integers(1, 5000, (2, 40, 60), np.uint16)
        write_raster(tmp_path / "folders" / path, pixels, nodata=0, descriptions=("Red", "NIR"))
    folders = [
        {"id": name, "name": name, "path": str(tmp_path / "folders" / name), "licence": "CC0-1.0", "attribution": "Me"}
        for name in ("one", "two")
    ]
    return {"scene_folders": folders, "cache_folder": str(tmp_path / "cache")}


def shown(settings, folder, **parameters):
    return run_block(NAME, parameters, folder, dry_run=True, settings=settings)


def test_a_test_query_shows_all_rasters_with_their_asset_ids(settings, tmp_path):
    done = shown(settings, tmp_path / "q")
    assert [feature["id"] for feature in done.features] == ["a_2024-05-18", "b_2023-01-02", "c"]
    assert len({feature["properties"]["asset_id"] for feature in done.features}) == 3
    assert len(list(done.quicklooks.iterdir())) == 3
    again = shown(settings, tmp_path / "q2")
    assert again.features == done.features


@pytest.mark.parametrize("by", ["asset_ids", "name", "ids"])
def test_exactly_the_chosen_ones_are_delivered_whole(settings, tmp_path, by):
    found = {feature["id"]: feature["properties"]["asset_id"] for feature in shown(settings, tmp_path / "q").features}
    chosen = {
        "asset_ids": {"asset_ids": [found["c"], found["a_2024-05-18"]]},
        "name": {"asset_ids": ["c", "a_2024-05-18", found["c"]]},
        "ids": {"ids": ["c", "a_2024-05-18"]},
    }[by]
    done = run_block(NAME, chosen, tmp_path / "live", settings=settings)
    assert [feature["id"] for feature in done.features] == ["c", "a_2024-05-18"]
    for number, path in enumerate(("two/c.tif", "one/a_2024-05-18.tif")):
        source = gdal.Open(str(tmp_path / "folders" / path))
        assert (done.raster(number).ReadAsArray() == source.ReadAsArray()).all()
    assert done.features[0]["properties"]["rights"] == "Me"
    assert run_block("ndvi", {}, tmp_path / "ndvi", parent=done.output).features


def test_a_test_query_lists_more_rasters_than_it_draws(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(block, "MAX_QUICKLOOKS", 5)  # each takes its time
    first = tmp_path / "folders" / "one" / "a_2024-05-18.tif"
    for number in range(600):
        os.link(first, first.with_name(f"n{number:03}_2022-01-02.tif"))
    done = shown(settings, tmp_path / "q")
    assert len(done.features) == len({feature["properties"]["asset_id"] for feature in done.features}) == 603
    newest_first = [feature["id"] for feature in done.features]
    assert newest_first[:2] == ["a_2024-05-18", "b_2023-01-02"] and newest_first[-1] == "c"
    assert sorted(path.stem for path in done.quicklooks.iterdir()) == sorted(newest_first[:5])
    assert "All 603 rasters are listed, the 5 newest of them with a quicklook." in done.log


def test_only_what_is_new_is_read_again(settings, tmp_path):
    def indexes():
        return sorted((tmp_path / "cache").glob("scenes-*.json"))

    shown(settings, tmp_path / "first")
    kept = {path: path.stat().st_mtime_ns for path in indexes()}
    shown(settings, tmp_path / "second")
    assert {path: path.stat().st_mtime_ns for path in indexes()} == kept
    write_raster(tmp_path / "folders" / "two" / "d_2025-01-01.tif", RNG.integers(1, 9, (1, 10, 10), np.uint16))
    assert shown(settings, tmp_path / "third").features[0]["id"] == "d_2025-01-01"
    assert sorted(len(json.loads(path.read_text())["files"]) for path in indexes()) == [2, 2]


def pictures(done):
    return {path.stem: path.read_bytes() for path in done.quicklooks.iterdir()}


def test_quicklooks_are_drawn_once_and_anew_where_a_file_has_changed(settings, tmp_path, monkeypatch):
    drawn: list[str] = []
    monkeypatch.setattr(
        looks, "_draw", lambda scene, path, draw=looks._draw: (drawn.append(scene.id), draw(scene, path))
    )
    first = pictures(shown(settings, tmp_path / "q"))
    assert sorted(drawn) == sorted(first) == ["a_2024-05-18", "b_2023-01-02", "c"]
    assert pictures(shown(settings, tmp_path / "q2")) == first
    delivered = run_block(NAME, {"ids": ["a_2024-05-18"]}, tmp_path / "live", settings=settings)
    assert pictures(delivered) == {"a_2024-05-18": first["a_2024-05-18"]}
    assert len(drawn) == 3
    write_raster(tmp_path / "folders" / "two" / "c.tif", RNG.integers(1, 5000, (2, 40, 60), np.uint16), nodata=0)
    changed = pictures(shown(settings, tmp_path / "q3"))
    assert drawn[3:] == ["c"]
    assert {name for name in first if first[name] != changed[name]} == {"c"}


def test_of_too_many_quicklooks_the_oldest_are_not_kept(settings, tmp_path, monkeypatch):
    kept = tmp_path / "cache" / "quicklooks"
    kept.mkdir(parents=True)
    for number in range(3):
        (kept / f"{number}.jpg").touch()
        os.utime(kept / f"{number}.jpg", (number, number))
    monkeypatch.setattr(looks, "KEPT_AT_MOST", 4)
    shown(settings, tmp_path / "q")  # three more
    assert [(kept / f"{number}.jpg").exists() for number in range(3)] == [False, False, True]
    assert len(list(kept.iterdir())) == 4


def test_a_hole_in_one_band_alone_leaves_the_picture_as_it_is(tmp_path):
    """Its nodata is no colour, and does not stretch the band."""
    means = {}
    for name, hole in (("whole", False), ("holed", True)):
        pixels = np.random.default_rng(5).uniform(100, 4000, (3, 200, 200)).astype(np.float32)
        if hole:
            pixels[1, :10] = -9999
        path = tmp_path / name / "rgb_2024-05-18.tif"
        write_raster(path, pixels, nodata=-9999, descriptions=("Red", "Green", "Blue"))
        folder = {"id": "1", "name": "n", "path": str(path.parent), "licence": "CC0-1.0", "attribution": "Me"}
        done = shown({"scene_folders": [folder]}, tmp_path / f"{name} q")
        (picture,) = done.quicklooks.iterdir()
        means[name] = gdal.Open(str(picture)).ReadAsArray()[1, 60:].mean()
    assert abs(means["whole"] - means["holed"]) < 8


def test_a_cache_that_cannot_be_written_stops_nothing(settings, tmp_path):
    (tmp_path / "cache").touch()
    assert len(pictures(shown(settings, tmp_path / "q"))) == 3


def test_what_others_keep_and_take_away_meanwhile_stops_nothing(settings, tmp_path, monkeypatch):
    shown(settings, tmp_path / "q")
    kept = tmp_path / "cache" / "quicklooks"
    for path in kept.iterdir():
        path.write_bytes(b"")  # as after a power failure
    (kept / "gone.jpg").symlink_to(kept / "nowhere")
    (kept / "other.part").touch()
    done = pictures(shown(settings, tmp_path / "q2"))
    assert len(done) == 3 and all(done.values())


def test_a_raster_that_can_no_longer_be_read_is_named(settings, tmp_path):
    shown(settings, tmp_path / "q")
    shutil.rmtree(tmp_path / "cache" / "quicklooks")
    path = tmp_path / "folders" / "two" / "c.tif"
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # the index knows it as it was
    with pytest.raises(BlockFailure, match=r"c can't be read to its end \(.*\): is c.tif complete\?"):
        shown(settings, tmp_path / "q2")


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({}, "WRONG_INPUT_ERROR", "run a Test Query"),
        ({"asset_ids": []}, "WRONG_INPUT_ERROR", "must be a list of 1 to"),
        ({"asset_ids": ["c"], "ids": ["c"]}, "WRONG_INPUT_ERROR", "Only one of"),
        ({"asset_ids": ["gone"]}, "NO_INPUT_ERROR", "choose again"),
    ],
)
def test_wrong_choices_in_words(settings, tmp_path, parameters, code, message):
    with pytest.raises(BlockFailure, match=message) as failure:
        run_block(NAME, parameters, tmp_path / "live", settings=settings)
    assert failure.value.code == code


def test_what_is_gone_is_named_and_the_rest_delivered(settings, tmp_path):
    done = run_block(NAME, {"asset_ids": ["gone", "c"]}, tmp_path / "live", settings=settings)
    assert [feature["id"] for feature in done.features] == ["c"]
    assert "left out: gone" in done.log


def test_it_needs_no_aoi_and_guesses_from_the_index(settings, tmp_path):
    storage = block_by_name(NAME)
    assert not {"bbox", "intersects", "contains"} & set(storage.description.parameters)
    before = storage.amount({"asset_ids": ["c"]}, settings, None)
    shown(settings, tmp_path / "q")
    after = storage.amount({"asset_ids": ["c"]}, settings, None)
    assert after.pixels == (2400.0, 2400.0) and before.pixels[1] > 2400
    assert storage.amount({}, settings, None).units == (0.0, 0.0)
