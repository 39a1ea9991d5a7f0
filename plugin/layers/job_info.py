"""What the layers of a job are told about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

DEMO_ID = "DEMO"  # ids of the engine's demo scenes begin so
TEST_QUERY, LIVE_JOB = "test_query", "live_job"


@dataclass(frozen=True)
class JobInfo:
    """One job. `aoi_geometry` is a GeoJSON geometry in EPSG:4326, None for workflows that need none.

    `product` names what the layers show ("NDVI", "Imagery"); `credits` is what the job has cost, None if unknown.
    `rights`, `attribution` and `licence` are used where a scene brings none of its own. `task` is the task whose
    outputs these are, "" for the final output.
    """

    job_id: str
    name: str
    aoi_name: str
    aoi_geometry: Optional[Mapping[str, Any]]
    job_type: str
    workflow_name: str
    product: str
    credits: Optional[int] = None
    rights: str = ""
    attribution: str = ""
    licence: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""


def is_demo(scene_id: str) -> bool:
    """True for scenes that are drawn, not observed: every name must say so."""
    return scene_id.upper().startswith(DEMO_ID)
