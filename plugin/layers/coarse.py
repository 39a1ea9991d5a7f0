"""A coarse reading of one band: from its overviews, else of some places all over a large image.

Without overviews GDAL unpacks the whole image for it: 8 s for 13,824² pixels in four bands, 0.3 s so (measured).
"""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np
from osgeo import gdal

LARGE = 4096  # pixels on the longer side, from which an image without overviews is read in places
PLACES = 8  # a row and a column of so many: the corners and edges of the image among them


def read_coarsely(band: gdal.Band, size: int, like: Optional[gdal.Band] = None) -> Optional[np.ndarray]:
    """Pixels of the whole band, about `size` on the longer side; None where they can't be read.

    `like`: the same pixels as of that band; for its mask.
    """
    like = like or band
    columns, rows = band.XSize, band.YSize
    scale = max(1.0, max(columns, rows) / size)
    wide, high = max(1, int(columns / scale)), max(1, int(rows / scale))
    try:
        if max(columns, rows) <= LARGE or like.GetOverviewCount():
            return band.ReadAsArray(buf_xsize=wide, buf_ysize=high)
        return _mosaic(band, max(1, size // PLACES), like.GetBlockSize())
    except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
        return None


def _mosaic(band: gdal.Band, side: int, block: Sequence[int]) -> Optional[np.ndarray]:
    """Places of one block each, thinned to `side` pixels, set side by side. Strips are blocks as wide as the image."""
    strips = block[0] >= band.XSize
    thin = side * PLACES if strips else side
    lines = []
    for top, high in _places(band.YSize, block[1], PLACES * PLACES if strips else PLACES):
        line = []
        for left, wide in _places(band.XSize, block[0], PLACES):
            buffer = {"buf_xsize": min(thin, wide), "buf_ysize": min(side, high)}
            pixels = band.ReadAsArray(left, top, wide, high, **buffer)
            if pixels is None:
                return None
            line.append(pixels)
        lines.append(np.concatenate(line, axis=1))
    return np.concatenate(lines, axis=0)


def _places(length: int, block: int, count: int) -> list[tuple[int, int]]:
    """(start, length) of up to `count` blocks, alike in length, evenly from the first to the last whole one."""
    block = min(block, length)
    starts = sorted({round(float(i)) * block for i in np.linspace(0, length // block - 1, count)})
    if starts[-1] + block < length:
        starts[-1] = length - block  # the last one reaches the edge
    return [(start, block) for start in starts]
