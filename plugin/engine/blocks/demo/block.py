"""The data block `demo-s2-l2a`: made-up scenes like Sentinel-2's, for any AOI on Earth, without a network."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Iterator, Mapping, Optional

from shapely.geometry.base import BaseGeometry

from ....jobs.aoi import GeometricFilter
from ....jobs.area import area_km2
from ..base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from ..dates import Span, iso, say_day
from ..features import make_feature, write_features
from ..filters import SceneFilter, read_filter, unknown_ids_line
from ..scene_parameters import scene_parameters
from .scenes import GRID_KM, KM_PER_DEGREE, RIGHTS, DemoScene, scene_by_id, scenes_over

_PIXELS_PER_KM2 = 10_000  # of 10 m
_SLOW, _FAST = 700_000.0, 2_500_000.0  # pixels per second
_QUICKLOOK_SECONDS = 0.2
MAX_AOI_KM2 = 500_000  # of its bounding box; beyond, a search through thousands of scenes a pass takes minutes


def _default_time() -> str:
    """From 2024 until the end of next year: it has never ended, and it is the same for as long as the engine runs.

    The archive itself ends now: there is no scene from the future.
    """
    return f"2024-01-01T00:00:00+00:00/{datetime.now(timezone.utc).year + 1}-12-31T23:59:59+00:00"


class DemoBlock(Block):
    """Finds and draws demo scenes."""

    description = BlockDescription(
        id="6d0f4c1e-7a35-4d52-9b0e-d3a1f5c2e801",
        name="demo-s2-l2a",
        display_name="Demo Sentinel-2 Scenes",
        description="Made-up scenes like those of Sentinel-2 (10 m; blue, green, red, near infrared) for any place on "
        "Earth, without a network. Synthetic, not an observation.",
        type="DATA",
        parameters=scene_parameters(
            time_default=_default_time(),
            time_text="Acquisition between two dates. There is a pass every fifth day from 2016 until today.",
            cloud_default=20,
            cloud_text="The most cloud over the whole scene, in percent.",
        ),
        price=Price("SQUARE_KM", 0.5),
        outputs=frozenset({"raster", "nir"}),
        dry_run=True,
    )

    def find(self, parameters: Mapping[str, Any]) -> tuple[SceneFilter, list[DemoScene], list[str]]:
        """The request, the scenes that it asks for (newest first; ids: in their order), and ids that can't be had."""
        wanted = read_filter(parameters, self.description.parameters)
        now = datetime.now(timezone.utc)
        if wanted.ids is not None:
            found, lost = wanted.pick_ids(lambda scene_id: scene_by_id(scene_id, now))
            return wanted, found, lost
        if wanted.area is None or _never_contained(wanted):
            return wanted, [], []
        area = wanted.area
        searched = area_km2(area.envelope)
        if searched > MAX_AOI_KM2:
            raise BlockFailure(
                "INPUT_PARAMETERS_ERROR",
                f"The AOI's bounding box has {searched:,.0f} km², but demo scenes are searched in at most "
                f"{MAX_AOI_KM2:,} km²: draw a smaller AOI.",
            )

        def newest_first(span: Optional[Span]) -> Iterator[DemoScene]:
            return scenes_over(area, span, now)

        return wanted, wanted.pick(newest_first), []

    def search(self, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Feature]:
        """The scenes that the parameters ask for, newest first. Raises BlockFailure for parameters that are wrong."""
        return [scene_feature(scene) for scene in self.find(parameters)[1]]

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """Exact in km², as searching is quick here: the scenes are found, nothing is drawn."""
        wanted, scenes, _ = self.find(parameters)
        cuts = [_cut(scene, wanted.area) for scene in scenes]
        km2 = sum(area_km2(cut) for cut in cuts)
        frames = sum(area_km2(cut.envelope) for cut in cuts if not cut.is_empty) * _PIXELS_PER_KM2
        quicklooks = _QUICKLOOK_SECONDS * len(scenes)
        seconds = (1 + frames / _FAST + quicklooks / 2, 3 + frames / _SLOW + quicklooks * 2)
        return Amount((km2, km2), seconds, (frames, frames * 1.15))  # UTM is turned against the parallels

    def run(self, task: TaskContext) -> None:
        """Draw the scenes, or for a Test Query their quicklooks only."""
        wanted, scenes, lost = self.find(task.parameters)
        if lost:
            task.log.warning(unknown_ids_line(lost))
        if not scenes:
            raise wanted.nothing_found()
        task.log.info("Demo scenes: synthetic, not an observation. %d found.", len(scenes))
        features = _draw_all(task, wanted, scenes)
        if not features:
            raise BlockFailure(
                "NO_OUTPUT_ERROR", "The scenes found share less than a pixel of 10 m with the AOI: make the AOI larger."
            )
        write_features(task.output, features)


def _never_contained(wanted: SceneFilter) -> bool:
    """Whether the area is so large that no scene can contain it: then a search through all the years is spared."""
    if wanted.geometric is not GeometricFilter.CONTAINS or wanted.area is None:
        return False
    _, south, _, north = wanted.area.bounds
    return (north - south) * KM_PER_DEGREE > 2 * GRID_KM


def _cut(scene: DemoScene, area: Optional[BaseGeometry]) -> BaseGeometry:
    return scene.footprint if area is None else scene.footprint.intersection(area)


def _draw_all(task: TaskContext, wanted: SceneFilter, scenes: list[DemoScene]) -> list[Feature]:
    """Quicklooks of all scenes, and their GeoTIFFs unless it is a Test Query; the features of what was drawn."""
    from ..pixels.rasters import prepare_gdal
    from .render import draw_quicklook, draw_scene

    prepare_gdal()
    features = []
    for done, scene in enumerate(scenes):
        path = None if task.dry_run else f"{scene.id}.tif"
        if path is not None:

            def tell(part: float, done: int = done) -> None:
                task.progress((done + part) / len(scenes))

            drawn = draw_scene(scene, wanted.area, task.output / path, tell)
            if drawn is None:
                task.log.warning("%s shares less than a pixel with the AOI, so it is left out.", scene.id)
                continue
            size = f"{drawn.columns} x {drawn.rows} pixels, {drawn.valid} of them in the AOI"
            task.log.info("%s: %s.", scene.id, size)
        draw_quicklook(scene, task.quicklooks / f"{scene.id}.jpg")
        features.append(scene_feature(scene, path))
        task.progress((done + 1) / len(scenes))
    return features


def scene_feature(scene: DemoScene, data_path: Optional[str] = None) -> Feature:
    """A scene as GeoJSON; its geometry is the whole scene's footprint, as the quicklook's."""
    properties = {
        "title": f"Demo scene of {say_day(scene.moment)} (synthetic)",
        "datetime": iso(scene.moment),
        "eo:cloud_cover": scene.cloud_cover,
        "platform": "Demo (synthetic)",
        "constellation": "Demo (synthetic)",
        "collection": "demo-s2-l2a",
        "gsd": 10,
        "proj:epsg": scene.utm,
        "rights": RIGHTS,
        "attribution": RIGHTS,
        "synthetic": True,
    }
    return make_feature(scene.id, scene.footprint, properties, data_path)
