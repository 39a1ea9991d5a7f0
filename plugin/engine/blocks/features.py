"""`data.json`: what a task found or made, as GeoJSON features in EPSG:4326 (contract 5.2)."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, Mapping, Optional, Sequence

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from .base import BlockFailure, Feature

DATA_PATH = "up42.data_path"
_DECIMALS = 7
_MAX_BYTES = 200_000_000


def make_feature(
    feature_id: str, footprint: BaseGeometry, properties: Mapping[str, Any], data_path: Optional[str] = None
) -> Feature:
    """A feature; `data_path` is relative to the output folder, None where there is no file (Test Query)."""
    bounds = [round(value, _DECIMALS) for value in footprint.bounds]
    all_properties = dict(properties)
    if data_path is not None:
        all_properties[DATA_PATH] = data_path
    return {
        "type": "Feature",
        "id": feature_id,
        "bbox": bounds,
        "geometry": rounded(mapping(footprint)),
        "properties": all_properties,
    }


def rounded(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """A GeoJSON geometry of lists with coordinates to about a centimetre."""

    def round_all(value: Any) -> Any:
        if isinstance(value, (int, float)):
            return round(value, _DECIMALS)
        return [round_all(item) for item in value]

    return {"type": geometry["type"], "coordinates": round_all(geometry["coordinates"])}


def write_features(output: Path, features: Sequence[Feature]) -> None:
    """Write `data.json` into a task's output folder, whole or not at all."""
    temporary = output / "data.json.part"
    collection = {"type": "FeatureCollection", "features": list(features)}
    temporary.write_text(json.dumps(collection, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    temporary.replace(output / "data.json")


def read_features(output: Optional[Path]) -> list[Feature]:
    """The features of a parent task. Raises BlockFailure where there are none."""
    if output is None or not (output / "data.json").is_file():
        raise BlockFailure("NO_INPUT_ERROR", "There is nothing to work on: this block must follow a data block.")
    try:
        if (output / "data.json").stat().st_size > _MAX_BYTES:
            raise ValueError("too large")
        features = json.loads((output / "data.json").read_text(encoding="utf-8"))["features"]
    except (ValueError, KeyError, TypeError) as e:
        text = "The data.json of the task before can't be read: run the job again."
        raise BlockFailure("NO_INPUT_ERROR", text) from e
    if not features:
        raise BlockFailure("NO_INPUT_ERROR", "The task before has no output: there is nothing to work on.")
    return features


def feature_file(output: Path, feature: Feature) -> Path:
    """The file of a parent's feature. Raises BlockFailure where it is no file inside `output`."""
    name = (feature.get("properties") or {}).get(DATA_PATH)
    feature_id = feature.get("id")
    if not isinstance(name, str) or not name:
        raise BlockFailure("WRONG_INPUT_ERROR", f"{feature_id} has no file: only rasters can be worked on.")
    relative = PurePosixPath(name.replace("\\", "/"))
    path = output / relative
    inside = not relative.is_absolute() and ".." not in relative.parts
    if not inside or output.resolve() not in path.resolve().parents:
        raise BlockFailure("WRONG_INPUT_ERROR", f"The file of {feature_id} lies outside of the output folder.")
    if not path.is_file():
        raise BlockFailure("WRONG_INPUT_ERROR", f"The file of {feature_id} is missing or a folder: run the job again.")
    return path
