"""Images of classes: which they are, and the colours of their classes."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass
from typing import Optional, Sequence

from osgeo import gdal

MOST_CLASSES = 64
CLASS_WORDS = {"classes", "classification", "cluster", "clusters", "kmeans", "labels", "landcover"}
INTEGERS = (gdal.GDT_Byte, gdal.GDT_UInt16, gdal.GDT_Int16, gdal.GDT_Int32, gdal.GDT_UInt32)
TRANSPARENT = "#00000000"
# Scene classification of Sentinel-2 Level 2A: classes as in ESA's Sentinel-2 Products Specification Document.
SCL = (
    (0, TRANSPARENT, "No data"),
    (1, "#ff0000", "Saturated or defective"),
    (2, "#2f2f2f", "Dark area"),
    (3, "#643200", "Cloud shadow"),
    (4, "#00a000", "Vegetation"),
    (5, "#ffe65a", "Not vegetated"),
    (6, "#0000ff", "Water"),
    (7, "#808080", "Unclassified"),
    (8, "#c0c0c0", "Cloud, medium probability"),
    (9, "#ffffff", "Cloud, high probability"),
    (10, "#64c8ff", "Thin cirrus"),
    (11, "#ff96ff", "Snow or ice"),
)
# Of Okabe and Ito, which people with colour-blindness can tell apart; the black is left to text.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
GOLDEN_ANGLE = 0.381966  # of a turn: hues that stay apart, however many


@dataclass(frozen=True)
class ClassColour:
    """One class: pixel value, colour (#rrggbb or #aarrggbb), and what it is called in the legend."""

    value: int
    colour: str
    label: str


def classes_of(name: str, band: gdal.Band, highest: float) -> Optional[tuple[ClassColour, ...]]:
    """The classes that one band of integers shows; None where it is no image of classes.

    They are known by the file's name, the band's description, or by category names that the file brings. `highest` is
    the largest value of a sample.
    """
    if band.DataType not in INTEGERS or not 0 <= highest < MOST_CLASSES:
        return None
    words = set(re.findall(r"[a-z]+", f"{name} {band.GetDescription()}".lower().replace("k-means", "kmeans")))
    if "scl" in words and highest <= SCL[-1][0]:
        return tuple(ClassColour(*one) for one in SCL)
    names = [text or "" for text in band.GetCategoryNames() or ()]
    if not names and not words & CLASS_WORDS:
        return None
    count = max(int(highest) + 1, min(len(names), MOST_CLASSES))
    empty = band.GetNoDataValue()
    values = [value for value in range(count) if value != empty]
    return tuple(ClassColour(value, colour_of(i), _label(names, value)) for i, value in enumerate(values))


def colour_of(place: int) -> str:
    """A colour for each place in a list; the first ones are easiest to tell apart."""
    if place < len(COLOURS):
        return COLOURS[place]
    light = 0.45 if place % 2 else 0.7
    rgb = colorsys.hls_to_rgb((place * GOLDEN_ANGLE) % 1.0, light, 0.6)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def _label(names: Sequence[str], value: int) -> str:
    return names[value] if value < len(names) and names[value] else str(value)
