"""A real STAC API on loopback: stac-fastapi on a folder of item files. Runs in an environment of its own.

`python serve.py FOLDER`: FOLDER/collections/*.json and FOLDER/items/*.json. All of them are validated by pystac first.
The first line on standard output is the address; it ends with its standard input.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from datetime import datetime
from pathlib import Path

import attr
import pystac
import uvicorn
from shapely.geometry import box, shape
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import create_get_request_model, create_post_request_model
from stac_fastapi.extensions.pagination import TokenPaginationExtension
from stac_fastapi.extensions.query import QueryExtension
from stac_fastapi.extensions.sort import SortExtension
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.errors import NotFoundError

LARGEST_PAGE = 3  # so that there are pages to be followed


@attr.s
class Files(BaseCoreClient):
    """Answers from files; what a request may say is checked by stac-fastapi before."""

    folder: Path = attr.ib(kw_only=True)

    def _read(self, what: str) -> list[dict]:
        return [json.loads(path.read_text()) for path in sorted((self.folder / what).glob("*.json"))]

    def post_search(self, search_request, **kwargs):
        found = [item for item in self._read("items") if _matches(item, search_request)]
        for sort in reversed(search_request.sortby or []):
            name = sort.field.removeprefix("properties.")
            found.sort(key=lambda item: item["properties"].get(name) or "", reverse=sort.direction.value == "desc")
        start = int(search_request.token or 0)
        end = start + min(search_request.limit or 10, LARGEST_PAGE)
        links = []
        if end < len(found):
            href = f"{kwargs['request'].base_url}search"
            links = [{"rel": "next", "method": "POST", "href": href, "body": {"token": str(end)}, "merge": True}]
        return {"type": "FeatureCollection", "features": found[start:end], "links": links}

    def get_search(self, **kwargs):
        raise NotFoundError("only POST is served")

    def get_item(self, item_id, collection_id, **kwargs):
        for item in self._read("items"):
            if (item["id"], item["collection"]) == (item_id, collection_id):
                return item
        raise NotFoundError(item_id)

    def all_collections(self, **kwargs):
        return {"collections": self._read("collections"), "links": []}

    def get_collection(self, collection_id, **kwargs):
        for collection in self._read("collections"):
            if collection["id"] == collection_id:
                return collection
        raise NotFoundError(collection_id)

    def item_collection(self, collection_id, **kwargs):
        items = [item for item in self._read("items") if item["collection"] == collection_id]
        return {"type": "FeatureCollection", "features": items, "links": []}


def _matches(item: dict, asked) -> bool:
    footprint, properties = shape(item["geometry"]), item["properties"]
    if asked.ids and item["id"] not in asked.ids:
        return False
    if asked.collections and item["collection"] not in asked.collections:
        return False
    if asked.bbox and not box(*asked.bbox).intersects(footprint):
        return False
    if asked.intersects and not shape(asked.intersects.model_dump()).intersects(footprint):
        return False
    taken = datetime.fromisoformat(properties["datetime"])
    if asked.datetime and not asked.start_date <= taken <= asked.end_date:
        return False
    for name, limits in (asked.query or {}).items():
        value = properties.get(name)
        if value is None or not all(value <= limit for operator, limit in limits.items() if operator == "lte"):
            return False
    return True


def main(folder: Path) -> None:
    for path in (folder / "items").glob("*.json"):
        pystac.Item.from_dict(json.loads(path.read_text()))  # raises where it is no STAC
    extensions = [QueryExtension(), SortExtension(), TokenPaginationExtension()]
    api = StacApi(
        settings=ApiSettings(),
        extensions=extensions,
        client=Files(folder=folder),
        search_get_request_model=create_get_request_model(extensions),
        search_post_request_model=create_post_request_model(extensions),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    uvicorn.Server(uvicorn.Config(api.app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
