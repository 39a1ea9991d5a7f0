"""A look at the scenes that were found, several at once: their quicklooks, and how cloudy they are over the AOI.

What can't be had of these stops nothing.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Optional, Sequence

from shapely.geometry.base import BaseGeometry

from ..base import BlockFailure
from ..processing import safe_name
from .clouds import cloud_over
from .files import NotReadable, Permits
from .http import Http, HttpRefused
from .passes import say_percent
from .pictures import draw_from_pixels, draw_thumbnail, thumbnail_key
from .scenes import StacScene
from .sources import Source

AT_ONCE = 4
CLASSES = "SCL"  # Sentinel-2's scene classification
COLOURS = "visual"
_threads = threading.local()


class Looks:
    """`first_asset` is looked at where a scene has neither a thumbnail nor a picture in natural colour."""

    def __init__(self, source: Source, permits: Permits, first_asset: str, folder: Path, log: logging.Logger):
        self._source = source
        self._permits = permits
        self._first_asset = first_asset
        self._folder = folder
        self._log = log

    def take(
        self, scenes: Sequence[StacScene], area: Optional[BaseGeometry], progress: Callable[[float], None]
    ) -> dict[str, Optional[float]]:
        """Draw the quicklooks; gives the clouds over the area in percent by scene id, None where nobody knows."""
        clouds: dict[str, Optional[float]] = {}
        with ThreadPoolExecutor(AT_ONCE, "look") as pool:
            for scene, cloud in zip(scenes, pool.map(lambda scene: self._look_at(scene, area), scenes)):
                clouds[scene.id] = cloud
                progress(len(clouds) / len(scenes))
                if cloud is not None:
                    self._log.info("%s: %s cloud over the AOI.", scene.id, say_percent(cloud))
        return clouds

    def _look_at(self, scene: StacScene, area: Optional[BaseGeometry]) -> Optional[float]:
        self._draw(scene)
        classes = scene.asset(CLASSES, self._source)
        if classes is None or area is None:
            return None
        try:
            return cloud_over(self._permits.signed(classes), area)
        except (NotReadable, BlockFailure):
            return None

    def _draw(self, scene: StacScene) -> None:
        path = self._folder / f"{safe_name(scene.id)}.jpg"
        key = thumbnail_key(scene)
        try:
            if key is not None:
                draw_thumbnail(scene, self._permits.signed(scene.assets[key]), _http(), path)
                return
        except (NotReadable, HttpRefused, BlockFailure):
            path.unlink(missing_ok=True)
        asset = scene.asset(COLOURS, self._source) or scene.asset(self._first_asset, self._source)
        try:
            if asset is not None:
                draw_from_pixels(scene, self._permits.signed(asset), path)
                return
        except (NotReadable, BlockFailure):
            path.unlink(missing_ok=True)
        self._log.info("%s has no quicklook that can be read.", scene.id)


def _http() -> Http:
    """One for each thread: a session is not for several."""
    if not hasattr(_threads, "http"):
        _threads.http = Http(tries=3)
    found: Http = _threads.http
    return found
