"""A job as it runs: its type, state, tasks and the scenes it found."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Mapping, Optional


class JobType(Enum):
    """Test Query: searches only, 0 credits. Live Job: delivers, costs what the estimate says."""

    TEST_QUERY = "test_query"
    LIVE_JOB = "live_job"


class JobState(Enum):
    """The states of every platform, normalised; the platform's own word is kept beside as `raw_status`."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        """True where nothing more will happen; an unknown status is followed on."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Task:
    """One block's part of a job."""

    id: str
    name: str
    state: JobState
    raw_status: str
    block_name: str = ""
    is_data: bool = False
    started_at: Optional[datetime] = None
    finished_at: Optional[datetime] = None


@dataclass(frozen=True)
class Job:
    """One run of a workflow. Times are aware datetimes in UTC.

    `inputs_text`: what was sent, as JSON. A project lists thousands of jobs, each with an AOI of many small lists: as
    objects, every full garbage collection would go through them all, and the GUI would wait for it.
    """

    id: str
    project_id: str
    name: str
    state: JobState
    raw_status: str
    job_type: JobType
    workflow_id: str
    workflow_name: str
    created_at: Optional[datetime] = None
    started_at: Optional[datetime] = None
    finished_at: Optional[datetime] = None
    inputs_text: str = "{}"

    @property
    def inputs(self) -> dict[str, Any]:
        """What was sent, by task; read anew each time."""
        return dict(json.loads(self.inputs_text))


def inputs_as_text(inputs: Mapping[str, Any]) -> str:
    """For `Job.inputs_text`."""
    return json.dumps(dict(inputs), ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Scene:
    """One image that a data block found. `footprint` is a GeoJSON geometry in EPSG:4326, cloud cover in percent."""

    id: str
    footprint: Mapping[str, Any]
    acquired_at: Optional[datetime] = None
    cloud_cover: Optional[float] = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def parse_time(text: Optional[str]) -> Optional[datetime]:
    """An ISO 8601 time of a platform as an aware datetime in UTC; None where there is none or it can't be read.

    Platforms give seconds, milliseconds or microseconds, with Z or an offset (contract, section 2).
    """
    if not text:
        return None
    try:
        head, dot, tail = text.strip().replace("Z", "+00:00").partition(".")
        if dot:  # Python < 3.11 reads only 3 or 6 decimals
            digits = len(tail) - len(tail.lstrip("0123456789"))
            text = f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"
        else:
            text = head
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=parsed.tzinfo or timezone.utc).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def scene_of(feature: Mapping[str, Any]) -> Scene:
    """A scene from a feature of `data.json`; keys differ by provider (contract 5.2), so each is looked for."""
    given = feature.get("properties")
    properties = given if isinstance(given, dict) else {}
    cloud = next((properties[k] for k in ("eo:cloud_cover", "cloudCover", "cloud_cover") if k in properties), None)
    time = next((properties[k] for k in ("datetime", "acquisitionDate", "start_datetime") if k in properties), None)
    return Scene(
        id=str(feature.get("id") or properties.get("id") or ""),
        footprint=feature.get("geometry") or {},
        acquired_at=parse_time(time if isinstance(time, str) else None),
        cloud_cover=float(cloud) if isinstance(cloud, (int, float)) and 0 <= cloud <= 100 else None,
        properties=properties,
    )
