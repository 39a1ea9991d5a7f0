"""What a raster's bands show: recognised from their descriptions, named from their sensor's numbering."""

from __future__ import annotations

import re
from typing import Mapping, Optional, Sequence

RED, GREEN, BLUE, NIR = "red", "green", "blue", "nir"

# Band numbers of the sensors, from their makers' handbooks (USGS Landsat 8-9 and Landsat 4-7, ESA Sentinel-2).
_LANDSAT_8: Mapping[str, str] = {
    "1": "Coastal", "2": "Blue", "3": "Green", "4": "Red", "5": "NIR", "6": "SWIR 1", "7": "SWIR 2",
    "8": "Panchromatic", "9": "Cirrus", "10": "Thermal 1", "11": "Thermal 2",
}  # fmt: skip
_LANDSAT_4: Mapping[str, str] = {
    "1": "Blue", "2": "Green", "3": "Red", "4": "NIR", "5": "SWIR 1", "6": "Thermal", "7": "SWIR 2",
    "8": "Panchromatic",
}  # fmt: skip
_SENTINEL_2: Mapping[str, str] = {
    "1": "Coastal", "2": "Blue", "3": "Green", "4": "Red", "5": "Red Edge 1", "6": "Red Edge 2", "7": "Red Edge 3",
    "8": "NIR", "8A": "NIR Narrow", "9": "Water Vapour", "10": "Cirrus", "11": "SWIR 1", "12": "SWIR 2",
}  # fmt: skip
LANDSAT_8 = re.compile(r"(?:^|[^A-Z])L[COT]0?[89]", re.IGNORECASE)
LANDSAT_4 = re.compile(r"(?:^|[^A-Z])L[TEM]0?[1-7]", re.IGNORECASE)
SENTINEL_2 = re.compile(r"(?:^|[^A-Z0-9])(?:S2[ABC]_|T\d{2}[A-Z]{3}_\d{8}T)", re.IGNORECASE)

# Which bands a file without descriptions holds, by their count: as the sensor's bands are stacked most often.
_STACKS_8: Mapping[int, tuple[str, ...]] = {
    3: ("2", "3", "4"), 4: ("2", "3", "4", "5"), 6: ("2", "3", "4", "5", "6", "7"), 7: tuple("1234567"),
}  # fmt: skip
_STACKS_4: Mapping[int, tuple[str, ...]] = {
    3: ("1", "2", "3"), 4: ("1", "2", "3", "4"), 6: ("1", "2", "3", "4", "5", "7"), 7: tuple("1234567"),
}  # fmt: skip
_STACKS_S2: Mapping[int, tuple[str, ...]] = {
    4: ("2", "3", "4", "8"), 10: ("2", "3", "4", "5", "6", "7", "8", "8A", "11", "12"),
}  # fmt: skip


def role(description: str) -> Optional[str]:
    """red, green, blue or nir; None for any other band and where the description doesn't say."""
    words = re.sub(r"[^a-z0-9]+", " ", description.lower()).strip()
    if re.search(r"\bred ?edge|\bnarrow\b|\bswir\b|\bshort ?wave", words):
        return None
    if re.search(r"\bnir\b|\bnear ?infra ?red\b", words):
        return NIR
    for colour in (RED, GREEN, BLUE):
        if re.search(rf"\b{colour}\b", words):
            return colour
    return {"b02": BLUE, "b03": GREEN, "b04": RED, "b08": NIR}.get(words)  # two digits: Sentinel-2


def band_of(descriptions: Sequence[str], wanted: str) -> Optional[int]:
    """The number (from 1) of the first band with this role; None where there is none."""
    roles = [role(description) for description in descriptions]
    return roles.index(wanted) + 1 if wanted in roles else None


def band_name(scene: str, number: str) -> str:
    """A band's name from its number in the file name, such as "B4 Red"; plain "B4" where the sensor is unknown."""
    number = number.upper()
    bare = number.lstrip("0") or number
    meaning = (_numbering(scene) or {}).get(bare)
    return f"B{number} {meaning}" if meaning else f"B{number}"


def stack_names(scene: str, count: int) -> Optional[tuple[str, ...]]:
    """What the bands of a stack without descriptions most likely are; None where the name tells no sensor."""
    if LANDSAT_8.search(scene):
        numbers = _STACKS_8.get(count)
    elif LANDSAT_4.search(scene):
        numbers = _STACKS_4.get(count)
    elif SENTINEL_2.search(scene):
        numbers = _STACKS_S2.get(count)
    else:
        numbers = None
    if numbers is None:
        return None
    two_digits = SENTINEL_2.search(scene) is not None
    return tuple(band_name(scene, f"{number:0>2}" if two_digits else number) for number in numbers)


def _numbering(scene: str) -> Optional[Mapping[str, str]]:
    if LANDSAT_8.search(scene):
        return _LANDSAT_8
    if LANDSAT_4.search(scene):
        return _LANDSAT_4
    return _SENTINEL_2 if SENTINEL_2.search(scene) else None
