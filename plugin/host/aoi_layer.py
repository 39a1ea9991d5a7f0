"""AOIs of a polygon layer: all of its features or the selected ones, named by a field or by the layer."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Optional

from qgis.core import (
    NULL,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
)

from ..jobs.aoi import AoiError
from ..jobs.problem import Problem
from .aoi_source import FoundAois, find_aois

LONGEST_NAME = 80  # characters; a job's name has more parts


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

    def named() -> Iterator[tuple[QgsGeometry, str]]:
        for number, feature in enumerate(source.getFeatures(request), start=1):
            own = _text(feature, index)
            yield feature.geometry(), own or f"{layer_name} {number}"

    def read() -> FoundAois:
        if nothing:
            raise AoiError(Problem("aoi_nothing_selected", {"name": layer_name}, where="aoi"))
        found = find_aois(named(), crs, layer_name, context)
        if not found.aois and not found.refused:
            raise AoiError(Problem("aoi_no_polygon_in", {"name": layer_name}, where="aoi"))
        if len(found.aois) == 1 and index < 0:
            return FoundAois((found.aois[0].named(layer_name),), found.left_out, found.refused)
        return found

    return read


def _text(feature: QgsFeature, index: int) -> str:
    """The value of the field as a name; "" where there is none."""
    value: Any = feature[index] if index >= 0 else None
    return "" if value is None or value == NULL else str(value).strip()[:LONGEST_NAME]
