"""Layers of jobs whose files are no longer on disk: which they are, and how they come back. GUI thread."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsMapLayer, QgsProject

from ..layers.provenance import JOB_ID


def jobs_with_lost_layers() -> list[str]:
    """The ids of the jobs with layers in the open project that QGIS could not open."""
    lost = [layer for layer in QgsProject.instance().mapLayers().values() if not layer.isValid()]
    ids = [str(layer.customProperty(JOB_ID) or "") for layer in lost]
    return list(dict.fromkeys(job_id for job_id in ids if job_id))


def mend_layers(job_id: str, folder: Path) -> int:
    """Open the job's layers in the project anew, now that their files are in `folder` again; gives how many are well.

    0 where the project has none: then there is nothing to mend.
    """
    layers = [layer for layer in QgsProject.instance().mapLayers().values() if _is_of(layer, job_id, folder)]
    for layer in layers:
        layer.setDataSource(layer.source(), layer.name(), layer.providerType())
        layer.triggerRepaint()
    return sum(layer.isValid() for layer in layers)


def _is_of(layer: QgsMapLayer, job_id: str, folder: Path) -> bool:
    return layer.customProperty(JOB_ID) == job_id and str(folder) in layer.source()
