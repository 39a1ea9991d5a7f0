"""Quicklooks of local scenes: several are drawn at once, and kept in the engine's cache while the files stay the same.

For its quicklook a raster without overviews is read from end to end: for a folder of 500 that takes minutes, but once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Optional, Sequence

import numpy as np
from osgeo import gdal

from ..bands import BLUE, GREEN, RED, band_of
from ..base import BlockFailure
from ..pixels import quicklooks
from ..pixels.rasters import is_value
from .scenes import LocalScene, Source

VERSION = 1  # of what is drawn
KEPT_AT_MOST = 5000  # about 30 kB each; those go first that were not wanted for the longest time
AT_ONCE = max(2, os.cpu_count() or 2)


def draw_looks(
    scenes: Sequence[LocalScene], folder: Path, cache: Optional[Path], progress: Callable[[float], None]
) -> None:
    """Draw `<scene's id>.jpg` in `folder` for each; with a `cache` those are taken from there that it has.

    Raises BlockFailure where a raster can't be read.
    """
    kept = None if cache is None else cache / "quicklooks"
    with ThreadPoolExecutor(AT_ONCE, "look") as pool:
        try:
            for done, _ in enumerate(pool.map(lambda scene: _look(scene, folder, kept), scenes), start=1):
                progress(done / len(scenes))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if kept is not None:
        _forget_the_oldest(kept)


def not_readable(scene: LocalScene, error: Exception) -> BlockFailure:
    """What the user reads about a raster that breaks off, or is gone."""
    return BlockFailure(
        "WRONG_INPUT_ERROR", f"{scene.id} can't be read to its end ({error}): is {scene.sources[0].path} complete?"
    )


def _look(scene: LocalScene, folder: Path, kept: Optional[Path]) -> None:
    path = folder / f"{scene.id}.jpg"
    try:
        known = None if kept is None else kept / f"{_key(scene)}.jpg"
    except OSError as e:
        raise not_readable(scene, e) from e
    if known is not None and _is_taken(known, path):
        return
    try:
        _draw(scene, path)
    except RuntimeError as e:
        raise not_readable(scene, e) from e
    if known is not None:
        with contextlib.suppress(OSError):  # what can't be kept is drawn again: no reason to fail
            _keep(path, known)


def _is_taken(known: Path, path: Path) -> bool:
    """Whether it was there, whole, and could be read."""
    try:
        if not known.stat().st_size:
            return False
        shutil.copyfile(known, path)
    except OSError:
        return False
    with contextlib.suppress(OSError):
        os.utime(known)
    return True


def _key(scene: LocalScene) -> str:
    """Another one as soon as anything has changed from which the quicklook is drawn. Raises OSError."""
    files = []
    for source in scene.sources:
        path = Path(scene.folder.path, source.path)
        files.append([str(path), *_stamp(path), source.header.to_json()])
        beside = [path.with_name(path.name + ending) for ending in (".aux.xml", ".msk", ".ovr")]
        files.append([_stamp(other) if other.exists() else None for other in beside])
    text = json.dumps([VERSION, files, scene.bands])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _keep(path: Path, known: Path) -> None:
    """Under its name when it is whole: several tasks may draw the same."""
    known.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=known.parent, suffix=".part")
    os.close(handle)
    try:
        shutil.copyfile(path, temporary)
        os.replace(temporary, known)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _forget_the_oldest(kept: Path) -> None:
    """Other tasks may keep and forget at the same time."""
    stamps = []
    for path in kept.glob("*.jpg"):
        with contextlib.suppress(OSError):
            stamps.append((path.stat().st_mtime_ns, path))
    for _, path in sorted(stamps)[: max(0, len(stamps) - KEPT_AT_MOST)]:
        with contextlib.suppress(OSError):
            path.unlink()


def _draw(scene: LocalScene, path: Path) -> None:
    """A stretched picture of the whole scene that covers its bounds in degrees: natural colour where it has it."""
    bounds = scene.footprint.bounds
    size = quicklooks.size_for(bounds)
    chosen = [band_of(scene.bands, colour) for colour in (RED, GREEN, BLUE)]
    numbers = [n for n in chosen if n] if all(chosen) else list(range(1, len(scene.bands) + 1))[:3]
    numbers = numbers if len(numbers) == 3 else numbers[:1]
    if len(scene.sources) > 1:
        parts = [_warp(scene, scene.sources[number - 1], [1], bounds, size) for number in numbers]
    else:
        parts = [_warp(scene, scene.sources[0], numbers, bounds, size)]
    values = np.concatenate([pixels for pixels, _ in parts]).astype(np.float64)
    valid = np.any([alpha for _, alpha in parts], axis=0) & np.isfinite(values).all(axis=0)
    quicklooks.write_jpeg(path, quicklooks.stretched(values, valid))


def _warp(
    scene: LocalScene, source: Source, bands: Sequence[int], bounds: Sequence[float], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Bands of one file on the quicklook's grid (band, row, column), and where any of them is valid (row, column)."""
    file = gdal.OpenEx(str(Path(scene.folder.path) / source.path), gdal.OF_RASTER, allowed_drivers=["GTiff"])
    chosen = gdal.Translate("", file, format="VRT", bandList=list(bands))
    nodata = source.header.nodata_value
    warped = gdal.Warp(
        "", chosen, format="MEM", dstSRS="EPSG:4326", outputBounds=tuple(bounds), width=size[0], height=size[1],
        srcNodata=None if nodata is None else repr(nodata), dstAlpha=True, resampleAlg="near",
        warpOptions=["UNIFIED_SRC_NODATA=YES"],
    )  # fmt: skip
    pixels = warped.ReadAsArray()
    values = pixels[:-1]
    if nodata is not None:  # of one band alone: the others make the pixel valid
        values[is_value(values, nodata)] = 0
    return values, pixels[-1] > 0
