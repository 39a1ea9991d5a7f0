"""What the surfaces of the demo world reflect, by day of year: B02, B03, B04, B08 as reflectance * 10,000.

The figures are rounded values typical of Sentinel-2 L2A for such surfaces in the middle latitudes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

SEA = (370, 280, 140, 75)
SHALLOW = (640, 850, 450, 160)
LAKE = (310, 350, 205, 105)
RIVER = (400, 560, 430, 260)
SAND = (1500, 1950, 2300, 2900)
ROOF = (1050, 1120, 1220, 1450)
TILE_ROOF = (760, 880, 1160, 1600)
HALL = (1750, 1850, 1930, 2150)
STREET = (700, 760, 810, 1000)
ROAD = (900, 990, 1090, 1350)
ROCK = (900, 1020, 1150, 1500)
SNOW = (8600, 8600, 8500, 8000)
CLOUD = (7300, 7200, 7200, 7500)

_BARE = (600, 850, 1040, 1650)
_DARK_SOIL = (470, 630, 760, 1230)
_SHOOTS = (480, 780, 740, 2300)
_GREEN = (270, 560, 310, 4300)
_RIPE = (640, 1060, 1260, 2650)
_STUBBLE = (720, 1030, 1270, 2250)
_BLOOM = (420, 1280, 1130, 3900)
_MEADOW = (330, 720, 430, 3500)
_HAY = (520, 900, 860, 2700)
_WINTER_MEADOW = (420, 700, 640, 2300)

# Day of year (northern) and the look from then on, blended in between.
CROPS = (
    (  # early winter cereals
        (1, _SHOOTS), (60, _SHOOTS), (110, _GREEN), (165, _GREEN), (195, _RIPE), (215, _STUBBLE), (270, _BARE),
        (330, _SHOOTS),
    ),
    (  # late winter cereals
        (1, _SHOOTS), (75, _SHOOTS), (120, _GREEN), (175, _GREEN), (205, _RIPE), (228, _STUBBLE), (290, _DARK_SOIL),
        (350, _SHOOTS),
    ),
    (  # maize
        (1, _DARK_SOIL), (120, _BARE), (150, _SHOOTS), (185, _GREEN), (245, _GREEN), (275, _RIPE), (290, _STUBBLE),
        (320, _DARK_SOIL),
    ),
    ((1, _BARE), (110, _DARK_SOIL), (140, _SHOOTS), (170, _GREEN), (260, _GREEN), (285, _BARE)),  # beet
    (  # rapeseed
        (1, _SHOOTS), (85, _GREEN), (115, _BLOOM), (140, _GREEN), (185, _RIPE), (205, _STUBBLE), (240, _SHOOTS),
    ),
    (  # meadow
        (1, _WINTER_MEADOW), (90, _MEADOW), (160, _MEADOW), (170, _HAY), (195, _MEADOW), (290, _MEADOW),
        (340, _WINTER_MEADOW),
    ),
    ((1, _WINTER_MEADOW), (100, _MEADOW), (150, _HAY), (180, _MEADOW), (300, _WINTER_MEADOW)),  # pasture
    ((1, _BARE), (100, _DARK_SOIL), (160, _BARE), (240, _STUBBLE), (300, _BARE)),  # fallow
)  # fmt: skip
PHASES = 16  # fields of one crop are not all at the same stage

_CONIFER = ((1, (200, 330, 240, 1900)), (150, (190, 330, 210, 2300)), (300, (200, 330, 240, 1900)))
_BROADLEAF = (
    (1, (420, 560, 610, 1450)), (100, (400, 560, 560, 1600)), (135, (250, 560, 290, 3500)),
    (230, (230, 480, 260, 3200)), (285, (330, 640, 640, 2300)), (315, (420, 560, 610, 1500)),
)  # fmt: skip
_CROP_SPREAD_DAYS = 22.0
_TROPICS = 18.0  # degrees: within, anything is sown at any time and the woods are always green
_MIDSUMMER = 190


@dataclass(frozen=True)
class Season:
    """The looks of one date at one latitude, and the sun."""

    crops: np.ndarray  # (crop, phase, band)
    meadow: np.ndarray
    conifer: np.ndarray
    broadleaf: np.ndarray
    sun_elevation: float  # degrees
    sun_azimuth: float  # degrees clockwise from north
    warmth: float  # degrees Celsius at sea level


def _look(calendar: tuple, day: float) -> np.ndarray:
    """The reflectances of a calendar on a day; the year closes."""
    days = [entry[0] for entry in calendar]
    looks = np.array([entry[1] for entry in calendar], dtype=np.float64)
    days = [*days, days[0] + 365]
    looks = np.vstack([looks, looks[:1]])
    place = (day - days[0]) % 365 + days[0]
    return np.array([np.interp(place, days, looks[:, band]) for band in range(4)])


def season(moment: datetime, latitude: float) -> Season:
    """The season at `moment` (UTC, about half past ten local time) and `latitude` (degrees)."""
    day = moment.timetuple().tm_yday
    northern = day if latitude >= 0 else (day + 182) % 365 + 1
    tropical = abs(latitude) <= _TROPICS
    spread = 180.0 if tropical else _CROP_SPREAD_DAYS
    phases = (np.arange(PHASES) / (PHASES - 1) - 0.5) * 2 * spread
    crops = np.array([[_look(calendar, northern + phase) for phase in phases] for calendar in CROPS])
    leafy = _MIDSUMMER if tropical else northern
    elevation, azimuth = _sun(day, latitude)
    swing = math.cos((northern - 200) / 365 * 2 * math.pi)
    polar = max(0.0, abs(latitude) - 62.0)
    warmth = 31.0 - 0.36 * abs(latitude) + 0.20 * abs(latitude) * swing - polar
    return Season(
        crops.astype(np.float32), _look(CROPS[5], leafy), _look(_CONIFER, leafy), _look(_BROADLEAF, leafy),
        elevation, azimuth, warmth,
    )  # fmt: skip


def _sun(day: int, latitude: float) -> tuple[float, float]:
    """Elevation and azimuth of the sun at half past ten local solar time, degrees."""
    declination = math.radians(-23.44 * math.cos(2 * math.pi * (day + 10) / 365))
    hour = math.radians(-22.5)
    phi = math.radians(latitude)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour)
    elevation = math.asin(max(-1.0, min(1.0, sine)))
    east = -math.cos(declination) * math.sin(hour)
    north = math.cos(phi) * math.sin(declination) - math.sin(phi) * math.cos(declination) * math.cos(hour)
    return math.degrees(elevation), math.degrees(math.atan2(east, north)) % 360
