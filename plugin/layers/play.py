"""The scenes of a job one after the other: by QGIS's temporal controller, or one at a time in the layer tree."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsDateTimeRange,
    QgsInterval,
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsLayerTreeNode,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QDateTime

from .group_parts import SCENES
from .provenance import PART

FRAMES_PER_SECOND = 1.0  # long enough to look at each


def time_of(layer: Optional[Any]) -> Optional[QgsDateTimeRange]:
    """The fixed time that a raster layer is shown; None where it has none."""
    if not isinstance(layer, QgsRasterLayer) or not layer.temporalProperties().isActive():
        return None
    shown = layer.temporalProperties().fixedTemporalRange()
    return None if shown.isInfinite() or shown.isEmpty() else shown


def passes_of(group: QgsLayerTreeGroup) -> list[QgsDateTimeRange]:
    """When each pass of the satellite is shown, in the order of time; scenes of one pass share it."""
    found: dict[int, QgsDateTimeRange] = {}
    for node in group.findLayers():
        shown = time_of(node.layer())
        if shown is not None:
            found[shown.begin().toMSecsSinceEpoch()] = shown
    return [found[begin] for begin in sorted(found)]


def set_up_controller(controller: QgsTemporalNavigationObject, passes: list[QgsDateTimeRange]) -> None:
    """One frame for each pass, from its acquisition until the next; the first one is shown."""
    controller.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.Animated)
    controller.setAvailableTemporalRanges(passes)
    controller.setTemporalExtents(QgsDateTimeRange(passes[0].begin(), passes[-1].end()))
    controller.setFrameDuration(QgsInterval(1, QgsUnitTypes.TemporalUnit.TemporalIrregularStep))
    controller.setFramesPerSecond(FRAMES_PER_SECOND)
    controller.setLooping(False)
    controller.setCurrentFrameNumber(0)


class OneAtATime:
    """Shows one pass of a job's *Scenes* at a time; `end` shows again what was shown before."""

    def __init__(self, group: QgsLayerTreeGroup) -> None:
        scenes = scenes_group(group)
        nodes = list(scenes.children()) if scenes is not None else []
        dated = [(_begin(node), node) for node in nodes]
        begins = sorted({begin for begin, _node in dated if begin is not None})
        self.passes: list[list[QgsLayerTreeNode]] = [
            [node for begin, node in dated if begin == wanted] for wanted in begins
        ] or [[node] for node in reversed(nodes)]
        self.times: list[Optional[QDateTime]] = [QDateTime.fromMSecsSinceEpoch(begin).toUTC() for begin in begins] or [
            None
        ] * len(nodes)
        self._scenes, self._nodes = scenes, nodes
        self._before = [(node, node.itemVisibilityChecked()) for node in nodes]
        self._was_exclusive = scenes is not None and scenes.isMutuallyExclusive()
        self.current = -1

    def show(self, place: int) -> None:
        """Show that pass, counted from the oldest; beyond the last comes the first again."""
        self.current = place % len(self.passes)
        wanted = self.passes[self.current]
        if self._scenes is not None and len(self._nodes) == len(self.passes):  # one layer for each: as QGIS does it
            self._scenes.setIsMutuallyExclusive(True, self._nodes.index(wanted[0]))
            return
        for nodes in self.passes:
            for node in nodes:
                node.setItemVisibilityChecked(node in wanted)

    def end(self) -> None:
        """Show what was shown before."""
        if self._scenes is not None:
            self._scenes.setIsMutuallyExclusive(self._was_exclusive)
        for node, checked in self._before:
            node.setItemVisibilityChecked(checked)


def scenes_group(group: QgsLayerTreeGroup) -> Optional[QgsLayerTreeGroup]:
    """The subgroup with the scenes of a job, wherever it was moved within the group."""
    return next((child for child in group.findGroups(True) if child.customProperty(PART) == SCENES), None)


def _begin(node: QgsLayerTreeNode) -> Optional[int]:
    """Milliseconds since 1970 of the acquisition that a scene's layer, or group of layers, shows."""
    layers = [node] if isinstance(node, QgsLayerTreeLayer) else node.findLayers()
    times = [shown.begin().toMSecsSinceEpoch() for shown in (time_of(each.layer()) for each in layers) if shown]
    return min(times, default=None)
