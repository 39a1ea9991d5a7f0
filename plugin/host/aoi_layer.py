"""AOIs of a polygon layer: all of its features or the selected ones, named by a field or by the layer."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Optional, Sequence

from qgis.core import (
    NULL,
    QgsFeature,
    QgsFeatureRequest,
    QgsFillSymbol,
    QgsGeometry,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
)

from ..jobs.aoi import Aoi, AoiError
from ..jobs.problem import Problem
from .aoi_for_map import wkb_of
from .aoi_on_earth import AOI_CRS
from .aoi_source import FoundAois, find_aois


def layer_reader(
    layer: QgsVectorLayer, selected_only: bool, name_field: str = "", name: Optional[str] = None
) -> Callable[[], FoundAois]:
    """What reads the AOIs of a layer on a worker thread: it may be remote or large.

    Made on the GUI thread. What it gives is that of the layer's features as they are now, edits included: an AOI for
    each polygon feature, named by `name_field`, else `name` or the layer's name, with a number where there are several.
    Raises AoiError; nothing selected is no AOI, never the whole layer.
    """
    source, crs, layer_name = QgsVectorLayerFeatureSource(layer), layer.crs(), name or layer.name()
    context = QgsProject.instance().transformContext()
    fields = layer.fields()
    index = fields.lookupField(name_field) if name_field else -1
    request = QgsFeatureRequest()
    request.setSubsetOfAttributes([index] if index >= 0 else [])
    if selected_only:
        request.setFilterFids(layer.selectedFeatureIds())
    nothing = selected_only and layer.selectedFeatureCount() == 0

    numbered: set[str] = set()  # names that are no feature's own

    def named() -> Iterator[tuple[QgsGeometry, str]]:
        for number, feature in enumerate(source.getFeatures(request), start=1):
            own = _text(feature, index)
            if not own:
                own = f"{layer_name} {number}"
                numbered.add(own)
            yield feature.geometry(), own

    def read() -> FoundAois:
        if nothing:
            raise AoiError(Problem("aoi_nothing_selected", {"name": layer_name}, where="aoi"))
        features = named()
        try:
            found = find_aois(features, crs, layer_name, context)
        finally:
            features.close()  # its iterator must end on the thread that made it
        if not found.aois and not found.refused:
            raise AoiError(Problem("aoi_no_polygon_in", {"name": layer_name}, where="aoi"))
        if len(found.aois) == 1 and found.aois[0].name in numbered:
            return FoundAois((found.aois[0].named(layer_name),), found.left_out, found.refused, layer_name)
        return found

    return read


def _text(feature: QgsFeature, index: int) -> str:
    """The value of the field as a name; "" where there is none."""
    value: Any = feature[index] if index >= 0 else None
    return "" if value is None or value == NULL else str(value).strip()


def save_as_layer(aois: Sequence[Aoi], name: str) -> QgsVectorLayer:
    """A temporary layer of the AOIs, with their names and areas in km², in EPSG:4326, drawn as an outline."""
    layer = QgsVectorLayer(f"MultiPolygon?crs={AOI_CRS}&field=name:string(80)&field=area_km2:double", name, "memory")
    features = []
    for aoi in aois:
        feature = QgsFeature(layer.fields())
        feature.setAttributes([aoi.name, aoi.area_km2])
        geometry = QgsGeometry()
        geometry.fromWkb(wkb_of(aoi))
        geometry.convertToMultiType()
        feature.setGeometry(geometry)
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    symbol = QgsFillSymbol.createSimple({"style": "no", "outline_color": "0,105,100", "outline_width": "0.6"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer
