"""Which files of a folder make which scenes: single GeoTIFFs, and bands in a file each that are one scene together."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Mapping, Optional, Sequence

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from .. import bands
from ..band_words import is_pan_name
from ..dates import Span
from .acquisition import Acquisition, acquisition
from .folders import SceneFolder
from .header import Header

# …_B4.TIF, …_SR_B4.TIF, …_B04_10m.tif, and B04.tif in a folder that is named like the scene.
_BAND = re.compile(r"(?:(?P<scene>.+)[_.-])?(?:SR_|ST_)?B(?P<band>8A|\d{1,2})(?P<metres>_\d{1,4}m)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_ID = 120


@dataclass(frozen=True)
class Source:
    """A file of a scene, relative to its folder."""

    path: str
    header: Header


@dataclass(frozen=True)
class LocalScene:
    """A scene: one file with all its bands, or files with a band each, in order. `bands` are their descriptions."""

    id: str
    folder: SceneFolder
    sources: tuple[Source, ...]
    bands: tuple[str, ...]
    assumed_bands: bool  # no description says so: they were taken from the sensor's usual order
    known: Acquisition
    pan: Optional[Source] = None  # the file of its panchromatic band, on a finer grid of its own

    @property
    def header(self) -> Header:
        """Of the first file: all lie on one grid."""
        return self.sources[0].header

    @property
    def footprint(self) -> BaseGeometry:
        """In EPSG:4326, less nodata."""
        return shape(self.header.footprint)

    @property
    def acquired(self) -> Optional[Span]:
        """A moment, a whole day, or None."""
        return self.known.taken

    @property
    def cloud_cover(self) -> Optional[float]:
        """Percent, None where nobody says."""
        return self.known.cloud_cover


def pan_of(scene: LocalScene) -> Optional[LocalScene]:
    """A scene's panchromatic band as a scene of its own, `<id>_pan`; None where it has none."""
    if scene.pan is None:
        return None
    name = bands.band_name(scene.id, _band(scene.pan.path))
    return replace(scene, id=f"{scene.id}_pan", sources=(scene.pan,), bands=(name,), assumed_bands=False, pan=None)


def scenes_of(folder: SceneFolder, headers: Mapping[str, Header]) -> tuple[list[LocalScene], list[str]]:
    """The scenes in a folder's files (relative path -> header), and a line for each file that is left out."""
    notes = [f"{path} is no scene: {header.problem}." for path, header in headers.items() if header.problem]
    usable = {path: header for path, header in headers.items() if not header.problem}
    groups = _groups(usable)
    scenes: dict[str, tuple[tuple[Source, ...], tuple[str, ...]]] = {}
    pans: dict[str, Source] = {}
    grouped = set()
    for stem, found in groups.items():
        chosen, left = _one_grid([Source(path, usable[path]) for path in found])
        grouped.update(found)
        pan = next((source for source in left if is_pan_name(bands.band_name(stem, _band(source.path)))), None)
        if pan is not None:
            pans[stem] = pan
            left.remove(pan)
        notes += [f"{source.path} is left out: its grid is not that of the other bands of {stem}." for source in left]
        names = tuple(bands.band_name(stem, _band(source.path)) for source in chosen)
        scenes[stem] = (tuple(chosen), names)
    for path, header in usable.items():
        if path in grouped:
            continue
        stem = _stem(path)
        belongs = next((group for group in groups if stem.startswith((f"{group}_", f"{group}."))), None)
        if belongs is not None:
            notes.append(f"{path} is left out: it goes with {belongs}, but is none of its bands.")
        elif stem in scenes and len(scenes[stem][1]) >= header.bands:
            notes.append(f"{path} is left out: its bands are there in files of their own.")
        else:
            scenes[stem] = ((Source(path, header),), header.descriptions)
    return _named(folder, scenes, pans), notes


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _groups(usable: Mapping[str, Header]) -> dict[str, list[str]]:
    """Files with one band of a scene each, by the scene's path; in the order of their bands."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path, header in usable.items():
        pure = PurePosixPath(path)
        match = _BAND.fullmatch(pure.stem)
        if match is None or header.bands != 1:
            continue
        scene = match["scene"] or pure.parent.name
        if scene:
            groups[str(pure.parent / scene)].append(path)
    return {stem: sorted(paths, key=_band_order) for stem, paths in sorted(groups.items())}


def _band(path: str) -> str:
    match = _BAND.fullmatch(PurePosixPath(path).stem)
    return match["band"] if match else ""


def _band_order(path: str) -> tuple[float, str]:
    number = _band(path).upper()
    return (8.5 if number == "8A" else float(number)), path


def _one_grid(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """The bands that can be stacked: those on the finest grid that has a red band, else on the one with most bands."""
    by_grid: dict[tuple, list[Source]] = defaultdict(list)
    for source in sources:
        by_grid[source.header.grid].append(source)

    def worth(found: list[Source]) -> tuple[bool, float, int]:
        has_red = any(_band(source.path).lstrip("0") == "4" for source in found)
        fine = -found[0].header.pixel_area if has_red else 0.0
        return has_red, fine, len(found)

    chosen = max(by_grid.values(), key=worth)
    one_of_each = list({_band(source.path): source for source in reversed(chosen)}.values())[::-1]
    return one_of_each, [source for source in sources if source not in one_of_each]


def _named(
    folder: SceneFolder, scenes: Mapping[str, tuple[tuple[Source, ...], tuple[str, ...]]], pans: Mapping[str, Source]
) -> list[LocalScene]:
    """Give each scene an id that can be a file's name; a hash of its path where two would be called the same."""
    taken: set[str] = set()
    result = []
    for stem in sorted(scenes, key=lambda path: (path.count("/"), path)):
        sources, names = scenes[stem]
        name = PurePosixPath(stem).name
        scene_id = _UNSAFE.sub("_", name).strip("._")[:_MAX_ID] or "scene"
        if scene_id in taken or scene_id != name:
            scene_id = f"{scene_id}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
        taken.add(scene_id)
        described, assumed = _descriptions(name, names, sources[0].header)
        known = acquisition(name, sources[0].header.tags or {}, _mtl(folder, stem))
        result.append(LocalScene(scene_id, folder, sources, described, assumed, known, pans.get(stem)))
    return result


def _descriptions(name: str, names: tuple[str, ...], header: Header) -> tuple[tuple[str, ...], bool]:
    """The bands' descriptions: the file's own, its colours, or the usual order of its sensor (then True)."""
    if any(names):
        return names, False
    if "Red" in header.colours:
        return tuple(c if c in ("Red", "Green", "Blue") else "" for c in header.colours), False
    usual = bands.stack_names(name, len(names))
    return (usual, True) if usual else (names, False)


def _mtl(folder: SceneFolder, stem: str) -> Optional[Path]:
    path = Path(folder.path) / f"{stem}_MTL.txt"
    return path if path.is_file() else None
