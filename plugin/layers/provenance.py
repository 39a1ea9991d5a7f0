"""Where a layer comes from: metadata, custom properties and the time it shows, so that all of it is handed on with it.

`QgsLayerMetadata.rights` is what layouts and the expression `map_credits()` print.
"""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta, timezone
from typing import Mapping, Optional, Sequence

from qgis.core import (
    QgsDateTimeRange,
    QgsLayerMetadata,
    QgsMapLayer,
    QgsRasterLayer,
    QgsRasterLayerTemporalProperties,
    QgsVectorLayer,
    QgsVectorLayerTemporalProperties,
)
from qgis.PyQt.QtCore import QDateTime, Qt

from ..jobs.job import Scene
from .job_info import TEST_QUERY, JobInfo, is_demo
from .words import tr

JOB_ID, TASK, SCENE_ID, ROLE = "up42_jobs/job_id", "up42_jobs/task", "up42_jobs/scene_id", "up42_jobs/role"
JOB_TYPE = "up42_jobs/job_type"
PART = "up42_jobs/part"  # of a subgroup: which part of the job's group it is
DEMO_RIGHTS = "Synthetic, not an observation"
RIGHTS_KEYS, ATTRIBUTION_KEYS, LICENCE_KEYS = ("rights",), ("attribution", "copyright"), ("license", "licence")
ONE_PASS = timedelta(minutes=10)  # scenes that a satellite takes one after the other are shown together
LAST_SHOWN = timedelta(days=1)  # how long the last scene is shown where there is no other gap to go by

TimeRange = tuple[datetime, datetime]


def time_ranges(scenes: Sequence[Scene]) -> dict[str, TimeRange]:
    """For each scene's id the time that it is shown: from its pass until just before the next pass (UTC).

    A range and not an instant: the temporal controller would blink. The last pass is shown as long as the one before.
    """
    timed = sorted(((s.acquired_at, s.id) for s in scenes if s.acquired_at is not None), key=lambda pair: pair[0])
    passes: list[tuple[datetime, list[str]]] = []
    last: Optional[datetime] = None
    for acquired, scene_id in timed:
        if last is None or acquired - last > ONE_PASS:
            passes.append((acquired, []))
        passes[-1][1].append(scene_id)
        last = acquired
    starts = [start for start, _ in passes]
    gap = starts[-1] - starts[-2] if len(starts) > 1 else LAST_SHOWN
    ends = [*starts[1:], starts[-1] + gap] if starts else []
    moment = timedelta(seconds=1)  # a saved project includes both ends of a range
    return {i: (start, end - moment) for (start, ids), end in zip(passes, ends) for i in ids}


def set_time(layer: QgsMapLayer, shown: TimeRange) -> None:
    """Let the layer take part in the temporal controller with a fixed range."""
    span = QgsDateTimeRange(_qt_time(shown[0]), _qt_time(shown[1]))
    properties = layer.temporalProperties()
    if isinstance(layer, QgsRasterLayer):
        properties.setMode(QgsRasterLayerTemporalProperties.ModeFixedTemporalRange)
    elif isinstance(layer, QgsVectorLayer):
        properties.setMode(QgsVectorLayerTemporalProperties.ModeFixedTemporalRange)
    else:
        return
    properties.setFixedTemporalRange(span)
    properties.setIsActive(True)


def mark(layer: QgsMapLayer, info: JobInfo, scene_id: str, role: str) -> None:
    """Write on the layer which job, task and scene it is of, and its part in the group."""
    for key, value in ((JOB_ID, info.job_id), (TASK, info.task), (SCENE_ID, scene_id), (ROLE, role)):
        layer.setCustomProperty(key, value)


def describe(layer: QgsMapLayer, info: JobInfo, scene: Optional[Scene]) -> None:
    """Fill the layer's metadata: title, abstract, rights, licence, and the history of its making."""
    metadata = QgsLayerMetadata()
    metadata.setIdentifier(f"{info.job_id}/{scene.id}" if scene else info.job_id)
    metadata.setType("dataset")
    metadata.setTitle(layer.name())
    metadata.setAbstract(_abstract(info, scene))
    metadata.setCrs(layer.crs())
    metadata.setRights(rights_of(info, scene))
    licence = _own(scene, LICENCE_KEYS) or info.licence
    metadata.setLicenses([licence] if licence else [])
    metadata.setHistory(_history(info, scene))
    layer.setMetadata(metadata)


def rights_of(info: JobInfo, scene: Optional[Scene]) -> list[str]:
    """What must be said where the imagery is shown; the scene's own words come before the job's."""
    said = [_own(scene, ATTRIBUTION_KEYS) or info.attribution, _own(scene, RIGHTS_KEYS) or info.rights]
    if scene is not None and is_demo(scene.id):
        said.append(DEMO_RIGHTS)
    return list(dict.fromkeys(text for text in said if text))


def acquired_text(scene: Optional[Scene]) -> str:
    """`2020-05-18 13:23 UTC`; the date alone where only that is known (midnight to the second); "" where nothing is."""
    if scene is None or scene.acquired_at is None:
        return ""
    acquired = scene.acquired_at.astimezone(timezone.utc)
    return acquired.strftime("%Y-%m-%d" if acquired.time() == time() else "%Y-%m-%d %H:%M UTC")


def _own(scene: Optional[Scene], keys: Sequence[str]) -> str:
    properties: Mapping[str, object] = scene.properties if scene else {}
    return next((str(properties[key]) for key in keys if properties.get(key)), "")


def _abstract(info: JobInfo, scene: Optional[Scene]) -> str:
    text = tr("{product} for the AOI {aoi}, made by the workflow {workflow}.").format(
        product=info.product, aoi=info.aoi_name, workflow=info.workflow_name
    )
    if scene is None:
        return text
    if acquired_text(scene):
        text += " " + tr("Acquired on {time}.").format(time=acquired_text(scene))
    if scene.cloud_cover is not None:
        text += " " + tr("Cloud cover of the whole scene: {percent} %.").format(percent=round(scene.cloud_cover))
    return text


def _history(info: JobInfo, scene: Optional[Scene]) -> list[str]:
    job_type = tr("Test Query") if info.job_type == TEST_QUERY else tr("Live Job")
    lines = [
        f"{job_type} {info.job_id}: {info.name}",
        tr("Workflow: {name}").format(name=info.workflow_name),
        tr("Parameters: {json}").format(json=json.dumps(info.parameters, ensure_ascii=False, sort_keys=True)),
    ]
    if info.task:
        lines.append(tr("Task: {name}").format(name=info.task))
    if info.credits is not None:
        lines.append(tr("Credits: {n}").format(n=info.credits))
    if scene is not None:
        lines.append(tr("Scene: {id}").format(id=scene.id))
    return lines


def _qt_time(moment: datetime) -> QDateTime:
    return QDateTime.fromString(moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), Qt.DateFormat.ISODate)
