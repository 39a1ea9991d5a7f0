"""AOIs of a file: of any vector format that QGIS reads; of a raster, the rectangle that it covers."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsFeatureRequest,
    QgsGeometry,
    QgsMapLayerType,
    QgsProviderRegistry,
    QgsProviderSublayerDetails,
    QgsRasterLayer,
    QgsVectorLayer,
)

from ..jobs.aoi import AoiError
from ..jobs.many_aois import ManyAois
from ..jobs.problem import Problem
from .aoi_source import FoundAois, find_aois

NAME_FIELDS = ("name", "title", "label")  # the first that a layer has names its AOIs, as in KML and GeoJSON
Context = Optional[QgsCoordinateTransformContext]


def read_aoi_file(path: str, context: Optional[QgsCoordinateTransformContext] = None) -> FoundAois:
    """Every polygon of every layer in the file, named by a field "name" or by the file. Raises AoiError.

    For a worker thread: nothing is added to the project, and the layers made here end here. `path` may be a
    database's or a zip's; what QGIS can't tell the kind of is refused. `context`: the project's transformations.
    """
    name = Path(path).stem or path
    sublayers = QgsProviderRegistry.instance().querySublayers(_inside_zip(path))
    if not sublayers:
        raise AoiError(_problem("aoi_unreadable_file", Path(path).name or path))
    aois, left_out, refused = ManyAois(), 0, []
    for sublayer in sublayers:
        if sublayer.type() == QgsMapLayerType.RasterLayer:
            found = _raster(sublayer, name, context)
        elif sublayer.type() == QgsMapLayerType.VectorLayer:
            found = _vector(sublayer, name, context)
        else:
            continue
        aois.extend(found.aois)
        left_out += found.left_out
        refused += found.refused
    if not aois and not refused:
        raise AoiError(_problem("aoi_no_polygon_in", Path(path).name))
    return FoundAois(aois, left_out, tuple(refused), name)


def layer_source_reader(
    uri: str, provider: str, name: str, context: Optional[QgsCoordinateTransformContext] = None
) -> FoundAois:
    """Every polygon of a layer that is not in the project, such as one dragged from the Browser. Raises AoiError."""
    layer = QgsVectorLayer(uri, name, provider)
    if not layer.isValid():
        raise AoiError(_problem("aoi_unreadable_file", name))
    found = _of_layer(layer, name, context)
    if not found.aois and not found.refused:
        raise AoiError(_problem("aoi_no_polygon_in", name))
    return found


def _inside_zip(path: str) -> str:
    return f"/vsizip/{path}" if path.lower().endswith(".zip") else path


def _vector(sublayer: QgsProviderSublayerDetails, name: str, context: Context) -> FoundAois:
    layer = QgsVectorLayer(sublayer.uri(), name, sublayer.providerKey())
    return _of_layer(layer, name, context) if layer.isValid() else FoundAois(())


def _of_layer(layer: QgsVectorLayer, name: str, context: Context) -> FoundAois:
    fields = layer.fields()
    index = next((i for i in map(fields.lookupField, NAME_FIELDS) if i >= 0), -1)
    request = QgsFeatureRequest().setSubsetOfAttributes([index] if index >= 0 else [])
    several = layer.featureCount() != 1

    def named() -> Iterator[tuple[QgsGeometry, str]]:
        for number, feature in enumerate(layer.getFeatures(request), start=1):
            own = str(feature[index] or "").strip() if index >= 0 else ""
            yield feature.geometry(), own or (f"{name} {number}" if several else name)

    features = named()
    try:
        return find_aois(features, layer.crs(), name, context)
    finally:
        features.close()  # its iterator must not outlive the layer


def _raster(sublayer: QgsProviderSublayerDetails, name: str, context: Context) -> FoundAois:
    layer = QgsRasterLayer(sublayer.uri(), name, sublayer.providerKey())
    if not layer.isValid():
        return FoundAois(())
    return find_aois([(QgsGeometry.fromRect(layer.extent()), name)], layer.crs(), name, context)


def _problem(code: str, name: str) -> Problem:
    return Problem(code, {"name": name}, where="aoi")
