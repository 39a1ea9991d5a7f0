"""The footprint of a raster less its nodata: measured on a coarse copy, a simple polygon in EPSG:4326."""

from __future__ import annotations

import math
from typing import Any, Sequence

import numpy as np
from osgeo import gdal, ogr
from shapely import wkb
from shapely.affinity import affine_transform, translate
from shapely.geometry import Polygon, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from ..features import rounded
from ..pixels.crs import Reprojection
from ..pixels.rasters import is_value, vectors_in_memory

_COARSE = 400  # pixels of the longer side of the coarse copy
_HULL_EXCESS = 1.06  # a shape that its convex hull exceeds by less is taken for convex
_BANDS_LOOKED_AT = 4
_FINENESS = 5000  # the outline is true to its size divided by this


class NoOutline(Exception):
    """The raster can't have a footprint; the text says why ("it …")."""


def outline(dataset: gdal.Dataset, bands: Sequence[int]) -> tuple[dict[str, Any], bool]:
    """The footprint as a GeoJSON geometry, and whether zeros are nodata although none is declared. Raises NoOutline."""
    columns, rows = dataset.RasterXSize, dataset.RasterYSize
    factor = max(1.0, max(columns, rows) / _COARSE)
    size = max(1, math.ceil(columns / factor)), max(1, math.ceil(rows / factor))
    valid, zeros = _valid(dataset, bands, size)
    if not valid.any():
        raise NoOutline("it has no valid pixel")
    scale = columns / size[0], rows / size[1]
    shape = _shape(valid)
    in_pixels = affine_transform(shape, (scale[0], 0, 0, scale[1], 0, 0))
    x, across_x, down_x, y, across_y, down_y = dataset.GetGeoTransform()
    on_ground = affine_transform(in_pixels, (across_x, down_x, across_y, down_y, x, y))
    footprint = _in_degrees(on_ground, dataset.GetSpatialRef().ExportToWkt())
    return rounded(mapping(footprint)), zeros


def _valid(dataset: gdal.Dataset, bands: Sequence[int], size: tuple[int, int]) -> tuple[np.ndarray, bool]:
    """Which pixels of the coarse copy hold an image, and whether zeros were taken as nodata."""
    first = dataset.GetRasterBand(bands[0])
    if first.GetMaskFlags() & (gdal.GMF_PER_DATASET | gdal.GMF_ALPHA):
        return first.GetMaskBand().ReadAsArray(buf_xsize=size[0], buf_ysize=size[1]) > 0, False
    nodata = first.GetNoDataValue()
    copies = [
        dataset.GetRasterBand(n).ReadAsArray(buf_xsize=size[0], buf_ysize=size[1]) for n in bands[:_BANDS_LOOKED_AT]
    ]
    if nodata is not None:
        return np.any([~is_value(copy, nodata) for copy in copies], axis=0), False
    valid = np.any([copy != 0 for copy in copies], axis=0)
    corners = valid[0, 0], valid[0, -1], valid[-1, 0], valid[-1, -1]
    if np.issubdtype(copies[0].dtype, np.unsignedinteger) and not all(corners) and valid.any():
        return valid, True
    return np.ones_like(valid), False


def _shape(valid: np.ndarray) -> BaseGeometry:
    """The outline of the valid pixels, in coarse pixels. Convex where they nearly are, as scenes are."""
    rows, columns = valid.shape
    frame = box(0, 0, columns, rows)
    if valid.all():
        return frame
    whole = unary_union([Polygon(part.exterior) for part in _polygons(valid)])
    hull = whole.convex_hull
    if hull.area > whole.area * _HULL_EXCESS:
        simple = whole.simplify(1.0)
        return simple if simple.is_valid and not simple.is_empty else whole.buffer(0)
    # A pixel counts as valid by its centre: draw the slanted edges in by half a pixel, those on the frame not.
    return hull.difference(frame.difference(hull).buffer(0.5, join_style=2)).simplify(0.5)


def _polygons(valid: np.ndarray) -> list[Polygon]:
    rows, columns = valid.shape
    canvas = gdal.GetDriverByName("MEM").Create("", columns, rows, 1, gdal.GDT_Byte)
    canvas.GetRasterBand(1).WriteArray(valid.astype(np.uint8))
    source = vectors_in_memory()
    layer = source.CreateLayer("valid", geom_type=ogr.wkbPolygon)
    canvas.SetGeoTransform((0, 1, 0, 0, 0, 1))
    gdal.Polygonize(canvas.GetRasterBand(1), canvas.GetRasterBand(1), layer, -1, ["8CONNECTED=8"])
    return [wkb.loads(bytes(feature.GetGeometryRef().ExportToWkb())).buffer(0) for feature in layer]


def _in_degrees(shape: BaseGeometry, crs: str) -> BaseGeometry:
    """The shape in EPSG:4326, with as few vertices as its bent edges need; in two parts across the antimeridian."""
    west, south, east, north = shape.bounds
    longest = max(east - west, north - south)
    moved = Reprojection(crs, "EPSG:4326").polygon(shape, longest / 16)
    if not all(math.isfinite(value) for value in moved.bounds):
        raise NoOutline("its coordinates can't be brought into degrees")
    if moved.bounds[2] - moved.bounds[0] > 180:
        moved = _across_antimeridian(moved)
    simple = moved.simplify(math.sqrt(moved.area) / _FINENESS)
    return simple if simple.is_valid else simple.buffer(0)


def _across_antimeridian(shape: BaseGeometry) -> BaseGeometry:
    """Degrees that jump from 180 to -180, as parts on either side."""

    def eastward(ring: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
        return [(x + 360 if x < 0 else x, y) for x, y in ring]

    parts = getattr(shape, "geoms", [shape])
    joined = unary_union([Polygon(eastward(part.exterior.coords)).buffer(0) for part in parts])
    west_side = joined.intersection(box(0, -90, 180, 90))
    east_side = translate(joined.intersection(box(180, -90, 540, 90)), -360)
    return unary_union([west_side, east_side])
