"""The parts of a job's group: where a layer goes, and whether it is shown at first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Optional

from qgis.core import QgsLayerTreeGroup

from ..jobs.job import Scene
from ..jobs.naming import layer_name
from .job_info import JobInfo
from .provenance import PART, SCENE_ID
from .scan import Found, Scan
from .strangers import RASTER
from .words import tr

SCENES, SCENE, QUICKLOOKS = "scenes", "scene", "quicklooks"  # values of PART


class GroupParts:
    """Makes the subgroups of one job's group as they are needed.

    Images of several scenes go into *Scenes*, where one can be shown at a time; a scene that has more than one layer
    gets a group of its own there. Quicklooks have theirs. All else lies in the job's group itself.
    """

    def __init__(self, group: QgsLayerTreeGroup, info: JobInfo, scan: Scan) -> None:
        self._group, self._info = group, info
        self._scenes = {scene.id: scene for scene in scan.scenes}
        self._layers = Counter(found.scene_id for found in scan.found if _is_image_of_a_scene(found))
        firsts: dict[Path, str] = {}
        for found in scan.found:
            firsts.setdefault(found.path, found.uri)
        self._shown = set(firsts.values())

    def parent_of(self, found: Found) -> QgsLayerTreeGroup:
        """The group that the layer goes into."""
        if found.role == "quicklook":
            return self._part(self._group, QUICKLOOKS, tr("Quicklooks"))
        if not _is_image_of_a_scene(found) or len(self._layers) < 2:
            return self._group
        scenes = self._part(self._group, SCENES, tr("Scenes"))
        if self._layers[found.scene_id] < 2:
            return scenes
        return self._part(scenes, SCENE, self._scene_name(found.scene_id), found.scene_id)

    def is_shown(self, found: Found) -> bool:
        """False for all but one of the images in one file or product: the others lie hidden below it."""
        return found.kind != RASTER or found.uri in self._shown

    def _scene_name(self, scene_id: str) -> str:
        scene: Optional[Scene] = self._scenes.get(scene_id)
        return f"{layer_name(scene.acquired_at if scene else None, '', '')} {scene_id}".strip()

    def _part(self, parent: QgsLayerTreeGroup, part: str, name: str, scene_id: str = "") -> QgsLayerTreeGroup:
        for child in parent.children():
            same = child.customProperty(PART) == part and (child.customProperty(SCENE_ID) or "") == scene_id
            if isinstance(child, QgsLayerTreeGroup) and same:
                return child
        made = parent.addGroup(name)
        made.setCustomProperty(PART, part)
        made.setCustomProperty(SCENE_ID, scene_id)
        return made


def _is_image_of_a_scene(found: Found) -> bool:
    return found.kind == RASTER and bool(found.scene_id) and found.role != "quicklook"
