"""K-means: each pixel at its nearest centre, the same each time, no seams; the sieve as GDAL's own."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.pixels.kmeans import ClusterOptions, cluster
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.plugin.engine.blocks.pixels.sieve import sieve
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

NAMES = ("B02 Blue", "B03 Green", "B04 Red", "B08 NIR")
GROUND = np.array([[300, 400, 250, 200], [500, 900, 600, 3500], [1500, 1700, 2000, 2600]])


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def land(columns=640, rows=580, noise=120):
    """Three kinds of ground in blocks of 40 pixels, with noise, and an empty corner."""
    rng = np.random.default_rng(8)
    kinds = rng.integers(0, 3, (rows // 20, columns // 40)).repeat(20, axis=0).repeat(40, axis=1)
    bands = GROUND[kinds].transpose(2, 0, 1) + rng.normal(0, noise, (4, rows, columns))
    bands = bands.clip(1, 10000).astype(np.uint16)
    bands[:, :70, :90] = 0
    return bands, kinds


def parent(folder, bands, names=NAMES, nodata=0):
    folder.mkdir(exist_ok=True)
    return parent_of(folder, {"S1": write_raster(folder / "S1.tif", bands, nodata=nodata, descriptions=names)})


def test_each_pixel_goes_to_its_nearest_centre(tmp_path):
    bands, _ = land()
    source = parent(tmp_path / "p", bands)
    done = run_block("kmeans-clustering", {"n_clusters": 5, "n_sieve_pixels": 0}, tmp_path / "t", source)
    dataset = done.raster()
    made = dataset.ReadAsArray()
    assert done.features[0]["properties"]["up42.data_path"] == "S1_clusters.tif"
    assert dataset.GetRasterBand(1).DataType == gdal.GDT_Byte and dataset.GetRasterBand(1).GetNoDataValue() == 0
    centres = np.array(done.features[0]["properties"]["kmeans:centres"])
    assert centres.shape == (5, 4) and (np.diff(centres.mean(axis=1)) > 0).all()
    distances = ((bands[:, None].astype(float) - centres.T[:, :, None, None]) ** 2).sum(axis=0)
    expected = np.where(bands[0] > 0, distances.argmin(axis=0) + 1, 0)
    tie = np.partition(distances, 1, axis=0)
    clear = (tie[1] - tie[0]) > 1e-3 * tie[0] + 1
    np.testing.assert_array_equal(made[clear], expected[clear])
    np.testing.assert_array_equal(made == 0, bands[0] == 0)


def test_it_finds_the_kinds_of_ground(tmp_path):
    bands, kinds = land()
    done = run_block(
        "kmeans-clustering", {"n_clusters": 3, "n_iterations": 30}, tmp_path / "t", parent(tmp_path / "p", bands)
    )
    made = done.raster().ReadAsArray()
    order = GROUND.mean(axis=1).argsort().argsort()
    valid = bands[0] > 0
    assert (made[valid] == order[kinds][valid] + 1).mean() > 0.999
    np.testing.assert_allclose(
        done.features[0]["properties"]["kmeans:centres"], GROUND[GROUND.mean(axis=1).argsort()], atol=15
    )


def test_the_same_raster_gives_the_same_clusters_and_windows_leave_no_trace(tmp_path):
    bands, _ = land(noise=900)
    source = parent(tmp_path / "p", bands)
    options = ClusterOptions(6, 10, 0)
    once = [
        cluster("S1", source / "S1.tif", tmp_path / f"{n}.tif", options, print, side)
        for n, side in enumerate((512, 37, 4096))
    ]
    assert once[0] == once[1] == once[2]
    pictures = [gdal.Open(str(tmp_path / f"{n}.tif")).ReadAsArray() for n in range(3)]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])


def test_small_areas_go_to_their_largest_neighbour_as_gdal_sieves(tmp_path):
    bands, _ = land(noise=900)
    source = parent(tmp_path / "p", bands)
    plain = run_block("kmeans-clustering", {"n_sieve_pixels": 1}, tmp_path / "a", source).raster()
    sieved = run_block("kmeans-clustering", {}, tmp_path / "b", source).raster().ReadAsArray()
    canvas = gdal.GetDriverByName("MEM").CreateCopy("", plain)
    gdal.SieveFilter(canvas.GetRasterBand(1), canvas.GetRasterBand(1).GetMaskBand(), canvas.GetRasterBand(1), 64, 4)
    np.testing.assert_array_equal(sieved, canvas.ReadAsArray())
    assert (sieved != plain.ReadAsArray()).any()
    np.testing.assert_array_equal(sieved == 0, bands[0] == 0)


def test_a_sieve_in_strips_takes_the_same_areas(tmp_path):
    rng = np.random.default_rng(2)
    pixels = rng.integers(1, 3, (300, 90)).repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)[None]
    pixels[:, 200:230, 20:60] = 0
    paths = [write_raster(tmp_path / f"{n}.tif", pixels, nodata=0) for n in range(2)]
    sieve(paths[0], 30, 4)
    sieve(paths[1], 30, 4, strip_pixels=180 * 60)
    whole, strips = (gdal.Open(str(path)).ReadAsArray() for path in paths)
    assert (whole != pixels[0]).mean() > 0.05
    np.testing.assert_array_equal(strips, whole)


def test_scl_and_transparency_are_no_values_and_few_values_are_few_clusters(tmp_path):
    bands = np.stack([np.full((60, 60), 7), np.arange(3600).reshape(60, 60) % 12]).astype(np.uint16)
    bands[0, 30:] = 9
    done = run_block(
        "kmeans-clustering", {"n_sieve_pixels": 0}, tmp_path / "t", parent(tmp_path / "p", bands, ("Red", "SCL"))
    )
    assert set(np.unique(done.raster().ReadAsArray())) == {1, 2}
    assert "no more than 2 different values" in done.log and "2 clusters of Red" in done.log


def test_a_lonely_valid_pixel_far_from_the_sample_is_found(tmp_path):
    bands = np.zeros((1, 600, 600), np.uint8)
    bands[0, 599, 599] = 5
    done = run_block("kmeans-clustering", {}, tmp_path / "t", parent(tmp_path / "p", bands, ("x",)))
    assert done.raster().ReadAsArray()[599, 599] == 1
    with pytest.raises(BlockFailure, match="no valid pixel"):
        run_block("kmeans-clustering", {}, tmp_path / "u", parent(tmp_path / "q", bands * 0, ("x",)))


@pytest.mark.parametrize(
    "parameters", [{"n_clusters": 1}, {"n_clusters": 65}, {"n_iterations": 0}, {"n_sieve_pixels": -1}]
)
def test_parameters_out_of_range_are_refused(tmp_path, parameters):
    with pytest.raises(BlockFailure, match=f"{next(iter(parameters))} must be a whole number"):
        run_block(
            "kmeans-clustering",
            parameters,
            tmp_path / "t",
            parent(tmp_path / "p", np.ones((1, 9, 9), np.uint8), ("x",)),
        )
