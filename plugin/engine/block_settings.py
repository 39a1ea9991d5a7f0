"""What blocks get to know of the engine: the same for an estimate and for a task at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .scene_folders import scene_folders
from .store import Store

CACHE = "cache"  # in the data folder; may be deleted at any time


def block_settings(store: Store, data: Path) -> dict[str, Any]:
    """The registered folders of scenes, and where a block may keep what it would otherwise work out again."""
    return {"scene_folders": scene_folders(store), "cache_folder": str(data / CACHE)}
