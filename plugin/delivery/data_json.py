"""data.json: which scene each file of an output belongs to (contract, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Iterator, Mapping, Sequence

from .errors import ArchiveRefused, DataUnreadable
from .json_file import read_object
from .member_names import parts_of

FILE_NAME = "data.json"
MAX_BYTES = 16 * 1024 * 1024  # parsing holds Python's lock: 16 MB are about 0.3 s
DATA_PATH = "up42.data_path"
_OLD_DATA_PATHS = "up42.data."  # blocks with a version 1 manifest: up42.data.aoiclipped, up42.data.scene.…

FeatureCollection = dict[str, Any]  # GeoJSON, EPSG:4326


@dataclass(frozen=True)
class OutputFile:
    """A file of the output: `path` below the folder, and the ids of the scenes whose features name it."""

    path: Path
    scene_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outputs:
    """`features` of data.json as they came, all `files` but data.json itself, and what is named but not there."""

    features: list[Mapping[str, Any]] = field(default_factory=list)
    files: list[OutputFile] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def collection(self) -> FeatureCollection:
        return {"type": "FeatureCollection", "features": list(self.features)}


def read_outputs(folder: Path, files: Sequence[Path]) -> Outputs:
    """Link `files` (paths below `folder`) with the features of its data.json; without one, files only.

    A path in data.json that is unsafe or leads to nothing is listed in `missing` and never followed.
    Raises DataUnreadable where data.json is broken or too large: `unlinked(files)` still has the files.
    """
    try:
        document = read_object(folder / FILE_NAME, MAX_BYTES, DataUnreadable, "data_json")
    except FileNotFoundError:
        return unlinked(files)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise DataUnreadable("data_json_broken", {"folder": str(folder), "reason": "it is not a FeatureCollection"})
    features = [feature for feature in features if isinstance(feature, dict)]
    return _linked(features, files)


def unlinked(files: Sequence[Path]) -> Outputs:
    """The files without their scenes."""
    return Outputs(files=[OutputFile(path) for path in files if path != Path(FILE_NAME)])


def _linked(features: list[Mapping[str, Any]], files: Sequence[Path]) -> Outputs:
    scenes: dict[str, dict[str, None]] = {}  # data path -> ids; a dict keeps their order
    for feature in features:
        for data_path in _data_paths(feature):
            scenes.setdefault(data_path, {})[str(feature.get("id") or "")] = None
    linked, found = [], set()
    for path in files:
        if path == Path(FILE_NAME):
            continue
        ids: dict[str, None] = {}
        for place in (PurePosixPath(path.as_posix()), *PurePosixPath(path.as_posix()).parents):
            if str(place) in scenes:
                found.add(str(place))
                ids.update(scenes[str(place)])
        linked.append(OutputFile(path, tuple(scene for scene in ids if scene)))
    return Outputs(features, linked, [data_path for data_path in scenes if data_path not in found])


def _data_paths(feature: Mapping[str, Any]) -> Iterator[str]:
    """The paths that a feature names, as they are below the folder; an unsafe one as it stands there."""
    properties = feature.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(value, str) or not (name == DATA_PATH or name.startswith(_OLD_DATA_PATHS)):
            continue
        try:
            parts = parts_of(value)
        except ArchiveRefused as refused:
            yield refused.member
            continue
        yield "/".join(parts[1:] if parts[:1] == ("output",) and len(parts) > 1 else parts) or "."
