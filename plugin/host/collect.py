"""The use case *collect*: a job's outputs to proven files on disk, made ready to be layers. Worker thread."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Sequence

from qgis.core import Qgis

from ..delivery.data_json import read_outputs
from ..delivery.deliver import deliver
from ..delivery.download import Progress as Bytes
from ..delivery.errors import DataUnreadable
from ..delivery.manifest import manifest_of, read_manifest
from ..jobs.aoi import GEOMETRY_PARAMETERS
from ..jobs.job import Job, JobState, JobType, Scene, Task
from ..jobs.naming import SEPARATOR
from ..layers.job_info import JobInfo
from ..layers.look import Look
from ..layers.overviews import overviews_hook
from ..layers.prepare import prepare as prepare_layers
from ..layers.scan import Scan, Skipped
from ..net.cancel import Cancel
from ..platforms.contract import Platform, PlatformError, Unreachable
from .connections import Connection, Connections
from .ledger import Entry, Ledger
from .settings import Settings
from .version import plugin_version
from .words import tr
from .zip_members import unpack_zips

QUICKLOOKS = "quicklooks"
SKIPPED_TOLD = 3  # by name; a message has to be short
DOWNLOAD_SHARE = 0.9  # of the progress; the rest is unpacking and looking
PRODUCTS = {  # block name -> what its layers show
    "cloud-mask": "Without Clouds",
    "composite": "Composite",
    "index": "Index",
    "kmeans-clustering": "Clusters",
    "ndvi": "NDVI",
    "pansharpen": "Pansharpened",
    "sharpening": "Sharpened",
    "tiling": "Tile",
    "vectorising": "Vectors",
    "zonal-statistics": "Zonal Statistics",
}
LICENCE_KEYS = ("license", "licence")
ATTRIBUTION_KEYS = ("attribution", "copyright", "rights")
_LOG_REASON = re.compile(r" - (?:ERROR|CRITICAL) - (?:\[\w+\] )?(.*)$")


@dataclass(frozen=True)
class Prepared:
    """A delivered folder, ready to be put on the map."""

    folder: Path
    info: JobInfo
    scan: Scan
    look: Look
    data_problem: str = ""

    def sentence(self, failed: Sequence[Skipped] = ()) -> tuple[str, str]:
        """Level and text of what to tell when the layers are there; `failed` could not be opened after all."""
        left_out = [*self.scan.skipped, *failed]
        count = len(self.scan.found) - len(failed)
        if self.data_problem:
            return "warning", self.data_problem
        if left_out:
            text = tr("“{job}”: outputs loaded: {count}; not loaded: {others}.")
            others = "; ".join(f"{skipped.path.name} ({skipped.reason})" for skipped in left_out[:SKIPPED_TOLD])
            if len(left_out) > SKIPPED_TOLD:
                others += "; " + tr("{n} more in Log Messages").format(n=len(left_out) - SKIPPED_TOLD)
            return "warning", text.format(job=self.info.name, count=count, others=others)
        if not count and not self.scan.scenes:
            text = tr("“{job}” found no scene: widen the dates or allow more clouds.")
            return "info", text.format(job=self.info.name)
        return "success", tr("“{job}” is on the map.").format(job=self.info.name)


def collect(
    connections: Connections,
    ledger: Ledger,
    connection: Connection,
    job: Job,
    parent: Path,
    cancel: Cancel,
    progress: Callable[[float], None],
    task: Optional[Task] = None,
    paced: Callable[[Optional[float]], None] = lambda _speed: None,
    overviews: bool = True,
) -> Prepared:
    """Download and unpack the final output into a new folder in `parent`, with quicklooks for a Test Query.

    With `task`, that task's own output. The ledger keeps the folder of the final output only. `paced` is told the
    download's speed in bytes per second (None: not known yet) before each `progress`. `overviews`: large images get
    theirs now, if the user wants any; else later, by `LaterOverviews`, and are on the map without waiting for them.

    Raises DeliveryError, NetError, PlatformError, Cancelled; then nothing is under the final name.
    """
    platform = connections.open(connection, cancel)
    scenes = platform.scenes(job, task)
    manifest = _manifest(platform, connection, ledger.entry(connection.id, job.id), job, scenes)
    name, key = job.name or job.id, job.id
    if task is not None:
        manifest["job"]["task"] = task.name
        name, key = f"{name}{SEPARATOR}{task.name}", f"{job.id}-{task.id}"

    def tell(received: Bytes) -> None:
        paced(received.speed)
        progress(DOWNLOAD_SHARE * received.received / received.total if received.total else 0.0)

    delivered = deliver(
        connections.session(cancel),
        lambda: platform.archive_url(job, task),
        parent,
        name,
        lambda _files: manifest,
        job_id=key,
        cancel=cancel,
        progress=tell,
        after_member=_member_hook(cancel, overviews),
        retry_on=(Unreachable,),
    )
    if job.job_type is JobType.TEST_QUERY:
        fetch_quicklooks(platform, job, delivered.folder / QUICKLOOKS, cancel)
    prepared = prepare(delivered.folder, cancel, overviews)
    if task is None:
        ledger.note_delivered(connection.id, job.id, delivered.folder)
    return prepared


def _member_hook(cancel: Cancel, overviews: bool) -> Callable[[Path], None]:
    """What is done with each file as it is unpacked."""
    return overviews_hook(cancel) if overviews and Settings().make_overviews else lambda _path: None


def _manifest(
    platform: Platform, connection: Connection, entry: Optional[Entry], job: Job, scenes: Sequence[Scene]
) -> dict[str, Any]:
    aoi = (entry.request.get("aoi") if entry else None) or {"name": "", "geometry": sent_geometry(job)}
    projects = platform.projects()
    return manifest_of(
        job,
        aoi=aoi["geometry"],
        aoi_name=aoi["name"],
        platform=connection.title,
        project=next((p.name for p in projects if p.id == job.project_id), ""),
        scenes=scenes,
        credits=platform.credits_used(job) if platform.capabilities.credits else None,
        licence=_texts(scenes, LICENCE_KEYS),
        attribution=_texts(scenes, ATTRIBUTION_KEYS),
        versions={"plugin": plugin_version(), "qgis": Qgis.QGIS_VERSION},
    )


def sent_geometry(job: Job) -> Optional[Mapping[str, Any]]:
    """The geometry in a job's inputs; for jobs that were not started from this profile."""
    for values in job.inputs.values():
        for name in GEOMETRY_PARAMETERS:
            given = values.get(name) if isinstance(values, Mapping) else None
            if isinstance(given, Mapping):
                return given
            if isinstance(given, list) and len(given) == 4:
                west, south, east, north = given
                ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
                return {"type": "Polygon", "coordinates": [ring]}
    return None


def _texts(scenes: Sequence[Scene], keys: Sequence[str]) -> list[str]:
    """Each text once that the scenes have under one of `keys`."""
    found = [str(scene.properties[key]) for scene in scenes for key in keys if scene.properties.get(key)]
    return list(dict.fromkeys(found))


def fetch_quicklooks(platform: Platform, job: Job, folder: Path, cancel: Cancel) -> None:
    """Save the data task's quicklooks; one that can't be had is left out, a scene is there without it too."""
    data_task = next((task for task in platform.tasks(job) if task.is_data), None)
    if data_task is None:
        return
    for name in platform.quicklooks(job, data_task):
        cancel.check()
        target = folder / Path(name).name
        if target.exists() or target.name != name:
            continue
        try:
            image = platform.quicklook(job, data_task, name)
        except PlatformError:
            continue
        folder.mkdir(exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(image)
        part.replace(target)


def prepare(folder: Path, cancel: Optional[Cancel] = None, overviews: bool = False) -> Prepared:
    """Make a delivered folder ready to be layers; needs nothing but its files. Raises ManifestUnreadable.

    `overviews`: as in `collect`, of what lies in zips.
    """
    manifest = read_manifest(folder)
    files = [Path(entry["path"]) for entry in manifest["files"]]
    problem = ""
    try:
        features = read_outputs(folder, files).features
    except DataUnreadable as e:
        features, problem = [], str(e)
    info = _info(manifest)
    quicklooks = sorted(path for path in (folder / QUICKLOOKS).glob("*") if path.is_file())
    cancel = cancel or Cancel()
    files, packed = unpack_zips(folder, files, cancel, _member_hook(cancel, overviews))
    scan, look = prepare_layers(folder, files, features, info, quicklooks=quicklooks, cancel=cancel)
    scan = replace(scan, skipped=[*scan.skipped, *packed])
    return Prepared(folder, info, scan, look, problem)


def _info(manifest: Mapping[str, Any]) -> JobInfo:
    request, job = manifest["request"], manifest["job"]
    aoi = request.get("aoi") or {}
    workflow = request.get("workflow") or {}
    tasks = list(request.get("parameters") or {})
    own_task = str(job.get("task") or "")
    last_block = (own_task or (tasks[-1] if tasks else "")).partition(":")[0]
    licence, attribution = manifest.get("licence") or [], manifest.get("attribution") or []
    return JobInfo(
        job_id=job["id"],
        name=job.get("name") or job["id"],
        aoi_name=aoi.get("name") or "",
        aoi_geometry=aoi.get("geometry"),
        job_type=request.get("job_type") or JobType.LIVE_JOB.value,
        workflow_name=workflow.get("name") or "",
        product=tr(PRODUCTS.get(last_block, "Imagery")),
        credits=manifest.get("credits"),
        rights="; ".join(attribution),
        attribution="; ".join(attribution),
        licence="; ".join(licence),
        parameters=request.get("parameters") or {},
        task=own_task,
    )


def log_reason(platform: Platform, job: Job) -> str:
    """Why a job failed: the last error line of the failed task's log; "" where no log tells it."""
    failed = [task for task in platform.tasks(job) if task.state is JobState.FAILED]
    if not failed:
        return ""
    for line in reversed(platform.log(job, failed[-1]).splitlines()):
        match = _LOG_REASON.search(line)
        if match:
            return match.group(1)
    return ""
