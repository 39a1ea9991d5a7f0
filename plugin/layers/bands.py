"""What the bands of an image show: which is red, green and blue, and which index it is."""

from __future__ import annotations

import re
from typing import Optional, Sequence

from osgeo import gdal

COLOURS = ("red", "green", "blue")
# Sentinel-2 and Landsat 8 and 9 number red, green and blue alike.
COLOUR_OF_CODE = {"b4": "red", "b04": "red", "b3": "green", "b03": "green", "b2": "blue", "b02": "blue"}
OTHER_COLOURS = {"edge", "rededge", "coastal", "aerosol"}  # words that make "red" or "blue" another band
COLOUR_OF_INTERPRETATION = {
    gdal.GCI_RedBand: "red",
    gdal.GCI_GreenBand: "green",
    gdal.GCI_BlueBand: "blue",
}
NDVI = "ndvi"
INDEX_MIN, INDEX_MAX = -1.0, 1.0
OTHER_INDICES = {"evi", "nbr", "ndbi", "ndmi", "ndre", "ndsi", "ndwi", "savi"}  # in −1…1 too, and no NDVI


def natural_colour(dataset: gdal.Dataset) -> Optional[tuple[int, int, int]]:
    """The bands (from 1) that are red, green and blue; None for an image of fewer than three bands.

    In this order: words in the band descriptions ("Red", "B04 Red"), GDAL's colour interpretation, band codes in the
    descriptions ("B4", "SR_B4"). An image that says nothing is taken for a picture, bands 1 2 3, if it is of bytes;
    else for a stack by wavelength, blue first, as Sentinel-2, Landsat and PlanetScope are stacked: bands 3 2 1.
    """
    if dataset.RasterCount < len(COLOURS):
        return None
    bands = [dataset.GetRasterBand(i + 1) for i in range(dataset.RasterCount)]
    words = [_words(band.GetDescription()) for band in bands]
    for colours in (
        [_colour_word(w) for w in words],
        [COLOUR_OF_INTERPRETATION.get(band.GetColorInterpretation()) for band in bands],
        [next((COLOUR_OF_CODE[word] for word in w if word in COLOUR_OF_CODE), None) for w in words],
    ):
        if all(colour in colours for colour in COLOURS):
            red, green, blue = (colours.index(colour) + 1 for colour in COLOURS)
            return red, green, blue
    return (1, 2, 3) if bands[0].DataType == gdal.GDT_Byte else (3, 2, 1)


def index_of(name: str, description: str, values: Sequence[float], is_float: bool) -> str:
    """Which index one band shows: "ndvi", "ndwi", "nbr" …; "" for none. By its file's name or description, else an
    NDVI by its values.

    `values` are (minimum, 98 % cut, maximum) of a sample. Without a name it takes floats of both signs within −1…1.
    """
    low, cut, high = values
    words = set(_words(name)) | set(_words(description))
    named = next((index for index in (NDVI, *sorted(OTHER_INDICES)) if index in words), "")
    if named:
        return named if cut <= INDEX_MAX else ""  # else it is scaled, and the palette would be wrong
    return NDVI if is_float and INDEX_MIN <= low < 0 < high <= INDEX_MAX else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+\d*|\d+", text.lower())


def _colour_word(words: Sequence[str]) -> Optional[str]:
    if OTHER_COLOURS & set(words):
        return None
    return next((word for word in words if word in COLOURS), None)
