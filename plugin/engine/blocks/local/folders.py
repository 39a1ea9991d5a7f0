"""The registered folders, as they come with the engine's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping


@dataclass(frozen=True)
class SceneFolder:
    """A folder of the user's GeoTIFFs; licence and attribution as the user gave them, "" where not."""

    id: str
    name: str
    path: str
    licence: str = ""
    attribution: str = ""


def folders_of(settings: Mapping[str, Any]) -> list[SceneFolder]:
    """The folders in `settings["scene_folders"]`: objects with id, name, path, licence, attribution; or plain paths."""
    folders = []
    for entry in settings.get("scene_folders") or ():
        if isinstance(entry, str):
            entry = {"path": entry}
        path = str(entry["path"])
        folders.append(
            SceneFolder(
                str(entry.get("id") or path),
                str(entry.get("name") or Path(path).name),
                path,
                str(entry.get("licence") or ""),
                str(entry.get("attribution") or ""),
            )
        )
    return folders
