"""What was dragged onto the AOI box or copied to the clipboard: a layer, a file, or a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from qgis.core import QgsMimeDataUtils, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt.QtCore import QMimeData

from ..host.aoi_text import looks_like_aoi

GEOJSON = "application/geo+json"


@dataclass(frozen=True)
class Dropped:
    """One of the four is given."""

    layer: Optional[QgsVectorLayer] = None  # of the project
    source: Optional[tuple[str, str, str]] = None  # uri, provider and name of a layer that is not in the project
    file: str = ""
    text: str = ""


def dropped(mime: QMimeData) -> Optional[Dropped]:
    """What can be an AOI in `mime`; None where nothing can. Opens nothing: reading it will tell."""
    if QgsMimeDataUtils.isUriList(mime):
        for uri in QgsMimeDataUtils.decodeUriList(mime):
            found = _of_uri(uri)
            if found is not None:
                return found
    for url in mime.urls() if mime.hasUrls() else []:
        if url.isLocalFile():
            return Dropped(file=url.toLocalFile())
    text = bytes(mime.data(GEOJSON)).decode("utf-8", "replace") if mime.hasFormat(GEOJSON) else mime.text()
    return Dropped(text=text) if looks_like_aoi(text) else None


def _of_uri(uri: QgsMimeDataUtils.Uri) -> Optional[Dropped]:
    layer = QgsProject.instance().mapLayer(uri.layerId) if uri.layerId else None
    if isinstance(layer, QgsVectorLayer) and layer.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry:
        return Dropped(layer=layer)
    if layer is not None:
        return Dropped(file=layer.source().partition("|")[0]) if layer.providerType() == "gdal" else None
    if uri.layerType == "vector" and uri.providerKey:
        return Dropped(source=(uri.uri, uri.providerKey, uri.name))
    if uri.layerType == "raster" and uri.providerKey == "gdal":
        return Dropped(file=uri.uri)
    return None
