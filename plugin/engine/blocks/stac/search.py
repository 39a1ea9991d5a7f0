"""The search: `POST /search` page by page, newest first, each acquisition once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Iterable, Iterator, Optional
from urllib.parse import urljoin

from shapely.geometry import mapping

from ....jobs.aoi import GeometricFilter
from ..base import BlockFailure
from ..dates import Span, iso
from ..features import rounded
from ..filters import SceneFilter, newest
from .duplicates import each_acquisition_once
from .http import Http, HttpRefused
from .scenes import StacScene, scene_of_item
from .sources import Source

SMALLEST_PAGE, LARGEST_PAGE = 10, 100
MAX_PAGES = 400
MAX_UNSORTED = 5000  # items that are read to be sorted here, where the server doesn't
IDS_AT_ONCE = 50


class StacSearch:
    """Searches one source for what a filter asks for."""

    def __init__(self, source: Source, wanted: SceneFilter, log: logging.Logger, http: Optional[Http] = None):
        self._source = source
        self._wanted = wanted
        self._log = log
        self._http = http or Http()
        self._older: dict[str, list[str]] = {}  # by the id of what is shown in their place

    def find(self) -> tuple[list[StacScene], list[str]]:
        """The scenes that are asked for, newest first (ids: in their order), and ids that can't be had.

        Raises BlockFailure.
        """
        try:
            if self._wanted.ids is not None:
                by_id = {scene.id: scene for scene in self._by_ids(self._wanted.ids)}
                return self._wanted.pick_ids(by_id.get)
            found = self._wanted.pick(self._newest_first)
        except HttpRefused as e:
            raise self._refused(e) from e
        for scene in found:
            for older in self._older.get(scene.id, ()):
                self._log.info("%s is left out: %s is a newer processing of the same acquisition.", older, scene.id)
        return found, []

    def _by_ids(self, ids: tuple[str, ...]) -> Iterator[StacScene]:
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = list(ids[start : start + IDS_AT_ONCE])
            yield from self._scenes(self._items({"ids": some, "limit": len(some)}))

    def _newest_first(self, span: Optional[Span]) -> Iterator[StacScene]:
        def tell(left: StacScene, taken: StacScene) -> None:
            self._older.setdefault(taken.id, []).append(left.id)

        return each_acquisition_once(self._sorted(self._question(span)), tell)

    def _question(self, span: Optional[Span]) -> dict[str, Any]:
        wanted = self._wanted
        question: dict[str, Any] = {"limit": max(SMALLEST_PAGE, min(LARGEST_PAGE, wanted.limit + 5))}
        question["sortby"] = [{"field": "properties.datetime", "direction": "desc"}]
        if wanted.area is not None and wanted.geometric is GeometricFilter.BBOX:
            question["bbox"] = [round(value, 7) for value in wanted.area.bounds]
        elif wanted.area is not None:
            question["intersects"] = rounded(mapping(wanted.area))
        if span is not None:
            question["datetime"] = f"{iso(span.start)}/{iso(span.end + timedelta(seconds=1))}"  # `takes` is exact
        if wanted.max_cloud_cover < 100 and self._source.cloud_query:
            question["query"] = {"eo:cloud_cover": {"lte": wanted.max_cloud_cover}}
        return question

    def _sorted(self, question: dict[str, Any]) -> Iterator[StacScene]:
        """The answer newest first. What the server can't do (sort, filter by cloud cover) is done here."""
        try:
            scenes = self._scenes(self._items(question))
            first = next(scenes, None)
        except HttpRefused as e:
            if e.status not in (400, 422, 501):
                raise
            question = {key: value for key, value in question.items() if key not in ("sortby", "query")}
            scenes = self._scenes(self._items({**question, "limit": LARGEST_PAGE}))
            yield from self._sort_here(scenes)
            return
        ahead = [first] if first is not None else []
        for scene in scenes:
            ahead.append(scene)
            if len(ahead) >= SMALLEST_PAGE:
                break
        keys = [newest(scene) for scene in ahead]
        if keys == sorted(keys):
            yield from ahead
            yield from scenes
        else:
            yield from self._sort_here(_chained(ahead, scenes))

    def _sort_here(self, scenes: Iterable[StacScene]) -> list[StacScene]:
        found = []
        for scene in scenes:
            found.append(scene)
            if len(found) >= MAX_UNSORTED:
                self._log.warning(
                    "%s doesn't sort its answers; only its first %d are looked at: choose fewer dates.",
                    self._source.host, MAX_UNSORTED,
                )  # fmt: skip
                break
        return sorted(found, key=newest)

    def _scenes(self, items: Iterable[Any]) -> Iterator[StacScene]:
        unusable = 0
        for item in items:
            scene = scene_of_item(item, self._source)
            if scene is None:
                unusable += 1
            else:
                yield scene
        if unusable:
            self._log.warning("%d items of %s can't be used: they are damaged.", unusable, self._source.host)

    def _items(self, question: dict[str, Any]) -> Iterator[Any]:
        """All features, page after page."""
        url = f"{self._source.url}/search"
        body: Optional[dict[str, Any]] = {"collections": [self._source.collection], **question}
        asked = set()
        for _ in range(MAX_PAGES):
            key = (url, repr(body))
            if key in asked:
                return  # a server that sends us round in circles
            asked.add(key)
            page = self._http.json(url, body)
            features = page.get("features") if isinstance(page, dict) else None
            if not isinstance(features, list):
                raise BlockFailure(
                    "API_CONNECTION_ERROR",
                    f"{self._source.host} doesn't answer like a STAC API: is {self._source.url} its address?",
                )
            yield from features
            following = _next(page, url, body)
            if following is None or not features:
                return
            url, body = following

    def _refused(self, refusal: HttpRefused) -> BlockFailure:
        source = self._source
        if refusal.status == 407:
            text = f"{source.host} can't be reached: the proxy wants a login. Give it in QGIS's options, Network."
        elif refusal.status == 404:
            text = f"{source.host} has no collection {source.collection}, or {source.url} is no STAC API."
        elif refusal.status in (401, 403):
            text = f"{source.host} asks for a login, which this block doesn't have: choose another STAC API."
        else:
            text = f"{source.host} refuses the search (HTTP {refusal.status}): check collection, dates and AOI."
        return BlockFailure("API_CONNECTION_ERROR", text)


def _chained(first: Iterable[StacScene], then: Iterable[StacScene]) -> Iterator[StacScene]:
    yield from first
    yield from then


def _next(page: Any, url: str, body: Optional[dict[str, Any]]) -> Optional[tuple[str, Optional[dict[str, Any]]]]:
    """Address and body of the next page (STAC API, paging), None at the end."""
    for link in page.get("links") or []:
        if not isinstance(link, dict) or link.get("rel") != "next" or not isinstance(link.get("href"), str):
            continue
        target = urljoin(url, link["href"])
        if str(link.get("method", "GET")).upper() != "POST":
            return target, None
        given = link.get("body")
        if not isinstance(given, dict):
            return target, body
        return target, {**(body or {}), **given} if link.get("merge") else given
    return None
