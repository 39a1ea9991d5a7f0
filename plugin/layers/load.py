"""Put a job's layers on the map: one group per job at the top of the layer tree. For the GUI thread.

Everything that takes time was done before on a worker thread (`prepare`). A raster layer is made from XML, as QGIS
makes those of a project: its constructor would compute statistics on this thread and write them beside the image.
Layers themselves are not made on a worker thread: when that ends, so does the PROJ context of their CRS,
and QGIS 3.22 then gives coordinates back untransformed, without a word (measured).
"""

from __future__ import annotations

import uuid
from collections import deque
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
    QgsReadWriteContext,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt import sip
from qgis.PyQt.QtXml import QDomDocument

from ..jobs.job import Scene
from .group_parts import GroupParts
from .job_info import LIVE_JOB, TEST_QUERY, JobInfo
from .look import Look
from .names import footprints_name, group_name, layer_names
from .outlines import aoi_layer, footprints_layer, write_aoi, write_footprints
from .provenance import JOB_ID, JOB_TYPE, ROLE, TASK, describe, mark, set_time, time_ranges
from .scan import Found, Scan, Skipped
from .strangers import RASTER
from .style import apply_look, plain
from .words import tr

AOI, FOOTPRINTS, OUTPUT, QUICKLOOK = "aoi", "footprints", "output", "quicklook"
TABLE_CRS = "EPSG:4326"  # of positions in a CSV file, which can't say it; contract 5.2: results are WGS 84
LOG = "UP42 Jobs"  # the tab of QGIS's Log Messages
MARGIN = 1.1  # of the extent to zoom to


class JobLayers:
    """The layers of one job on their way into a project, one at a time so that the GUI thread stays free.

    Attributes: `group`, at the top of the tree; `failed`, the files that QGIS could not open after all. Where the
    project has the job's group already, it is that one and nothing is left to add.
    """

    def __init__(self, project: QgsProject, info: JobInfo, scan: Scan, look: Look) -> None:
        self.failed: list[Skipped] = []
        self._project = project
        self._info = info
        self._scan = scan
        self._look = look
        self._scenes = {scene.id: scene for scene in scan.scenes}
        self._shown = time_ranges(scan.scenes)
        self._steps: deque[Callable[[], None]] = deque()
        known = find_group(project, info.job_id, info.task)
        self.group = known if known is not None else self._new_group()
        self._parts = GroupParts(self.group, info, scan)

    def add_next(self) -> bool:
        """Add one layer, a few milliseconds; True while there are more to add.

        Stops where the group is gone: the user has removed it or opened another project.
        """
        if sip.isdeleted(self.group):
            self._steps.clear()
        if self._steps:
            self._steps.popleft()()
        return bool(self._steps)

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
        self._steps.append(self._add_aoi)
        self._steps.append(self._add_footprints)
        names = layer_names(self._scan, self._info)
        for found, name in sorted(zip(self._scan.found, names), key=self._order, reverse=True):
            self._steps.append(partial(self._add_found, found, name))
        group.setItemVisibilityChecked(False)  # else the map would begin anew with each layer
        self._steps.append(self._show)
        return group

    def _show(self) -> None:
        """Show what was added, and write down what was not: a message has room for some of it only."""
        self.group.setItemVisibilityChecked(True)
        for skipped in (*self._scan.skipped, *self.failed):
            QgsMessageLog.logMessage(f"{self._info.name}: {skipped.path.name}: {skipped.reason}", LOG, notifyUser=False)

    def _order(self, item: tuple[Found, str]) -> tuple[bool, bool, str, str]:
        """Vectors above rasters, quicklooks below all; then the newest on top."""
        scene = self._scenes.get(item[0].scene_id)
        time = scene.acquired_at.isoformat() if scene and scene.acquired_at else ""
        return item[0].role != QUICKLOOK, item[0].kind != RASTER, time, item[1]

    def _add_aoi(self) -> None:
        path = self._outline(lambda folder: write_aoi(folder, self._info.aoi_geometry, self._info.aoi_name))
        if path is not None:
            self._add(aoi_layer(path, tr("AOI")), path, None, AOI, self.group)

    def _add_footprints(self) -> None:
        path = self._outline(lambda folder: write_footprints(folder, self._scan.scenes))
        if path is not None:
            self._add(footprints_layer(path, footprints_name(self._scan)), path, None, FOOTPRINTS, self.group)

    def _outline(self, write: Callable[[Path], Optional[Path]]) -> Optional[Path]:
        """The file of an outline: `prepare` has written it, else it is written now (a few kilobytes)."""
        folder = self._scan.folder
        try:
            return write(folder) if folder is not None else None
        except OSError as e:
            reason = tr("it can't be written: {why}").format(why=e.strerror)
            self.failed.append(Skipped(Path(e.filename or folder), reason))
            return None

    def _add_found(self, found: Found, name: str) -> None:
        layer = open_layer(found, name)
        if isinstance(layer, QgsRasterLayer):
            apply_look(layer, self._look)
        elif layer.isValid():
            plain(layer)
        shown = self._parts.is_shown(found)
        scene = self._scenes.get(found.scene_id)
        self._add(layer, found.path, scene, found.role, self._parts.parent_of(found), shown)

    def _add(
        self,
        layer: QgsMapLayer,
        path: Path,
        scene: Optional[Scene],
        role: str,
        parent: QgsLayerTreeGroup,
        shown: bool = True,
    ) -> None:
        if not layer.isValid():
            self.failed.append(Skipped(path, tr("QGIS can't open it")))
            return
        mark(layer, self._info, scene.id if scene else "", role)
        describe(layer, self._info, scene)
        if scene is not None and scene.id in self._shown:
            set_time(layer, self._shown[scene.id])
        self._project.addMapLayer(layer, False)
        node = parent.addLayer(layer)
        node.setExpanded(False)
        if not shown:
            node.setItemVisibilityChecked(False)


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
