"""The rasters that a workflow on stored data can take: listed by a free Test Query, with small pictures as wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Optional, Sequence

from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from qgis.PyQt.QtGui import QImage, QImageReader

from ..jobs.coverage import polygon_of
from ..jobs.job import Job, JobType, Scene
from ..jobs.request import JobRequest
from ..jobs.workflow import Workflow
from ..net.cancel import Cancel
from .connections import Connection, Connections
from .errors import HostError, explain
from .found_scenes import FORMATS, LARGEST_QUICKLOOK, THUMBNAIL
from .free_search import search
from .words import tr
from .work import Work, Works

ASSET_IDS, IDS = "asset_ids", "ids"
Failed = Callable[[str], None]


class NotListed(HostError):
    """The Test Query that lists the rasters has failed."""


@dataclass(frozen=True)
class StoredRaster:
    """One raster. `id`: what `asset_ids` takes; `outline`: WKT in EPSG:4326, "" where it has none."""

    id: str
    scene: Scene
    folder: str
    bands: tuple[str, ...]
    outline: str


@dataclass(frozen=True)
class Listing:
    """What there is, newest first, and the Test Query that has found it."""

    job: Job
    rasters: tuple[StoredRaster, ...]


def can_be_picked(workflow: Optional[Workflow]) -> bool:
    """True where the data block takes chosen rasters, and a Test Query can tell which there are."""
    data = workflow.data_task if workflow else None
    if workflow is None or data is None:
        return False
    return ASSET_IDS in data.block.parameters and workflow.has_test_query and not workflow.needs_aoi


class StoredRasters:
    """Answers on the GUI thread; `failed` gets a finished sentence."""

    def __init__(self, works: Works, connections: Connections) -> None:
        self._works, self._connections = works, connections

    def list(
        self, connection: Connection, request: JobRequest, done: Callable[[Listing], None], failed: Failed
    ) -> Work:
        """All that the request's workflow could take, whatever is chosen in it."""

        def do(cancel: Cancel, _progress: Any) -> Listing:
            found = search(self._connections.open(connection, cancel), all_of(request), cancel)
            if found is None:
                raise NotListed(tr("The rasters could not be listed: the log of “{job}” in Jobs says why.").format(
                    job=all_of(request).name
                ))  # fmt: skip
            job, scenes = found
            return Listing(job, tuple(sorted(map(raster_of, scenes), key=_newest_first)))

        return self._works.start(tr("List rasters"), do, succeeded=done, failed=lambda error: failed(explain(error)))

    def thumbnails(
        self, connection: Connection, job: Job, names: Sequence[str], done: Callable[[dict[str, QImage]], None]
    ) -> Work:
        """Small pictures of the rasters of these names, of those that have one. What can't be had is left out."""
        wanted = set(names)

        def do(cancel: Cancel, _progress: Any) -> dict[str, QImage]:
            platform = self._connections.open(connection, cancel)
            data, images = platform.tasks(job)[0], {}
            for file in platform.quicklooks(job, data):
                name = file.rpartition(".")[0]
                if name in wanted:
                    cancel.check()
                    image = image_of(platform.quicklook(job, data, file))
                    if image is not None:
                        images[name] = image
            return images

        return self._works.start(
            tr("Pictures of rasters"), do, shown=False, succeeded=done, failed=lambda _error: done({})
        )


def all_of(request: JobRequest) -> JobRequest:
    """The Test Query that lists everything."""
    data = request.workflow.data_task if request.workflow else None
    if data is None:
        return request
    given = {name: value for name, value in (request.parameters.get(data.name) or {}).items()}
    given.update({name: None for name in (ASSET_IDS, IDS) if name in data.block.parameters})
    listed = replace(request, parameters={**request.parameters, data.name: given}, aoi=None)
    return listed.of_type(JobType.TEST_QUERY).named(tr("List of rasters"))


def raster_of(scene: Scene) -> StoredRaster:
    """A scene of such a Test Query as a raster; where it tells no asset id, its own is taken."""
    properties, footprint = scene.properties, polygon_of(scene.footprint)
    bands = properties.get("bands")
    return StoredRaster(
        str(properties.get("asset_id") or scene.id),
        scene,
        str(properties.get("collection") or ""),
        tuple(str(band) for band in bands) if isinstance(bands, list) else (),
        footprint.wkt if footprint is not None else "",
    )


def _newest_first(raster: StoredRaster) -> tuple[float, str]:
    when = raster.scene.acquired_at
    return (-when.timestamp() if when else 0.0, raster.scene.id)


def image_of(data: bytes) -> Optional[QImage]:
    """A small copy of a JPEG or PNG; None for anything else."""
    kind = next((name for magic, name in FORMATS.items() if data.startswith(magic)), None)
    if kind is None:
        return None
    held = QByteArray(data)
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(kind))
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    if size.isEmpty() or max(size.width(), size.height()) > LARGEST_QUICKLOOK:
        return None
    reader.setScaledSize(size.scaled(QSize(*THUMBNAIL), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image
