"""Quicklooks: small JPEGs that cover exactly their feature's bbox, so that they can be laid on a map (contract 5.3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from osgeo import gdal

SIDE = 512  # pixels of the longer side
_QUALITY = "QUALITY=82"
_SAMPLE = 20_000  # pixels

# Letters as rows of seven bits' worth of dots: a font of our own, as nothing here can draw text.
_LETTERS = {
    "D": ("1111.", "1...1", "1...1", "1...1", "1...1", "1...1", "1111."),
    "E": ("11111", "1....", "1....", "1111.", "1....", "1....", "11111"),
    "M": ("1...1", "11.11", "1.1.1", "1.1.1", "1...1", "1...1", "1...1"),
    "O": (".111.", "1...1", "1...1", "1...1", "1...1", "1...1", ".111."),
}


def size_for(bounds: tuple[float, float, float, float]) -> tuple[int, int]:
    """Columns and rows of a quicklook of these bounds (degrees), so that its pixels are about square on the ground."""
    west, south, east, north = bounds
    wide = (east - west) * max(0.02, float(np.cos(np.radians((south + north) / 2))))
    high = north - south
    longest = max(wide, high)
    return max(16, round(SIDE * wide / longest)), max(16, round(SIDE * high / longest))


def write_jpeg(path: Path, picture: np.ndarray) -> None:
    """Write bytes (1 or 3 bands, rows, columns) as a JPEG."""
    bands, rows, columns = picture.shape
    canvas = gdal.GetDriverByName("MEM").Create("", columns, rows, bands, gdal.GDT_Byte)
    canvas.WriteArray(picture)
    gdal.GetDriverByName("JPEG").CreateCopy(str(path), canvas, options=[_QUALITY])


def stretched(bands: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Any numbers (band, row, column) as bytes 1 to 255 between their 2nd and 98th percentile; 0 where not valid.

    The percentiles are those of some 20,000 pixels: nobody sees the difference, and all of them take ten times as long.
    """
    result = np.zeros(bands.shape, np.uint8)
    if not valid.any():
        return result
    for source, target in zip(bands, result):
        values = source[valid]
        sample = values[:: max(1, values.size // _SAMPLE)]
        low, high = float(np.percentile(sample, 2)), float(np.percentile(sample, 98))
        scaled = (source - low) / max(high - low, 1e-9) * 254 + 1
        target[valid] = np.clip(scaled, 1, 255).astype(np.uint8)[valid]
    return result


def stamp(picture: np.ndarray, word: str = "DEMO") -> None:
    """Draw a word across a picture (bytes, changed in place), three times from top left to bottom right."""
    dots = _dots(word)
    _, rows, columns = picture.shape
    size = max(1, round(columns * 0.42 / dots.shape[1]))
    sign = np.kron(dots, np.ones((size, size), bool))
    high, wide = sign.shape
    shade = max(1, size // 3)
    for n in range(3):
        top = round((rows - high) * (0.12 + 0.38 * n))
        left = round((columns - wide) * (0.12 + 0.38 * n))
        for offset, value in ((shade, 0.0), (0, 255.0)):
            _blend(picture, sign, top + offset, left + offset, value)


def _dots(word: str) -> np.ndarray:
    """A word as a bitmap, one column of space between its letters."""
    lines = [".".join(_LETTERS[letter][row] for letter in word) for row in range(7)]
    return np.array([[dot == "1" for dot in line] for line in lines])


def _blend(picture: np.ndarray, sign: np.ndarray, top: int, left: int, value: float) -> None:
    _, rows, columns = picture.shape
    top, left = max(0, top), max(0, left)
    sign = sign[: max(0, rows - top), : max(0, columns - left)]
    part = picture[:, top : top + sign.shape[0], left : left + sign.shape[1]]
    part[:, sign] = (part[:, sign] * 0.45 + value * 0.55).astype(np.uint8)
