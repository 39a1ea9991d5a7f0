"""The data block `up42-processing-from-storage`: chosen rasters of the registered folders, whole, without an AOI.

The folders are those of `local-scenes`, and so is their index: only new and changed files are read. A Test Query shows
all that there is; its scenes, once ticked, are the `ids` of a Live Job.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from ..base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from ..features import write_features
from ..filters import MAX_IDS, SceneFilter, newest, unknown_ids_line
from ..local.block import deliver_all, scene_feature
from ..local.scenes import LocalScene
from ..local.search import all_scenes, kept_scenes
from ..scene_parameters import PANCHROMATIC

_NAMESPACE = uuid.UUID("4f7d3e0a-53c4-4f3c-9a3f-6f0f7bb0c1d8")  # ours, drawn once
_SLOW, _FAST = 2_000_000.0, 20_000_000.0  # pixels per second
_INDEX_PART = 0.2  # of the progress
MAX_QUICKLOOKS = 500  # drawn by a Test Query: of the newest; it lists all


class StorageBlock(Block):
    """Delivers chosen rasters."""

    description = BlockDescription(
        id="a3d0c1d6-6c0e-4b52-8f0b-0a0f1f6f5e21",
        name="up42-processing-from-storage",
        display_name="My Chosen Rasters",
        description="Rasters of your own folders, chosen one by one and taken whole: no AOI is needed. A Test Query "
        "shows all that there are.",
        type="DATA",
        parameters={
            "asset_ids": {
                "type": "array",
                "default": None,
                "required": False,
                "items": {"type": "string"},
                "description": "The rasters to take: their asset ids, which a Test Query tells, or their names.",
            },
            "ids": {
                "type": "array",
                "default": None,
                "required": False,
                "items": {"type": "string"},
                "description": "The same by the names of a Test Query's scenes.",
            },
            **PANCHROMATIC,
        },
        price=Price("SCENE", 0.0),
        outputs=frozenset({"raster", "nir", "scl", "classes", "pan"}),
        dry_run=True,
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """From what was indexed last; a wide guess before. Opens no raster."""
        wanted = _wanted(parameters)
        kept = kept_scenes(settings)
        found = _pick(kept or [], wanted)[0] if wanted else []
        pixels = float(sum(scene.header.columns * scene.header.rows * len(scene.bands) for scene in found))
        if not found:
            return Amount((0.0, float(len(wanted))), (1.0, 600.0), (0.0, 1e8 * len(wanted)))
        plain = float(sum(scene.header.columns * scene.header.rows for scene in found))
        return Amount((len(found), len(found)), (1 + pixels / _FAST, 5 + pixels / _SLOW), (plain, plain))

    def run(self, task: TaskContext) -> None:
        """Index what is new, then copy the chosen rasters; for a Test Query show all, or those that are chosen."""
        from ..pixels.rasters import prepare_gdal

        prepare_gdal()
        wanted = _wanted(task.parameters)
        if not wanted and not task.dry_run:
            raise BlockFailure(
                "WRONG_INPUT_ERROR",
                "No raster is chosen: run a Test Query, which shows all of them, and tick some; or give asset_ids.",
            )
        scenes = all_scenes(task.settings, task.log, lambda part: task.progress(part * _INDEX_PART))
        task.log.info("%d rasters are in the folders.", len(scenes))
        chosen, lost = _pick(scenes, wanted) if wanted else (sorted(scenes, key=_newest_first), [])
        if lost:
            task.log.warning(unknown_ids_line(lost))
        if not chosen:
            raise BlockFailure("NO_INPUT_ERROR", "None of the chosen rasters is in the folders: choose again.")
        pictured, others = (chosen[:MAX_QUICKLOOKS], chosen[MAX_QUICKLOOKS:]) if task.dry_run else (chosen, [])
        if others:
            text = "All %d rasters are listed, the %d newest of them with a quicklook."
            task.log.warning(text, len(chosen), MAX_QUICKLOOKS)
        features = deliver_all(task, SceneFilter(), pictured, _feature) + [_feature(scene) for scene in others]
        if not features:
            raise BlockFailure("NO_OUTPUT_ERROR", "The chosen rasters have only nodata: choose others.")
        write_features(task.output, features)


def asset_id(scene: LocalScene) -> str:
    """The same for as long as the file stays where it is."""
    path = Path(scene.folder.path, scene.sources[0].path).as_posix()
    return str(uuid.uuid5(_NAMESPACE, path))


def _feature(scene: LocalScene, data_path: Optional[str] = None) -> Feature:
    feature = scene_feature(scene, data_path)
    return {**feature, "properties": {**feature["properties"], "asset_id": asset_id(scene)}}


def _newest_first(scene: LocalScene) -> tuple[float, str]:
    return newest(scene), scene.id


def _wanted(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """What is chosen; () where nothing is. Raises BlockFailure."""
    given = [name for name in ("asset_ids", "ids") if parameters.get(name) is not None]
    if len(given) > 1:
        raise BlockFailure("WRONG_INPUT_ERROR", "Only one of asset_ids and ids can be used: set the other to null.")
    if not given:
        return ()
    value = parameters[given[0]]
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_IDS or not all(isinstance(i, str) for i in value):
        raise BlockFailure("WRONG_INPUT_ERROR", f"{given[0]} must be a list of 1 to {MAX_IDS} texts in double quotes.")
    return tuple(dict.fromkeys(value))


def _pick(scenes: Sequence[LocalScene], wanted: Sequence[str]) -> tuple[list[LocalScene], list[str]]:
    """The rasters that are meant, each once, and what means none."""
    known = {asset_id(scene): scene for scene in scenes}
    known.update({scene.id: scene for scene in scenes})
    found = {known[name].id: known[name] for name in wanted if name in known}
    return list(found.values()), [name for name in wanted if name not in known]
