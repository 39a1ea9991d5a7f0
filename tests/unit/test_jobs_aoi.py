"""The AOI: its area, its rules, and what each geometric filter sends."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Polygon, box, shape

from up42_jobs.plugin.jobs.aoi import Aoi, AoiError, AoiLimits, GeometricFilter
from up42_jobs.plugin.jobs.area import area_km2

TRIANGLE = {"type": "Polygon", "coordinates": [[[13.3, 52.4], [13.5, 52.4], [13.45, 52.6], [13.3, 52.4]]]}


def polygon(*points):
    return {"type": "Polygon", "coordinates": [[list(p) for p in (*points, points[0])]]}


def codes(geojson, limits=None, geometric_filter=GeometricFilter.INTERSECTS):
    return [p.code for p in Aoi.from_geojson(geojson).problems(limits or AoiLimits(), geometric_filter)]


def test_the_whole_ellipsoid_has_its_published_area():
    assert area_km2(box(-180, -90, 180, 90)) == pytest.approx(510_065_621.7, rel=1e-6)  # NIMA TR8350.2, WGS 84


@pytest.mark.parametrize(
    "corners", [((0, 0), (1, 0), (1, 1)), ((13.3, 52.4), (13.5, 52.4), (13.45, 52.6)), ((20, 78), (25, 79), (21, 80))]
)
def test_area_agrees_with_proj_on_edges_cut_fine(corners):
    ring = [
        (x1 + (x2 - x1) * i / 500, y1 + (y2 - y1) * i / 500)
        for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1])
        for i in range(500)
    ]
    expected, _perimeter = Geod(ellps="WGS84").geometry_area_perimeter(Polygon(ring))
    assert area_km2(Polygon(corners)) == pytest.approx(abs(expected) / 1e6, rel=2e-6)


@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(0.01, 3), st.floats(0.01, 3))
def test_area_of_parts_adds_up(west, south, width, height):
    whole = area_km2(box(west, south, west + width, south + height))
    middle = south + height / 3
    parts = area_km2(box(west, south, west + width, middle)) + area_km2(box(west, middle, west + width, south + height))
    assert parts == pytest.approx(whole, rel=1e-5)


def test_a_hole_is_not_part_of_the_area():
    ring, hole = box(10, 50, 10.4, 50.4), box(10.1, 50.1, 10.2, 50.2)
    assert area_km2(Polygon(ring.exterior, [hole.exterior])) == pytest.approx(area_km2(ring) - area_km2(hole))


def test_bounding_box_sends_and_bills_more_than_the_polygon():
    aoi = Aoi.from_geojson(TRIANGLE)
    assert aoi.sent(GeometricFilter.BBOX) == [13.3, 52.4, 13.5, 52.6]
    assert aoi.sent(GeometricFilter.CONTAINS) == TRIANGLE
    assert aoi.sent_km2(GeometricFilter.INTERSECTS) == aoi.area_km2
    assert aoi.sent_km2(GeometricFilter.BBOX) == pytest.approx(area_km2(box(13.3, 52.4, 13.5, 52.6)))
    assert aoi.sent_km2(GeometricFilter.BBOX) > 1.9 * aoi.area_km2


def test_z_is_dropped_and_coordinates_are_rounded():
    aoi = Aoi.from_geojson(polygon((1.123456789, 2, 9), (2, 2, 9), (2, 3, 9)))
    assert aoi.geojson["coordinates"][0][0] == [1.1234568, 2.0]


@pytest.mark.parametrize(
    ("geojson", "expected"),
    [
        (polygon((0, 0), (1, 1), (1, 0), (0, 1)), ["aoi_invalid"]),
        (polygon((0, 0), (0.001, 0), (0.001, 0.001)), ["aoi_small"]),
        (polygon((0, 0), (100, 0), (100, 95)), ["aoi_outside"]),
        (
            {
                "type": "MultiPolygon",
                "coordinates": [TRIANGLE["coordinates"], polygon((0, 0), (1, 0), (1, 1))["coordinates"]],
            },
            ["aoi_several"],
        ),
        (
            {
                "type": "Polygon",
                "coordinates": [list(box(0, 0, 1, 1).exterior.coords), list(box(0.2, 0.2, 0.4, 0.4).exterior.coords)],
            },
            ["aoi_hole"],
        ),
        (TRIANGLE, []),
    ],
)
def test_rules_of_the_shape(geojson, expected):
    assert codes(geojson) == expected


def test_a_self_crossing_outline_names_the_place():
    (problem,) = Aoi.from_geojson(polygon((0, 0), (1, 1), (1, 0), (0, 1))).problems(AoiLimits(), GeometricFilter.BBOX)
    assert "0.50000° N, 0.50000° E" in problem.text


def test_the_projects_own_limits_hold_for_what_is_sent():
    limits = AoiLimits(min_km2=0.1, max_km2=200)
    assert codes(TRIANGLE, limits, GeometricFilter.INTERSECTS) == []
    assert codes(TRIANGLE, limits, GeometricFilter.BBOX) == ["aoi_large"]
    assert codes(polygon((0, 0), (0.001, 0), (0.001, 0.001)), AoiLimits(min_km2=0)) == []


def test_more_than_a_thousand_vertices_are_too_many():
    circle = [(math.cos(i / 1001 * 2 * math.pi), math.sin(i / 1001 * 2 * math.pi)) for i in range(1001)]
    assert codes(polygon(*circle)) == ["aoi_vertices"]
    assert codes(polygon(*circle[1:])) == []


@pytest.mark.parametrize(
    ("geojson", "code"),
    [
        ({"type": "Point", "coordinates": [1, 2]}, "aoi_not_polygon"),
        ({"type": "Polygon", "coordinates": []}, "aoi_empty"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]]]}, "aoi_broken"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, float("nan")], [1, 1], [0, 0]]]}, "aoi_broken"),
        ({"type": "MultiPolygon", "coordinates": "0"}, "aoi_broken"),
        ({"type": "Feature", "geometry": None}, "aoi_not_polygon"),
        ({"type": "FeatureCollection", "features": []}, "aoi_empty"),
        ({"type": "FeatureCollection", "features": [1, 2]}, "aoi_several"),
        ({}, "aoi_not_polygon"),
        ("not a geometry", "aoi_not_polygon"),
        (None, "aoi_not_polygon"),
    ],
)
def test_what_is_no_polygon_is_refused_in_words(geojson, code):
    with pytest.raises(AoiError) as refused:
        Aoi.from_geojson(geojson)
    assert refused.value.problem.code == code


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.fixed_dictionaries(
                {"type": st.sampled_from(["Polygon", "MultiPolygon", "Feature", "x"]), "coordinates": inner}
            )
        ),
        max_leaves=12,
    )
)
def test_nonsense_is_refused_or_judged_but_never_crashes(nonsense):
    try:
        aoi = Aoi.from_geojson(nonsense)
    except AoiError:
        return
    assert aoi.problems(AoiLimits(), GeometricFilter.INTERSECTS)


@given(st.lists(st.tuples(st.floats(-170, 170), st.floats(-80, 80)), min_size=3, max_size=8, unique=True))
def test_what_passes_the_rules_survives_a_round_trip(points):
    try:
        aoi = Aoi.from_geojson(polygon(*points))
    except AoiError:
        return
    if not aoi.problems(AoiLimits(), GeometricFilter.INTERSECTS):
        assert shape(aoi.sent(GeometricFilter.INTERSECTS)).equals(aoi.geometry)
        assert aoi.geometry.is_valid
