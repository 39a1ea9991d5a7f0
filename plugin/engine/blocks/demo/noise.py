"""Noise that is a pure function of the place: the same for every window, scene, date and computer.

Places are in world units: the square of Web Mercator, 2**22 units wide (about 9.6 m each at the equator). Every lattice
has a power of two as its cell, so that it closes at the antimeridian.
"""

from __future__ import annotations

import functools
import math
from typing import Optional, Union

import numpy as np

WORLD_BITS = 22
WORLD_UNITS = 1 << WORLD_BITS

_EAST = np.array([math.cos(n * math.pi / 8) for n in range(16)])
_NORTH = np.array([math.sin(n * math.pi / 8) for n in range(16)])


def scramble(value: np.ndarray) -> np.ndarray:
    """Mix the bits of uint32 values (multiply-xorshift rounds: any well-spread permutation would do)."""
    value = value ^ (value >> np.uint32(16))
    value = value * np.uint32(0x7FEB352D)
    value = value ^ (value >> np.uint32(15))
    value = value * np.uint32(0x846CA68B)
    return value ^ (value >> np.uint32(16))


def hash_cells(column: np.ndarray, row: np.ndarray, salt: int) -> np.ndarray:
    """A uint32 for each lattice cell; `salt` tells fields apart."""
    mixed = scramble(column.astype(np.uint32) + np.uint32((salt * 0x9E3779B1) & 0xFFFFFFFF))
    return scramble(mixed ^ (row.astype(np.uint32) * np.uint32(0x85EBCA6B)))


def hash_numbers(*numbers: int) -> int:
    """A 32-bit integer from a few integers (scalar twin of `hash_cells`, in plain Python)."""
    value = 0x2545F491
    for number in numbers:
        value = (value ^ (number & 0xFFFFFFFF)) * 0x9E3779B1 & 0xFFFFFFFF
        value = (value ^ (value >> 15)) * 0x846CA68B & 0xFFFFFFFF
        value ^= value >> 13
    return value


def to_unit(hashed: np.ndarray) -> np.ndarray:
    """uint32 to float32 in 0…1 (24 bits, so that it is exact)."""
    return (hashed >> np.uint32(8)).astype(np.float32) * np.float32(1.0 / (1 << 24))


def unit_of(hashed: int) -> float:
    """A 32-bit integer as a number in 0…1."""
    return (hashed & 0xFFFFFFFF) / 4294967296.0


class _Lattice:
    """Where each place lies in a lattice: which cell, where inside it, and the weights of its corners."""

    def __init__(self, x: np.ndarray, y: np.ndarray, bits: int):
        u, v = x * (1.0 / (1 << bits)), y * (1.0 / (1 << bits))
        left, top = np.floor(u), np.floor(v)
        self._u, self._v = u - left, v - top
        self._fade_u, self._fade_v = _fade(self._u), _fade(self._v)
        self._columns, self._rows = left.astype(np.int64), top.astype(np.int64)
        self._wrap = (1 << (WORLD_BITS - bits)) - 1
        first_column, first_row = int(self._columns.min()), int(self._rows.min())
        self._wide = int(self._columns.max()) - first_column + 2
        high = int(self._rows.max()) - first_row + 2
        self._table: Optional[tuple[np.ndarray, np.ndarray]] = None
        if self._wide * high <= 2 * x.size:  # few cells, many places: hash each cell once and look it up
            self._table = (
                (np.arange(first_column, first_column + self._wide) & self._wrap)[None, :],
                np.arange(first_row, first_row + high)[:, None],
            )
            self._cell = (self._rows - first_row) * self._wide + (self._columns - first_column)

    def noise(self, salt: int) -> np.ndarray:
        """Gradient noise of about -0.7 to 0.7 at the places."""
        cells = None if self._table is None else _direction(hash_cells(*self._table, salt)).ravel()
        lines = []
        for down in (0, 1):
            start, end = (self._slope(salt, cells, right, down) for right in (0, 1))
            lines.append(start + self._fade_u * (end - start))
        return lines[0] + self._fade_v * (lines[1] - lines[0])

    def _slope(self, salt: int, cells: Optional[np.ndarray], right: int, down: int) -> np.ndarray:
        """What one corner of each place's cell makes of the place."""
        if cells is None:
            direction = _direction(hash_cells((self._columns + right) & self._wrap, self._rows + down, salt))
        else:
            direction = cells[self._cell + (down * self._wide + right)]
        return _EAST[direction] * (self._u - right) + _NORTH[direction] * (self._v - down)


def _direction(hashed: np.ndarray) -> np.ndarray:
    """One of sixteen directions for each hash."""
    return (hashed >> np.uint32(28)).astype(np.int64)


def _fade(t: np.ndarray) -> np.ndarray:
    """From 0 to 1 with level ends (quintic)."""
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


class Places:
    """Places in world units (float64 arrays), and the noise there. All fields over them share their lattices."""

    def __init__(self, x: np.ndarray, y: np.ndarray, finest: int = 0):
        self.x, self.y = x, y
        self.finest = finest  # no noise with a wavelength below 2**finest units
        self._lattices: dict[int, _Lattice] = {}

    def shifted(self, east: Union[float, np.ndarray], north: Union[float, np.ndarray]) -> Places:
        """The places moved by so many world units."""
        return Places(self.x + east, self.y + north, self.finest)

    def noise(self, bits: int, salt: int) -> np.ndarray:
        """Smooth noise of about -0.7 to 0.7 with a wavelength of 2**bits units."""
        if bits not in self._lattices:
            self._lattices[bits] = _Lattice(self.x, self.y, bits)
        return self._lattices[bits].noise(salt)

    def fractal(self, bits: int, octaves: int, salt: int, gain: float = 0.5) -> np.ndarray:
        """Octaves of noise from a wavelength of 2**bits units downwards, about -1 to 1."""
        total = np.zeros_like(self.x)
        weight = 1.4
        for octave in range(octaves):
            if bits - octave < self.finest:
                break
            total += weight * self.noise(bits - octave, salt + octave)
            weight *= gain
        return total


TEXTURE_SIDE = 512


@functools.cache
def texture(radius: int, salt: int) -> np.ndarray:
    """A square tile of grain that repeats without a seam, mean 0, deviation 1, flat; smooth over about `radius`."""
    side = np.arange(TEXTURE_SIDE)
    grain = to_unit(hash_cells(side[None, :], side[:, None], salt)).astype(np.float64)
    for _ in range(3):
        grain = _box_blur(_box_blur(grain, radius).T, radius).T
    grain -= grain.mean()
    return np.ascontiguousarray((grain / grain.std()).astype(np.float32)).ravel()


def _box_blur(grain: np.ndarray, radius: int) -> np.ndarray:
    """The sum over 2 * radius + 1 neighbours along the first axis, which closes on itself."""
    padded = np.concatenate([grain[-radius - 1 :], grain, grain[:radius]])
    sums = np.cumsum(padded, axis=0)
    return sums[2 * radius + 1 :] - sums[: -2 * radius - 1]
