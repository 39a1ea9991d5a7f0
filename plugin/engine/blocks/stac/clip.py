"""Clips a scene: only the blocks of its files that the AOI touches are read, several at a time.

The pixels inside the AOI are the file's own, bit for bit; outside of it is nodata.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

import numpy as np
from osgeo import gdal
from shapely.geometry.base import BaseGeometry

from ..pixels.casting import nodata_for
from ..pixels.clipping import Clipped, frame_in, set_scales
from ..pixels.rasters import (
    Cutter,
    Layout,
    Window,
    build_overviews,
    create_geotiff,
    is_value,
    shifted,
    windows,
)
from .files import RemoteFiles
from .stack import BandGrid, BandSource, Stack, open_stack, read_bands

READERS = 8  # threads, and so connections
WINDOW = 2048  # pixels: whole blocks of a COG, several in one request
WINDOWS_AHEAD = 3  # that are read while one is written: bounds the memory


def clip_scene(
    addresses: dict[str, str],
    sources: Sequence[BandSource],
    area: Optional[BaseGeometry],
    path: Path,
    tags: dict[str, str],
    progress: Callable[[float], None],
) -> Optional[Clipped]:
    """Write the part of a scene inside `area` (EPSG:4326; None: all); None, and no file, where nothing is valid.

    `addresses`: asset key -> where to read it. Raises NotReadable.
    """
    files = RemoteFiles(addresses)
    try:
        with ThreadPoolExecutor(READERS, "read") as pool:
            try:
                return _clip(files, pool, sources, area, path, tags, progress)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                path.unlink(missing_ok=True)
                raise
    finally:
        files.close()


def _clip(
    files: RemoteFiles,
    pool: ThreadPoolExecutor,
    sources: Sequence[BandSource],
    area: Optional[BaseGeometry],
    path: Path,
    tags: dict[str, str],
    progress: Callable[[float], None],
) -> Optional[Clipped]:
    stack = open_stack(files, sources, pool)
    found = frame_in(area, stack.crs, stack.geotransform, stack.columns, stack.rows)
    if found is None:
        return None
    frame, cutter = found
    ours = stack.nodata is None and cutter is not None
    nodata = nodata_for(stack.kind) if ours else stack.nodata
    output = _create(path, stack, frame, nodata, tags)
    valid = moved = 0
    for part, inside, bands in _read(files, pool, stack, frame, cutter):
        any_valid = np.zeros(inside.shape, bool)
        for number, (grid, pixels) in enumerate(zip(stack.bands, bands), start=1):
            pixels, good, clashes = _cut(grid, pixels.astype(stack.kind, copy=False), inside, nodata, ours)
            output.GetRasterBand(number).WriteArray(pixels, part.column, part.row)
            any_valid |= good
            moved += clashes
        valid += int(np.count_nonzero(any_valid))
        progress((part.row + part.rows) / frame.rows)
    output.FlushCache()
    del output
    if not valid:
        path.unlink()
        return None
    build_overviews(path)
    return Clipped(
        frame.columns, frame.rows, valid, moved, tuple(band.source.name for band in stack.bands if band.factor > 1)
    )


def _read(
    files: RemoteFiles, pool: ThreadPoolExecutor, stack: Stack, frame: Window, cutter: Optional[Cutter]
) -> Iterator[tuple[Window, np.ndarray, list[np.ndarray]]]:
    """Window by window: its place in the frame, what of it is inside, the bands. Nothing inside: nothing is read."""
    waiting: deque[tuple[Window, np.ndarray, Callable[[], list[np.ndarray]]]] = deque()
    for part in windows(frame.columns, frame.rows, frame.column, frame.row, WINDOW):
        window = Window(frame.column + part.column, frame.row + part.row, part.columns, part.rows)
        inside = np.ones((part.rows, part.columns), bool) if cutter is None else cutter.mask(window)
        if inside.any():
            waiting.append((part, inside, read_bands(files, stack, window, pool.submit)))
        if len(waiting) > WINDOWS_AHEAD:
            first, of_it, arrived = waiting.popleft()
            yield first, of_it, arrived()
    for first, of_it, arrived in waiting:
        yield first, of_it, arrived()


def _cut(
    grid: BandGrid, pixels: np.ndarray, inside: np.ndarray, nodata: Optional[float], ours: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """A band's pixels with nodata where it has none or outside, where they are valid, and how many gave way to ours."""
    good = inside.copy()
    if grid.nodata is not None:
        good &= ~is_value(pixels, grid.nodata)
    if pixels.dtype.kind == "f":
        good &= np.isfinite(pixels)
    if nodata is None:
        return pixels, good, 0
    clashes = 0
    if ours and pixels.dtype.kind in "iu":
        clash = good & (pixels == nodata)
        pixels[clash] = nodata + 1
        clashes = int(np.count_nonzero(clash))
    pixels[~good] = nodata
    return pixels, good, clashes


def _create(path: Path, stack: Stack, frame: Window, nodata: Optional[float], tags: dict[str, str]) -> gdal.Dataset:
    layout = Layout(
        frame.columns, frame.rows, shifted(stack.geotransform, frame.column, frame.row), stack.crs, stack.data_type,
        nodata, tuple(band.source.name for band in stack.bands),
    )  # fmt: skip
    output = create_geotiff(path, layout, tags)
    set_scales(output, [(band.scale, band.offset) for band in stack.bands])
    return output
