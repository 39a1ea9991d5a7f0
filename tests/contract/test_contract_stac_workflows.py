"""Each built-in workflow on real imagery as it is listed: every default and an AOI, nothing else; its results checked.

The STAC API is stac-fastapi on loopback, the imagery generated scenes in the shape of Sentinel-2's: the ground is the
same at all dates, so that the median of scenes must be the ground, wherever one of them has no cloud.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from servers import sentinel_scenes as s2
from shapely.geometry import box, shape
from stac_imagery import INSIDE, opened, run

WORKFLOWS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "resources" / "workflows").glob("0*.json"))
]
HALF_CLOUDY = [12.03, 52.01, 12.09, 52.03]  # by the cloudy scene
NEWEST = {"bbox": INSIDE}  # all that a newcomer gives
CLEAR = {"bbox": INSIDE, "ids": [s2.AFTER]}


def ndvi_of_the_ground(raster):
    """What the generated ground has where the raster lies."""
    x, y = s2.NORTH_EAST
    west, wide, _, north, _, high = raster.GetGeoTransform()
    left, top = round((west - x) / wide), round((north - y) / high)
    red, nir = (s2.reflectance(33, s2.NORTH_EAST, s2.ASSETS_10[name][1], 10) for name in ("red", "nir"))
    ground = (nir - red) / (nir + red)
    return ground[top : top + raster.RasterYSize, left : left + raster.RasterXSize]


@pytest.mark.parametrize("workflow", [workflow["name"] for workflow in WORKFLOWS])
def test_it_runs_as_it_is_listed(stac_computer, workflow):
    """One click: the newest scene, or the newest six, of what the defaults allow."""
    _, _, held = run(stac_computer, workflow, NEWEST)
    features = json.loads(held.pop("output/data.json"))["features"]
    assert {f"output/{feature['properties']['up42.data_path']}" for feature in features} <= set(held)
    assert features[0]["properties"]["rights"].startswith("Contains modified Copernicus Sentinel data")
    for name, content in held.items():
        if name.endswith(".tif"):
            raster = opened(content)
            assert raster.GetSpatialRef() is not None and raster.GetRasterBand(1).GetNoDataValue() is not None
            assert np.ptp(raster.ReadAsArray()) > 0


def test_ndvi(stac_computer):
    _, _, held = run(stac_computer, "Sentinel-2 NDVI", CLEAR)
    raster = opened(held[f"output/{s2.AFTER}_ndvi.tif"])
    pixels = raster.ReadAsArray()
    valid = pixels != -9999
    assert valid.mean() > 0.9
    np.testing.assert_allclose(pixels[valid], ndvi_of_the_ground(raster)[valid], atol=0.002)  # of rounded pixels


def test_statistics_are_one_table_of_the_aoi(stac_computer):
    data = {"bbox": INSIDE, "ids": [s2.AFTER, s2.HALF]}
    _, _, held = run(stac_computer, "Sentinel-2 NDVI Statistics", data)
    (table,) = (content for name, content in held.items() if name.endswith(".csv"))
    rows = {row["scene"]: row for row in csv.DictReader(io.StringIO(table.decode()))}
    assert set(rows) == {s2.AFTER, s2.HALF}
    assert {row["zone"] for row in rows.values()} == {"AOI"}
    assert rows[s2.AFTER]["date"].startswith("2024-05-18T10:15:59")
    assert float(rows[s2.AFTER]["valid_percent"]) == 100.0
    _, _, ndvi = run(stac_computer, "Sentinel-2 NDVI", data)
    for scene, row in rows.items():
        pixels = opened(ndvi[f"output/{scene}_ndvi.tif"], scene).ReadAsArray()
        good = pixels[pixels != -9999].astype(float)
        assert float(row["mean"]) == pytest.approx(good.mean(), rel=1e-6)
        assert float(row["std"]) == pytest.approx(good.std(), rel=1e-5)
    (polygons,) = (json.loads(content) for name, content in held.items() if name.endswith(".geojson"))
    for feature in polygons["features"]:
        assert shape(feature["geometry"]).symmetric_difference(box(*INSIDE)).area < 1e-9


def test_clusters(stac_computer):
    _, _, held = run(stac_computer, "Sentinel-2 Clusters", CLEAR, **{"kmeans-clustering:1": {"n_sieve_pixels": 0}})
    clusters = opened(held[f"output/{s2.AFTER}_clusters.tif"], "clusters").ReadAsArray()
    _, _, held_bands = run(stac_computer, "Sentinel-2 Bands", CLEAR)
    bands = opened(held_bands[f"output/{s2.AFTER}.tif"], "bands").ReadAsArray().astype(float)
    assert sorted(set(clusters[(bands != 0).all(axis=0)])) == [1, 2, 3, 4, 5, 6]
    assert ((clusters == 0) == (bands == 0).any(axis=0)).all()
    feature = json.loads(held["output/data.json"])["features"][0]["properties"]
    centres = np.array(feature["kmeans:centres"])
    assert (np.diff(centres.mean(axis=1)) > 0).all(), "1 is the darkest"
    means = np.array([[band[clusters == n].mean() for band in bands] for n in range(1, 7)])
    order = np.argsort(means.mean(axis=1))
    assert list(order) == list(range(6))


@pytest.mark.parametrize(
    ("workflow", "name"),
    [("Sentinel-2 Cloud-Free Composite", "composite"), ("Sentinel-2 Cloud-Free NDVI", "composite_ndvi")],
)
def test_clouds_are_taken_out(stac_computer, workflow, name):
    """Of the cloudy scene the clear half counts; the rest comes of the others, of which one is of before 2022."""
    data = {"bbox": HALF_CLOUDY, "ids": [s2.CLOUDY, s2.AFTER, s2.BEFORE]}
    job, _, held = run(stac_computer, workflow, data)
    masked = dict(re.findall(r"(S2\S+): (\S+) % of its valid pixels are masked", stac_computer.log(job, 1)))
    assert 10 < float(masked[s2.CLOUDY]) < 100 and masked[s2.AFTER] == "0.0"
    (raster,) = (opened(content) for file, content in held.items() if file.endswith(f"_{name}.tif"))
    pixels = raster.ReadAsArray()
    if name == "composite":
        assert [raster.GetRasterBand(n).GetDescription() for n in (1, 2, 3, 4)] == [
            *("B02 Blue", "B03 Green", "B04 Red", "B08 NIR")
        ]
        assert raster.RasterCount == 4, "no classes in a median"
        values = [
            pixels[n - 1] * raster.GetRasterBand(n).GetScale() + raster.GetRasterBand(n).GetOffset() for n in (3, 4)
        ]
        pixels = np.where((pixels == 0).any(axis=0), -9999, (values[1] - values[0]) / (values[1] + values[0]))
    valid = pixels != -9999
    assert valid.mean() > 0.9
    np.testing.assert_allclose(pixels[valid], ndvi_of_the_ground(raster)[valid], atol=0.003)
