"""An AOI from what QGIS has: a geometry drawn on the map, or a polygon layer. And back onto the map."""

from __future__ import annotations

import json
from typing import Callable, Iterable, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
)
from shapely.geometry import mapping

from ..jobs.aoi import Aoi, AoiError, AoiLimits
from ..jobs.problem import Problem

AOI_CRS = "EPSG:4326"
MOST_VERTICES = 20_000  # converted at all; about 50 ms
ENOUGH_POLYGONS = 2  # a job takes one; that there are more is told as soon as a second is seen


def aoi_from_map_geometry(geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem, name: str) -> Aoi:
    """An AOI of a geometry in any CRS. Raises AoiError where it is no polygon or can't be put into EPSG:4326.

    One with far too many vertices is refused before it is converted, so that this is always quick.
    """
    count = geometry.constGet().nCoordinates() if not geometry.isNull() else 0
    if count > MOST_VERTICES:
        raise AoiError(Problem("aoi_vertices", {"count": count, "maximum": AoiLimits().max_vertices}, where="aoi"))
    copy = QgsGeometry(geometry)
    transform = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem(AOI_CRS), QgsProject.instance())
    try:
        copy.transform(transform)
    except QgsCsException as e:
        place = geometry.boundingBox().toString(1)
        raise AoiError(Problem("aoi_outside", {"place": place}, where="aoi")) from e
    copy.convertToStraightSegment()
    return Aoi.from_geojson(json.loads(copy.asJson(9) or "{}"), name)


def layer_reader(layer: QgsVectorLayer, selected_only: bool, name: Optional[str] = None) -> Callable[[], Aoi]:
    """What reads an AOI of the polygons of a layer, all or the selected ones, on a worker thread: it may be remote.

    Made on the GUI thread. What it gives, or raises (AoiError), is that of the layer's features as they are now, edits
    included. Nothing selected is no AOI, never the whole layer. Several polygons make an AOI that says so; a layer is
    not read further than the second polygon.
    """
    source, crs, name = QgsVectorLayerFeatureSource(layer), layer.crs(), name or layer.name()
    request = QgsFeatureRequest().setNoAttributes()
    if selected_only:
        request.setFilterFids(layer.selectedFeatureIds())

    def read() -> Aoi:
        aoi = _aoi_of(source.getFeatures(request), crs, name)
        if aoi is None:
            raise AoiError(Problem("aoi_missing" if selected_only else "aoi_empty", where="aoi"))
        return aoi

    return read


def aoi_from_source(source: QgsFeatureSource) -> Aoi:
    """An AOI of the polygons of a Processing source, named like it. Raises AoiError."""
    features = source.getFeatures(QgsFeatureRequest().setNoAttributes())
    aoi = _aoi_of(features, source.sourceCrs(), source.sourceName() or "AOI")
    if aoi is None:
        raise AoiError(Problem("aoi_empty", where="aoi"))
    return aoi


def _aoi_of(features: Iterable[QgsFeature], crs: QgsCoordinateReferenceSystem, name: str) -> Optional[Aoi]:
    found = []
    for feature in features:
        if feature.hasGeometry():
            found.append(aoi_from_map_geometry(feature.geometry(), crs, name).geometry)
        if len(found) == ENOUGH_POLYGONS:
            break
    if len(found) > 1:
        return Aoi.from_geojson(_several(found), name)
    return Aoi(found[0], name) if found else None


def _several(polygons: list) -> dict:
    """The polygons as one MultiPolygon, so that the AOI's rules can say how many there are."""
    parts = [part for polygon in polygons for part in getattr(polygon, "geoms", [polygon])]
    return {"type": "MultiPolygon", "coordinates": [mapping(part)["coordinates"] for part in parts]}


def aoi_to_map_geometry(aoi: Aoi, crs: QgsCoordinateReferenceSystem) -> QgsGeometry:
    """The AOI in the CRS of the map; an empty geometry where it can't be shown there."""
    geometry = QgsGeometry.fromWkt(aoi.geometry.wkt)
    transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem(AOI_CRS), crs, QgsProject.instance())
    try:
        geometry.transform(transform)
    except QgsCsException:
        return QgsGeometry()
    return geometry
