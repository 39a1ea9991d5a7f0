"""The four bands of one window while they are painted, layer on layer."""

from __future__ import annotations

from typing import Sequence, Union

import numpy as np

from .noise import TEXTURE_SIDE, texture
from .view import View

Colour = Union[np.ndarray, Sequence[Union[float, np.ndarray]]]  # four bands: numbers, or an array each
Plain = Union[np.ndarray, Sequence[float]]  # four numbers
_BRIGHTEST = 16_000  # reflectance * 10,000


class Picture:
    """Reflectance * 10,000 in float32; `finish` makes uint16 of it."""

    def __init__(self, view: View):
        self.view = view
        self.bands = [np.zeros((view.rows, view.columns), np.float32) for _ in range(4)]
        column = (np.floor(view.px).astype(np.int32) + view.left) & (TEXTURE_SIDE - 1)
        row = (np.floor(view.py).astype(np.int32) + view.bottom) & (TEXTURE_SIDE - 1)
        self._places = row * TEXTURE_SIDE + column

    def grain(self, radius: int, salt: int) -> np.ndarray:
        """Fine grain fixed to the ground, mean 0, deviation 1, smooth over about `radius` world units."""
        return texture(radius, salt)[self._places]

    def lay(self, colour: Colour, share: np.ndarray) -> None:
        """Cover a share (0 to 1) of each pixel with a colour."""
        for band, value in zip(self.bands, colour):
            band += (np.asarray(value, np.float32) - band) * share

    def light(self, light: np.ndarray) -> None:
        """Multiply all bands."""
        for band in self.bands:
            band *= light

    def finish(self) -> np.ndarray:
        """The bands as uint16 (band, row, column), at least 1: 0 is nodata."""
        return np.stack([np.clip(band, 1, _BRIGHTEST).astype(np.uint16) for band in self.bands])


def edge(distance: np.ndarray, softness: float = 1.0) -> np.ndarray:
    """A share from 0 to 1 of a signed distance in pixels (positive inside), soft over `softness` pixels."""
    return np.clip(distance * (1 / softness) + 0.5, 0, 1)


def scaled(colour: Plain, factor: Union[float, np.ndarray]) -> list[Union[float, np.ndarray]]:
    """A colour made brighter or darker."""
    return [float(value) * factor for value in colour]


def mixed(first: Plain, second: Plain, share: np.ndarray) -> list[np.ndarray]:
    """From the first colour (share 0) to the second (share 1)."""
    return [float(a) + share * (float(b) - float(a)) for a, b in zip(first, second)]
