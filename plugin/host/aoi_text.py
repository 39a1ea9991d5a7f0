"""AOIs of pasted or dropped text: GeoJSON, WKT and EWKT, KML or GML, four numbers, or the path of a file."""

from __future__ import annotations

import json
import math
import re
import uuid
from pathlib import Path
from typing import Any, Iterator, Optional
from urllib.parse import unquote, urlsplit

from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry

from ..jobs.aoi import AoiError
from ..jobs.many_aois import ManyAois
from ..jobs.problem import Problem
from .aoi_file import read_aoi_file
from .aoi_on_earth import AOI_CRS
from .aoi_source import FoundAois, find_aois
from .words import tr

LONGEST_TEXT = 20_000_000  # characters
LONGEST_PATH = 4000
NUMBER = re.compile(r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
BETWEEN_NUMBERS = re.compile(r"^(?:bbox|extent|bounds)?[\s,;:=\[\]()°]*$", re.IGNORECASE)
EWKT = re.compile(r"^\s*SRID=(\d+)\s*;", re.IGNORECASE)
QGIS_COLUMN = "wkt_geom"
NAME_PROPERTIES = ("name", "title", "label")


def read_aoi_text(text: str, name: Optional[str] = None) -> FoundAois:
    """Every polygon in `text`. Raises AoiError. For a worker thread: a text can be long, and can name a file.

    GeoJSON is in EPSG:4326 unless its (old) member "crs" says otherwise; EWKT says its own; all else is in degrees.
    """
    name = name or tr("Pasted AOI")
    text = text.strip("\ufeff \t\r\n")
    if not text or len(text) > LONGEST_TEXT:
        raise AoiError(_problem("aoi_unreadable_text"))
    for read in (_from_numbers, _from_json, _from_xml, _from_qgis, _from_wkt, _from_path):
        found = read(text, name)
        if found is not None:
            if not found.aois and not found.refused:
                raise AoiError(_problem("aoi_no_polygon_in", name=name))
            return found
    raise AoiError(_problem("aoi_unreadable_text"))


def _problem(code: str, **values: object) -> Problem:
    return Problem(code, values, where="aoi")


def _world() -> QgsCoordinateReferenceSystem:
    return QgsCoordinateReferenceSystem(AOI_CRS)


def _from_numbers(text: str, name: str) -> Optional[FoundAois]:
    """West, south, east, north in degrees; west of a box over the 180° meridian is larger than east (RFC 7946, 5.2)."""
    if len(text) > 300 or any(not BETWEEN_NUMBERS.match(part) for part in NUMBER.split(text)):
        return None
    numbers = [float(found.replace("−", "-")) for found in NUMBER.findall(text)]
    if len(numbers) != 4:
        return None
    west, south, east, north = numbers
    if west > 0 > east:
        east += 360
    if not (west < east and south < north and south >= -90 and north <= 90 and abs(west) <= 360):
        raise AoiError(_problem("aoi_bbox_order", given=", ".join(f"{number:g}" for number in numbers)))
    corners = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
    return find_aois([(QgsGeometry.fromWkt(f"POLYGON(({corners}))"), name)], _world(), name)


def _from_json(text: str, name: str) -> Optional[FoundAois]:
    if text[0] not in "{[":
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise AoiError(_problem("aoi_unreadable_text")) from e
    if isinstance(value, list):
        value = {"type": "Polygon", "coordinates": _as_polygon(value)}
    if not isinstance(value, dict):
        raise AoiError(_problem("aoi_unreadable_text"))
    try:
        named = [(_geometry(found), own) for found, own in _geometries(value, name)]
    except (RecursionError, TypeError, KeyError) as e:
        raise AoiError(_problem("aoi_broken")) from e
    if len(named) > 1:
        named = [(geometry, own or f"{name} {n}") for n, (geometry, own) in enumerate(named, start=1)]
    return find_aois(((geometry, own or name) for geometry, own in named), _crs_of(value), name)


def _as_polygon(value: list) -> list:
    """Bare coordinates as those of a polygon: a ring [[lon, lat], …] gets its list around, and its end."""
    if value and isinstance(value[0], list) and value[0] and isinstance(value[0][0], (int, float)):
        closed = value if value[0] == value[-1] else [*value, value[0]]
        return [closed]
    return value


def _geometries(value: Any, name: str) -> Iterator[tuple[dict, str]]:
    """Each geometry of any GeoJSON object with the name that its feature gives, or ""."""
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if kind == "FeatureCollection":
        for feature in value.get("features") or []:
            yield from _geometries(feature, name)
    elif kind == "Feature":
        if isinstance(value.get("geometry"), dict):
            yield value["geometry"], _own_name(value)
    elif kind:
        yield value, ""


def _own_name(feature: dict) -> str:
    properties = feature.get("properties")
    known = {k.casefold(): v for k, v in properties.items()} if isinstance(properties, dict) else {}
    return next((str(known[key]).strip() for key in NAME_PROPERTIES if known.get(key)), "")


def _geometry(geojson: dict) -> QgsGeometry:
    """A geometry of QGIS. Raises AoiError where its coordinates can't be read."""
    geometry = QgsGeometry.fromWkt(_wkt(geojson))
    if geometry.isNull():
        raise AoiError(_problem("aoi_broken"))
    return geometry


def _wkt(geojson: dict) -> str:
    kind = str(geojson.get("type", ""))
    if kind == "GeometryCollection":
        return f"GEOMETRYCOLLECTION({', '.join(_wkt(inner) for inner in geojson.get('geometries') or [])})"
    if kind not in ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"):
        raise AoiError(_problem("aoi_not_polygon", kind=kind[:40] or "?"))
    if not geojson.get("coordinates"):
        return f"{kind.upper()} EMPTY"
    inner = _wkt_list(geojson["coordinates"])
    return f"{kind.upper()}({inner})" if kind == "Point" else f"{kind.upper()}{inner}"


def _wkt_list(value: Any) -> str:
    """Coordinates as WKT. Raises AoiError where they are no lists of finite numbers."""
    if not isinstance(value, list) or not value:
        raise AoiError(_problem("aoi_broken"))
    if all(isinstance(part, list) for part in value):
        return f"({', '.join(_wkt_list(part) for part in value)})"
    if len(value) < 2 or not all(_is_finite(part) for part in value[:2]):
        raise AoiError(_problem("aoi_broken"))
    return f"{value[0]!r} {value[1]!r}"


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _crs_of(value: dict) -> QgsCoordinateReferenceSystem:
    """EPSG:4326, unless the member "crs" of GeoJSON before RFC 7946 names another one."""
    crs = value.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or name.endswith(("CRS84", "EPSG::4326", "EPSG:4326")):
        return _world()
    return QgsCoordinateReferenceSystem.fromOgcWmsCrs(name)  # one that is not known is said to be unknown


def _from_xml(text: str, name: str) -> Optional[FoundAois]:
    """KML or GML, read by GDAL from memory."""
    if not text.startswith("<"):
        return None
    suffix = "kml" if "<kml" in text[:2000] else "gml"
    path = f"/vsimem/up42_jobs_{uuid.uuid4().hex}.{suffix}"
    gdal.FileFromMemBuffer(path, text.encode())
    try:
        found = read_aoi_file(path)
    except AoiError as e:
        code = "aoi_unreadable_text" if e.problem.code == "aoi_unreadable_file" else e.problem.code
        raise AoiError(_problem(code, **{**e.problem.values, "name": name})) from e
    finally:
        gdal.Unlink(path)
        gdal.Unlink(path.replace(".gml", ".gfs"))
    usual = Path(path).stem
    return FoundAois(
        ManyAois.of(found.aois).renamed(lambda own: own.replace(usual, name)), found.left_out, found.refused, name
    )


def _from_qgis(text: str, name: str) -> Optional[FoundAois]:
    """Features as QGIS copies them: a table with the WKT in the first column. The CRS is not in it: degrees."""
    header, _, table = text.partition("\n")
    columns = header.rstrip("\r").split("\t")
    if columns[0] != QGIS_COLUMN:
        return None
    place = next((i for i, column in enumerate(columns) if column.casefold() in NAME_PROPERTIES), 0)
    named = []
    for number, line in enumerate(table.splitlines(), start=1):
        cells = line.split("\t")
        own = cells[place].strip() if 0 < place < len(cells) else ""
        named.append((QgsGeometry.fromWkt(cells[0].strip('"')), own or f"{name} {number}"))
    return find_aois(named, _world(), name)


def _from_wkt(text: str, name: str) -> Optional[FoundAois]:
    ewkt = EWKT.match(text)
    geometry = QgsGeometry.fromWkt(text[ewkt.end() :] if ewkt else text)
    if geometry.isNull():
        return None
    crs = QgsCoordinateReferenceSystem(f"EPSG:{ewkt.group(1)}") if ewkt and ewkt.group(1) != "4326" else _world()
    return find_aois([(geometry, name)], crs, name)


def _from_path(text: str, _name: str) -> Optional[FoundAois]:
    """The path or file: address of a file, as file managers copy it."""
    line = text.splitlines()[0].strip().strip("\"'")
    if len(line) > LONGEST_PATH or "\0" in line:
        return None
    path = unquote(urlsplit(line).path) if line.startswith("file:") else line
    try:
        there = Path(path).is_absolute() and Path(path).exists()
    except OSError:
        return None
    return read_aoi_file(path) if there else None


def looks_like_aoi(text: str) -> bool:
    """True where a text may be an AOI; a quick look for drag and drop, before it is read."""
    start = text.lstrip("\ufeff \t\r\n")[:200]
    known = start.startswith((QGIS_COLUMN, "{", "[", "<"))
    return known or bool(re.match(r"[-+−.\d(/~]|[A-Za-z]:|[A-Za-z]+\s*[(=:]", start))
