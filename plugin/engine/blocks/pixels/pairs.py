"""Which raster is the panchromatic counterpart of which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

from osgeo import gdal

from ..band_words import is_pan_name
from ..base import BlockFailure, Feature
from .rasters import descriptions, in_degrees, layout_of, open_raster

_TELLS = re.compile(r"(?:^|[_.-])(?:pan|panchromatic|ms|mul|multi|multispectral|xs)(?=$|[_.-])", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """A raster with colours and the panchromatic one to it."""

    colour: Feature
    colour_path: Path
    pan: Feature
    pan_path: Path


def pairs_of(rasters: Sequence[tuple[Feature, Path]]) -> tuple[list[Pair], list[str]]:
    """The pairs, and the ids of what has no counterpart. Raises BlockFailure where there is no pair at all.

    A pair has names that are the same but for ms and pan; else the same time and a common place.
    """
    opened = [(feature, path, open_raster(path, str(feature["id"]))) for feature, path in rasters]
    pans = [one for one in opened if _is_pan(*one)]
    colours = [one for one in opened if one not in pans]
    pairs: list[Pair] = []
    for feature, path, dataset in colours:
        found = _counterpart(feature, path, dataset, pans)
        if found is not None:
            pairs.append(Pair(feature, path, *found))
    if not pairs:
        what = "no panchromatic raster" if not pans else "only panchromatic rasters" if not colours else "no pair"
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"There is {what} among the {len(rasters)} scenes: choose both of a scene, such as scene_ms.tif and "
            "scene_pan.tif.",
        )
    used = {str(one["id"]) for pair in pairs for one in (pair.colour, pair.pan)}
    return pairs, [str(feature["id"]) for feature, _ in rasters if str(feature["id"]) not in used]


def _is_pan(feature: Feature, path: Path, dataset: gdal.Dataset) -> bool:
    said = descriptions(dataset)[0]
    return dataset.RasterCount == 1 and (is_pan_name(said) or is_pan_name(path.stem) or is_pan_name(str(feature["id"])))


def _counterpart(
    feature: Feature, path: Path, dataset: gdal.Dataset, pans: Sequence[tuple[Feature, Path, gdal.Dataset]]
) -> Optional[tuple[Feature, Path]]:
    for pan, pan_path, _ in pans:
        if _TELLS.sub("", path.stem) == _TELLS.sub("", pan_path.stem):
            return pan, pan_path
    frame, time = in_degrees(layout_of(dataset)), feature["properties"].get("datetime")
    for pan, pan_path, pan_dataset in pans:
        if pan["properties"].get("datetime") == time and in_degrees(layout_of(pan_dataset)).intersects(frame):
            return pan, pan_path
    return None
