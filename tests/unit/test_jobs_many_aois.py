"""Many AOIs kept in few objects: what is asked for is what was put in, and the garbage collector has little to do."""

from __future__ import annotations

import gc

import pytest
from shapely.geometry import MultiPolygon, Polygon, box

from up42_jobs.plugin.jobs.aoi import Aoi
from up42_jobs.plugin.jobs.area import area_km2
from up42_jobs.plugin.jobs.many_aois import ManyAois, each_polygon

WITH_HOLE = Polygon(box(1, 1, 2, 2).exterior, [box(1.2, 1.2, 1.4, 1.4).exterior.coords])
FARM = Aoi(MultiPolygon([box(3, 3, 3.1, 3.1), box(4, 4, 4.1, 4.1)]), "Farm")


@pytest.fixture
def many() -> ManyAois:
    return ManyAois([Aoi(box(0, 0, 0.5, 0.5), "Meadow"), Aoi(WITH_HOLE, "Lake"), FARM])


def test_they_come_back_as_they_were(many: ManyAois) -> None:
    assert [aoi.name for aoi in many] == ["Meadow", "Lake", "Farm"]
    assert [aoi.geometry.wkt for aoi in many][1:] == [WITH_HOLE.wkt, FARM.geometry.wkt]
    assert len(many) == 3
    assert many[-1].name == "Farm"
    assert [aoi.name for aoi in many[1:]] == ["Lake", "Farm"]
    assert many[1].area_km2 == pytest.approx(area_km2(WITH_HOLE))
    with pytest.raises(IndexError):
        many[3]


def test_all_of_them_as_one_geometry(many: ManyAois) -> None:
    whole = many.geometry
    assert whole.geom_type == "MultiPolygon"
    expected = [box(0, 0, 0.5, 0.5), WITH_HOLE, *FARM.geometry.geoms]
    assert [part.wkt for part in whole.geoms] == [part.wkt for part in expected]
    assert many.area_km2 == pytest.approx(area_km2(whole))
    assert ManyAois().geometry.is_empty


def test_each_polygon_has_a_name_of_its_own(many: ManyAois) -> None:
    assert [aoi.name for aoi in many.each_polygon()] == ["Meadow", "Lake", "Farm 1", "Farm 2"]
    assert [aoi.geometry.wkt for aoi in each_polygon(FARM)] == [part.wkt for part in FARM.geometry.geoms]
    assert [aoi.name for aoi in each_polygon(many[0])] == ["Meadow"]


def test_other_names_are_those_of_the_copy_only(many: ManyAois) -> None:
    renamed = many.renamed(str.upper)
    renamed.append(FARM)
    assert [aoi.name for aoi in renamed] == ["MEADOW", "LAKE", "FARM", "Farm"]
    assert [aoi.name for aoi in many] == ["Meadow", "Lake", "Farm"]
    assert ManyAois.of(many) is many


def test_a_thousand_are_few_objects_for_garbage_collection() -> None:
    gc.collect()
    before = len(gc.get_objects())
    many = ManyAois(Aoi(box(n, 0, n + 0.1, 0.1), f"Field {n}") for n in range(1000))
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    assert many[999].name == "Field 999"
