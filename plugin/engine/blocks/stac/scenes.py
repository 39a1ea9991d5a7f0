"""A STAC item as a scene: who, when, where, how cloudy, and which files with which scale and offset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional
from urllib.parse import urljoin, urlsplit

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ....jobs.job import parse_time
from ..dates import Span
from .http import LOOPBACK
from .sources import Source

SENTINEL_2_SCALE, SENTINEL_2_OFFSET = 0.0001, -0.1  # ESA, processing baseline 04.00 and later (25 January 2022)
FIRST_BASELINE_WITH_OFFSET = 4.0


@dataclass(frozen=True)
class Asset:
    """A file of a scene. `scale` and `offset` as the catalogue says; None where it doesn't."""

    key: str
    url: str
    scale: Optional[float] = None
    offset: Optional[float] = None
    nodata: Optional[float] = None
    media_type: str = ""
    projection: Mapping[str, Any] = field(default_factory=dict, hash=False)  # what the proj extension says of it


@dataclass(frozen=True)
class StacScene:
    """One item of a collection. `footprint` in EPSG:4326; cloud cover in percent of the whole scene."""

    id: str
    footprint: BaseGeometry
    acquired: Optional[Span]
    cloud_cover: Optional[float]
    properties: Mapping[str, Any]
    assets: Mapping[str, Asset]
    item_url: str = ""

    @property
    def platform(self) -> str:
        """The satellite, "" where the item doesn't say."""
        return str(self.properties.get("platform") or self.properties.get("constellation") or "")

    @property
    def grid_code(self) -> str:
        """The tile, such as MGRS-33UUU, "" where there is none."""
        return str(self.properties.get("grid:code") or self.properties.get("s2:mgrs_tile") or "")

    def asset(self, name: str, source: Source) -> Optional[Asset]:
        """The file of a band by its name: the source's key for it, that name itself, or that in capitals."""
        for key in (source.assets.get(name, name), name, name.upper(), name.lower()):
            if key in self.assets:
                return self.assets[key]
        return None


def scene_of_item(item: Any, source: Source) -> Optional[StacScene]:
    """The scene of a GeoJSON feature of a search; None where it is no item that can be used."""
    try:
        properties = item.get("properties") or {}
        footprint = shape(item["geometry"])
        if not footprint.is_valid:
            footprint = footprint.buffer(0)
        if footprint.is_empty or not isinstance(item["id"], str) or not item["id"]:
            return None
        base = _link(item, "self") or f"{source.url}/collections/{source.collection}/items/"
        assets = {
            key: found
            for key, asset in (item.get("assets") or {}).items()
            if (found := _asset(key, asset, base, properties, source)) is not None
        }
        return StacScene(
            item["id"], footprint, _acquired(properties), _percent(properties), properties, assets, _link(item, "self")
        )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None


def _link(item: Mapping[str, Any], rel: str) -> str:
    links = item.get("links") or []
    return next((str(link["href"]) for link in links if link.get("rel") == rel and link.get("href")), "")


def _acquired(properties: Mapping[str, Any]) -> Optional[Span]:
    moment = parse_time(properties.get("datetime"))
    start, end = parse_time(properties.get("start_datetime")), parse_time(properties.get("end_datetime"))
    if moment is not None:
        return Span(moment, moment)
    return Span(start, max(start, end or start)) if start is not None else None


def _percent(properties: Mapping[str, Any]) -> Optional[float]:
    value = properties.get("eo:cloud_cover")
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 100 else None


def _asset(
    key: str, asset: Mapping[str, Any], base: str, properties: Mapping[str, Any], source: Source
) -> Optional[Asset]:
    url = web_address(str(asset.get("href") or ""), base, source)
    if not url:
        return None
    bands = asset.get("raster:bands") or asset.get("bands") or [{}]
    band = bands[0] if isinstance(bands, list) and bands and isinstance(bands[0], dict) else {}
    scale = _first_number(band.get("scale"), band.get("raster:scale"), asset.get("raster:scale"))
    offset = _first_number(band.get("offset"), band.get("raster:offset"), asset.get("raster:offset"))
    if properties.get("earthsearch:boa_offset_applied") is True and offset:
        offset = 0.0  # Earth Search's first Sentinel-2 collection: it is in the pixels already, and still named here
    if _is_reflectance(key, source) and len(bands) == 1:
        scale, offset = _sentinel_2(scale, offset, properties)
    nodata = _first_number(band.get("nodata"), asset.get("nodata"))
    projection = {name: asset[name] for name in asset if name.startswith("proj:")}
    return Asset(key, url, scale, offset, nodata, str(asset.get("type") or ""), projection)


def _is_reflectance(key: str, source: Source) -> bool:
    if not source.collection.startswith("sentinel-2"):
        return False
    bands = {name.lower() for name in source.assets} | {asset.lower() for asset in source.assets.values()}
    return key.lower() in bands - {"scl", "visual"}


def _sentinel_2(
    scale: Optional[float], offset: Optional[float], properties: Mapping[str, Any]
) -> tuple[Optional[float], Optional[float]]:
    """Scale and offset of Sentinel-2 reflectance: where the catalogue says nothing, the processing baseline decides."""
    if offset is None and properties.get("earthsearch:boa_offset_applied") is True:
        offset = 0.0
    elif offset is None:
        try:
            baseline = float(properties.get("s2:processing_baseline") or properties.get("processing:version") or "")
        except ValueError:
            return scale, offset
        offset = SENTINEL_2_OFFSET if baseline >= FIRST_BASELINE_WITH_OFFSET else 0.0
    return scale if scale is not None else SENTINEL_2_SCALE, offset


def _first_number(*values: Any) -> Optional[float]:
    return next((float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)), None)


def web_address(href: str, base: str, source: Source) -> str:
    """An asset's address on the web; "" for what is none: a file of this computer is never read for a catalogue."""
    if href.startswith("s3://"):
        bucket, _, key = href[5:].partition("/")
        return f"https://{bucket}.s3.amazonaws.com/{key}"
    url = urljoin(base, href)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    if parts.hostname in LOOPBACK and urlsplit(source.url).hostname not in LOOPBACK:
        return ""
    return url
