"""Fields, lanes and blocks of houses: a patchwork of quarters, each laid out in strips along a direction of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .noise import WORLD_BITS, hash_cells, scramble, to_unit
from .view import View

QUARTER_BITS = 8  # a quarter is about 256 world units across
_TURN = 2 * np.pi


@dataclass
class Patchwork:
    """Per pixel. Distances are in world units."""

    quarter: np.ndarray  # uint32, one number per quarter
    parcel: np.ndarray  # uint32, one number per parcel
    along: np.ndarray  # place within the quarter, along and across its strips
    across: np.ndarray
    to_edge: np.ndarray  # distance to the parcel's edge
    to_lane: np.ndarray  # distance to the quarter's edge, where the lanes run


class _Quarters:
    """The quarters near a view: a small table of centres and layouts, looked up by lattice cell."""

    def __init__(self, view: View):
        cell = 1 << QUARTER_BITS
        self.scale = np.float32(1.0 / cell)
        self.first_column = int(np.floor(float(view.px.min()) / cell)) - 1
        self.first_row = int(np.floor(float(view.py.min()) / cell)) - 1
        self.wide = int(np.floor(float(view.px.max()) / cell)) + 2 - self.first_column
        high = int(np.floor(float(view.py.max()) / cell)) + 2 - self.first_row
        columns, rows = np.meshgrid(
            np.arange(self.wide, dtype=np.int64) + self.first_column, np.arange(high, dtype=np.int64) + self.first_row
        )
        wrap = (1 << (WORLD_BITS - QUARTER_BITS)) - 1
        world_columns = (columns + (view.left >> QUARTER_BITS)) & wrap
        world_rows = rows + (view.bottom >> QUARTER_BITS)
        self.number = hash_cells(world_columns, world_rows, 600).ravel()
        draw = [to_unit(hash_cells(world_columns, world_rows, 601 + n)).astype(np.float64).ravel() for n in range(5)]
        self.x = ((columns.ravel() + 0.15 + 0.7 * draw[0]) * cell).astype(np.float32)
        self.y = ((rows.ravel() + 0.15 + 0.7 * draw[1]) * cell).astype(np.float32)
        self.cosine = np.cos(draw[2] * _TURN).astype(np.float32)
        self.sine = np.sin(draw[2] * _TURN).astype(np.float32)
        self.strips_per_unit = (1.0 / (14.0 + 34.0 * draw[3] ** 2)).astype(np.float32)
        self.parcels_per_unit = (1.0 / (24.0 + 66.0 * draw[4] ** 2)).astype(np.float32)


def lay_out(view: View, bend: np.ndarray, bend_across: np.ndarray) -> Patchwork:
    """The patchwork at the pixels; `bend` and `bend_across` (world units) keep lanes from being dead straight."""
    quarters = _Quarters(view)
    x, y = view.px + bend, view.py + bend_across
    index, gap = _nearest(quarters, x, y)
    east, north = x - quarters.x[index], y - quarters.y[index]
    cosine, sine = quarters.cosine[index], quarters.sine[index]
    along = east * cosine + north * sine
    across = north * cosine - east * sine
    number = quarters.number[index]
    strips = quarters.strips_per_unit[index]
    strip, to_side = _cut(across * strips)
    strip_number = scramble(number ^ strip.astype(np.uint32))
    parcels = quarters.parcels_per_unit[index] * (0.35 + 1.25 * to_unit(strip_number))
    piece, to_end = _cut(along * parcels + to_unit(scramble(strip_number)))
    parcel = scramble(strip_number + piece.astype(np.uint32) * np.uint32(0x9E3779B1))
    to_edge = np.minimum(to_side / strips, to_end / parcels)
    return Patchwork(number, parcel, along, across, to_edge, gap)


def _cut(position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a line at the whole numbers: the piece's number, and how far the nearer cut is (0…0.5)."""
    whole = np.floor(position)
    inside = position - whole
    return whole.astype(np.int32), np.minimum(inside, 1 - inside)


def _nearest(quarters: _Quarters, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's quarter (index into the table) and its distance to the border with the next one."""
    column = np.floor(x * quarters.scale).astype(np.int32) - quarters.first_column
    row = np.floor(y * quarters.scale).astype(np.int32) - quarters.first_row
    base = row * quarters.wide + column
    np.clip(base, quarters.wide + 1, quarters.x.size - quarters.wide - 2, out=base)
    best = np.full(x.shape, 1e12, np.float32)
    second = best.copy()
    index = base.copy()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            candidate = base + (down * quarters.wide + right)
            east = x - quarters.x[candidate]
            north = y - quarters.y[candidate]
            squared = east * east + north * north
            nearer = squared < best
            second = np.minimum(second, np.maximum(squared, best))
            index = np.where(nearer, candidate, index)
            best = np.where(nearer, squared, best)
    second_root = np.sqrt(second)
    return index, (second_root - np.sqrt(best)) * 0.5
