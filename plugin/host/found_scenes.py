"""The scenes that a Test Query found, read from its output folder: what the scene list shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from qgis.PyQt.QtCore import QByteArray, QSize, Qt
from qgis.PyQt.QtGui import QImage, QImageReader

from ..delivery.data_json import read_outputs
from ..delivery.manifest import read_manifest
from ..jobs.coverage import covered_percent, polygon_of
from ..jobs.job import Scene, scene_of
from .collect import QUICKLOOKS

THUMBNAIL = (64, 48)  # pixels; drawn at that size or smaller
LARGEST_QUICKLOOK = 8192  # pixels on a side: a small file can claim to be as large as the memory
FORMATS = {b"\xff\xd8\xff": b"jpg", b"\x89PNG": b"png"}  # by content: what a quicklook may be (contract 5.3)


@dataclass(frozen=True)
class FoundScene:
    """One scene; `coverage` of the AOI in percent, `outline` as WKT in EPSG:4326 ("" where it has none).

    `aoi_cloud`: clouds over the AOI alone, in percent. `pass_scenes`, `pass_coverage`: how many scenes the satellite
    took in the same pass, and the percentage of the AOI that they cover together. None where the platform doesn't say.
    """

    scene: Scene
    coverage: Optional[float]
    outline: str
    thumbnail: Optional[QImage]
    aoi_cloud: Optional[float] = None
    pass_scenes: Optional[int] = None
    pass_coverage: Optional[float] = None


def read_found_scenes(folder: Path) -> list[FoundScene]:
    """The scenes of an output folder, newest first. Worker thread. Raises ManifestUnreadable, DataUnreadable."""
    manifest = read_manifest(folder)
    files = [Path(entry["path"]) for entry in manifest["files"]]
    aoi = polygon_of((manifest["request"].get("aoi") or {}).get("geometry"))
    scenes = [scene_of(feature) for feature in read_outputs(folder, files).features]
    quicklooks = {path.stem: path for path in (folder / QUICKLOOKS).glob("*") if path.is_file()}
    found = []
    for scene in sorted(scenes, key=lambda s: s.acquired_at.isoformat() if s.acquired_at else "", reverse=True):
        footprint = polygon_of(scene.footprint)
        found.append(
            FoundScene(
                scene,
                covered_percent(aoi, footprint),
                footprint.wkt if footprint is not None else "",
                thumbnail_of(quicklooks.get(scene.id)),
                _number(scene.properties.get("aoi_cloud_cover")),
                int(_number(scene.properties.get("pass_scenes")) or 0) or None,
                _number(scene.properties.get("pass_aoi_coverage")),
            )
        )
    return found


def _number(value: object) -> Optional[float]:
    """A percentage or count that a stranger's file says; None for what is none."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and 0 <= value < 1e6 else None


def thumbnail_of(path: Optional[Path]) -> Optional[QImage]:
    """A small copy of a JPEG or PNG; None for anything else."""
    if path is None:
        return None
    with path.open("rb") as file:
        start = file.read(4)
    kind = next((name for magic, name in FORMATS.items() if start.startswith(magic)), None)
    if kind is None:
        return None
    reader = QImageReader(str(path), QByteArray(kind))
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    if size.isEmpty() or max(size.width(), size.height()) > LARGEST_QUICKLOOK:
        return None
    reader.setScaledSize(size.scaled(QSize(*THUMBNAIL), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image
