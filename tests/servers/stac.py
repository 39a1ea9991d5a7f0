"""A small STAC API and a server of files in parts, on one port; each can be told to misbehave.

It knows of `POST /search` what the tests ask for: collections, ids, bbox, intersects, datetime, query lte, sortby by
time, limit and paging by token. The tests of the contract do the same on stac-fastapi.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Callable, Optional

from shapely.geometry import box, shape

from up42_jobs.plugin.jobs.job import parse_time

from .tcp import Request
from .web import Reply, WebServer, json_reply

Fault = Callable[[Request], Optional[Reply]]  # what to answer in place of the truth; None: the truth. May raise HangUp


class HangUp(Exception):
    """Close the connection without an answer."""


class StacServer(WebServer):
    """Serves `items` as a STAC API and the files below `folder`. `faults` are asked first, in order."""

    def __init__(self, folder: Path, items: list[dict] = (), **options) -> None:
        super().__init__(**options)
        self.folder = folder
        self.items = list(items)
        self.collection: dict = {"type": "Collection", "id": "any"}
        self.sorts = True  # False: sortby is passed over
        self.refuses: tuple[str, ...] = ()  # keys of a search that it answers with 400
        self.largest_page = 10
        self.faults: list[Fault] = []

    def _reply(self, request: Request) -> Optional[Reply]:
        with self._lock:
            self.requests.append(request)
        try:
            for fault in self.faults:
                reply = fault(request)
                if reply is not None:
                    return reply
        except HangUp:
            return None
        if request.path == "/search":
            return self._search(json.loads(request.body))
        if request.path.startswith("/collections/"):
            return json_reply(self.collection)
        return self._file(request)

    def searches(self) -> list[dict]:
        """The bodies of all searches."""
        return [json.loads(request.body) for request in self.asked("/search")]

    def _search(self, question: dict) -> Reply:
        for key in self.refuses:
            if key in question:
                return json_reply({"code": "BadRequest", "description": f"{key} is not known here"}, 400)
        found = [item for item in self.items if _matches(item, question)]
        if self.sorts and question.get("sortby"):
            found.sort(key=lambda item: item["properties"]["datetime"], reverse=True)
        start = int(question.get("token", 0))
        size = min(question.get("limit", 10), self.largest_page)
        page = {"type": "FeatureCollection", "features": found[start : start + size], "links": []}
        if start + size < len(found):
            body = {"token": start + size}
            page["links"] = [
                {"rel": "next", "method": "POST", "href": f"{self.url}/search", "body": body, "merge": True}
            ]
        return json_reply(page)

    def _file(self, request: Request) -> Reply:
        path = self.folder / request.path.lstrip("/")
        if ".." in request.path or not path.is_file():
            return Reply(404, b"nothing here")
        content = path.read_bytes()
        parts = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if parts is None:
            return Reply(200, content, {"Accept-Ranges": "bytes"})
        first = int(parts[1])
        last = min(int(parts[2] or len(content) - 1), len(content) - 1)
        if first > last:
            return Reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        headers = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "Accept-Ranges": "bytes"}
        return Reply(206, content[first : last + 1], headers)


def _matches(item: dict, question: dict) -> bool:
    footprint, properties = shape(item["geometry"]), item["properties"]
    if "ids" in question and item["id"] not in question["ids"]:
        return False
    if "collections" in question and item["collection"] not in question["collections"]:
        return False
    if "bbox" in question and not box(*question["bbox"]).intersects(footprint):
        return False
    if "intersects" in question and not shape(question["intersects"]).intersects(footprint):
        return False
    if "datetime" in question:
        start, _, end = question["datetime"].partition("/")
        if not parse_time(start) <= parse_time(properties["datetime"]) <= parse_time(end):
            return False
    limit = question.get("query", {}).get("eo:cloud_cover", {}).get("lte")
    return limit is None or properties["eo:cloud_cover"] <= limit
