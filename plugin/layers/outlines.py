"""The AOI and the footprints of a job's scenes, kept as files beside its outputs, so that a saved project keeps them.

GeoJSON, because a GeoPackage that is open in QGIS writes files beside itself, also in folders that are only read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from qgis.core import QgsVectorLayer

from ..jobs.job import Scene
from .provenance import acquired_text
from .style import AOI_COLOUR, AOI_WIDTH, FOOTPRINT_COLOUR, FOOTPRINT_WIDTH, outline

TIMES_AS_TEXT = "|option:DATE_AS_STRING=YES"  # QGIS 3.22 would take a time in UTC for local time
AOI_FILE, FOOTPRINTS_FILE = "job_aoi.geojson", "job_footprints.geojson"
# Ids come from strangers: without these signs they can't become HTML in the tip.
_SAFE_ID = "regexp_replace(\"scene_id\", '[<>&\"]', '')"
FOOTPRINT_TIP = (
    "<b>[% coalesce(\"when\", '?') %]</b><br>"
    "[% coalesce(to_string(round(\"cloud_cover\")) || ' % cloud<br>', '') %]"
    f"[% {_SAFE_ID} %]"
)
FOOTPRINT_LABEL = (  # for printed maps, where no mouse can rest
    "left(\"when\", 10) || coalesce(' · ' || to_string(round(\"cloud_cover\")) || ' % cloud', '')"
)


def write_aoi(folder: Path, geometry: Optional[Mapping[str, Any]], name: str) -> Optional[Path]:
    """Write the AOI (GeoJSON geometry, EPSG:4326) into the folder; None where there is none."""
    if not geometry:
        return None
    return _write(folder / AOI_FILE, [_feature(geometry, {"name": name})])


def write_footprints(folder: Path, scenes: Sequence[Scene]) -> Optional[Path]:
    """Write the scenes' footprints with id, acquisition time and cloud cover (%); None without scenes.

    `acquired` is ISO 8601 with Z, `when` the same for people.
    """
    features = [
        _feature(
            scene.footprint,
            {
                "scene_id": scene.id,
                "acquired": scene.acquired_at.strftime("%Y-%m-%dT%H:%M:%SZ") if scene.acquired_at else None,
                "when": acquired_text(scene) or None,
                "cloud_cover": scene.cloud_cover,
            },
        )
        for scene in scenes
        if scene.footprint
    ]
    return _write(folder / FOOTPRINTS_FILE, features) if features else None


def aoi_layer(path: Path, name: str) -> QgsVectorLayer:
    """The AOI as a layer that is drawn as an outline."""
    layer = _layer(path, name)
    outline(layer, AOI_COLOUR, AOI_WIDTH)
    return layer


def footprints_layer(path: Path, name: str) -> QgsVectorLayer:
    """The footprints as outlines; date, cloud cover and id are told where the mouse rests (map tips)."""
    layer = _layer(path, name)
    outline(layer, FOOTPRINT_COLOUR, FOOTPRINT_WIDTH)
    layer.setDisplayExpression('"scene_id"')
    layer.setMapTipTemplate(FOOTPRINT_TIP)
    return layer


def _layer(path: Path, name: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{path}{TIMES_AS_TEXT}", name, "ogr", QgsVectorLayer.LayerOptions(loadDefaultStyle=False))
    layer.setReadOnly(True)
    return layer


def _feature(geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": dict(properties), "geometry": dict(geometry)}


def _write(path: Path, features: Sequence[Mapping[str, Any]]) -> Path:
    """Written aside and renamed; left alone where it says the same already, since QGIS may have it open."""
    text = json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path
