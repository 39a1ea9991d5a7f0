"""job.json: what an output folder is, so that it can be handed on (promise M20). No secrets.

    {"schema": "up42-jobs/1", "delivery": "<job id>",
     "request": {"workflow": {"id", "name"}, "job_type", "aoi": {"name", "geometry"}, "filter", "parameters"},
     "job": {"id", "name", "state", "platform", "project", "created", "finished"},
     "scenes": [{"id", "acquired", "cloud_cover"}], "credits", "licence": [], "attribution": [],
     "files": [{"path", "bytes", "scenes": []}], "versions": {}}

Times are ISO 8601 in UTC with Z, cloud cover is in percent, geometries are GeoJSON in EPSG:4326.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from ..jobs.job import Job, Scene
from ..net.redaction import HIDDEN, redact
from .errors import ArchiveRefused, ManifestUnreadable
from .json_file import read_object, write_object
from .member_names import OWN_NAME, parts_of

FILE_NAME = OWN_NAME
SCHEMA = "up42-jobs/1"
MAX_BYTES = 32 * 1024 * 1024  # 100,000 files with long names have about 20 MB
_SHAPES: Mapping[str, type] = {"request": dict, "job": dict, "scenes": list, "files": list}


def manifest_of(
    job: Job,
    *,
    aoi: Optional[Mapping[str, Any]],
    aoi_name: str,
    platform: str,
    project: str,
    scenes: Sequence[Scene] = (),
    credits: Optional[float] = None,
    licence: Sequence[str] = (),
    attribution: Sequence[str] = (),
    versions: Optional[Mapping[str, str]] = None,
) -> dict[str, Any]:
    """The content of job.json but for its files, which `deliver` adds.

    `aoi` is the drawn geometry (GeoJSON), `platform` and `project` are the titles that people know.
    """
    from ..jobs.aoi import GEOMETRY_PARAMETERS  # late: shapely may be absent, and is only needed to make jobs

    inputs = {task: dict(values) for task, values in job.inputs.items() if isinstance(values, Mapping)}
    used = [name for values in inputs.values() for name in GEOMETRY_PARAMETERS if values.get(name) is not None]
    parameters = {
        task: {name: value for name, value in values.items() if name not in GEOMETRY_PARAMETERS}
        for task, values in inputs.items()
    }
    return {
        "schema": SCHEMA,
        "request": {
            "workflow": {"id": job.workflow_id, "name": job.workflow_name},
            "job_type": job.job_type.value,
            "aoi": {"name": aoi_name, "geometry": aoi},
            "filter": used[0] if used else None,
            "parameters": parameters,
        },
        "job": {
            "id": job.id,
            "name": job.name,
            "state": job.state.value,
            "platform": platform,
            "project": project,
            "created": job.created_at,
            "finished": job.finished_at,
        },
        "scenes": scene_entries(scenes),
        "credits": credits,
        "licence": list(licence),
        "attribution": list(attribution),
        "versions": dict(versions or {}),
    }


def scene_entries(scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """The `scenes` of a manifest."""
    return [{"id": scene.id, "acquired": scene.acquired_at, "cloud_cover": scene.cloud_cover} for scene in scenes]


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write `manifest` as job.json into `folder`, in one step, times as ISO 8601 and secrets taken out.

    Raises NotEnoughSpace or DiskError.
    """
    path = folder / FILE_NAME
    write_object(path, {**_plain(manifest), "schema": SCHEMA})
    return path


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an output folder; all its sections are there, its file paths lead nowhere outside.

    Raises ManifestUnreadable: missing, broken, too large, or written by a newer version.
    """
    try:
        manifest = read_object(folder / FILE_NAME, MAX_BYTES, ManifestUnreadable, "manifest")
    except FileNotFoundError:
        raise ManifestUnreadable("manifest_missing", {"folder": str(folder)}) from None
    schema = manifest.get("schema")
    if schema != SCHEMA:
        name, _, version = schema.partition("/") if isinstance(schema, str) else ("", "", "")
        if name == SCHEMA.partition("/")[0] and version.isdigit():
            values = {"folder": str(folder), "schema": schema, "known": SCHEMA}
            raise ManifestUnreadable("manifest_newer", values)
        raise _broken(folder, "it is not from UP42 Jobs")
    for section, shape in _SHAPES.items():
        if not isinstance(manifest.get(section), shape):
            raise _broken(folder, f"“{section}” is missing")
    if not isinstance(manifest["job"].get("id"), str):
        raise _broken(folder, "the job has no id")
    for entry in manifest["files"]:
        _check_file(folder, entry)
    return manifest


def _check_file(folder: Path, entry: Any) -> None:
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str):
        raise _broken(folder, "a file has no path")
    try:
        if not parts_of(path):
            raise _broken(folder, "a file has no path")
    except ArchiveRefused as refused:
        raise _broken(folder, f"a file has the path “{refused.member}”") from None


def _broken(folder: Path, reason: str) -> ManifestUnreadable:
    return ManifestUnreadable("manifest_broken", {"folder": str(folder), "reason": reason})


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it, without secrets: whatever is named like one, and what looks like one in a text."""
    if isinstance(value, Mapping):
        return {str(key): HIDDEN if _is_guarded(str(key), item) else _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return redact(value)
    return value if isinstance(value, (int, float)) or value is None else str(value)


def _is_guarded(key: str, value: Any) -> bool:
    return isinstance(value, str) and redact(f"{key}=x") != f"{key}=x"
