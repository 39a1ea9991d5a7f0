"""Opening one file as a layer, on whatever thread: nothing is computed, no style file beside the data is read.

A raster layer is made from XML, as QGIS makes those of a project: its constructor would compute statistics and write
them beside the image.
"""

from __future__ import annotations

import uuid

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsRasterLayer,
    QgsReadWriteContext,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

from .scan import Found
from .strangers import RASTER

TABLE_CRS = "EPSG:4326"  # of positions in a CSV file, which can't say it; contract 5.2: results are WGS 84


def open_layer(found: Found, name: str) -> QgsMapLayer:
    """A layer of `found` without a style of its own; no style file beside the data is read. It may be invalid."""
    if found.kind == RASTER:
        return _open_raster(found.uri, name)
    layer = QgsVectorLayer(found.uri, name, found.provider, QgsVectorLayer.LayerOptions(loadDefaultStyle=False))
    if layer.isSpatial() and not layer.crs().isValid():
        layer.setCrs(QgsCoordinateReferenceSystem(TABLE_CRS))
    return layer


def _open_raster(uri: str, name: str) -> QgsRasterLayer:
    document = QDomDocument()
    node = document.createElement("maplayer")
    document.appendChild(node)
    node.setAttribute("type", "raster")
    for tag, text in (
        ("id", f"up42_jobs_{uuid.uuid4().hex}"),
        ("datasource", uri),
        ("layername", name),
        ("provider", "gdal"),
    ):
        child = document.createElement(tag)
        child.appendChild(document.createTextNode(text))
        node.appendChild(child)
    layer = QgsRasterLayer()
    layer.readLayerXml(node, QgsReadWriteContext())
    if layer.isValid():
        layer.setCrs(layer.dataProvider().crs())
    return layer
