"""A task of a STAC block at work: search, quicklooks, the clouds over the AOI, clips, and a word on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

from ..band_words import is_pan_name
from ..base import BlockFailure, Feature, TaskContext
from ..features import write_features
from ..filters import SceneFilter, unknown_ids_line
from ..pixels.clipping import Clipped
from ..processing import safe_name
from .arrange import arranged
from .clip import clip_scene
from .features import PAN, scene_feature
from .files import NotReadable, Permits
from .http import Http
from .looks import Looks
from .passes import Pass, passes_of, say_percent
from .rights import collection_of, rights_of
from .scenes import StacScene
from .search import StacSearch
from .sources import Source
from .stack import BandSource

_SEARCH_PART, _SIDE_PART = 0.05, 0.15  # of the progress


@dataclass(frozen=True)
class Order:
    """What is to be read: band names (`""`: as the file calls them) by asset name; and what was asked for besides.

    `colours`: the one asset holds red, green and blue.
    """

    source: Source
    assets: tuple[str, ...]
    names: Mapping[str, str]
    colours: bool = False
    crs: Optional[str] = None
    mosaic: bool = False


class Delivery:
    """One task. `run` fills its output folder. Raises BlockFailure."""

    def __init__(self, task: TaskContext, wanted: SceneFilter, order: Order):
        self._task = task
        self._wanted = wanted
        self._order = order
        self._http = Http()
        self._permits = Permits(order.source, self._http)
        self._lost: list[str] = []

    def run(self) -> None:
        """Find, and unless it is a Test Query clip."""
        log = self._task.log
        log.info("Searching %s of %s.", self._order.source.collection, self._order.source.host)
        found, unknown = StacSearch(self._order.source, self._wanted, log, self._http).find()
        if unknown:
            log.warning(unknown_ids_line(unknown))
        if not found:
            raise self._wanted.nothing_found()
        self._task.progress(_SEARCH_PART)
        passes = passes_of(found, self._wanted.area)
        for of in passes:
            log.info(of.line)
        self._say_what_is_missing(passes)
        looks = Looks(self._order.source, self._permits, self._order.assets[0], self._task.quicklooks, log)
        clouds = looks.take(
            found, self._wanted.area, lambda part: self._task.progress(_SEARCH_PART + _SIDE_PART * part)
        )
        features = self._features(found, passes, clouds)
        if not features:
            raise BlockFailure(*self._nothing_delivered(len(found)))
        if self._lost:
            delivered = sum(not str(feature["id"]).endswith(PAN) for feature in features)
            log.warning("%d of %d scenes delivered; not: %s.", delivered, len(found), ", ".join(self._lost))
        if not self._task.dry_run:
            order = self._order
            features = arranged(features, passes, self._task.output, order.crs, order.mosaic, log)
        write_features(self._task.output, features)

    def _say_what_is_missing(self, passes: Sequence[Pass]) -> None:
        best = max((of.coverage for of in passes if of.coverage is not None), default=100.0)
        if best < 99.95 and self._wanted.ids is None:
            self._task.log.info(
                "No pass covers the whole AOI (at most %s): a higher limit may bring its other scenes.",
                say_percent(best),
            )

    def _features(
        self, found: Sequence[StacScene], passes: Sequence[Pass], clouds: Mapping[str, Optional[float]]
    ) -> list[Feature]:
        """Clip the scenes one after the other; those that fail are told and left out."""
        collection = collection_of(self._order.source, self._http)
        pass_of = {scene.id: of for of in passes for scene in of.scenes}
        start, features = _SEARCH_PART + _SIDE_PART, []
        for done, scene in enumerate(found):
            rights = rights_of(scene, self._order.source, collection)
            bands, part = self._bands(scene), (1 - start) / len(found)
            rasters = [("", bands)] if self._task.dry_run or bands is None else _rasters(bands)
            if self._task.dry_run and bands is None:
                self._task.log.warning("%s lacks %s.", scene.id, self._missing(scene))
            for number, (suffix, of_it) in enumerate(rasters):
                path = None if self._task.dry_run else f"{safe_name(scene.id)}{suffix}.tif"
                share = part / len(rasters)
                begin = start + done * part + number * share
                if path and not self._clip(scene, of_it, path, rights.properties["rights"], begin, share):
                    break  # without its colours a panchromatic raster is of no use
                names = [band.name for band in of_it or ()]
                features.append(
                    scene_feature(
                        scene, self._order.source.collection, self._wanted.area, pass_of[scene.id],
                        clouds.get(scene.id), rights, names, path, suffix,
                    )
                )  # fmt: skip
        return features

    def _bands(self, scene: StacScene) -> Optional[list[BandSource]]:
        """The scene's files for the bands asked for; None where one is missing."""
        bands = []
        for name in self._order.assets:
            asset = scene.asset(name, self._order.source)
            if asset is None:
                return None
            if self._order.colours:
                bands += [BandSource(asset, colour, n) for n, colour in enumerate(("Red", "Green", "Blue"), start=1)]
            else:
                bands.append(BandSource(asset, self._order.names.get(name, name)))
        return bands

    def _missing(self, scene: StacScene) -> str:
        lacking = [name for name in self._order.assets if scene.asset(name, self._order.source) is None]
        return f"{', '.join(lacking)} (it has {', '.join(sorted(scene.assets)[:40]) or 'no files'})"

    def _clip(
        self, scene: StacScene, bands: Optional[list[BandSource]], path: str, rights: str, start: float, part: float
    ) -> bool:
        """Whether the scene's raster was written. What was wrong with it is told."""
        log = self._task.log
        if bands is None:
            log.warning("%s is left out: it lacks %s.", scene.id, self._missing(scene))
            self._lost.append(scene.id)
            return False
        tags = {"TIFFTAG_COPYRIGHT": _ascii(rights)} if rights else {}
        if scene.acquired:
            tags["TIFFTAG_DATETIME"] = f"{scene.acquired.start:%Y:%m:%d %H:%M:%S}"
        try:
            addresses = {band.asset.key: self._permits.signed(band.asset) for band in bands}
            clipped = clip_scene(
                addresses, bands, self._wanted.area, self._task.output / path, tags,
                lambda share: self._task.progress(start + part * share),
            )  # fmt: skip
        except NotReadable as e:
            log.warning("%s is left out: %s.", scene.id, e)
            self._lost.append(scene.id)
            return False
        if clipped is None:
            log.warning("%s has no valid pixel inside the AOI, so it is left out.", scene.id)
            return False
        self._tell(scene, clipped)
        return True

    def _tell(self, scene: StacScene, clipped: Clipped) -> None:
        log = self._task.log
        size = f"{clipped.columns} x {clipped.rows} pixels, {clipped.valid} of them valid in the AOI"
        log.info("%s: %s.", scene.id, size)
        if clipped.repeated:
            log.info(
                "%s: the coarser pixels of %s are repeated on the finer grid, not interpolated.",
                scene.id, ", ".join(clipped.repeated),
            )  # fmt: skip
        if clipped.moved_values:
            log.info("%s: %d valid values equal to nodata were raised by 1.", scene.id, clipped.moved_values)

    def _nothing_delivered(self, found: int) -> tuple[str, str]:
        if self._lost:
            scenes = "The one scene found" if found == 1 else f"None of the {found} scenes found"
            return (
                "API_CONNECTION_ERROR",
                f"{scenes} {'could not' if found == 1 else 'could'} be read: see the lines above; run the job again "
                "later, or choose other scenes.",
            )
        return (
            "NO_OUTPUT_ERROR",
            "The scenes found have no image inside the AOI: move the AOI or widen the dates.",
        )


def _rasters(bands: list[BandSource]) -> list[tuple[str, list[BandSource]]]:
    """Which bands go into one raster: a panchromatic band beside others has a finer grid and is one of its own."""
    pan = [band for band in bands if is_pan_name(band.name)]
    others = [band for band in bands if band not in pan]
    return [("", others), (PAN, pan)] if pan and others else [("", bands)]


def _ascii(text: str) -> str:
    """TIFF's texts are ASCII."""
    return text.replace("©", "(c)").encode("ascii", "replace").decode("ascii")
