"""The lie of the land at the nodes of a view: height, water, woods, towns. The same on every date."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .noise import WORLD_BITS, Places, hash_numbers, unit_of
from .view import View

_SEA_SALT = 202  # of those tried, the one that leaves most large cities on dry land
_TOWN_SIZES = ((9, 0.5, 30.0, 125.0), (11, 0.6, 130.0, 360.0))  # lattice bits, share inhabited, radius in world units


@dataclass
class Ground:
    """Slow fields of the ground, at the nodes. Distances are in world units, negative inside the thing."""

    height: np.ndarray  # metres
    slope_east: np.ndarray  # metres per metre
    slope_north: np.ndarray
    sea: np.ndarray  # below 0 is sea
    lake: np.ndarray  # above 0 is lake
    river: np.ndarray  # value whose zero line is the river
    river_slope: np.ndarray
    road: np.ndarray  # value whose zero line is the main road
    road_slope: np.ndarray
    wood: np.ndarray  # above 0 is wood
    conifer: np.ndarray  # 0…1, share of conifers
    town: np.ndarray  # above 0 is built up, 1 in the centre
    moist: np.ndarray  # −1…1


def survey(view: View) -> Ground:
    """Compute the ground at the nodes of `view`."""
    nodes = view.nodes
    bend_x, bend_y = nodes.fractal(9, 3, 100), nodes.fractal(9, 3, 110)
    sea = nodes.fractal(12, 8, _SEA_SALT) + 0.36
    lake = nodes.shifted(60 * bend_x, 60 * bend_y).fractal(9, 4, 220) - 0.52
    river = nodes.shifted(120 * bend_x, 120 * bend_y).fractal(11, 1, 240)
    road = nodes.shifted(40 * bend_y, 40 * bend_x).fractal(11, 1, 260)
    mountain = np.clip(nodes.fractal(14, 2, 300) * 1.8 - 0.15, 0.0, 1.0)
    height = _height(nodes, mountain, river, sea)
    slope_east, slope_north = _slopes(view, height)
    steep = np.hypot(slope_east, slope_north)
    moist = nodes.fractal(12, 4, 320)
    town = np.maximum(_towns(nodes, 0), _towns(nodes, 1))
    town = town + 0.55 * nodes.fractal(7, 3, 340) - 0.22 - 2.0 * np.clip(steep - 0.2, 0.0, 1.0)
    wood = nodes.fractal(8, 4, 360, 0.6) - 0.14 + 0.25 * moist + 1.6 * np.clip(steep, 0.0, 0.4)
    conifer = np.clip(0.45 + 1.1 * nodes.fractal(8, 3, 380) + mountain, 0.0, 1.0)
    return Ground(
        height, slope_east, slope_north, sea, lake, river, _steepness(view, river), road, _steepness(view, road),
        wood, conifer, town, moist,
    )  # fmt: skip


def _height(nodes: Places, mountain: np.ndarray, river: np.ndarray, sea: np.ndarray) -> np.ndarray:
    """Metres above the sea: gentle hills, ridges where the mountains are, cut in by rivers."""
    hills = nodes.fractal(10, 6, 400, 0.52)
    valley = np.clip(np.abs(river) * 6.0, 0.0, 1.0)
    shore = np.clip(sea * 5.0, 0.0, 1.0)
    height = 120.0 + 150.0 * hills
    if float(mountain.max()) > 0:
        height = height + mountain * (250.0 + _ridges(nodes) * 900.0) * (0.3 + 0.7 * valley)
    return shore * height * (0.7 + 0.3 * valley)


def _ridges(nodes: Places) -> np.ndarray:
    """Crests that branch into smaller crests, 0 to 1."""
    crests = np.zeros_like(nodes.x)
    weight = 0.55
    for bits in range(11, max(7, nodes.finest) - 1, -1):
        sharp = 1.0 - np.abs(nodes.noise(bits, 430 + bits)) * 1.9
        crests += weight * np.clip(sharp, 0.0, 1.0) ** 2
        weight *= 0.48
    return crests


def _slopes(view: View, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rise per metre to the east and to the north. Rows run south."""
    down, right = np.gradient(height, view.spacing)
    return right, -down


def _steepness(view: View, field: np.ndarray) -> np.ndarray:
    """How fast a field changes, per world unit (never 0: a zero line's distance is field / steepness)."""
    step_x = np.gradient(view.nodes.x, axis=1)
    step_y = np.gradient(view.nodes.y, axis=0)
    across = np.gradient(field, axis=1) / step_x
    along = np.gradient(field, axis=0) / step_y
    return np.maximum(np.hypot(across, along), 2e-4)


def _towns(nodes: Places, size: int) -> np.ndarray:
    """1 in a town's centre, 0 at its edge, down to -1 outside, from the towns of one lattice."""
    bits, share, smallest, largest = _TOWN_SIZES[size]
    x, y = nodes.x / (1 << bits), nodes.y / (1 << bits)
    best = np.full(x.shape, -1.0)
    for column in range(math.floor(x.min()) - 1, math.floor(x.max()) + 2):
        for row in range(math.floor(y.min()) - 1, math.floor(y.max()) + 2):
            cell = column & ((1 << (WORLD_BITS - bits)) - 1), row, 500 + size
            inhabited = unit_of(hash_numbers(*cell)) / share
            if inhabited >= 1:
                continue
            radius = (smallest + (largest - smallest) * inhabited**2) / (1 << bits)
            centre_x = column + 0.15 + 0.7 * unit_of(hash_numbers(*cell, 1))
            centre_y = row + 0.15 + 0.7 * unit_of(hash_numbers(*cell, 2))
            best = np.maximum(best, 1.0 - np.hypot(x - centre_x, y - centre_y) / radius)
    return best
