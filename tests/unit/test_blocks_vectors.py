"""Vectorising and zonal statistics: against GDAL's polygons, numpy, and each other."""

from __future__ import annotations

import csv
import json
import subprocess

import numpy as np
import pytest
from osgeo import gdal, ogr
from shapely.geometry import box, mapping, shape

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.pixels.crs import Reprojection
from up42_jobs.plugin.engine.blocks.pixels.rasters import prepare_gdal
from up42_jobs.plugin.engine.blocks.pixels.zonal import Totals, sum_up
from up42_jobs.plugin.engine.blocks.zones import read_zones
from up42_jobs.tests.unit.blocks_support import parent_of, run_block, write_raster

WEST, NORTH = 500000.0, 5600000.0


@pytest.fixture(autouse=True)
def _gdal():
    prepare_gdal()


def classes(rows=120, columns=150):
    pixels = np.random.default_rng(4).integers(1, 5, (rows // 6, columns // 6)).repeat(6, 0).repeat(6, 1)
    pixels[20:40, 30:60] = 0
    pixels[70, 70] = 4
    return pixels.astype(np.uint8)[None]


def parent(folder, bands, names=("Cluster",), nodata=0):
    folder.mkdir(exist_ok=True)
    return parent_of(folder, {"S1": write_raster(folder / "S1.tif", bands, nodata=nodata, descriptions=names)})


def polygons(path):
    return json.loads(path.read_text())["features"]


# ---- vectorising


@pytest.mark.parametrize("connected", [4, 8])
def test_polygons_are_those_of_gdal_polygonize(tmp_path, connected):
    source = parent(tmp_path / "p", classes())
    options = {"dst_crs": 32633, "n_connectivity_pixels": connected}
    done = run_block("vectorising", options, tmp_path / "t", source)
    found = polygons(done.output / "S1.geojson")
    hand = tmp_path / "hand.geojson"
    command = ["gdal_polygonize.py", "-q", *(["-8"] if connected == 8 else []), str(source / "S1.tif"), str(hand)]
    subprocess.run(command, check=True, timeout=60)
    expected = polygons(hand)
    assert sorted((f["properties"]["value"], shape(f["geometry"]).wkt) for f in found) == sorted(
        (f["properties"]["DN"], shape(f["geometry"]).wkt) for f in expected
    )
    area = {value: 0.0 for value in range(1, 5)}
    for feature in found:
        area[feature["properties"]["value"]] += shape(feature["geometry"]).area
    assert area == {value: float((classes() == value).sum()) * 100 for value in area}
    assert done.features[0]["properties"]["up42.data_path"] == "S1.geojson"


def test_it_is_in_degrees_unless_asked_otherwise(tmp_path):
    done = run_block("vectorising", {}, tmp_path / "t", parent(tmp_path / "p", classes()))
    source = ogr.Open(str(done.output / "S1.geojson"))
    layer = source.GetLayer(0)
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "4326"
    west, east, south, north = layer.GetExtent()
    assert 14.99 < west < east < 15.03 and 50.53 < south < north < 50.56


def test_small_areas_are_sieved(tmp_path):
    done = run_block(
        "vectorising", {"n_sieve_pixels": 10, "dst_crs": 32633}, tmp_path / "t", parent(tmp_path / "p", classes())
    )
    assert min(shape(f["geometry"]).area for f in polygons(done.output / "S1.geojson")) >= 1000


def test_decimals_a_missing_band_and_nothing_are_refused_in_words(tmp_path):
    decimals = parent(tmp_path / "p", np.full((1, 9, 9), 0.5, np.float32), ("NDVI",), -9999)
    with pytest.raises(BlockFailure, match="put kmeans-clustering before"):
        run_block("vectorising", {}, tmp_path / "a", decimals)
    with pytest.raises(BlockFailure, match="src_band is 2, but S1 has 1"):
        run_block("vectorising", {"src_band": 2}, tmp_path / "b", parent(tmp_path / "q", classes()))
    with pytest.raises(BlockFailure, match="only nodata"):
        run_block("vectorising", {}, tmp_path / "c", parent(tmp_path / "r", classes() * 0))
    with pytest.raises(BlockFailure, match="4 or 8"):
        run_block("vectorising", {"n_connectivity_pixels": 5}, tmp_path / "d", parent(tmp_path / "s", classes()))


# ---- zonal statistics


def values(rows=530, columns=610):
    rng = np.random.default_rng(6)
    bands = rng.normal(0.4, 0.2, (1, rows, columns)).astype(np.float32)
    bands[:, 100:200, 300:400] = -9999
    bands[:, 5, 5] = np.nan
    return bands


def rows_of(done, name="S1_statistics"):
    with open(done.output / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def in_degrees(area):
    return Reprojection("EPSG:32633", "EPSG:4326").polygon(area, 100.0)


def test_without_zones_the_whole_raster_is_one(tmp_path):
    bands = values()
    done = run_block("zonal-statistics", {}, tmp_path / "t", parent(tmp_path / "p", bands, ("NDVI",), -9999))
    (row,) = rows_of(done)
    assert list(row) == ["zone", "date", "scene", "band", "mean", "min", "max", "std", "valid_percent"]
    assert (row["zone"], row["date"], row["scene"], row["band"]) == ("AOI", "2024-05-18T10:00:00Z", "S1", "NDVI")
    good = bands[(bands != -9999) & np.isfinite(bands)].astype(float)
    expected = [good.mean(), good.min(), good.max(), good.std(), 100 * good.size / bands.size]
    np.testing.assert_allclose([float(row[name]) for name in list(row)[4:]], expected, rtol=1e-7)
    (feature,) = polygons(done.output / "S1_statistics.geojson")
    assert feature["properties"]["mean"] == float(row["mean"])
    assert done.features[0]["properties"]["up42.data_path"] == "S1_statistics.geojson"
    assert done.features[0]["properties"]["datetime"] == "2024-05-18T10:00:00Z"


def test_zones_windows_and_edges(tmp_path):
    """Zones of odd shape, across windows, half outside and wholly outside; tiny windows give the same."""
    bands = values()
    source = parent(tmp_path / "p", bands, ("NDVI",), -9999)
    places = {
        "odd": box(WEST + 1003, NORTH - 5207, WEST + 5891, NORTH - 992).buffer(300, 3),
        "over the edge": box(WEST - 500, NORTH - 700, WEST + 806, NORTH + 900),
        "nodata": box(WEST + 3100, NORTH - 1900, WEST + 3900, NORTH - 1100),
        "far": box(WEST + 90000, NORTH, WEST + 91000, NORTH + 1000),
    }
    zones = [
        {"type": "Feature", "properties": {"name": n}, "geometry": mapping(in_degrees(a))} for n, a in places.items()
    ]
    asked = {
        "zones": zones,
        "zones_attribute_id": "name",
        "stats": ["count", "mean", "std", "min", "max", "sum", "valid_percent"],
    }
    done = run_block("zonal-statistics", asked, tmp_path / "t", source)
    found = {row["zone"]: row for row in rows_of(done)}
    for name, area in places.items():
        canvas = gdal.GetDriverByName("MEM").Create("", 610, 530, 1, gdal.GDT_Byte)
        canvas.SetGeoTransform((WEST, 10, 0, NORTH, 0, -10))
        drawn = ogr.GetDriverByName("Memory").CreateDataSource("")
        dataset = gdal.Open(str(source / "S1.tif"))
        layer = drawn.CreateLayer("z", dataset.GetSpatialRef())
        canvas.SetSpatialRef(layer.GetSpatialRef())
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkb(area.wkb))
        layer.CreateFeature(feature)
        gdal.RasterizeLayer(canvas, [1], layer, burn_values=[1])
        inside = canvas.ReadAsArray() > 0
        good = bands[0][inside & (bands[0] != -9999) & np.isfinite(bands[0])].astype(float)
        row = found[name]
        assert int(row["count"]) == good.size
        if good.size:
            expected = [good.mean(), good.std(), good.min(), good.max(), good.sum()]
            np.testing.assert_allclose(
                [float(row[n]) for n in ("mean", "std", "min", "max", "sum")], expected, rtol=1e-6
            )
            np.testing.assert_allclose(float(row["valid_percent"]), 100 * good.size / inside.sum())
        else:
            assert row["mean"] == "" and float(row["valid_percent"]) == 0
    assert "1 zones have no pixel" in done.log
    feature = done.features[0] | {"id": "S1", "properties": {"datetime": None}}
    tiny, whole = (
        [[row.value(n) for n in ("count", "mean", "std", "min", "max")] for row in
         sum_up(feature, source / "S1.tif", read_zones(asked, {}), lambda part: None, side)]
        for side in (17, 4096)
    )  # fmt: skip
    for one, other in zip(tiny, whole):
        assert one[0] == other[0]
        if one[0]:
            np.testing.assert_allclose(one[1:], other[1:], rtol=1e-9)


def test_parts_of_very_unlike_size_sum_up_exactly():
    pixels = np.random.default_rng(1).normal(1e4, 1e-2, 10_000)
    totals = Totals()
    for part in np.split(pixels, [1, 2, 50, 9000]):
        totals.add(part.size, part)
    np.testing.assert_allclose(totals.deviations / totals.count, pixels.var(), rtol=1e-6)
    assert (totals.smallest, totals.largest) == (pixels.min(), pixels.max())


def test_scale_and_offset_make_the_values_and_several_scenes_are_one_table(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    paths = {}
    for name, added in (("demo-a", 0), ("demo-b", 1000)):
        pixels = np.full((2, 20, 20), 3000 + added, np.uint16)
        paths[name] = write_raster(folder / f"{name}.tif", pixels, descriptions=("Red", "NIR"))
        dataset = gdal.Open(str(paths[name]), gdal.GA_Update)
        for number in (1, 2):
            dataset.GetRasterBand(number).SetScale(0.0001)
            dataset.GetRasterBand(number).SetOffset(-added / 10000)
        del dataset
    done = run_block("zonal-statistics", {}, tmp_path / "t", parent_of(folder, paths))
    rows = rows_of(done, "demo-a_statistics")
    assert [(row["scene"], row["band"]) for row in rows] == [(s, b) for s in paths for b in ("Red", "NIR")]
    np.testing.assert_allclose([float(row["mean"]) for row in rows], 0.3, rtol=1e-6)
    assert done.features[0]["id"] == "demo-a_statistics"
    assert done.features[0]["properties"]["scenes"] == ["demo-a", "demo-b"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"zones": [5]}, "Zone 1 must be"),
        ({"zones": [{"type": "Point", "coordinates": [1, 2]}]}, "Zone 1 is no valid polygon"),
        ({"zones": [{"type": "Polygon", "coordinates": "x"}]}, "Zone 1"),
        ({"zones": [{"type": "Feature"}]}, "Zone 1 can't be read"),
        ({"zones": [mapping(box(0, 0, 500000, 1))]}, "not in degrees"),
        ({"zones": [mapping(box(0, 0, 1, 1))], "zones_attribute_id": "name"}, "no property name"),
        ({"zones": "all"}, "must be a list"),
        ({"stats": ["mode"]}, "stats has 'mode'"),
    ],
)
def test_what_is_no_zone_is_refused_by_its_number(tmp_path, parameters, words):
    with pytest.raises(BlockFailure, match=words):
        run_block("zonal-statistics", parameters, tmp_path / "t", parent(tmp_path / "p", values(20, 20), ("x",), -9999))


def test_without_zones_the_aoi_is_the_one(tmp_path):
    """All of the AOI counts, as not valid where there is no raster; what of the raster lies beyond it doesn't."""
    bands = values()
    source = parent(tmp_path / "p", bands, ("NDVI",), -9999)
    area = box(WEST + 4005, NORTH - 4200, WEST + 9000, NORTH - 2003).buffer(200, 4)  # the raster ends at 6100
    aoi = mapping(in_degrees(area))
    stats = ["mean", "count", "valid_percent"]
    done = run_block("zonal-statistics", {"stats": stats}, tmp_path / "t", source, aoi={"intersects": aoi})
    zones = {"stats": stats, "zones": [aoi]}
    (row,), (zone,) = rows_of(done), rows_of(run_block("zonal-statistics", zones, tmp_path / "z", source))
    assert row["zone"] == "AOI"
    assert float(row["mean"]) == pytest.approx(float(zone["mean"]), rel=1e-3)
    assert int(row["count"]) == pytest.approx(int(zone["count"]), rel=1e-3)  # its edges are bent in finer steps
    assert float(row["valid_percent"]) == pytest.approx(100 * int(row["count"]) / (area.area / 100), abs=0.2)
    assert float(row["valid_percent"]) < 60 < float(zone["valid_percent"])
    (feature,) = polygons(done.output / "S1_statistics.geojson")
    assert shape(feature["geometry"]).symmetric_difference(shape(aoi)).area < 1e-7


def test_a_raster_cut_to_the_aoi_is_valid_all_over_it(tmp_path):
    bands = np.full((1, 40, 50), 0.5, np.float32)
    source = parent(tmp_path / "p", bands, ("NDVI",), -9999)
    inside = in_degrees(box(WEST - 4, NORTH - 403, WEST + 504, NORTH + 3))  # pixels' centres decide: all of them
    done = run_block("zonal-statistics", {}, tmp_path / "t", source, aoi={"intersects": mapping(inside)})
    assert [row["valid_percent"] for row in rows_of(done)] == ["100.0"]
