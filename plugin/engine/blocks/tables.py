"""Statistics as files: one table for spreadsheets (CSV), the same with the zones' polygons for the map (GeoJSON)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Sequence

from shapely.geometry import box, shape
from shapely.ops import unary_union

from .base import Feature
from .features import make_feature, rounded, write_features
from .processing import safe_name

if TYPE_CHECKING:
    from .pixels.zonal import Row

_KEPT = ("rights", "attribution", "license", "license_url", "synthetic", "collection", "platform")
_DIGITS = 9  # significant: more than float32 has


def write_table(output: Path, scenes: Sequence[Feature], rows: Sequence[Row], statistics: Sequence[str]) -> None:
    """Write the table of these scenes' rows as `<first scene>_statistics.csv` and `.geojson`, and data.json."""
    stem = f"{safe_name(str(scenes[0]['id']))}_statistics"
    columns = ("zone", "date", "scene", "band", *statistics)
    records = [dict(zip(columns, _cells(row, statistics))) for row in rows]
    with open(output / f"{stem}.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(records)
    shapes = [
        {"type": "Feature", "properties": record, "geometry": rounded(row.place)} for row, record in zip(rows, records)
    ]
    collection = {"type": "FeatureCollection", "name": stem, "features": shapes}
    text = json.dumps(collection, ensure_ascii=False, allow_nan=False)
    (output / f"{stem}.geojson").write_text(text, encoding="utf-8")
    write_features(output, [_summary(stem, scenes, rows)])


def _cells(row: Row, statistics: Sequence[str]) -> list[Any]:
    return [row.zone, row.date, row.scene, row.band, *(_short(row.value(name)) for name in statistics)]


def _short(value: Optional[float]) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _summary(stem: str, scenes: Sequence[Feature], rows: Sequence[Row]) -> Feature:
    """What data.json says of the table: the scenes and rights that went into it."""
    frame = unary_union([box(*shape(row.place).bounds) for row in rows])
    return make_feature(stem, frame.envelope, {**shared_properties(scenes), "title": stem}, f"{stem}.geojson")


def shared_properties(scenes: Sequence[Feature]) -> dict[str, Any]:
    """The properties of what is made of several scenes: from when to when, of which, and all their rights."""
    dates = sorted(one["properties"]["datetime"] for one in scenes if one["properties"].get("datetime"))
    properties: dict[str, Any] = {"datetime": dates[0] if dates and dates[0] == dates[-1] else None}
    if dates and dates[0] != dates[-1]:
        properties["start_datetime"], properties["end_datetime"] = dates[0], dates[-1]
    for name in _KEPT:
        values = list(dict.fromkeys(one["properties"][name] for one in scenes if one["properties"].get(name)))
        if values:
            texts = all(isinstance(value, str) for value in values)
            properties[name] = "; ".join(values) if texts else values[0]
    return {**properties, "scenes": [str(one["id"]) for one in scenes]}
