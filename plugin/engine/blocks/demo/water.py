"""Rivers with green banks, lakes, and the sea with its shallows and beaches."""

from __future__ import annotations

import numpy as np

from . import seasons
from .picture import Picture, edge, mixed, scaled
from .relief import Ground

_BANK = (300, 500, 330, 2900)


def paint_water(picture: Picture, ground: Ground) -> np.ndarray:
    """Paint all water; gives each pixel's share of lake or sea (what a road can't bridge)."""
    view = picture.view
    ripple = 1 + picture.grain(6, 8) * 0.05
    moist = view.fill(ground.moist)
    distance = np.abs(view.fill(ground.river)) / view.fill(ground.river_slope)
    width = 4.2 + moist * 2.0
    picture.lay(_BANK, edge((width + 3.0 - distance) / view.units, 3.0) * 0.5)
    picture.lay(scaled(seasons.RIVER, ripple), edge((width - distance) / view.units, 1.3))
    lake = np.clip(view.fill(ground.lake) * 60 + picture.grain(3, 9) * 0.08, 0, 1)
    picture.lay(scaled(seasons.LAKE, ripple), lake)
    height = view.fill(ground.sea)
    beach = np.clip(1 - np.abs(height - 0.004) * 200, 0, 1) * np.clip(moist * 3 + 0.4, 0, 1)
    picture.lay(seasons.SAND, beach)
    sea = np.clip(0.5 - height * 400, 0, 1)
    if sea.any():
        colour = mixed(seasons.SHALLOW, seasons.SEA, np.clip(-height * 22, 0, 1))
        picture.lay([value * ripple for value in colour], sea)
    return np.maximum(sea, lake)
