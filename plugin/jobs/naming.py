"""The names of jobs and layers (mission, *Units and time*)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional

SEPARATOR = " · "


def job_name(aoi_name: str, workflow_name: str, when: Optional[datetime] = None) -> str:
    """`<AOI name> · <workflow> · <date>`, the date in local time; parts that are empty are left out."""
    date = (when or datetime.now(timezone.utc)).astimezone().strftime("%Y-%m-%d")
    return SEPARATOR.join(part for part in (aoi_name.strip(), workflow_name.strip(), date) if part)


def layer_name(acquired_at: Optional[datetime], aoi_name: str, product: str) -> str:
    """`<date> <AOI name> <product>`, the acquisition date in UTC."""
    date = acquired_at.astimezone(timezone.utc).strftime("%Y-%m-%d") if acquired_at else ""
    return " ".join(part for part in (date, aoi_name.strip(), product) if part)
