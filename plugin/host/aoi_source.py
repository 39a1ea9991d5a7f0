"""The AOIs of a source: one for each of its features that has polygons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Iterable, Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsGeometry,
    QgsWkbTypes,
)

from ..jobs.aoi import Aoi, AoiError
from ..jobs.many_aois import ManyAois
from ..jobs.problem import Problem
from .aoi_on_earth import MOST_VERTICES, aoi_from_map_geometry, aoi_problem

MOST_POLYGONS = 20_000  # of one source
LONGEST_NAME = 80  # characters; a job's name has more parts


@dataclass(frozen=True)
class FoundAois:
    """What a source has: an AOI for each polygon feature, and how many features are no polygons.

    `refused`: name and problem of the features that are polygons but can't be put on Earth. `name`: the source's.
    """

    aois: Sequence[Aoi]
    left_out: int = 0
    refused: tuple[tuple[str, Problem], ...] = ()
    name: str = ""

    def as_one(self, name: str) -> Aoi:
        """All of them as one AOI, which says so where it has several polygons. Raises AoiError where there is none."""
        if not self.aois:
            raise AoiError(self.refused[0][1] if self.refused else aoi_problem("aoi_no_polygon_in", name=name))
        return self.aois[0] if len(self.aois) == 1 else self.whole.named(name)

    @cached_property
    def whole(self) -> Aoi:
        """All polygons as one AOI without a name."""
        many = ManyAois.of(self.aois)
        return Aoi(many.geometry, "").of_area(many.area_km2)

    @cached_property
    def polygons(self) -> ManyAois:
        """Each polygon as an AOI of its own."""
        return ManyAois.of(self.aois).each_polygon()

    def with_what_takes_time(self) -> FoundAois:
        """The same, with all that is computed of its AOIs: for the end of the reader's work."""
        if len(self.aois) > 1:
            _ = self.whole, self.polygons
        return self


def aoi_from_source(source: QgsFeatureSource) -> Aoi:
    """An AOI of the polygons of a Processing source, named like it. Raises AoiError."""
    name = source.sourceName() or "AOI"
    features = source.getFeatures(QgsFeatureRequest().setNoAttributes())
    found = find_aois(((feature.geometry(), name) for feature in features), source.sourceCrs(), name)
    if not found.aois and not found.refused:
        raise AoiError(aoi_problem("aoi_empty"))
    if found.refused:
        raise AoiError(found.refused[0][1])
    return found.as_one(name)


def find_aois(
    named: Iterable[tuple[QgsGeometry, str]],
    crs: QgsCoordinateReferenceSystem,
    source_name: str,
    context: Optional[QgsCoordinateTransformContext] = None,
) -> FoundAois:
    """An AOI for each geometry that has polygons. Raises AoiError where there are more than MOST_POLYGONS."""
    aois = ManyAois()
    refused: list[tuple[str, Problem]] = []
    left_out = vertices = 0
    for geometry, name in named:
        if geometry.isNull() or geometry.isEmpty():
            continue
        others = _others(geometry)
        left_out += others
        if others and not _has_polygons(geometry):
            continue
        try:
            aois.append(aoi_from_map_geometry(geometry, crs, " ".join(name.split())[:LONGEST_NAME], context))
        except AoiError as e:
            if e.problem.code in ("aoi_no_shapely", "aoi_no_crs"):
                raise
            refused.append((name, e.problem))
            continue
        vertices += geometry.constGet().nCoordinates()
        if len(aois) > MOST_POLYGONS:
            raise AoiError(aoi_problem("aoi_too_many", name=source_name, maximum=MOST_POLYGONS))
        if vertices > 10 * MOST_VERTICES:
            raise AoiError(aoi_problem("aoi_huge", name=source_name, count=vertices, maximum=10 * MOST_VERTICES))
    return FoundAois(aois, left_out, tuple(refused), source_name)


def _parts(geometry: QgsGeometry) -> list[QgsGeometry]:
    mixed = geometry.type() == QgsWkbTypes.GeometryType.UnknownGeometry
    return geometry.asGeometryCollection() if mixed else [geometry]


def _has_polygons(geometry: QgsGeometry) -> bool:
    return any(part.type() == QgsWkbTypes.GeometryType.PolygonGeometry for part in _parts(geometry))


def _others(geometry: QgsGeometry) -> int:
    """How many of its parts are no polygons."""
    return sum(part.type() != QgsWkbTypes.GeometryType.PolygonGeometry for part in _parts(geometry))
