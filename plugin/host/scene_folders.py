"""The folders of the user's own rasters that the local engine searches (block local-scenes)."""

from __future__ import annotations

from pathlib import Path

from ..net.cancel import Cancel
from .connections import Connections


def add_scene_folder(
    connections: Connections, path: Path, cancel: Cancel, *, licence: str = "", attribution: str = ""
) -> str:
    """Register a folder of GeoTIFFs with the local engine; gives the folder's id. Worker thread."""
    address = connections.engine.address(cancel)
    credentials = address.free
    answer = connections.session(cancel).request(
        "POST",
        f"{address.url}/engine/scene-folders",
        basic=(credentials.user, credentials.secret),
        json={"name": path.name, "path": str(path), "licence": licence, "attribution": attribution},
    )
    return str(answer.json()["data"]["id"])
