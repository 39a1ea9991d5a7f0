"""When a scene was taken and how cloudy it was: from its MTL file, its tags, its name, in that order of trust."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Mapping, Optional

from ....jobs.job import parse_time
from ..dates import Span, day_span

EARLIEST_YEAR = 1900  # aerial photographs are welcome
MAX_MTL_BYTES = 2_000_000

# Tags that say when the image was taken. TIFFTAG_DATETIME may as well be when the file was written: it comes last.
_ACQUISITION_TAGS = (
    "ACQUISITIONDATETIME", "ACQUISITION_DATETIME", "ACQUISITION_DATE", "ACQUISITIONDATE", "DATE_ACQUIRED",
    "SENSING_TIME", "PRODUCT_START_TIME", "DATATAKE_1_DATATAKE_SENSING_START", "START_DATETIME", "DATETIME",
)  # fmt: skip
FILE_TAG = "TIFFTAG_DATETIME"
KEPT_TAGS = (*_ACQUISITION_TAGS, FILE_TAG)

_WITH_TIME = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(?!\d)")
_DASHED = re.compile(r"(?<!\d)(\d{4})([-_.])(\d{2})\2(\d{2})(?!\d)")
_PLAIN = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?!\d)")
_OLD_LANDSAT = re.compile(r"(?<![A-Z])L[COTEM]\d\d{6}(\d{4})(\d{3})[A-Z]{3}\d{2}")  # year and day of the year
_TIFF_TIME = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2}):(\d{2}):(\d{2})")


@dataclass(frozen=True)
class Acquisition:
    """`taken` is a moment, or a whole day where the time is unknown; None is unknown. Cloud cover in percent."""

    taken: Optional[Span] = None
    cloud_cover: Optional[float] = None
    platform: Optional[str] = None


def acquisition(name: str, tags: Mapping[str, str], mtl: Optional[Path] = None) -> Acquisition:
    """All that is known of a scene called `name` with these tags (upper-case keys) and this MTL file."""
    facts = read_mtl(mtl) if mtl is not None else {}
    return Acquisition(
        _from_mtl(facts) or _from_tags(tags) or _from_name_and_file(name, tags.get(FILE_TAG, "")),
        _cloud_cover(facts),
        facts.get("SPACECRAFT_ID"),
    )


def date_in_name(name: str) -> Optional[Span]:
    """The first date in a file's name: with its time, or the whole day; None without one."""
    for match in _WITH_TIME.finditer(name):
        moment = _moment(*match.groups())
        if moment:
            return Span(moment, moment)
    candidates = [(m.start(), (m[1], m[3], m[4])) for m in _DASHED.finditer(name)]
    candidates += [(m.start(), (m[1], m[2], m[3])) for m in _PLAIN.finditer(name)]
    for _, parts in sorted(candidates):
        moment = _moment(*parts)
        if moment:
            return day_span(moment)
    old = _OLD_LANDSAT.search(name)
    first = _moment(old[1], "01", "01") if old else None
    if old and first and 1 <= int(old[2]) <= 366:
        return day_span(first + timedelta(days=int(old[2]) - 1))
    return None


def read_mtl(path: Path) -> dict[str, str]:
    """The values of a Landsat MTL file (lines of KEY = VALUE); empty where it can't be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_MTL_BYTES)
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip().strip('"') for key, value in pairs}


def _from_mtl(facts: Mapping[str, str]) -> Optional[Span]:
    day = facts.get("DATE_ACQUIRED")
    if not day:
        return None
    moment = parse_time(f"{day}T{facts.get('SCENE_CENTER_TIME', '')}")
    if moment:
        return Span(moment, moment)
    moment = parse_time(day)
    return day_span(moment) if moment else None


def _from_tags(tags: Mapping[str, str]) -> Optional[Span]:
    for tag in _ACQUISITION_TAGS:
        text = tags.get(tag, "").strip()
        moment = parse_time(text) or _tiff_time(text)
        if moment:
            return day_span(moment) if len(text) <= 10 else Span(moment, moment)
    return None


def _from_name_and_file(name: str, file_tag: str) -> Optional[Span]:
    """The date in the name. The file's own time only where the name has none, or to give that same day its time."""
    in_name = date_in_name(name)
    written = _tiff_time(file_tag)
    if written and (in_name is None or (in_name.start < in_name.end and in_name == day_span(written))):
        return Span(written, written)
    return in_name


def _tiff_time(text: str) -> Optional[datetime]:
    match = _TIFF_TIME.match(text)
    return _moment(*match.groups()) if match else None


def _moment(*parts: str) -> Optional[datetime]:
    try:
        moment = datetime(*(int(part) for part in parts), tzinfo=timezone.utc)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    return moment if EARLIEST_YEAR <= moment.year <= datetime.now(timezone.utc).year + 1 else None


def _cloud_cover(facts: Mapping[str, str]) -> Optional[float]:
    try:
        value = float(facts["CLOUD_COVER"])
    except (KeyError, ValueError):
        return None
    return value if 0 <= value <= 100 else None  # USGS: -1 is not calculated
