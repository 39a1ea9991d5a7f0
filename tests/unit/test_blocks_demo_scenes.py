"""Demo scenes are found as shapely says they should be."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box, mapping, shape

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.dates import Span
from up42_jobs.plugin.engine.blocks.demo.scenes import FIRST_PASS, pass_day, scene_by_id, scenes_over
from up42_jobs.plugin.jobs.area import area_km2

BLOCK = block_by_name("demo-s2-l2a")
YEAR = "2023-01-01T00:00:00Z/2023-12-31T23:59:59Z"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
TRIANGLE = {
    "type": "Polygon",
    "coordinates": [[[13.36, 52.48], [13.46, 52.49], [13.38, 52.54], [13.36, 52.48]]],
}  # 20 km²


def ids_of(parameters):
    asked = {"time": YEAR, "limit": 500, "max_cloud_cover": 100, **parameters}
    return [feature["id"] for feature in BLOCK.search(asked, {})]


@pytest.fixture(scope="module")
def all_of_the_year():
    """Every scene of 2023 around the triangle: the grid's cells far beyond the reach of one footprint."""
    start, end = datetime(2023, 1, 1, tzinfo=timezone.utc), datetime(2024, 1, 1, tzinfo=timezone.utc)
    scenes = scenes_over(shape(TRIANGLE).buffer(0.7), Span(start, end), NOW)
    return [scene for scene in scenes if start <= scene.moment < end]


def test_the_three_filters_find_what_shapely_finds_and_differ(all_of_the_year):
    area, scenes = shape(TRIANGLE), all_of_the_year
    expected = {
        "intersects": {scene.id for scene in scenes if scene.footprint.intersects(area)},
        "bbox": {scene.id for scene in scenes if scene.footprint.intersects(area.envelope)},
        "contains": {scene.id for scene in scenes if scene.footprint.covers(area)},
    }
    found = {
        "intersects": set(ids_of({"intersects": TRIANGLE})),
        "bbox": set(ids_of({"bbox": list(area.bounds)})),
        "contains": set(ids_of({"contains": TRIANGLE})),
    }
    assert found == expected
    assert found["contains"] < found["intersects"] < found["bbox"]


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-179.9, 179.9),
    st.floats(-88, 88),
    st.floats(0.3, 4.0),
    st.sampled_from(["intersects", "bbox", "contains"]),
)
def test_anywhere_on_earth_there_is_a_pass_every_fifth_day(longitude, latitude, radius_km, geometric):
    wide = radius_km / 111.32 / max(0.03, math.cos(math.radians(latitude)))
    high = radius_km / 111.32
    area = box(max(-180, longitude - wide), latitude - high, min(180, longitude + wide), latitude + high)
    value = list(area.bounds) if geometric == "bbox" else mapping(area)
    features = BLOCK.search(
        {geometric: value, "time": "2023-03-01/2023-04-29", "limit": 500, "max_cloud_cover": 100}, {}
    )
    days = {feature["properties"]["datetime"][:10] for feature in features}
    if geometric != "contains":  # a pass may cut the AOI in two: then no scene of that day contains it
        assert len(days) == 12
    for feature in features:
        footprint = shape(feature["geometry"])
        assert footprint.is_valid and footprint.within(box(-180, -90, 180, 90))
        assert footprint.covers(area) if geometric == "contains" else footprint.intersects(area)
        assert 0 <= feature["properties"]["eo:cloud_cover"] <= 100
        assert "DEMO" in feature["id"]


def test_scenes_come_newest_first_up_to_the_limit():
    features = BLOCK.search({"intersects": TRIANGLE, "time": YEAR, "limit": 7, "max_cloud_cover": 100}, {})
    times = [feature["properties"]["datetime"] for feature in features]
    assert len(times) == 7
    assert times == sorted(times, reverse=True)
    assert [feature["id"] for feature in features] == ids_of({"intersects": TRIANGLE})[:7]


def test_of_one_pass_the_scene_with_most_of_the_aoi_comes_first():
    area = shape(TRIANGLE)
    shares = {}
    for feature in BLOCK.search({"intersects": TRIANGLE, "time": YEAR, "limit": 500, "max_cloud_cover": 100}, {}):
        shares.setdefault(feature["properties"]["datetime"], []).append(
            shape(feature["geometry"]).intersection(area).area
        )
    assert any(len(of_pass) > 1 for of_pass in shares.values())
    assert all(of_pass == sorted(of_pass, reverse=True) for of_pass in shares.values())


def test_the_limit_counts_for_each_range_of_a_time_series():
    series = ["2023-05-01/2023-05-31", "2022-05-01/2022-05-31", "2021-05-01/2021-05-31"]
    features = BLOCK.search(
        {"intersects": TRIANGLE, "time": None, "time_series": series, "limit": 2, "max_cloud_cover": 100}, {}
    )
    years = [feature["properties"]["datetime"][:4] for feature in features]
    assert years == ["2023", "2023", "2022", "2022", "2021", "2021"]


def test_cloud_cover_limits_and_spreads():
    every = BLOCK.search({"intersects": TRIANGLE, "time": YEAR, "limit": 500, "max_cloud_cover": 100}, {})
    clear = BLOCK.search({"intersects": TRIANGLE, "time": YEAR, "limit": 500, "max_cloud_cover": 10}, {})
    assert [f["id"] for f in clear] == [f["id"] for f in every if f["properties"]["eo:cloud_cover"] <= 10]
    covers = [f["properties"]["eo:cloud_cover"] for f in every]
    assert min(covers) < 2 and max(covers) > 80
    assert len(clear) > 20


def test_ids_pick_exactly_those_and_override_time_limit_and_cloud():
    chosen = [ids_of({"intersects": TRIANGLE})[n] for n in (30, 3, 17)]
    asked = {"intersects": TRIANGLE, "ids": chosen, "time": "2019-01-01/2019-02-01", "limit": 1, "max_cloud_cover": 0}
    assert [feature["id"] for feature in BLOCK.search(asked, {})] == chosen


@pytest.mark.parametrize(
    "scene_id",
    [
        "",
        "DEMO",
        "../../etc/passwd",
        "DEMO_S2_20230104_T6350524x",
        "DEMO_S2_20230105_T6350524",  # no pass on that day
        "DEMO_S2_20231399_T6350524",
        "DEMO_S2_20230104_T9990000",  # no such row
        "DEMO_S2_20230104_T6359999",  # no such column
        "DEMO_S2_99991231_T6350524",
        "DEMO_S2_20100101_T6350524",
    ],
)
def test_an_unknown_id_is_no_scene(scene_id):
    assert scene_by_id(scene_id, NOW) is None
    with pytest.raises(BlockFailure, match="new Test Query") as caught:
        wanted, found, lost = BLOCK.find({"ids": [scene_id], "intersects": TRIANGLE})
        assert (found, lost) == ([], [scene_id])
        raise wanted.nothing_found()
    assert caught.value.code == "NO_INPUT_ERROR"


def test_every_scene_is_found_by_its_id(all_of_the_year):
    for scene in all_of_the_year[:200]:
        assert scene_by_id(scene.id, NOW) == scene


def test_an_id_elsewhere_on_earth_is_not_delivered_for_this_aoi():
    elsewhere = BLOCK.search({"bbox": [100, 0, 100.1, 0.1], "time": YEAR, "max_cloud_cover": 100}, {})[0]["id"]
    assert BLOCK.search({"ids": [elsewhere], "intersects": TRIANGLE}, {}) == []
    assert [f["id"] for f in BLOCK.search({"ids": [elsewhere]}, {})] == [elsewhere]


def test_there_is_no_scene_from_the_future():
    now = datetime.now(timezone.utc)
    features = BLOCK.search({"intersects": TRIANGLE, "limit": 3, "max_cloud_cover": 100}, {})
    assert features[0]["properties"]["datetime"] <= f"{now:%Y-%m-%dT%H:%M:%SZ}"
    assert now - datetime.fromisoformat(features[0]["properties"]["datetime"][:19] + "+00:00") < timedelta(days=7)
    assert BLOCK.search({"intersects": TRIANGLE, "time": f"{now.year + 2}-01-01/{now.year + 3}-01-01"}, {}) == []


def test_the_archive_begins_in_2016():
    assert BLOCK.search({"intersects": TRIANGLE, "time": "2014-01-01/2015-12-30"}, {}) == []
    first = BLOCK.search({"intersects": TRIANGLE, "time": "2014-01-01/2016-01-02", "max_cloud_cover": 100}, {})
    assert first[0]["properties"]["datetime"].startswith(f"{FIRST_PASS:%Y-%m-%d}")


def test_the_acquisition_lies_on_the_day_in_the_id_at_half_past_ten_by_the_sun():
    for longitude in (-179.5, -100, 0.2, 77, 179.5):
        feature = BLOCK.search(
            {"bbox": [longitude, 10, longitude + 0.05, 10.05], "time": YEAR, "max_cloud_cover": 100}, {}
        )[0]
        moment = datetime.fromisoformat(feature["properties"]["datetime"][:19])
        assert feature["id"].split("_")[2] == f"{moment:%Y%m%d}"
        solar = (moment.hour + moment.minute / 60 + longitude / 15) % 24
        assert 9.4 < solar < 11.6


@pytest.mark.parametrize(
    ("longitude", "latitude", "epsg"),
    [
        (13.4, 52.5, 32633),
        (-54.6, -25.3, 32721),
        (-179.9, 5, 32601),
        (179.9, -5, 32760),
        (20, 86, 5041),
        (20, -84, 5042),
    ],
)
def test_scenes_are_in_the_right_utm_zone(longitude, latitude, epsg):
    feature = BLOCK.search(
        {"bbox": [longitude - 0.01, latitude, longitude + 0.01, latitude + 0.01], "time": YEAR, "max_cloud_cover": 100},
        {},
    )[0]
    assert feature["properties"]["proj:epsg"] == epsg


def test_rights_are_on_every_feature():
    for feature in BLOCK.search({"intersects": TRIANGLE, "time": YEAR, "limit": 20}, {}):
        assert feature["properties"]["rights"] == "Synthetic, not an observation"
        assert feature["properties"]["attribution"] == "Synthetic, not an observation"
        assert "Demo" in feature["properties"]["title"] and "Demo" in feature["properties"]["platform"]
        assert "up42.data_path" not in feature["properties"]
        assert feature["bbox"] == [pytest.approx(value, abs=1e-6) for value in shape(feature["geometry"]).bounds]


def test_the_amount_is_what_the_search_will_deliver():
    parameters = {"intersects": TRIANGLE, "time": YEAR, "limit": 4, "max_cloud_cover": 100}
    amount = BLOCK.amount(parameters, {}, None)
    area = shape(TRIANGLE)
    km2 = sum(area_km2(shape(feature["geometry"]).intersection(area)) for feature in BLOCK.search(parameters, {}))
    assert amount.units == pytest.approx((km2, km2))
    assert 0 < amount.seconds[0] <= amount.seconds[1]
    assert amount.pixels[0] >= km2 * 10_000 * 0.9


def test_an_aoi_that_no_scene_can_contain_is_answered_at_once():
    huge = mapping(Point(10, 50).buffer(3))
    assert BLOCK.search({"contains": huge, "time": None, "limit": 500}, {}) == []


def test_an_aoi_as_large_as_the_world_is_refused_at_once():
    with pytest.raises(BlockFailure, match="draw a smaller AOI"):
        BLOCK.amount({"bbox": [-180, -90, 180, 90], "limit": 5}, {}, None)


@pytest.mark.parametrize("corner", [(-180, 50), (179.9, -20), (-180, -90), (179.9, 89.9), (0, 89.9), (0, -90)])
def test_the_edges_of_the_world_have_scenes_or_none_but_no_crash(corner):
    west, south = corner
    found = BLOCK.search({"bbox": [west, south, west + 0.1, south + 0.1], "time": "2023-01-01/2023-12-31"}, {})
    assert bool(found) == (abs(south + 0.05) < 89)


def test_footprints_of_one_pass_leave_no_gap():
    day = Span(FIRST_PASS + timedelta(days=400), FIRST_PASS + timedelta(days=401))
    of_pass = list(scenes_over(box(5, 45, 7, 47), day, NOW))
    assert {scene.number for scene in of_pass} == {80} and pass_day(80) == day.start
    area = box(5.5, 45.5, 6.5, 46.5)
    for scene in of_pass:
        area = area.difference(scene.footprint)
    assert area.is_empty
