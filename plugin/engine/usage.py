"""What a task has used, in the unit that its block's price is in (contract 2.7)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from ..jobs.area import area_km2

Measure = Callable[[Path, Mapping[str, Any]], float]


def used_units(unit: str, output: Path, parameters: Mapping[str, Any]) -> Optional[float]:
    """The units in a finished task's output folder; None for a unit that can't be measured there."""
    measure = _MEASURES.get(unit)
    return measure(output, parameters) if measure else None


def _features(output: Path) -> list[dict[str, Any]]:
    return json.loads((output / "data.json").read_bytes())["features"]


def _scenes(output: Path, _parameters: Mapping[str, Any]) -> float:
    return len(_features(output))


def _square_km(output: Path, parameters: Mapping[str, Any]) -> float:
    aoi = _aoi(parameters)
    total = 0.0
    for feature in _features(output):
        footprint = shape(feature["geometry"])
        total += area_km2(footprint if aoi is None else footprint.intersection(aoi))
    return total


def _aoi(parameters: Mapping[str, Any]) -> Optional[BaseGeometry]:
    if parameters.get("bbox") is not None:
        return box(*parameters["bbox"])
    geometry = parameters.get("intersects") or parameters.get("contains")
    return shape(geometry) if geometry else None


def _megapixels(output: Path, _parameters: Mapping[str, Any]) -> float:
    from osgeo import gdal  # only workers need GDAL, and it takes its time to load

    total = 0
    for path in output.rglob("*.tif"):
        raster = gdal.Open(str(path))
        total += raster.RasterXSize * raster.RasterYSize
    return total / 1e6


def _megabytes(output: Path, _parameters: Mapping[str, Any]) -> float:
    return sum(path.stat().st_size for path in output.rglob("*") if path.is_file()) / 1e6


_MEASURES: Mapping[str, Measure] = {
    "SCENE": _scenes,
    "TILE": _scenes,
    "SQUARE_KM": _square_km,
    "MEGAPIXEL": _megapixels,
    "MEGABYTE": _megabytes,
}
