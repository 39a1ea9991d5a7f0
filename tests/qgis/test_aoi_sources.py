"""AOIs of geometries in any CRS, of files and texts, and of large layers: what is read, what is refused in words."""

from __future__ import annotations

import gc
import json
import math
import os
import time
from zipfile import ZipFile

import numpy as np
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QTimer
from shapely.geometry import Polygon, box

from up42_jobs.plugin.host.aoi_file import read_aoi_file
from up42_jobs.plugin.host.aoi_for_map import aoi_to_map_geometry
from up42_jobs.plugin.host.aoi_layer import layer_reader
from up42_jobs.plugin.host.aoi_on_earth import MOST_VERTICES, aoi_from_map_geometry
from up42_jobs.plugin.host.aoi_reader import AoiReader
from up42_jobs.plugin.host.aoi_text import looks_like_aoi, read_aoi_text
from up42_jobs.plugin.host.words import tell
from up42_jobs.plugin.host.work import Works
from up42_jobs.plugin.jobs.aoi import Aoi, AoiError, AoiLimits, GeometricFilter
from up42_jobs.plugin.jobs.area import area_km2

FIELD = "POLYGON((13.3 52.45, 13.4 52.45, 13.4 52.5, 13.3 52.5, 13.3 52.45))"
BOUNDS = (13.3, 52.45, 13.4, 52.5)
WORLD = QgsCoordinateReferenceSystem("EPSG:4326")


def crs(name: str) -> QgsCoordinateReferenceSystem:
    return QgsCoordinateReferenceSystem(name)


def read(wkt: str, name: str = "EPSG:4326") -> Aoi:
    return aoi_from_map_geometry(QgsGeometry.fromWkt(wkt), crs(name), "Mine")


def codes(aoi: Aoi) -> list[str]:
    return [p.code for p in aoi.problems(AoiLimits(0), GeometricFilter.INTERSECTS)]


def refused(read_it, *arguments) -> str:
    with pytest.raises(AoiError) as error:
        read_it(*arguments)
    assert tell(error.value.problem)  # its values fit its sentence
    return error.value.problem.code


@pytest.mark.parametrize("name", ["EPSG:4326", "EPSG:3857", "EPSG:25833", "EPSG:2180", "EPSG:4258", "EPSG:3035"])
def test_the_same_field_from_any_crs(name):
    geometry = QgsGeometry.fromWkt(FIELD)
    geometry.transform(QgsCoordinateTransform(WORLD, crs(name), QgsProject.instance()))
    aoi = aoi_from_map_geometry(geometry, crs(name), "Field")
    assert aoi.geometry.bounds == pytest.approx(BOUNDS, abs=2e-6)
    assert codes(aoi) == []


@pytest.mark.parametrize(
    ("wkt", "corners"),
    [
        ("POLYGON Z((0 0 5, 1 0 5, 1 1 5, 0 0 5))", 3),
        ("POLYGON M((0 0 5, 1 0 5, 1 1 5, 0 0 5))", 3),
        ("POLYGON ZM((0 0 5 1, 1 0 5 1, 1 1 5 1, 0 0 5 1))", 3),
        ("MULTIPOLYGON Z(((0 0 5, 1 0 5, 1 1 5, 0 0 5)))", 3),
        ("TRIANGLE((0 0, 1 0, 1 1, 0 0))", 3),
        ("CURVEPOLYGON(CIRCULARSTRING(0 0, 1 1, 2 0, 1 -1, 0 0))", 360),
        ("CURVEPOLYGON(COMPOUNDCURVE(CIRCULARSTRING(0 0, 1 1, 2 0), (2 0, 0 0)))", 181),
        ("MULTISURFACE(CURVEPOLYGON(CIRCULARSTRING(0 0, 1 1, 2 0, 1 -1, 0 0)))", 360),
        ("GEOMETRYCOLLECTION(POINT(5 5), POLYGON((0 0, 1 0, 1 1, 0 0)), LINESTRING(0 0, 1 1))", 3),
        ("GEOMETRYCOLLECTION Z(POLYGON Z((0 0 5, 1 0 5, 1 1 5, 0 0 5)))", 3),
    ],
)
def test_all_that_is_a_polygon_at_heart(wkt, corners):
    aoi = read(wkt)
    assert len(aoi.geometry.exterior.coords) - 1 == pytest.approx(corners, abs=8)
    assert not aoi.geometry.has_z
    assert codes(aoi) == []


@pytest.mark.parametrize(
    ("wkt", "name", "code"),
    [
        ("POINT(1 2)", "EPSG:4326", "aoi_not_polygon"),
        ("LINESTRING(1 2, 3 4)", "EPSG:4326", "aoi_not_polygon"),
        ("GEOMETRYCOLLECTION(POINT(1 2))", "EPSG:4326", "aoi_not_polygon"),
        ("POLYGON EMPTY", "EPSG:4326", "aoi_empty"),
        ("POLYGON((0 0, 1 0, 1 1, 0 0))", "EPSG:0", "aoi_no_crs"),
        ("POLYGON((1e30 0, 2e30 0, 2e30 1e30, 1e30 0))", "EPSG:25833", "aoi_outside"),
        # Around a pole: the South Pole in a polar CRS, the North Pole in Lambert's azimuthal one
        ("POLYGON((-1e6 -1e6, 1e6 -1e6, 1e6 1e6, -1e6 1e6, -1e6 -1e6))", "EPSG:3031", "aoi_pole"),
        ("POLYGON((-1e6 -1e6, 1e6 -1e6, 1e6 1e6, -1e6 1e6, -1e6 -1e6))", "EPSG:3571", "aoi_pole"),
    ],
)
def test_refused_in_words(wkt, name, code):
    assert refused(read, wkt, name) == code


def test_not_a_number_is_refused():
    broken = QgsGeometry.fromPolygonXY([[QgsPointXY(0, 0), QgsPointXY(1, math.nan), QgsPointXY(1, 1)]])
    assert refused(aoi_from_map_geometry, broken, WORLD, "x") == "aoi_broken"
    assert refused(aoi_from_map_geometry, broken, crs("EPSG:3857"), "x") in ("aoi_outside", "aoi_broken")
    assert refused(aoi_from_map_geometry, QgsGeometry(), WORLD, "x") == "aoi_not_polygon"


def test_a_huge_outline_is_refused_before_it_is_converted():
    ring = [QgsPointXY(math.cos(i), math.sin(i)) for i in range(MOST_VERTICES + 1)]
    begin = time.monotonic()
    assert refused(aoi_from_map_geometry, QgsGeometry.fromPolygonXY([ring]), WORLD, "Coast") == "aoi_huge"
    assert time.monotonic() - begin < 0.5


def test_beside_a_pole_is_a_polygon_like_any_other():
    aoi = read("POLYGON((100000 100000, 900000 100000, 900000 900000, 100000 900000, 100000 100000))", "EPSG:3031")
    assert codes(aoi) == []
    plane = 800_000**2 / 1e6  # EPSG:3031 is true to scale at 71° S and squeezes by 3 % at most towards the pole
    assert aoi.area_km2 == pytest.approx(plane, rel=0.06)


def test_what_crosses_the_date_line_runs_on_and_is_said():
    aoi = read("POLYGON((3000000 0, 4000000 0, 4000000 500000, 3000000 0))", "EPSG:3832")  # 150° E in its middle
    west, _south, east, _north = aoi.geometry.bounds
    assert west < 180 < east
    assert east - west < 10
    assert codes(aoi) == ["aoi_date_line"]
    again = read("POLYGON((2e7 0, 2.01e7 0, 2.01e7 1e5, 2e7 0))", "EPSG:3857")  # a second world in the map
    assert codes(again) == ["aoi_date_line"]
    beyond = read("POLYGON((190 0, 191 0, 191 1, 190 0))")
    assert beyond.geometry.bounds == (-170, 0, -169, 1)
    shown = aoi_to_map_geometry(aoi, crs("EPSG:3832"))
    assert shown.boundingBox().xMinimum() == pytest.approx(3_000_000, rel=1e-3)
    assert shown.boundingBox().xMaximum() == pytest.approx(4_000_000, rel=1e-3)


def test_long_edges_get_corners_so_that_the_platform_sees_what_was_drawn():
    wkt = "POLYGON((200000 5400000, 800000 5400000, 800000 6000000, 200000 6000000, 200000 5400000))"  # 600 km
    aoi, corners = read(wkt, "EPSG:25833"), len(read(wkt, "EPSG:25833").geometry.exterior.coords)
    assert 8 < corners < 100
    drawn = QgsGeometry.fromWkt(wkt).densifyByCount(200)
    drawn.transform(QgsCoordinateTransform(crs("EPSG:25833"), WORLD, QgsProject.instance()))
    exact = area_km2(Polygon([(v.x(), v.y()) for v in drawn.vertices()]))
    assert aoi.area_km2 == pytest.approx(exact, rel=1e-3)
    four = aoi_from_map_geometry(QgsGeometry.fromWkt(wkt), crs("EPSG:25833"), "x", corners_only=True)
    assert len(four.geometry.exterior.coords) == 5
    assert abs(four.area_km2 - exact) > abs(aoi.area_km2 - exact)


def test_there_and_back_keeps_every_corner():
    aoi = Aoi(box(13.3, 52.4, 13.9, 52.9), "x")
    for name in ("EPSG:3857", "EPSG:25833", "EPSG:2180", "EPSG:4326"):
        there = aoi_to_map_geometry(aoi, crs(name), corners_only=True)
        back = aoi_from_map_geometry(there, crs(name), "x", corners_only=True)
        assert back.geometry.equals(aoi.geometry)


FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Field A"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[13.3, 52.45], [13.4, 52.45], [13.4, 52.5], [13.3, 52.45]]],
            },
        },
        {
            "type": "Feature",
            "properties": {"name": None},
            "geometry": {"type": "Polygon", "coordinates": [[[14, 52.4], [14.1, 52.4], [14.1, 52.5], [14, 52.4]]]},
        },
    ],
}
KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder><name>Farm</name>
<Placemark><name>Meadow</name><Polygon><altitudeMode>absolute</altitudeMode><outerBoundaryIs><LinearRing>
<coordinates>13.3,52.45,35 13.4,52.45,36 13.4,52.5,37 13.3,52.45,35</coordinates>
</LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>Gate</name><Point><coordinates>13.3,52.45,35</coordinates></Point></Placemark>
</Folder></Document></kml>"""


def written(folder, driver: str, suffix: str, name: str = "EPSG:4326"):
    """The two fields as a file of that format."""
    layer = QgsVectorLayer(f"Polygon?crs={name}&field=name:string", "x", "memory")
    features = []
    for source in FEATURES["features"]:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([source["properties"]["name"]])
        ring = [QgsPointXY(*p) for p in source["geometry"]["coordinates"][0]]
        geometry = QgsGeometry.fromPolygonXY([ring])
        geometry.transform(QgsCoordinateTransform(WORLD, crs(name), QgsProject.instance()))
        feature.setGeometry(geometry)
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    path = folder / f"Two Fields.{suffix}"
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = driver
    QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), QgsProject.instance().transformContext(), options)
    return path


@pytest.mark.parametrize(
    ("driver", "suffix", "name"),
    [
        ("GeoJSON", "geojson", "EPSG:4326"),
        ("GPKG", "gpkg", "EPSG:25833"),
        ("ESRI Shapefile", "shp", "EPSG:3857"),
        ("KML", "kml", "EPSG:4326"),
        ("FlatGeobuf", "fgb", "EPSG:2180"),
        ("GML", "gml", "EPSG:25833"),
    ],
)
def test_files(tmp_path, driver, suffix, name):
    found = read_aoi_file(str(written(tmp_path, driver, suffix, name)))
    named = {aoi.name: aoi for aoi in found.aois}  # a format may have an order of its own
    assert len(named) == len(found.aois) == 2
    assert any(name.startswith("Two Fields") for name in named)
    assert named["Field A"].geometry.bounds == pytest.approx(BOUNDS, abs=2e-6)
    assert found.left_out == 0


def test_a_zipped_shapefile(tmp_path):
    shapefile = written(tmp_path, "ESRI Shapefile", "shp")
    with ZipFile(tmp_path / "fields.zip", "w") as zipped:
        for part in tmp_path.glob("Two Fields.*"):
            zipped.write(part, part.name)
    shapefile.unlink()
    assert len(read_aoi_file(str(tmp_path / "fields.zip")).aois) == 2


def test_kml_in_three_dimensions_with_a_point_beside(tmp_path):
    path = tmp_path / "farm.kml"
    path.write_text(KML)
    found = read_aoi_file(str(path))
    assert [aoi.name for aoi in found.aois] == ["Meadow"]
    assert not found.aois[0].geometry.has_z
    assert found.left_out == 1


def test_the_rectangle_of_a_raster(tmp_path, make_raster):
    path = make_raster(tmp_path / "scene.tif", np.zeros((1, 100, 200), dtype="uint8"))
    (aoi,) = read_aoi_file(str(path)).aois
    assert aoi.name == "scene"
    assert aoi.area_km2 == pytest.approx(200 * 30 * 100 * 30 / 1e6, rel=2e-3)


def test_files_that_are_none(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    (tmp_path / "points.geojson").write_text(
        json.dumps({"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}})
    )
    (tmp_path / "broken.gpkg").write_bytes(b"SQLite format 3\0 and then nothing")
    assert refused(read_aoi_file, str(tmp_path / "notes.txt")) == "aoi_unreadable_file"
    assert refused(read_aoi_file, str(tmp_path / "missing.shp")) == "aoi_unreadable_file"
    assert refused(read_aoi_file, str(tmp_path / "points.geojson")) == "aoi_no_polygon_in"
    assert refused(read_aoi_file, str(tmp_path / "broken.gpkg")) in ("aoi_unreadable_file", "aoi_no_polygon_in")


GEOJSON = json.dumps(FEATURES["features"][0]["geometry"])


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        (FIELD, BOUNDS),
        (FIELD.lower(), BOUNDS),
        (f"SRID=4326;{FIELD}", BOUNDS),
        (f"wkt_geom\tname\nPolygon {FIELD[7:]}\tField A", BOUNDS),
        (GEOJSON, BOUNDS),
        (f"\ufeff {GEOJSON}\n", BOUNDS),
        (json.dumps(FEATURES["features"][0]), BOUNDS),
        ("[[13.3,52.45],[13.4,52.45],[13.4,52.5],[13.3,52.5]]", BOUNDS),
        ("[[[13.3,52.45],[13.4,52.45],[13.4,52.5],[13.3,52.5],[13.3,52.45]]]", BOUNDS),
        (KML, BOUNDS),
        ("13.3, 52.45, 13.4, 52.5", BOUNDS),
        ("13.3 52.45 13.4 52.5", BOUNDS),
        ("[13.3,52.45,13.4,52.5]", BOUNDS),
        ("bbox=13.3,52.45,13.4,52.5", BOUNDS),
        ("13.3;52.45;13.4;52.5", BOUNDS),
        ("−54.62, −25.44, −54.54, −25.37", (-54.62, -25.44, -54.54, -25.37)),
        ("-5.462e1 -25.44 -54.54 -25.37", (-54.62, -25.44, -54.54, -25.37)),
        ("179, -17, -179, -16", (179, -17, 181, -16)),  # over the 180° meridian, as RFC 7946 writes it
        ('{"type":"GeometryCollection","geometries":[' + GEOJSON + ',{"type":"Point","coordinates":[1,2]}]}', BOUNDS),
        (
            '{"type":"Polygon","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3857"}},'
            '"coordinates":[[[0,0],[111319.49079327,0],[111319.49079327,111325.1428663851],[0,0]]]}',
            (0, 0, 1, 1),
        ),
        (
            json.dumps({**FEATURES, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}}),
            None,
        ),
    ],
)
def test_texts(text, bounds):
    assert looks_like_aoi(text)
    found = read_aoi_text(text)
    if bounds is not None:
        assert found.aois[0].geometry.bounds == pytest.approx(bounds, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "aoi_unreadable_text"),
        ("hello", "aoi_unreadable_text"),
        ("{", "aoi_unreadable_text"),
        ("[" * 5000, "aoi_unreadable_text"),
        ("<html><body>no</body></html>", "aoi_unreadable_text"),
        ("1, 2, 3", "aoi_unreadable_text"),
        ("1, 2, 3, 4, 5", "aoi_unreadable_text"),
        ("13.3, 52.5, 13.4, 52.45", "aoi_bbox_order"),
        ("52.45, 113.3, 52.5, 113.4", "aoi_bbox_order"),
        ("POINT(1 2)", "aoi_no_polygon_in"),
        ("POLYGON((0 0, 1 nan, 1 1, 0 0))", "aoi_unreadable_text"),
        ('{"type":"Point","coordinates":[1,2]}', "aoi_no_polygon_in"),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,NaN],[1,1],[0,0]]]}', "aoi_broken"),
        ('{"type":"Polygon","coordinates":[[[0,0],["1",0],[1,1],[0,0]]]}', "aoi_broken"),
        ('{"type":"Circle","coordinates":[1,2],"radius":5}', "aoi_not_polygon"),
        ('{"type":"Topology"}', "aoi_not_polygon"),
        ('{"name":"x"}', "aoi_no_polygon_in"),
        ('{"type":"FeatureCollection","features":[]}', "aoi_no_polygon_in"),
        ('{"type":"Feature","geometry":null}', "aoi_no_polygon_in"),
        ('{"type":"FeatureCollection","features":[1,"x",null]}', "aoi_no_polygon_in"),
        (
            '{"type":"Polygon","crs":{"properties":{"name":"EPSG:987654"}},"coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}',
            "aoi_no_crs",
        ),
        ("/no/such/file.geojson", "aoi_unreadable_text"),
    ],
)
def test_texts_that_are_none(text, code):
    assert refused(read_aoi_text, text) == code


def test_names_and_paths_in_texts(tmp_path):
    found = read_aoi_text(json.dumps(FEATURES), "Pasted")
    assert [aoi.name for aoi in found.aois] == ["Field A", "Pasted 2"]
    path = written(tmp_path, "GPKG", "gpkg")
    assert len(read_aoi_text(str(path)).aois) == 2
    assert len(read_aoi_text(path.as_uri()).aois) == 2


def many_polygons(count: int) -> QgsVectorLayer:
    layer = QgsVectorLayer("Polygon?crs=EPSG:25833&field=name:string", "Parcels", "memory")
    features = []
    for number in range(count):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([f"Parcel {number}"])
        west, south = 390_000 + (number % 100) * 200, 5_800_000 + (number // 100) * 200
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, south, west + 150, south + 150)))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    return layer


def test_ten_thousand_polygons_are_a_list_in_three_seconds_and_the_gui_goes_on(qgis_app, qtbot):
    layer = many_polygons(10_000)
    works, beats, got = Works(), [], []
    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start()
    begin = time.monotonic()
    AoiReader(works).layer(layer, False, "name", got.append, pytest.fail)
    qtbot.waitUntil(lambda: bool(got), timeout=20_000)
    took = time.monotonic() - begin
    timer.stop()
    works.stop()
    (found,) = got
    assert len(found.aois) == 10_000
    assert found.aois[9_999].name == "Parcel 9999"
    longest = max(b - a for a, b in zip(beats, beats[1:]))
    print(f"10,000 polygons: {took:.2f} s, longest pause {1000 * longest:.0f} ms")
    crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # other work on the machine
    assert took < 3 * crowded
    assert longest < 0.5
    begin = time.monotonic()
    whole = found.as_one("Parcels")
    assert whole.area_km2 == pytest.approx(10_000 * 0.15 * 0.15, rel=5e-3)
    assert codes(whole) == ["aoi_several"]
    assert not aoi_to_map_geometry(whole, crs("EPSG:3857")).isEmpty()
    assert time.monotonic() - begin < 0.3 * crowded  # this is done on the GUI thread


def test_only_what_is_selected_and_with_its_edits():
    layer = many_polygons(10)
    assert refused(layer_reader(layer, True)) == "aoi_nothing_selected"
    layer.selectByIds([3])
    (aoi,) = layer_reader(layer, True, "name")().aois
    assert aoi.name == "Parcel 2"
    layer.startEditing()
    layer.deleteFeature(3)
    assert len(layer_reader(layer, False)().aois) == 9
    layer.rollBack()
    empty = QgsVectorLayer("Polygon?crs=EPSG:4326", "Empty", "memory")
    assert refused(layer_reader(empty, False)) == "aoi_no_polygon_in"
    nowhere = QgsVectorLayer("Polygon", "Nowhere", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt(FIELD))
    nowhere.dataProvider().addFeatures([feature])
    nowhere.setCrs(QgsCoordinateReferenceSystem())
    assert refused(layer_reader(nowhere, False)) == "aoi_no_crs"


def test_what_is_refused_leaves_no_layer_of_the_worker_thread_behind(qgis_app, qtbot, tmp_path):
    path = tmp_path / "nowhere.csv"
    path.write_text(f'WKT,name\n"{FIELD}",Field A\n"{FIELD}",Field B\n')
    works, problems = Works(), []
    AoiReader(works).file(str(path), pytest.fail, problems.append)
    qtbot.waitUntil(lambda: bool(problems))
    works.stop()
    assert problems[0].code == "aoi_no_crs"
    gc.collect()
    assert not [o for o in gc.get_objects() if isinstance(o, QgsVectorLayer) and o.name() == "nowhere"]
