"""The weather of one pass over the demo world: where its clouds and their shadows are."""

from __future__ import annotations

import math

import numpy as np

from .noise import WORLD_UNITS, Places, hash_numbers, unit_of
from .picture import Picture, scaled
from .seasons import CLOUD, Season
from .view import UNIT_METRES

CLOUD_METRES = 1400.0  # above the ground
_SALTS_PER_PASS = 40
_CLEAR = -0.25  # thickness below which nothing is to be seen


class Weather:
    """The clouds of one pass (`number`). They don't stop at a scene's border."""

    def __init__(self, number: int):
        self._salt = 700 + hash_numbers(number, 1) % 100_000 * _SALTS_PER_PASS
        self._shift = float(hash_numbers(number, 2) % WORLD_UNITS)
        self._mood = unit_of(hash_numbers(number, 3))

    def thickness(self, places: Places) -> np.ndarray:
        """How thick the clouds are at places: below 0 clear, from 0.35 on nothing shows through."""
        moved = places.shifted(self._shift, 0.0)
        front = moved.fractal(14, 2, self._salt) * 1.35
        puffs = moved.fractal(10, 6, self._salt + 10, 0.62) * 0.75
        return puffs + front + self._mood * 1.5 - 1.0

    def cover(self, picture: Picture, season: Season) -> None:
        """Lay shadows, haze and clouds over a picture."""
        view = picture.view
        thickness = self.thickness(view.nodes)
        shade = self.thickness(view.nodes.shifted(*_toward_sun(view.latitude, season)))
        if float(max(thickness.max(), shade.max())) < _CLEAR:
            return
        wisps = picture.grain(6, 10) * 0.03
        picture.light(1 - np.clip((view.fill(shade) + wisps) * 3, 0, 1) * 0.55)
        cloud = view.fill(thickness) + wisps
        haze = np.clip(cloud * 0.6 + 0.12, 0, 0.16)
        share = np.clip(haze + np.clip(cloud * 2.9, 0, 1), 0, 0.985)
        picture.lay(scaled(CLOUD, 0.72 + np.clip(cloud, 0, 1) * 0.4), share)


def _toward_sun(latitude: np.ndarray, season: Season) -> tuple[np.ndarray, np.ndarray]:
    """From a place to the cloud that shades it, in world units to the east and north."""
    metres = CLOUD_METRES / math.tan(math.radians(max(season.sun_elevation, 15.0)))
    units = metres / (UNIT_METRES * np.cos(np.radians(latitude)))
    azimuth = math.radians(season.sun_azimuth)
    return units * math.sin(azimuth), units * math.cos(azimuth)
