"""The folders of the user's own rasters that the block `local-scenes` searches."""

from __future__ import annotations

from typing import Any, Optional

from .store import Store, new_id


def scene_folders(store: Store) -> list[dict[str, Any]]:
    """All folders: id, name, path, licence, attribution."""
    return store.rows("SELECT id, name, path, licence, attribution FROM scene_folders ORDER BY name, id")


def put_scene_folder(store: Store, path: str, name: str, licence: str, attribution: str) -> dict[str, Any]:
    """Add a folder; one that is there already (by its path) gets the new name, licence and attribution."""
    with store.transaction():
        store.change(
            "INSERT INTO scene_folders (id, name, path, licence, attribution) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET name = excluded.name, licence = excluded.licence, "
            "attribution = excluded.attribution",
            new_id(), name, path, licence, attribution,
        )  # fmt: skip
        found: Optional[dict[str, Any]] = store.row("SELECT * FROM scene_folders WHERE path = ?", path)
    if found is None:  # cannot be: it was put a moment ago, in the same transaction
        raise LookupError(path)
    return found


def delete_scene_folder(store: Store, folder_id: str) -> bool:
    """Forget a folder (its files stay); False if there is none of this id."""
    return bool(store.change("DELETE FROM scene_folders WHERE id = ?", folder_id))
