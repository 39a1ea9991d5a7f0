"""Parameters of data blocks that search scenes: the contract's (2.4), as UP42's esa-s2-l2a-gtiff-* had them (7.1)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

PANCHROMATIC: Mapping[str, Mapping[str, Any]] = {
    "panchromatic": {
        "type": "boolean",
        "default": False,
        "required": False,
        "description": "Deliver each scene's panchromatic band too, as a raster of its own: for Pansharpening.",
    }
}


def scene_parameters(
    *, time_default: Optional[str], time_text: str, cloud_default: int, cloud_text: str
) -> Mapping[str, Mapping[str, Any]]:
    """Descriptors by name; the blocks differ in the default range of dates and in the default cloud cover (percent)."""
    return {
        "ids": {
            "type": "array",
            "default": None,
            "description": "Scene ids from a Test Query: exactly these are delivered; time, cloud cover and limit no "
            "longer matter.",
        },
        "bbox": {"type": "array", "default": None, "description": "[west, south, east, north] in degrees."},
        "intersects": {"type": "geometry", "description": "A polygon that the scenes touch."},
        "contains": {"type": "geometry", "description": "A polygon that each scene covers completely."},
        "time": {"type": "dateRange", "default": time_default, "description": time_text},
        "time_series": {
            "type": "array",
            "default": None,
            "description": "Several ranges of dates in place of time; limit counts for each of them.",
        },
        "limit": {
            "type": "integer",
            "default": 1,
            "minimum": 1,
            "maximum": 500,
            "description": "The most scenes to deliver, newest first.",
        },
        "max_cloud_cover": {
            "type": "integer",
            "default": cloud_default,
            "minimum": 0,
            "maximum": 100,
            "description": cloud_text,
        },
    }
