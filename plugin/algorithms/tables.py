"""Tables and scenes as Processing writes them: a few helpers around feature sinks."""

from __future__ import annotations

import json
from typing import Any, Iterable, Optional, Sequence

from osgeo import ogr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingParameterFeatureSink,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant

from .base import JobAlgorithm, Run

Columns = Sequence[tuple[str, type]]
_TYPES = {str: QVariant.String, float: QVariant.Double, int: QVariant.Int}


def table_output(name: str, title: str, *, optional: bool = True) -> QgsProcessingParameterFeatureSink:
    """A table without geometry as an output."""
    return QgsProcessingParameterFeatureSink(name, title, QgsProcessing.SourceType.TypeVector, optional=optional)


def scenes_output(name: str, title: str, *, optional: bool) -> QgsProcessingParameterFeatureSink:
    """A polygon layer as an output."""
    return QgsProcessingParameterFeatureSink(
        name, title, QgsProcessing.SourceType.TypeVectorPolygon, optional=optional
    )


def write_table(
    algorithm: JobAlgorithm, run: Run, name: str, columns: Columns, rows: Iterable[Sequence[Any]]
) -> dict[str, str]:
    """Write the rows into the output `name`; gives {name: where}, {} where it was not asked for."""
    return _write(algorithm, run, name, columns, ((row, None) for row in rows), spatial=False)


def write_polygons(
    algorithm: JobAlgorithm,
    run: Run,
    name: str,
    columns: Columns,
    rows: Iterable[tuple[Sequence[Any], Optional[dict[str, Any]]]],
) -> dict[str, str]:
    """The same for rows with a GeoJSON geometry in EPSG:4326."""
    return _write(algorithm, run, name, columns, rows, spatial=True)


def _write(
    algorithm: JobAlgorithm, run: Run, name: str, columns: Columns, rows: Iterable[Any], *, spatial: bool
) -> dict[str, str]:
    fields = QgsFields()
    for column, kind in columns:
        fields.append(QgsField(column, _TYPES[kind]))
    shape = (
        (QgsWkbTypes.Type.MultiPolygon, QgsCoordinateReferenceSystem("EPSG:4326"))
        if spatial
        else (QgsWkbTypes.Type.NoGeometry,)
    )
    sink, where = algorithm.parameterAsSink(run.parameters, name, run.context, fields, *shape)
    if sink is None:
        return {}
    for row, geometry in rows:
        feature = QgsFeature(fields)
        feature.setAttributes(list(row))
        if geometry:
            feature.setGeometry(polygons(geometry))
        sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert)
    del sink  # writes what is left
    return {name: where}


def polygons(geojson: dict[str, Any]) -> QgsGeometry:
    """A GeoJSON geometry as a MultiPolygon; empty where it can't be read."""
    made = ogr.CreateGeometryFromJson(json.dumps(geojson))
    geometry = QgsGeometry.fromWkt(made.ExportToWkt()) if made is not None else QgsGeometry()
    geometry.convertToMultiType()
    return geometry
