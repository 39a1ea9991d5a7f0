"""An output folder that somebody handed on: its layers into the open project, its request to be run again.

It is known by its `job.json` alone. No connection, ledger or account is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from qgis.core import QgsLayerTreeGroup
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject

from ..delivery.manifest import FILE_NAME, read_manifest
from ..jobs.aoi import Aoi, AoiError, GeometricFilter
from ..jobs.job import JobType
from ..jobs.request import JobRequest
from ..jobs.workflow import Project, Workflow
from ..layers.load import JobLayers
from .collect import Prepared, prepare
from .errors import explain
from .later_overviews import LaterOverviews
from .origin import CurrentProject
from .put_layers import PutLayers
from .words import tr
from .work import Works


@dataclass(frozen=True)
class HandedOver:
    """A folder that is on the map now: its group, what to tell of it, and the request of its job.json."""

    group: QgsLayerTreeGroup
    level: str
    text: str
    request: Mapping[str, Any]
    name: str


def job_folder(path: Path) -> Path:
    """The folder that is meant by a path to it, or to the job.json in it."""
    return path.parent if path.name == FILE_NAME else path


def request_from(
    manifest_request: Mapping[str, Any], name: str, project: Project, workflows: list[Workflow]
) -> JobRequest:
    """The request of a job.json as one of this project: by the workflow of that id, else of that name.

    Raises LookupError where there is no such workflow, ValueError for what is no request.
    """
    wanted = manifest_request.get("workflow") or {}
    workflow = next((w for w in workflows if w.id == wanted.get("id")), None)
    workflow = workflow or next((w for w in workflows if w.name == wanted.get("name")), None)
    if workflow is None:
        raise LookupError(str(wanted.get("name") or ""))
    given, aoi = manifest_request.get("aoi") or {}, None
    if given.get("geometry"):
        try:
            aoi = Aoi.from_geojson(given["geometry"], str(given.get("name") or "AOI"))
        except AoiError as e:
            raise ValueError(str(e)) from e
    used = manifest_request.get("filter")
    parameters = {
        str(task): dict(values)
        for task, values in (manifest_request.get("parameters") or {}).items()
        if isinstance(values, Mapping)
    }
    return JobRequest(
        project,
        workflow,
        JobType(manifest_request.get("job_type")),
        aoi,
        GeometricFilter(used) if used else GeometricFilter.INTERSECTS,
        parameters,
        name,
    )


class HandOver(QObject):
    """Loads such folders. The callbacks come on the GUI thread; `failed` gets a finished sentence."""

    def __init__(self, works: Works, overviews: LaterOverviews) -> None:
        super().__init__()
        self._works, self.overviews = works, overviews
        self._project = CurrentProject()

    def load(self, path: Path, done: Callable[[HandedOver], None], failed: Callable[[str], None]) -> None:
        """Put the layers of a folder, or of the folder of a job.json, into the project that is open now."""
        folder, origin = job_folder(path), self._project.origin

        def ready(prepared: Prepared, manifest: Mapping[str, Any]) -> None:
            if self._project.is_origin(origin):
                self._add(prepared, manifest, done)

        self._works.start(
            tr("Load {folder}").format(folder=folder.name),
            lambda cancel, _progress: (prepare(folder, cancel), read_manifest(folder)),
            succeeded=lambda both: ready(*both),
            failed=lambda error: failed(explain(error)),
        )

    def _add(self, prepared: Prepared, manifest: Mapping[str, Any], done: Callable[[HandedOver], None]) -> None:
        def added(layers: JobLayers) -> None:
            if not sip.isdeleted(layers.group):
                level, text = prepared.sentence(layers.failed)
                done(HandedOver(layers.group, level, text, manifest["request"], prepared.info.name))
                self.overviews.build([found.path for found in prepared.scan.found])

        PutLayers(prepared, added, self)

    def close(self) -> None:
        """Stop listening; for unload."""
        for coming in self.findChildren(PutLayers):
            coming.stop()
        self._project.close()


def without_workflow(name: Optional[str]) -> str:
    """What to tell where the request could not be put into the form."""
    if name:
        text = tr("Its request was not put into the form: this project has no workflow “{workflow}”.")
        return text.format(workflow=name)
    return tr("Its request was not put into the form: no connection is open.")
