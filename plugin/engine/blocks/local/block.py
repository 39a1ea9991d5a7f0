"""The data block `local-scenes`: the user's own GeoTIFFs as scenes, found by the same filters as a provider's."""

from __future__ import annotations

import logging
from typing import Any, Callable, Mapping, Optional, Sequence

from shapely.geometry.base import BaseGeometry

from ....jobs.area import area_km2
from ..base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from ..dates import iso, say_day
from ..features import make_feature, write_features
from ..filters import SceneFilter, read_filter, unknown_ids_line
from ..processing import read_flag
from ..scene_parameters import PANCHROMATIC, scene_parameters
from .index import cache_folder
from .scenes import LocalScene, pan_of
from .search import find_scenes, kept_scenes, pick_scenes

_GUESSED_PIXELS_PER_KM2 = 10_000.0  # 10 m, where no index says it better
_SLOW, _FAST = 2_000_000.0, 20_000_000.0  # pixels per second
_INDEX_PART = 0.2  # of the progress


class LocalBlock(Block):
    """Finds and clips scenes in registered folders."""

    description = BlockDescription(
        id="b7c8a1de-3f64-4c0b-8b57-5e2f9a7d1c02",
        name="local-scenes",
        display_name="Local Scenes",
        description="GeoTIFFs in your own folders as scenes: found by AOI, date and cloud cover, clipped to the AOI.",
        type="DATA",
        parameters={
            **scene_parameters(
                time_default=None,
                time_text="Acquisition between two dates; null for all scenes, also those whose date is unknown.",
                cloud_default=100,
                cloud_text="The most cloud over the whole scene, in percent. Scenes that don't say pass.",
            ),
            **PANCHROMATIC,
        },
        price=Price("SQUARE_KM", 0.0),
        outputs=frozenset({"raster", "nir", "scl", "classes", "pan"}),
        dry_run=True,
    )

    def search(self, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Feature]:
        """The scenes that the parameters ask for, newest first. Raises BlockFailure."""
        from ..pixels.rasters import prepare_gdal

        prepare_gdal()
        log = logging.getLogger(self.description.name)
        wanted = read_filter(parameters, self.description.parameters)
        return [scene_feature(scene) for scene in find_scenes(wanted, settings, log, lambda part: None)[0]]

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """Exact where the folders were indexed before; else a guess: up to `limit` scenes of 10 m. Opens no raster."""
        wanted = read_filter(parameters, self.description.parameters)
        kept = kept_scenes(settings)
        if kept is None:
            area = 0.0 if wanted.area is None else area_km2(wanted.area)
            most = area * (len(wanted.ids) if wanted.ids else wanted.limit * len(wanted.spans))
            return Amount((0.0, most), (1.0, 10 + most * _GUESSED_PIXELS_PER_KM2 / _SLOW), (0.0, most * 10_000.0))
        found = pick_scenes(wanted, kept)[0]
        cuts = [(scene, _cut(scene, wanted.area)) for scene in found]
        km2 = sum(area_km2(cut) for _, cut in cuts)
        pixels = sum(_pixels(scene, cut) for scene, cut in cuts)
        bands = max((len(scene.bands) for scene in found), default=1)
        return Amount((km2, km2), (1 + pixels * bands / _FAST, 4 + pixels * bands / _SLOW), (pixels, pixels * 1.2))

    def run(self, task: TaskContext) -> None:
        """Clip the scenes, or for a Test Query draw their quicklooks only."""
        from ..pixels.rasters import prepare_gdal

        prepare_gdal()
        wanted = read_filter(task.parameters, self.description.parameters)
        scenes, lost = find_scenes(wanted, task.settings, task.log, lambda part: task.progress(part * _INDEX_PART))
        if lost:
            task.log.warning(unknown_ids_line(lost))
        if not scenes:
            raise wanted.nothing_found()
        task.log.info("%d scenes found.", len(scenes))
        _say_what_is_unknown(task.log, wanted, scenes)
        features = deliver_all(task, wanted, scenes, scene_feature)
        if not features:
            raise BlockFailure(
                "NO_OUTPUT_ERROR",
                "The scenes found have only nodata inside the AOI: move the AOI or widen the dates.",
            )
        write_features(task.output, features)


def _cut(scene: LocalScene, area: Optional[BaseGeometry]) -> BaseGeometry:
    return scene.footprint if area is None else scene.footprint.intersection(area)


def _pixels(scene: LocalScene, cut: BaseGeometry) -> float:
    """About how many pixels the frame around a cut has: as its share of the whole scene's frame."""
    whole = scene.footprint.envelope.area
    share = cut.envelope.area / whole if whole and not cut.is_empty else 0.0
    return scene.header.columns * scene.header.rows * min(1.0, share)


def _say_what_is_unknown(log: logging.Logger, wanted: SceneFilter, scenes: list[LocalScene]) -> None:
    if wanted.max_cloud_cover < 100 and any(scene.cloud_cover is None for scene in scenes):
        log.info("Scenes whose cloud cover nobody has noted pass the limit of %g %%.", wanted.max_cloud_cover)
    for scene in scenes:
        if scene.assumed_bands:
            log.info("%s doesn't name its bands; taken in its sensor's order: %s.", scene.id, ", ".join(scene.bands))


def deliver_all(
    task: TaskContext,
    wanted: SceneFilter,
    scenes: Sequence[LocalScene],
    describe: Callable[[LocalScene, Optional[str]], Feature],
) -> list[Feature]:
    """Quicklooks of all scenes, and their clips unless it is a Test Query; the features of what has pixels."""
    from .looks import draw_looks, not_readable

    def tell(part: float) -> None:
        task.progress(_INDEX_PART + (1 - _INDEX_PART) * part)

    cache = cache_folder(task.settings)
    if task.dry_run:
        draw_looks(scenes, task.quicklooks, cache, tell)
        return [describe(scene, None) for scene in scenes]
    with_pan = read_flag(task.parameters, "panchromatic", False)
    features = []
    for done, scene in enumerate(scenes):
        path = f"{scene.id}.tif"

        def tell_part(part: float, done: int = done) -> None:
            tell((done + part) / len(scenes))

        try:
            if not _clip(task, wanted, scene, path, tell_part):
                continue
        except RuntimeError as e:
            raise not_readable(scene, e) from e
        draw_looks([scene], task.quicklooks, cache, lambda part: None)
        features.append(describe(scene, path))
        if with_pan:
            features += _pan_too(task, wanted, scene, describe)
        tell_part(1.0)
    return features


def _pan_too(
    task: TaskContext, wanted: SceneFilter, scene: LocalScene, describe: Callable[[LocalScene, Optional[str]], Feature]
) -> list[Feature]:
    """A scene's panchromatic band, clipped as well; nothing where it has none."""
    pan = pan_of(scene)
    if pan is None or not _clip(task, wanted, pan, f"{pan.id}.tif", lambda part: None):
        return []
    return [describe(pan, f"{pan.id}.tif")]


def _clip(task: TaskContext, wanted: SceneFilter, scene: LocalScene, path: str, tell: Callable[[float], None]) -> bool:
    from .clip import clip_scene

    clipped = clip_scene(scene, wanted.area, task.output / path, _tags(scene), tell)
    if clipped is None:
        task.log.warning("%s has no valid pixel inside the AOI, so it is left out.", scene.id)
        return False
    size = f"{clipped.columns} x {clipped.rows} pixels, {clipped.valid} of them valid in the AOI"
    task.log.info("%s: %s.", scene.id, size)
    if clipped.moved_values:
        task.log.info("%s: %d valid values equal to nodata were raised by 1.", scene.id, clipped.moved_values)
    return True


def _tags(scene: LocalScene) -> dict[str, str]:
    taken, folder = scene.acquired, scene.folder
    tags = {
        "TIFFTAG_DATETIME": f"{taken.start:%Y:%m:%d %H:%M:%S}" if taken and taken.start == taken.end else "",
        "TIFFTAG_COPYRIGHT": " ".join(text for text in (folder.attribution, folder.licence) if text),
    }
    return {key: value for key, value in tags.items() if value}


def scene_feature(scene: LocalScene, data_path: Optional[str] = None) -> Feature:
    """A scene as GeoJSON; its geometry is the whole scene's footprint, as the quicklook's."""
    taken, folder = scene.acquired, scene.folder
    properties: dict[str, Any] = {
        "title": f"{scene.id}, {say_day(taken.start)}" if taken else scene.id,
        "datetime": iso(taken.start) if taken else None,
        "eo:cloud_cover": scene.cloud_cover,
        "platform": scene.known.platform,
        "collection": folder.name,
        "bands": list(scene.bands),
        "rights": folder.attribution or folder.licence,
        "attribution": folder.attribution,
        "license": folder.licence,
    }
    if taken and taken.start < taken.end:  # only the day is known
        properties["start_datetime"], properties["end_datetime"] = iso(taken.start), iso(taken.end)
    return make_feature(scene.id, scene.footprint, properties, data_path)
