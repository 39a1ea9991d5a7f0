"""Put a job's layers on the map: one group per job at the top of the layer tree.

Layers are made on a thread of their own (`maker`) or wherever `make_next` is called, and put into the project and its
tree one at a time on the GUI thread. What takes longer was done before, by `prepare`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsMessageLog,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt import sip

from ..jobs.job import Scene
from .group_parts import GroupParts
from .job_info import LIVE_JOB, TEST_QUERY, JobInfo
from .look import Look
from .maker import hand_to_gui
from .names import footprints_name, group_name, layer_names
from .open_layer import open_layer
from .outlines import aoi_layer, footprints_layer, write_aoi, write_footprints
from .provenance import JOB_ID, JOB_TYPE, ROLE, TASK, describe, mark, set_time, time_ranges
from .scan import Found, Scan, Skipped
from .strangers import RASTER
from .style import apply_look, plain
from .words import tr

AOI, FOOTPRINTS, OUTPUT, QUICKLOOK = "aoi", "footprints", "output", "quicklook"
LOG = "UP42 Jobs"  # the tab of QGIS's Log Messages
MARGIN = 1.1  # of the extent to zoom to


@dataclass(frozen=True)
class Made:
    """A layer on its way into the project; `found` is None for AOI and footprints."""

    layer: QgsMapLayer
    path: Path
    found: Optional[Found] = None


class JobLayers:
    """The layers of one job on their way into a project, one at a time so that the GUI thread stays free.

    Attributes: `group`, at the top of the tree; `failed`, the files that QGIS could not open after all. Where the
    project has the job's group already, it is that one and nothing is left to add. Made on the GUI thread.
    """

    def __init__(self, project: QgsProject, info: JobInfo, scan: Scan, look: Look) -> None:
        self.failed: list[Skipped] = []
        self._project = project
        self._info = info
        self._scan = scan
        self._look = look
        self._scenes = {scene.id: scene for scene in scan.scenes}
        self._times = time_ranges(scan.scenes)
        self._to_make: deque[Callable[[], Optional[Made]]] = deque()
        self._hidden = False  # until all are there: else the map would begin anew with each layer
        known = find_group(project, info.job_id, info.task)
        self.group = known if known is not None else self._new_group()
        self._parts = GroupParts(self.group, info, scan)

    def make_next(self) -> Optional[Made]:
        """Make one layer, on whatever thread: the project and its tree are not touched. None: it can't be opened."""
        return self._to_make.popleft()() if self._to_make else None

    def put(self, made: Optional[Made]) -> bool:
        """Put what was made into the project; True while there are more to make. GUI thread, a few milliseconds.

        Stops where the group is gone: the user has removed it or opened another project.
        """
        if sip.isdeleted(self.group):
            self._to_make.clear()
            return False
        if made is not None:
            parent = self._parts.parent_of(made.found) if made.found else self.group
            self._project.addMapLayer(made.layer, False)
            node = parent.addLayer(made.layer)
            node.setExpanded(False)
            if made.found is not None and not self._parts.is_shown(made.found):
                node.setItemVisibilityChecked(False)
        if not self._to_make and self._hidden:
            self._show()
        return bool(self._to_make)

    def add_next(self) -> bool:
        """Make one layer and put it into the project, on the GUI thread; True while there are more."""
        return self.put(self.make_next()) if self._to_make else False

    def _new_group(self) -> QgsLayerTreeGroup:
        group = self._project.layerTreeRoot().insertGroup(0, group_name(self._info, self._scan))
        for key, value in (
            (JOB_ID, self._info.job_id),
            (TASK, self._info.task),
            (JOB_TYPE, self._info.job_type),
        ):
            group.setCustomProperty(key, value)
        if self._info.task:
            group.setExpanded(False)  # the final output comes first
        self._to_make.append(self._make_aoi)
        self._to_make.append(self._make_footprints)
        names = layer_names(self._scan, self._info)
        for found, name in sorted(zip(self._scan.found, names), key=self._order, reverse=True):
            self._to_make.append(partial(self._make_found, found, name))
        self._hidden = True
        group.setItemVisibilityChecked(False)
        return group

    def _show(self) -> None:
        """Show what was added, and write down what was not: a message has room for some of it only."""
        self._hidden = False
        self.group.setItemVisibilityChecked(True)
        for skipped in (*self._scan.skipped, *self.failed):
            QgsMessageLog.logMessage(f"{self._info.name}: {skipped.path.name}: {skipped.reason}", LOG, notifyUser=False)

    def _order(self, item: tuple[Found, str]) -> tuple[bool, bool, str, str]:
        """Vectors above rasters, quicklooks below all; then the newest on top."""
        scene = self._scenes.get(item[0].scene_id)
        time = scene.acquired_at.isoformat() if scene and scene.acquired_at else ""
        return item[0].role != QUICKLOOK, item[0].kind != RASTER, time, item[1]

    def _make_aoi(self) -> Optional[Made]:
        path = self._outline(lambda folder: write_aoi(folder, self._info.aoi_geometry, self._info.aoi_name))
        return self._made(aoi_layer(path, tr("AOI")), path, AOI) if path is not None else None

    def _make_footprints(self) -> Optional[Made]:
        path = self._outline(lambda folder: write_footprints(folder, self._scan.scenes))
        if path is None:
            return None
        return self._made(footprints_layer(path, footprints_name(self._scan)), path, FOOTPRINTS)

    def _outline(self, write: Callable[[Path], Optional[Path]]) -> Optional[Path]:
        """The file of an outline: `prepare` has written it, else it is written now (a few kilobytes)."""
        folder = self._scan.folder
        if folder is None:
            return None
        try:
            return write(folder)
        except OSError as e:
            reason = tr("it can't be written: {why}").format(why=e.strerror)
            self.failed.append(Skipped(Path(e.filename or folder), reason))
            return None

    def _make_found(self, found: Found, name: str) -> Optional[Made]:
        try:
            layer = open_layer(found, name)
            if isinstance(layer, QgsRasterLayer):
                apply_look(layer, self._look)
            elif layer.isValid():
                plain(layer)
            return self._made(layer, found.path, found.role, found)
        except Exception as e:  # whatever a stranger's file makes go wrong: the others are loaded all the same
            self.failed.append(Skipped(found.path, str(e) or type(e).__name__))
            return None

    def _made(self, layer: QgsMapLayer, path: Path, role: str, found: Optional[Found] = None) -> Optional[Made]:
        if not layer.isValid():
            self.failed.append(Skipped(path, tr("QGIS can't open it")))
            return None
        scene: Optional[Scene] = self._scenes.get(found.scene_id) if found else None
        mark(layer, self._info, scene.id if scene else "", role)
        describe(layer, self._info, scene)
        if scene is not None and scene.id in self._times:
            set_time(layer, self._times[scene.id])
        return Made(hand_to_gui(layer), path, found)


def add_job(project: QgsProject, info: JobInfo, scan: Scan, look: Look) -> QgsLayerTreeGroup:
    """Add all layers of a job in one go and return their group; for a few layers, scripts and tests.

    A group that the project already has for this job (and task) is returned as it is.
    """
    layers = JobLayers(project, info, scan, look)
    while layers.add_next():
        pass
    return layers.group


def find_group(project: QgsProject, job_id: str, task: str = "") -> Optional[QgsLayerTreeGroup]:
    """The group of a job's outputs in the project, wherever the user has moved it; None if there is none."""
    for group in project.layerTreeRoot().findGroups(True):
        if group.customProperty(JOB_ID) == job_id and (group.customProperty(TASK) or "") == task:
            return group
    return None


def extent_of(group: QgsLayerTreeGroup, canvas_crs: QgsCoordinateReferenceSystem) -> QgsRectangle:
    """Where to look, in `canvas_crs` with a margin; empty if the group has nothing to show. The caller moves the map.

    A Live Job is about its AOI, else its outputs; a Test Query about the scenes that it found, else its AOI.
    """
    by_role: dict[str, list[QgsMapLayer]] = {}
    for node in group.findLayers():
        layer = node.layer()
        if layer is not None:
            by_role.setdefault(str(layer.customProperty(ROLE, OUTPUT)), []).append(layer)
    is_query = group.customProperty(JOB_TYPE, LIVE_JOB) == TEST_QUERY
    for role in (FOOTPRINTS, QUICKLOOK, AOI) if is_query else (AOI, OUTPUT, FOOTPRINTS):
        extent = _extent(by_role.get(role, []), canvas_crs)
        if not extent.isEmpty():
            extent.scale(MARGIN)
            return extent
    return QgsRectangle()


def _extent(layers: list[QgsMapLayer], crs: QgsCoordinateReferenceSystem) -> QgsRectangle:
    whole = QgsRectangle()
    for layer in layers:
        transform = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance().transformContext())
        transform.setBallparkTransformsAreAppropriate(True)
        try:
            whole.combineExtentWith(transform.transformBoundingBox(layer.extent()))
        except QgsCsException:  # outside of what the map's CRS can show
            continue
    return whole
