"""Searching the registered folders: index them, make scenes of their files, filter."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, Optional

from ..base import BlockFailure
from ..filters import SceneFilter, newest
from .folders import SceneFolder, folders_of
from .index import cache_folder, index_folder, kept_headers
from .scenes import LocalScene, scenes_of

_NOTES = 50  # lines about files left out


def find_scenes(
    wanted: SceneFilter, settings: Mapping[str, Any], log: logging.Logger, progress: Callable[[float], None]
) -> tuple[list[LocalScene], list[str]]:
    """The scenes that are asked for, and ids that can't be had. Indexes the folders first. Raises as `all_scenes`."""
    return pick_scenes(wanted, all_scenes(settings, log, progress))


def all_scenes(settings: Mapping[str, Any], log: logging.Logger, progress: Callable[[float], None]) -> list[LocalScene]:
    """All scenes of the registered folders, which are indexed first.

    Raises BlockFailure where there is no folder, or nothing in any of them.
    """
    folders = folders_of(settings)
    if not folders:
        raise BlockFailure(
            "NO_INPUT_ERROR",
            "There is no folder of scenes yet: add a folder of GeoTIFFs to Local Scenes, then run again.",
        )
    found, gone = _index_all(folders, settings, log, progress)
    paths = ", ".join(folder.path for folder in (gone or folders))
    if gone and not found:
        text = f"No folder of scenes can be read ({paths}): connect its drive or remove it."
        raise BlockFailure("NO_INPUT_ERROR", text)
    if not found:
        raise BlockFailure(
            "NO_INPUT_ERROR", f"There is no georeferenced GeoTIFF in {paths}: put scenes there or add another folder."
        )
    return _unique(found)


def _index_all(
    folders: list[SceneFolder], settings: Mapping[str, Any], log: logging.Logger, progress: Callable[[float], None]
) -> tuple[list[LocalScene], list[SceneFolder]]:
    """The scenes of all folders, and the folders that can't be read. Both, and files left out, are told in the log."""
    found: list[LocalScene] = []
    gone: list[SceneFolder] = []
    for number, folder in enumerate(folders):

        def tell(part: float, number: int = number) -> None:
            progress((number + part) / len(folders))

        try:
            headers = index_folder(folder, cache_folder(settings), tell)
        except OSError:
            gone.append(folder)
            log.warning("The folder %s can't be read (%s): is its drive connected?", folder.name, folder.path)
            continue
        scenes, notes = scenes_of(folder, headers)
        for note in notes[:_NOTES]:
            log.info(note)
        if len(notes) > _NOTES:
            log.info("… and %d more files are left out.", len(notes) - _NOTES)
        found += scenes
    return found, gone


def kept_scenes(settings: Mapping[str, Any]) -> Optional[list[LocalScene]]:
    """The scenes of all folders as they were indexed last; None where one of them was not."""
    cache = cache_folder(settings)
    scenes: list[LocalScene] = []
    for folder in folders_of(settings):
        headers = kept_headers(folder, cache)
        if headers is None:
            return None
        scenes += scenes_of(folder, headers)[0]
    return _unique(scenes) or None


def _unique(scenes: Iterable[LocalScene]) -> list[LocalScene]:
    """Each file once, though its folder lies in another one; ids of equal names in two folders told apart."""
    by_file: dict[Path, LocalScene] = {}
    for scene in scenes:
        by_file.setdefault(Path(scene.folder.path) / scene.sources[0].path, scene)
    by_id: dict[str, LocalScene] = {}
    for scene in by_file.values():
        if scene.id in by_id:
            mark = hashlib.sha256(scene.folder.path.encode()).hexdigest()[:8]
            scene = replace(scene, id=f"{scene.id}-{mark}")
        by_id[scene.id] = scene
    return list(by_id.values())


def pick_scenes(wanted: SceneFilter, scenes: list[LocalScene]) -> tuple[list[LocalScene], list[str]]:
    """Of these scenes those that are asked for, newest first, and ids that can't be had."""
    if wanted.ids is not None:
        by_id = {scene.id: scene for scene in scenes}
        return wanted.pick_ids(by_id.get)
    ordered = sorted(scenes, key=lambda scene: (newest(scene), scene.id))
    return wanted.pick(lambda span: ordered), []
