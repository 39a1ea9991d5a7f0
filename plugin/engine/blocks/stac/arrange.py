"""What was delivered, put together and reprojected where that was asked for; each is said in the log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Optional, Sequence

from ..base import Feature
from ..features import DATA_PATH
from .features import mosaic_feature
from .passes import Pass
from .warp import usual_crs, warp_together


def arranged(
    features: list[Feature],
    passes: Sequence[Pass],
    output: Path,
    crs: Optional[str],
    mosaic: bool,
    log: logging.Logger,
) -> list[Feature]:
    """The features after mosaics (one for each pass of several scenes) and reprojection. Raises BlockFailure."""
    if not (mosaic or crs):
        return features
    result = []
    for of in passes:
        alike: dict[tuple[str, ...], list[Feature]] = {}  # of equal bands: a panchromatic raster is one of its own
        for feature in features:
            if feature["properties"]["pass"] == of.id:
                alike.setdefault(tuple(feature["properties"]["bands"]), []).append(feature)
        for mine in alike.values():
            if mosaic and len(mine) > 1:
                result.append(_mosaic(of, mine, output, crs, log))
            else:
                result += [feature if crs is None else _reprojected(feature, output, crs, log) for feature in mine]
    return result


def _mosaic(of: Pass, parts: list[Feature], output: Path, crs: Optional[str], log: logging.Logger) -> Feature:
    paths = [output / part["properties"][DATA_PATH] for part in parts]
    name = f"{paths[0].stem}_mosaic.tif"
    warp_together(paths, output / name, crs or usual_crs(paths))
    for path in paths:
        path.unlink()
    names = ", ".join(str(part["id"]) for part in parts)
    log.info(
        "Mosaic, as asked for: %s are one raster in %s, the first on top.", names, crs or "the CRS of most of them"
    )
    return mosaic_feature(of, parts, name)


def _reprojected(feature: Feature, output: Path, crs: str, log: logging.Logger) -> Feature:
    path = output / feature["properties"][DATA_PATH]
    moved = path.with_suffix(".moved.tif")
    warp_together([path], moved, crs)
    moved.replace(path)
    log.info("Reprojected, as asked for: %s is in %s, by nearest neighbour.", feature["id"], crs)
    return feature
