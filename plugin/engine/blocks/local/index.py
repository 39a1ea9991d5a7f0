"""The index of a folder: the header of each GeoTIFF, kept as long as its size and its time of change stay the same.

It lies in the engine's cache folder (`settings["cache_folder"]`), never in the user's own; without one nothing is kept.
A first look at 20,000 files takes minutes (7 ms each), and whoever cancels the job ends the process that reads them:
what was read is kept every few seconds, so that the next job goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from .folders import SceneFolder
from .header import Header, read_header

VERSION = 2
KEEP_EVERY = 5.0  # seconds
MAX_FILES = 20_000
MAX_DEPTH = 8  # folders within folders
_SUFFIXES = (".tif", ".tiff")

Stamp = tuple[int, int]  # time of change in nanoseconds, size in bytes
Files = dict[str, tuple[Stamp, Header]]  # by relative path


def cache_folder(settings: Mapping[str, Any]) -> Optional[Path]:
    """Where indexes are kept; None where the engine keeps none."""
    folder = settings.get("cache_folder")
    return Path(folder) if folder else None


def index_folder(
    folder: SceneFolder, cache: Optional[Path], progress: Callable[[float], None] = lambda part: None
) -> dict[str, Header]:
    """The headers of all GeoTIFFs in a folder by relative path; only new and changed files are read.

    Raises OSError where the folder can't be listed.
    """
    stamps = _list(Path(folder.path))
    kept, whole = _load(folder, cache)
    files: Files = {}
    fresh, saved_at = 0, time.monotonic()
    for number, (path, stamp) in enumerate(stamps.items()):
        if path in kept and kept[path][0] == stamp:
            files[path] = kept[path]
        else:
            files[path] = stamp, read_header(Path(folder.path) / path)
            fresh += 1
            if cache is not None and time.monotonic() - saved_at >= KEEP_EVERY:
                with contextlib.suppress(OSError):  # then it is read once more
                    _save(folder, cache, {**kept, **files}, whole=False)
                saved_at = time.monotonic()
        progress((number + 1) / len(stamps))
    if cache is not None and (fresh or not whole or len(kept) != len(stamps)):
        with contextlib.suppress(OSError):
            _save(folder, cache, files, whole=True)
    return {path: header for path, (_, header) in files.items()}


def kept_headers(folder: SceneFolder, cache: Optional[Path]) -> Optional[dict[str, Header]]:
    """What was indexed last, without a look at the folder: quick, no raster is read.

    None where there is nothing, or not all: the last look was cancelled.
    """
    kept, whole = _load(folder, cache)
    return {path: header for path, (_, header) in kept.items()} if kept and whole else None


def _list(root: Path) -> dict[str, Stamp]:
    """GeoTIFFs by relative path (with /), sorted. Links to folders and hidden folders are not followed."""
    os.listdir(root)  # os.walk would be silent about a folder that is gone
    found: dict[str, Stamp] = {}
    for parent, folders, files in os.walk(root):
        depth = len(Path(parent).relative_to(root).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and depth < MAX_DEPTH)
        for name in files:
            path = Path(parent, name)
            if path.suffix.lower() in _SUFFIXES and path.is_file() and len(found) < MAX_FILES:
                found[path.relative_to(root).as_posix()] = _stamp(path, f"{name}.aux.xml" in files)
    return dict(sorted(found.items()))


def _stamp(path: Path, has_side_file: bool) -> Stamp:
    """When a file or its side file (.aux.xml, where GDAL keeps what a TIFF can't hold) has changed, and its size."""
    status = path.stat()
    changed = status.st_mtime_ns
    if has_side_file:
        changed = max(changed, path.with_name(f"{path.name}.aux.xml").stat().st_mtime_ns)
    return changed, status.st_size


def _file(folder: SceneFolder, cache: Path) -> Path:
    return cache / f"scenes-{hashlib.sha256(os.path.abspath(folder.path).encode()).hexdigest()[:24]}.json"


def _load(folder: SceneFolder, cache: Optional[Path]) -> tuple[Files, bool]:
    """The kept index, and whether it has the whole folder; empty where there is none or it can't be read: then it is
    made anew.
    """
    if cache is None:
        return {}, False
    try:
        data = json.loads(_file(folder, cache).read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            return {}, False
        files = {
            path: ((entry["changed"], entry["size"]), Header.from_json(entry["header"]))
            for path, entry in data["files"].items()
        }
        return files, data["whole"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return {}, False


def _save(folder: SceneFolder, cache: Path, files: Files, whole: bool) -> None:
    """Keep the index, written to its end or not at all: several tasks may do so at once."""
    cache.mkdir(parents=True, exist_ok=True)
    data = {
        "version": VERSION,
        "folder": folder.path,
        "whole": whole,
        "files": {
            path: {"changed": stamp[0], "size": stamp[1], "header": header.to_json()}
            for path, (stamp, header) in files.items()
        },
    }
    handle, temporary = tempfile.mkstemp(dir=cache, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(data, file)
    os.replace(temporary, _file(folder, cache))
