"""Layers into the project when a run has ended, by Processing's own way: named, styled, grouped where QGIS can."""

from __future__ import annotations

from typing import ClassVar, Optional

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
)

from ..host.collect import Prepared
from ..jobs.job import Scene
from ..layers.look import Look
from ..layers.names import group_name, layer_names
from ..layers.provenance import describe, mark
from ..layers.style import apply_look, plain


class Finish(QgsProcessingLayerPostProcessorInterface):
    """Styles and describes a layer as the dock does; on the GUI thread, when QGIS has opened it."""

    _waiting: ClassVar[set[Finish]] = set()  # Processing keeps no reference to them

    def __init__(self, prepared: Prepared, scene: Optional[Scene], role: str) -> None:
        super().__init__()
        self._prepared, self._scene, self._role = prepared, scene, role
        self._waiting.add(self)

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        self._waiting.discard(self)
        look: Look = self._prepared.look
        if isinstance(layer, QgsRasterLayer):
            apply_look(layer, look)
        else:
            plain(layer)
        mark(layer, self._prepared.info, self._scene.id if self._scene else "", self._role)
        describe(layer, self._prepared.info, self._scene)


def load_on_completion(context: QgsProcessingContext, prepared: Prepared) -> None:
    """Have the layers of a delivered job added to the context's project; nothing where there is none (qgis_process).

    QGIS before 3.32 knows no groups here: the layers' names tell the AOI and the date.
    """
    project = context.project()
    if project is None:
        return
    scenes = {scene.id: scene for scene in prepared.scan.scenes}
    for found, name in zip(prepared.scan.found, layer_names(prepared.scan, prepared.info)):
        details = QgsProcessingContext.LayerDetails(name, project, "")
        details.forceName = True
        if hasattr(details, "groupName"):
            details.groupName = group_name(prepared.info, prepared.scan)
        details.setPostProcessor(Finish(prepared, scenes.get(found.scene_id), found.role))
        context.addLayerToLoadOnCompletion(found.uri, details)
