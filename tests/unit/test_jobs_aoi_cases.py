"""Table of AOIs as people have them: what each rule says, what mends it, and what is left after the repair."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from pyproj import Geod
from shapely.geometry import MultiPolygon, Polygon, box, mapping

from up42_jobs.plugin.jobs.aoi import Aoi, AoiError, AoiLimits, GeometricFilter
from up42_jobs.plugin.jobs.aoi_repairs import Repair, RepairKind, repairs
from up42_jobs.plugin.jobs.area import area_km2
from up42_jobs.plugin.jobs.parameters import defaults, from_text
from up42_jobs.plugin.jobs.request import JobRequest
from up42_jobs.plugin.jobs.workflow import Block, Parameter, Project, Workflow, WorkflowTask

LIMITS = AoiLimits(min_km2=0.1, max_km2=1_000_000)
FREE = AoiLimits(min_km2=0, max_km2=None)
INTERSECTS, BBOX = GeometricFilter.INTERSECTS, GeometricFilter.BBOX


def ring(*points):
    return [list(p) for p in (*points, points[0])]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [ring(*points) for points in rings]}


def multi(*polygons):
    return {"type": "MultiPolygon", "coordinates": [p["coordinates"] for p in polygons]}


def square(west, south, size=0.1):
    return polygon(((west, south), (west + size, south), (west + size, south + size), (west, south + size)))


def circle(count, radius=0.1, x=13.0, y=52.0):
    return polygon(
        [
            (x + radius * math.cos(2 * math.pi * i / count), y + radius * math.sin(2 * math.pi * i / count))
            for i in range(count)
        ]
    )


def star(count):
    """A jagged outline that no few vertices can follow."""
    return polygon(
        [
            (13 + r * math.cos(2 * math.pi * i / count), 52 + r * math.sin(2 * math.pi * i / count))
            for i in range(count)
            for r in [0.1 if i % 2 else 0.09]
        ]
    )


HOLE = ((13.02, 52.02), (13.04, 52.02), (13.04, 52.04), (13.02, 52.04))
OUTER = ((13.0, 52.0), (13.1, 52.0), (13.1, 52.1), (13.0, 52.1))
BOW_TIE = polygon(((13, 52), (13.1, 52.1), (13.1, 52), (13, 52.1)))
SPIKE = polygon(((13, 52), (13.1, 52), (13.1, 52.1), (13.1, 52.2), (13.1, 52.1), (13, 52.1)))
SLIVER = polygon(((13, 52), (13.1, 52), (13.1, 52.0000005)))
LINE = polygon(((13, 52), (13.1, 52), (13.2, 52)))
POINT = polygon(((13, 52), (13, 52), (13, 52)))

# name: (geometry, limits, filter, the first problem or None, kinds of repairs in their order)
CASES = {
    "square": (square(13, 52), LIMITS, INTERSECTS, None, ()),
    "square in the south": (square(-54, -25), LIMITS, INTERSECTS, None, ()),
    "over the equator": (square(-0.05, -0.05), LIMITS, INTERSECTS, None, ()),
    "clockwise": (polygon(((0, 0), (0, 1), (1, 1), (1, 0))), LIMITS, INTERSECTS, None, ()),
    "with z": (polygon(((0, 0, 9), (1, 0, 9), (1, 1, 9))), LIMITS, INTERSECTS, None, ()),
    "with z and m": (polygon(((0, 0, 9, 1), (1, 0, 9, 2), (1, 1, 9, 3))), LIMITS, INTERSECTS, None, ()),
    "repeated corners": (polygon(((0, 0), (0, 0), (1, 0), (1, 0), (1, 1))), LIMITS, INTERSECTS, None, ()),
    "corner on a straight edge": (polygon(((0, 0), (1, 0), (2, 0), (2, 2))), LIMITS, INTERSECTS, None, ()),
    "concave": (polygon(((0, 0), (2, 0), (2, 2), (1, 0.5))), LIMITS, INTERSECTS, None, ()),
    "whole numbers": (polygon(((0, 0), (1, 0), (1, 1))), LIMITS, BBOX, None, ()),
    "a feature": ({"type": "Feature", "properties": {}, "geometry": square(13, 52)}, LIMITS, INTERSECTS, None, ()),
    "a collection of one": (
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": square(13, 52)}]},
        LIMITS, INTERSECTS, None, (),
    ),
    "multi of one": (multi(square(13, 52)), LIMITS, INTERSECTS, None, ()),
    "touches 180": (square(179.9, 0), LIMITS, INTERSECTS, None, ()),
    "touches -180": (square(-180, 0), LIMITS, INTERSECTS, None, ()),
    "touches the north pole": (square(0, 89, 1), LIMITS, INTERSECTS, None, ()),
    "touches the south pole": (square(0, -90, 1), LIMITS, INTERSECTS, None, ()),
    "near the north pole": (square(10, 88, 1), LIMITS, INTERSECTS, None, ()),
    "another turn east": (square(190, 0), LIMITS, INTERSECTS, None, ()),
    "another turn west": (square(-200, 0), LIMITS, INTERSECTS, None, ()),
    "a thousand corners": (circle(1000), LIMITS, INTERSECTS, None, ()),
    "just large enough": (square(13, 52, 0.004), LIMITS, INTERSECTS, None, ()),
    "tiny where it may be": (square(13, 52, 0.0001), FREE, INTERSECTS, None, ()),
    "the whole world as rectangle": (mapping(box(-180, -90, 180, 90)), FREE, BBOX, None, ()),
    "small as polygon, large enough as rectangle": (
        polygon(((13, 52), (13.005, 52), (13, 52.003))), LIMITS, BBOX, None, (),
    ),
    "over 180": (square(179.95, 0), LIMITS, INTERSECTS, "aoi_date_line",
                 (RepairKind.EACH_POLYGON, RepairKind.WEST_SIDE, RepairKind.EAST_SIDE)),
    "over -180": (square(-180.05, 0), LIMITS, INTERSECTS, "aoi_date_line",
                  (RepairKind.EACH_POLYGON, RepairKind.WEST_SIDE, RepairKind.EAST_SIDE)),
    "over 180 as rectangle": (square(179.95, 0), LIMITS, BBOX, "aoi_date_line",
                              (RepairKind.EACH_POLYGON, RepairKind.WEST_SIDE, RepairKind.EAST_SIDE)),
    "sides of 180 in two parts": (
        multi(square(179.5, 0, 0.5), square(-180, 0, 0.5)), LIMITS, INTERSECTS, "aoi_several",
        (RepairKind.EACH_POLYGON, RepairKind.LARGEST),
    ),
    "an edge that jumps over 180": (
        polygon(((179, 0), (-179, 0), (-179, 1), (179, 1))), FREE, INTERSECTS, "aoi_half_world",
        (RepairKind.OVER_DATE_LINE, RepairKind.AROUND_WORLD),
    ),
    "the whole world as polygon": (mapping(box(-180, -90, 180, 90)), FREE, INTERSECTS, "aoi_half_world",
                                   (RepairKind.AROUND_WORLD,)),
    "beyond the north pole": (square(10, 89.5, 1), LIMITS, INTERSECTS, "aoi_outside", (RepairKind.CUT_AT_WORLDS_END,)),
    "beyond the south pole": (square(10, -90.5, 1), LIMITS, INTERSECTS, "aoi_outside", (RepairKind.CUT_AT_WORLDS_END,)),
    "metres for degrees": (square(390_000, 5_820_000, 1000), LIMITS, INTERSECTS, "aoi_outside", ()),
    "two far apart": (
        multi(square(13, 52), square(14, 52)), LIMITS, INTERSECTS, "aoi_several",
        (RepairKind.EACH_POLYGON, RepairKind.HULL, RepairKind.BOX, RepairKind.LARGEST),
    ),
    "two that overlap": (
        multi(square(13, 52), square(13.05, 52)), LIMITS, INTERSECTS, "aoi_several",
        (RepairKind.MERGE, RepairKind.EACH_POLYGON, RepairKind.HULL, RepairKind.BOX, RepairKind.LARGEST),
    ),
    "two that share an edge": (
        multi(square(13, 52), square(13.1, 52)), LIMITS, INTERSECTS, "aoi_several",
        (RepairKind.MERGE, RepairKind.EACH_POLYGON, RepairKind.HULL, RepairKind.BOX, RepairKind.LARGEST),
    ),
    "two that share a corner": (
        multi(square(13, 52), square(13.1, 52.1)), LIMITS, INTERSECTS, "aoi_several",
        (RepairKind.EACH_POLYGON, RepairKind.HULL, RepairKind.BOX, RepairKind.LARGEST),
    ),
    "a good and a crossing one": (
        multi(square(14, 52), BOW_TIE), LIMITS, INTERSECTS, "aoi_several",
        (RepairKind.EACH_POLYGON, RepairKind.HULL, RepairKind.BOX, RepairKind.LARGEST),
    ),
    "bow tie": (BOW_TIE, LIMITS, INTERSECTS, "aoi_invalid", (RepairKind.MAKE_VALID, RepairKind.HULL)),
    "spike": (SPIKE, LIMITS, INTERSECTS, "aoi_invalid", (RepairKind.MAKE_VALID, RepairKind.HULL)),
    "hole outside": (
        polygon(OUTER, ((14, 52), (14.1, 52), (14.1, 52.1))), LIMITS, INTERSECTS, "aoi_invalid",
        (RepairKind.MAKE_VALID, RepairKind.HULL),
    ),
    "holes that overlap": (
        polygon(OUTER, HOLE, tuple((x + 0.01, y) for x, y in HOLE)), LIMITS, INTERSECTS, "aoi_invalid",
        (RepairKind.MAKE_VALID, RepairKind.HULL),
    ),
    "hole": (polygon(OUTER, HOLE), LIMITS, INTERSECTS, "aoi_hole", (RepairKind.FILL_HOLES,)),
    "two holes": (
        polygon(OUTER, HOLE, tuple((x + 0.04, y) for x, y in HOLE)), LIMITS, INTERSECTS, "aoi_hole",
        (RepairKind.FILL_HOLES,),
    ),
    "hole, rectangle sent": (polygon(OUTER, HOLE), LIMITS, BBOX, "aoi_hole", (RepairKind.FILL_HOLES,)),
    "one vertex too many": (circle(1001), LIMITS, INTERSECTS, "aoi_vertices", (RepairKind.SIMPLIFY, RepairKind.HULL)),
    "fifty thousand vertices": (
        circle(50_000), LIMITS, INTERSECTS, "aoi_vertices", (RepairKind.SIMPLIFY, RepairKind.HULL),
    ),
    "jagged": (star(3000), LIMITS, INTERSECTS, "aoi_vertices", (RepairKind.SIMPLIFY, RepairKind.HULL)),
    "a limit of one's own": (
        circle(200), AoiLimits(0.1, None, 100), INTERSECTS, "aoi_vertices", (RepairKind.SIMPLIFY, RepairKind.HULL),
    ),
    "many vertices that cross": (
        {"type": "Polygon", "coordinates": [circle(1200)["coordinates"][0][:-1][::7] + circle(1200)["coordinates"][0]]},
        LIMITS, INTERSECTS, "aoi_vertices", (RepairKind.MAKE_VALID, RepairKind.HULL),
    ),
    "too small": (square(13, 52, 0.001), LIMITS, INTERSECTS, "aoi_small", (RepairKind.GROW,)),
    "too small, rectangle sent": (
        polygon(((13, 52), (13.002, 52), (13, 52.002))), LIMITS, BBOX, "aoi_small", (RepairKind.GROW,),
    ),
    "too small at 80 north": (square(13, 80, 0.001), LIMITS, INTERSECTS, "aoi_small", (RepairKind.GROW,)),
    "sliver": (SLIVER, LIMITS, INTERSECTS, "aoi_small", (RepairKind.GROW,)),
    "sliver where it may be": (SLIVER, FREE, INTERSECTS, None, ()),
    "line": (LINE, LIMITS, INTERSECTS, "aoi_flat", (RepairKind.GROW,)),
    "point": (POINT, LIMITS, INTERSECTS, "aoi_flat", (RepairKind.GROW,)),
    "rounds to a line": (
        polygon(((13, 52), (13.00000001, 52), (13, 52.1))), LIMITS, INTERSECTS, "aoi_flat", (RepairKind.GROW,),
    ),
    "line where it may be small": (LINE, FREE, INTERSECTS, "aoi_flat", ()),
    "too large": (square(0, 40, 20), LIMITS, INTERSECTS, "aoi_large", ()),
    "too large as rectangle only": (
        polygon(((0, 50), (10, 50), (0, 60))), AoiLimits(0.1, 500_000), BBOX, "aoi_large", (),
    ),
}  # fmt: skip

REFUSED = {
    "point geometry": ({"type": "Point", "coordinates": [1, 2]}, "aoi_not_polygon"),
    "line geometry": ({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "aoi_not_polygon"),
    "empty polygon": ({"type": "Polygon", "coordinates": []}, "aoi_empty"),
    "empty collection": ({"type": "FeatureCollection", "features": []}, "aoi_empty"),
    "feature without geometry": ({"type": "Feature", "geometry": None}, "aoi_not_polygon"),
    "not a number": (polygon(((0, 0), (1, math.nan), (1, 1))), "aoi_broken"),
    "endless": (polygon(((0, 0), (1, math.inf), (1, 1))), "aoi_broken"),
    "texts for numbers": ({"type": "Polygon", "coordinates": [[["0", "0"], ["1", "0"], ["1", "1"]]]}, "aoi_broken"),
    "two corners": ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "aoi_broken"),
    "one coordinate": ({"type": "Polygon", "coordinates": [[[0], [1], [1], [0]]]}, "aoi_broken"),
    "a list too many": ({"type": "Polygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]}, "aoi_broken"),
}


def test_the_table_has_all_that_was_promised():
    assert len(CASES) + len(REFUSED) >= 60


def first_problem(aoi: Aoi, limits: AoiLimits, chosen: GeometricFilter):
    return next((p.code for p in aoi.problems(limits, chosen)), None)


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    geojson, limits, chosen, problem, kinds = CASES[name]
    aoi = Aoi.from_geojson(geojson, "Mine")
    assert first_problem(aoi, limits, chosen) == problem
    assert all(p.text for p in aoi.problems(limits, chosen))
    found = repairs(aoi, limits, chosen)
    assert tuple(repair.kind for repair in found) == kinds
    for repair in found:
        check(repair, aoi, limits, chosen)


# What a repair may leave to the next one: valid parts can be several, or have holes, or too many corners.
NEXT = {
    RepairKind.MAKE_VALID: {None, "aoi_several", "aoi_hole", "aoi_vertices"},
    RepairKind.OVER_DATE_LINE: {"aoi_date_line"},
}


def check(repair: Repair, aoi: Aoi, limits: AoiLimits, chosen: GeometricFilter) -> None:
    """Every repair mends its problem, says its change truly, and keeps the name and the AOI itself as it was."""
    for mended in repair.aois:
        left = first_problem(mended, limits, chosen)
        each = repair.kind is RepairKind.EACH_POLYGON
        assert each or left in NEXT.get(repair.kind, {None}), (repair.kind, left)
        assert mended.name.startswith("Mine")
    if repair.change_km2 is not None:
        before = aoi.sent_km2(chosen)
        assert repair.sent_km2(chosen) - before == pytest.approx(repair.change_km2, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    geojson, code = REFUSED[name]
    with pytest.raises(AoiError) as refused:
        Aoi.from_geojson(geojson)
    assert refused.value.problem.code == code


def mended(name: str, kind: RepairKind) -> Aoi:
    geojson, limits, chosen, _problem, _kinds = CASES[name]
    repair = next(r for r in repairs(Aoi.from_geojson(geojson, "Mine"), limits, chosen) if r.kind is kind)
    return repair.aois[0]


def test_simplified_as_little_as_can_be():
    aoi = mended("one vertex too many", RepairKind.SIMPLIFY)
    assert 900 <= len(aoi.geometry.exterior.coords) - 1 <= 1000
    whole = Aoi.from_geojson(CASES["one vertex too many"][0])
    assert aoi.area_km2 == pytest.approx(whole.area_km2, rel=1e-4)
    jagged = mended("jagged", RepairKind.SIMPLIFY)
    assert len(jagged.geometry.exterior.coords) - 1 <= 1000


@pytest.mark.parametrize("name", ["too small", "too small, rectangle sent", "too small at 80 north", "sliver"])
def test_grown_to_just_the_minimum_around_what_it_was(name):
    geojson, limits, chosen, *_rest = CASES[name]
    before, after = Aoi.from_geojson(geojson), mended(name, RepairKind.GROW)
    assert limits.min_km2 <= after.sent_km2(chosen) < limits.min_km2 * 1.01
    assert after.geometry.buffer(1e-6).contains(before.geometry)
    assert len(after.geometry.exterior.coords) < 12  # corners stay corners


def test_a_grown_sliver_stays_in_its_place():
    west, south, east, north = mended("sliver", RepairKind.GROW).geometry.bounds
    assert (west, east) == pytest.approx((13, 13.1), abs=0.001)
    assert (south, north) == pytest.approx((52, 52), abs=0.001)


def test_the_sides_of_the_date_line_are_the_whole():
    whole = Aoi.from_geojson(CASES["over 180"][0])
    west, east = mended("over 180", RepairKind.WEST_SIDE), mended("over 180", RepairKind.EAST_SIDE)
    assert west.geometry.bounds == (179.95, 0, 180, 0.1)
    assert east.geometry.bounds == (-180, 0, -179.95, 0.1)
    assert west.area_km2 + east.area_km2 == pytest.approx(whole.area_km2, rel=1e-9)


def test_an_edge_that_jumps_is_meant_the_short_way_or_the_long_way():
    short = mended("an edge that jumps over 180", RepairKind.OVER_DATE_LINE)
    assert short.geometry.bounds == (179, 0, 181, 1)
    long = mended("an edge that jumps over 180", RepairKind.AROUND_WORLD)
    assert long.area_km2 == pytest.approx(179 * short.area_km2, rel=1e-6)


def test_a_bow_tie_keeps_its_two_wings():
    assert mended("bow tie", RepairKind.MAKE_VALID).geometry.area == pytest.approx(0.005)


def test_names_of_parts_and_of_a_renamed_aoi():
    geojson, limits, chosen, *_rest = CASES["two far apart"]
    aoi = Aoi.from_geojson(geojson, "Fields")
    each = next(r for r in repairs(aoi, limits, chosen) if r.kind is RepairKind.EACH_POLYGON)
    assert [one.name for one in each.aois] == ["Fields 1", "Fields 2"]
    known = aoi.area_km2
    assert aoi.named("Meadows").__dict__["area_km2"] == known  # what took long is not computed again
    assert aoi.named("Meadows").name == "Meadows"


def densified(shape: Polygon, steps: int) -> Polygon:
    """Edges straight in longitude and latitude, cut so fine that geodesics between the cuts are the same."""

    def cut(corners):
        return [
            (x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps)
            for (x1, y1), (x2, y2) in zip(corners, corners[1:])
            for i in range(steps)
        ]

    return Polygon(cut(list(shape.exterior.coords)), [cut(list(hole.coords)) for hole in shape.interiors])


AREAS = {
    "field": box(13.30, 52.45, 13.36, 52.49),
    "country": box(-5, 42, 8, 51),
    "long and narrow": Polygon([(-70, -20), (-69.9, -20), (-30, 10), (-30.1, 10)]),
    "across the equator": Polygon([(100, -5), (106, 3), (101, 6)]),
    "far north": Polygon([(20, 78), (60, 79), (40, 84)]),
    "to the pole": box(0, 80, 40, 90),
    "to the south pole": Polygon([(0, -90), (30, -70), (60, -90)]),
    "over 180": box(170, -20, 190, -10),
    "with a hole": Polygon(box(0, 0, 4, 4).exterior, [box(1, 1, 2, 3).exterior]),
    "continent": Polygon([(-17, 15), (11, 37), (33, 31), (51, 12), (20, -35)]),
    "hemisphere": box(-90, -60, 89.9, 60),
    "tiny": box(13.3, 52.45, 13.3001, 52.4501),
    "ten metres": box(-54.6, -25.4, -54.5999, -25.3999),
}


@pytest.mark.parametrize("name", AREAS)
def test_area_agrees_with_proj_within_a_hundredth_of_a_percent(name):
    shape = AREAS[name]
    fine = densified(shape, 2000)
    geod = Geod(ellps="WGS84")
    expected = abs(geod.polygon_area_perimeter(*zip(*fine.exterior.coords))[0])
    expected -= sum(abs(geod.polygon_area_perimeter(*zip(*hole.coords))[0]) for hole in fine.interiors)
    assert area_km2(shape) == pytest.approx(expected / 1e6, rel=1e-4)


def test_area_of_several_is_their_sum():
    parts = [AREAS["field"], AREAS["country"]]
    assert area_km2(MultiPolygon(parts)) == pytest.approx(sum(map(area_km2, parts)))


def clipping_workflow(*geometry: str) -> Workflow:
    def block(name: str, is_data: bool, *parameters: Parameter) -> Block:
        return Block(name, name, name.title(), is_data, {p.name: p for p in parameters})

    filters = [Parameter(name, "geometry") for name in ("bbox", "intersects", "contains")]
    clip = Parameter("clip_to_aoi", "boolean", False, True)
    taken = [Parameter(name, "geometry", None, True) for name in geometry]
    data = WorkflowTask("scenes:1", block("scenes", True, *filters))
    pansharpen = WorkflowTask("pansharpen:1", block("pansharpen", False, clip, *taken), data.name)
    return Workflow("w", "W", "p", (data, pansharpen))


def test_clip_to_aoi_sends_the_aoi_of_the_form_and_never_another():
    workflow = clipping_workflow("bbox", "intersects", "contains")
    values = defaults(workflow)
    assert values["pansharpen:1"] == {"clip_to_aoi": False}  # the AOI is not typed: it could grow stale there
    first, second = Aoi.from_geojson(square(13, 52)), Aoi.from_geojson(square(14, 52))
    request = JobRequest(Project("p", "P"), workflow, aoi=first, parameters=values)
    assert request.inputs["pansharpen:1"] == {"clip_to_aoi": False}
    clipped = request.with_parameter("pansharpen:1", "clip_to_aoi", True)
    assert clipped.inputs["pansharpen:1"] == {"clip_to_aoi": True, "intersects": first.geojson}
    assert clipped.problems() == []
    assert clipped.fingerprint != request.fingerprint
    moved = replace(clipped, aoi=second, geometric_filter=BBOX)
    assert moved.inputs["pansharpen:1"]["bbox"] == moved.inputs["scenes:1"]["bbox"] == second.sent(BBOX)
    typed = clipped.with_parameter("pansharpen:1", "intersects", first.geojson)
    assert [p.code for p in typed.problems()] == ["geometry_in_parameters"]


def test_without_an_aoi_there_is_nothing_to_clip_to():
    """A workflow on storage data: the AOI of the form is not sent, so a clip that is typed would go without one."""
    clipping = clipping_workflow("bbox")
    stored = replace(clipping.tasks[0], name="stored:1", block=replace(clipping.tasks[0].block, parameters={}))
    workflow = replace(clipping, tasks=(stored, clipping.tasks[1]))
    text = '{\n  "stored:1": {},\n  "pansharpen:1": {"clip_to_aoi": true}\n}'
    values, (problem,) = from_text(text, workflow)
    assert (problem.code, problem.line, problem.column) == ("clip_without_aoi", 3, 35)
    request = JobRequest(Project("p", "P"), workflow, parameters=values)
    assert [p.code for p in request.problems()] == ["clip_without_aoi"]
    assert request.with_parameter("pansharpen:1", "clip_to_aoi", False).problems() == []


def test_a_block_that_takes_only_some_shapes_gets_one_of_those():
    workflow = clipping_workflow("bbox")
    aoi = Aoi.from_geojson(square(13, 52))
    values = {"scenes:1": {}, "pansharpen:1": {"clip_to_aoi": True}}
    request = JobRequest(Project("p", "P"), workflow, aoi=aoi, parameters=values)
    assert request.inputs["pansharpen:1"]["bbox"] == aoi.sent(BBOX)
