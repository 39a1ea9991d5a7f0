"""A window onto the demo world: where its pixels lie, and how to fill a coarse field in to pixels.

Slow fields are computed at nodes, some pixels apart, and filled in by cubic interpolation. Nodes lie on multiples of
the step, counted in pixels from the CRS's origin, so two windows over one place agree to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable

import numpy as np

from .noise import WORLD_UNITS, Places

# (columns, rows) in pixels from the origin of the CRS -> longitude, latitude in degrees
PixelToLonLat = Callable[[np.ndarray, np.ndarray], "tuple[np.ndarray, np.ndarray]"]

BLOCK = 512  # windows never cross a multiple of this many pixels
MAX_LATITUDE = 89.9
UNIT_METRES = 40_075_016.7 / WORLD_UNITS  # at the equator
_LINEAR_FROM = 80.0  # Web Mercator runs away towards the poles: beyond this latitude it goes on in a straight line


def world_units(longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees to world units; y grows northwards from the equator."""
    x = (longitude + 180.0) * (WORLD_UNITS / 360.0)
    inner = np.radians(np.clip(latitude, -_LINEAR_FROM, _LINEAR_FROM))
    beyond = np.radians(np.clip(latitude, -MAX_LATITUDE, MAX_LATITUDE)) - inner
    slope = 1.0 / math.cos(math.radians(_LINEAR_FROM))
    y = (np.log(np.tan(math.pi / 4 + inner / 2)) + beyond * slope) * (WORLD_UNITS / (2 * math.pi))
    return x, y


@dataclass
class Axis:
    """One axis of a window: which nodes it needs, and four of them with their weights for each pixel."""

    nodes: np.ndarray
    first: np.ndarray
    weights: np.ndarray

    @classmethod
    def over(cls, start: int, count: int, step: int) -> Axis:
        """The axis over `count` pixels from pixel `start` (counted from the CRS's origin), nodes each `step` pixels."""
        pixels = np.arange(start, start + count)
        left = pixels // step
        lowest = int(left[0]) - 2  # one more than the interpolation needs, for differences between nodes
        t = ((pixels - left * step) / step).astype(np.float64)
        weights = np.stack(  # Catmull-Rom
            [
                ((-0.5 * t + 1.0) * t - 0.5) * t,
                (1.5 * t - 2.5) * t * t + 1.0,
                ((-1.5 * t + 2.0) * t + 0.5) * t,
                (0.5 * t - 0.5) * t * t,
            ]
        )
        return cls(np.arange(lowest, int(left[-1]) + 4), left - 1 - lowest, weights.astype(np.float32))


class View:
    """A window of `columns` x `rows` pixels whose top left pixel is (`column`, `row`), of pixels `metres` wide."""

    def __init__(self, place: PixelToLonLat, window: tuple[int, int, int, int], step: int, metres: float):
        column, row, self.columns, self.rows = window
        self._across = Axis.over(column, self.columns, step)
        self._down = Axis.over(row, self.rows, step)
        self.longitude, self.latitude = place(*np.meshgrid(self._across.nodes * step, self._down.nodes * step))
        x, y = world_units(self.longitude, self.latitude)
        self.metres = metres
        self.spacing = step * metres  # metres between nodes
        self.nodes = Places(x, y, max(5, math.ceil(math.log2(self.spacing / 5.0))))  # no noise finer than two nodes
        # Pixels count from a corner that all windows of one block share: float32 then rounds the same in each of them.
        corner = place(np.array([[column // BLOCK * BLOCK]]), np.array([[row // BLOCK * BLOCK]]))
        corner_x, corner_y = world_units(*corner)
        self.left = int(corner_x[0, 0]) & ~511
        self.bottom = int(corner_y[0, 0]) & ~511
        self.px = self.fill(x - self.left)
        self.py = self.fill(y - self.bottom)
        self.units = self.fill(metres / (UNIT_METRES * np.cos(np.radians(self.latitude))))  # world units per pixel

    def fill(self, field: np.ndarray) -> np.ndarray:
        """A field at the nodes as float32 at the pixels."""
        field = field.astype(np.float32)
        wide = self._blend(field.T, self._across).T
        return self._blend(np.ascontiguousarray(wide), self._down)

    @staticmethod
    def _blend(field: np.ndarray, axis: Axis) -> np.ndarray:
        result = field[axis.first] * axis.weights[0][:, None]
        for tap in (1, 2, 3):
            result += field[axis.first + tap] * axis.weights[tap][:, None]
        return result
