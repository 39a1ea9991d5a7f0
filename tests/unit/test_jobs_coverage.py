"""How much of an AOI a footprint covers, against areas known by hand."""

from __future__ import annotations

import pytest
from shapely.geometry import Polygon, box, mapping

from up42_jobs.plugin.jobs.coverage import covered_percent, polygon_of

AOI = box(13.0, 52.0, 13.2, 52.1)


@pytest.mark.parametrize(
    ("footprint", "percent"),
    [
        (box(12, 51, 14, 53), 100.0),
        (box(13.0, 52.0, 13.1, 52.1), 50.0),
        (box(13.05, 51, 13.1, 53), 25.0),
        (box(20, 52, 21, 53), 0.0),
        (box(13.2, 52.0, 13.4, 52.1), 0.0),  # they touch
    ],
)
def test_the_share_of_the_aoi_that_is_covered(footprint: Polygon, percent: float) -> None:
    assert covered_percent(AOI, footprint) == pytest.approx(percent, abs=1e-6)


def test_a_footprint_of_two_parts_and_one_that_crosses_itself() -> None:
    parts = {
        "type": "MultiPolygon",
        "coordinates": [
            mapping(box(*b))["coordinates"] for b in ((13.0, 52.0, 13.05, 52.1), (13.1, 52.0, 13.15, 52.1))
        ],
    }
    assert covered_percent(AOI, polygon_of(parts)) == pytest.approx(50.0, abs=1e-6)
    bow = {"type": "Polygon", "coordinates": [[[13, 52], [13.2, 52.1], [13.2, 52], [13, 52.1], [13, 52]]]}
    assert 0 < covered_percent(AOI, polygon_of(bow)) <= 100


@pytest.mark.parametrize(
    "geojson",
    [
        None,
        {},
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": "x"},
        {"type": "Nonsense", "coordinates": []},
        {"type": 7},
        "text",
    ],
)
def test_what_is_no_polygon_covers_nobody_knows_how_much(geojson: object) -> None:
    assert polygon_of(geojson) is None
    assert covered_percent(AOI, polygon_of(geojson)) is None


def test_without_an_aoi_nothing_is_known() -> None:
    assert covered_percent(None, AOI) is None
