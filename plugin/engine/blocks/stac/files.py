"""Opening a scene's files over HTTP with GDAL: options of the thread that reads, retries, permits."""

from __future__ import annotations

import threading
import time
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from osgeo import gdal

from ....jobs.job import parse_time
from ..base import BlockFailure
from ..pixels.rasters import Window
from .http import Http, HttpRefused
from .scenes import Asset
from .sources import Source

TRIES = 4
FIRST_PAUSE_SECONDS = 0.5
PERMIT_MARGIN_SECONDS = 300.0
# For the reading threads alone. Proxy and certificates come with the worker's environment.
OPTIONS: Mapping[str, str] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # ask for no side files
    "CPL_VSIL_CURL_USE_HEAD": "NO",  # one request less for each file
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",  # a COG's header in one request
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MAX_RETRY": "3",  # 429, 502, 503, 504
    "GDAL_HTTP_RETRY_DELAY": "0.5",
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_LOW_SPEED_TIME": "30",  # silence, not the whole time, ends a read
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "GDAL_HTTP_NETRC": "NO",
    "GDAL_HTTP_USERAGENT": "UP42-Jobs-engine",
}
_ready = threading.local()


class NotReadable(Exception):
    """A file can't be read in spite of repeated tries; the text says which and why, without its address."""


def prepare_thread() -> None:
    """Give the calling thread GDAL's options for HTTP, and keep addresses (they may be signed) out of the log."""
    if getattr(_ready, "done", False):
        return
    # GDAL before 3.5 has no options for a thread in Python; this process has no other work than its task.
    set_option = getattr(gdal, "SetThreadLocalConfigOption", gdal.SetConfigOption)
    for name, value in OPTIONS.items():
        set_option(name, value)
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    _ready.done = True


class RemoteFiles:
    """Opens assets by their key, each once for each thread. `close` when a scene is done.

    Not shared between scenes: a file's handles and its part of GDAL's cache go with it.
    """

    def __init__(self, addresses: Mapping[str, str]):
        """`addresses`: asset key -> https address."""
        self._paths = {key: f"/vsicurl/{address}" for key, address in addresses.items()}
        self._own = threading.local()

    def dataset(self, key: str) -> gdal.Dataset:
        """The file, opened by this thread. Raises NotReadable."""
        prepare_thread()
        opened: dict[str, gdal.Dataset] = self._own.__dict__.setdefault("opened", {})
        if key not in opened:
            opened[key] = self._again(key, lambda: _open(self._paths[key]))
        return opened[key]

    def read(self, key: str, number: int, window: Window, size: Optional[tuple[int, int]] = None) -> Any:
        """A window of a band, as an array; of `size` (columns, rows) read from the overviews. Raises NotReadable."""
        shape = {} if size is None else {"buf_xsize": size[0], "buf_ysize": size[1]}

        def once() -> Any:
            band = self.dataset(key).GetRasterBand(number)
            pixels = band.ReadAsArray(*window.origin_and_size, **shape)
            if pixels is None:
                raise RuntimeError("nothing was read")
            return pixels

        return self._again(key, once)

    def _again(self, key: str, once: Any) -> Any:
        """Do it until it works; between two tries what GDAL has cached of the file is forgotten."""
        error: Optional[Exception] = None
        for number in range(TRIES):
            if number:
                self._own.__dict__.get("opened", {}).pop(key, None)
                gdal.VSICurlPartialClearCache(self._paths[key])
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (number - 1))
            try:
                return once()
            except RuntimeError as e:
                error = e
                if _is_final(str(e)):
                    break
        raise NotReadable(f"its file {key} {_reason(str(error))}{_who_pays(self._paths[key], str(error))}")

    def close(self) -> None:
        """Forget what GDAL has cached of the files."""
        self._own = threading.local()
        for path in self._paths.values():
            gdal.VSICurlPartialClearCache(path)


def _open(path: str) -> gdal.Dataset:
    return gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY, allowed_drivers=["GTiff"])


def _is_final(message: str) -> bool:
    return any(f"response code: {code}" in message or f"error {code}" in message.lower() for code in (401, 403, 404))


def _reason(message: str) -> str:
    """GDAL's reason in words; never its own text, which holds the address."""
    lower = message.lower()
    for code, words in (
        ("404", "is not there (HTTP 404)"),
        ("403", "may not be read (HTTP 403)"),
        ("401", "may not be read (HTTP 401)"),
        ("429", "is refused for now: too many requests (HTTP 429)"),
    ):
        if f"code: {code}" in lower or f"error {code}" in lower:
            return words
    if "range downloading" in lower:
        return "can't be read in parts: its server doesn't know HTTP ranges"
    if "not recognized" in lower or "not a tiff" in lower or "not exist" in lower:
        return "is no GeoTIFF that can be read"
    return "could not be read to its end"


def _who_pays(path: str, message: str) -> str:
    """Amazon's buckets refuse those who are not asked to pay, too."""
    refused = _is_final(message) and "404" not in message
    bucket = (urlsplit(path.removeprefix("/vsicurl/")).hostname or "").endswith(".amazonaws.com")
    return ": its bucket may be one whose requester pays, with an account at Amazon" if refused and bucket else ""


class Permits:
    """Signs the addresses of files where a source asks for that (Planetary Computer: anonymous, for an hour)."""

    def __init__(self, source: Source, http: Http):
        self._source = source
        self._http = http
        self._lock = threading.Lock()
        self._query = ""
        self._until = 0.0

    def signed(self, asset: Asset) -> str:
        """The address to read from: a secret where it is signed. Raises BlockFailure."""
        host = urlsplit(asset.url).hostname or ""
        if not self._source.permits or not host.endswith(".blob.core.windows.net"):
            return asset.url
        with self._lock:
            if time.time() > self._until - PERMIT_MARGIN_SECONDS:
                self._renew()
            return f"{asset.url}{'&' if '?' in asset.url else '?'}{self._query}"

    def _renew(self) -> None:
        try:
            answer = self._http.json(f"{self._source.permits}/{self._source.collection}")
            self._query = answer["token"]
            until = parse_time(answer["msft:expiry"])
        except HttpRefused as e:
            raise BlockFailure(
                "API_CONNECTION_ERROR",
                f"{self._source.host} gives no permit to read the files of {self._source.collection} (HTTP "
                f"{e.status}): it may ask for an account; choose another collection.",
            ) from e
        except (KeyError, TypeError) as e:
            raise BlockFailure(
                "API_CONNECTION_ERROR", f"{self._source.host} gives no permit to read its files: try again later."
            ) from e
        self._until = until.timestamp() if until else time.time() + 2 * PERMIT_MARGIN_SECONDS
