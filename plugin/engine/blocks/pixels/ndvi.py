"""The NDVI of a raster, window by window."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np

from ..bands import NIR, RED, band_of
from ..base import BlockFailure
from ..processing import Progress
from .one_band import Bands, write_one_band
from .rasters import descriptions, open_raster


def compute_ndvi(scene: str, source: Path, target: Path, tell: Progress) -> Optional[float]:
    """Write the NDVI of a raster as float32; gives its mean, None where no pixel is valid.

    Raises BlockFailure where the bands' descriptions name no red or no near infrared band.
    """
    dataset = open_raster(source, scene)
    return write_one_band(dataset, _bands(scene, descriptions(dataset)), "NDVI", _ndvi, target, tell)


def _ndvi(bands: Bands) -> np.ndarray:
    both = bands[NIR] + bands[RED]
    index = np.full(both.shape, np.nan, np.float32)
    np.divide(bands[NIR] - bands[RED], both, out=index, where=both != 0)
    return np.clip(index, -1, 1, out=index)


def _bands(scene: str, names: tuple[str, ...]) -> dict[str, int]:
    """The numbers of the red and the near infrared band."""
    red, nir = band_of(names, RED), band_of(names, NIR)
    if red is not None and nir is not None:
        return {RED: red, NIR: nir}
    missing = " and no ".join(n for n, found in (("red", red), ("near infrared", nir)) if found is None)
    shown = ", ".join(f"“{name}”" if name else "one without a name" for name in names)
    raise BlockFailure(
        "WRONG_INPUT_ERROR",
        f"NDVI needs a red and a near infrared band, but {scene} has no {missing} band. Its bands: {shown}.",
    )
