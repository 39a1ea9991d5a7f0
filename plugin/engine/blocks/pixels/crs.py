"""Coordinate reference systems: moving points and polygons from one to another."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np
from osgeo import osr
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import transform as move


def spatial_reference(definition: str) -> osr.SpatialReference:
    """A CRS from "EPSG:…" or WKT, with x before y."""
    reference = osr.SpatialReference()
    reference.SetFromUserInput(definition)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


class Reprojection:
    """Moves coordinates and polygons from one CRS to another. Edges are cut so finely that they keep their course."""

    def __init__(self, source: str, target: str):
        self._transform = osr.CoordinateTransformation(spatial_reference(source), spatial_reference(target))

    def points(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of any shape, moved."""
        moved = np.array(self._transform.TransformPoints(np.column_stack([x.ravel(), y.ravel()])))
        return moved[:, 0].reshape(x.shape), moved[:, 1].reshape(x.shape)

    def polygon(self, polygon: BaseGeometry, longest_edge: float) -> BaseGeometry:
        """A polygon, moved; no edge is longer than `longest_edge` (units of the source) before."""

        def each(xs: Sequence[float], ys: Sequence[float], _zs: Optional[Sequence[float]] = None) -> tuple:
            x, y = self.points(np.asarray(xs, dtype=float), np.asarray(ys, dtype=float))
            return tuple(x), tuple(y)

        return move(each, densified(polygon, longest_edge))


def densified(geometry: BaseGeometry, longest_edge: float) -> BaseGeometry:
    """The same polygon or multipolygon with more vertices: no edge longer than `longest_edge`."""

    def ring(coordinates: Sequence) -> list[tuple[float, float]]:
        result = []
        for start, end in zip(coordinates, coordinates[1:]):
            pieces = min(1000, max(1, int(np.ceil(LineString([start, end]).length / longest_edge))))
            for piece in range(pieces):
                t = piece / pieces
                result.append((start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t))
        return [*result, result[0]]

    if geometry.geom_type == "Polygon":
        holes = [ring(list(hole.coords)) for hole in geometry.interiors]
        return Polygon(ring(list(geometry.exterior.coords)), holes)
    return type(geometry)([densified(part, longest_edge) for part in geometry.geoms])
