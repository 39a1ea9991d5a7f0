"""An expression over the bands of a raster, window by window."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np

from ..band_words import band_numbers, say_bands
from ..base import BlockFailure
from ..expression import Formula
from ..processing import Progress
from .one_band import Bands, write_one_band
from .rasters import TILE, descriptions, open_raster


def compute_index(
    scene: str, source: Path, target: Path, formula: Formula, tell: Progress, side: int = TILE
) -> Optional[float]:
    """Write the values as float32; gives their mean, None where no pixel is valid.

    A pixel is valid where all bands that the expression names are, and the result is a number. Raises BlockFailure.
    """
    dataset = open_raster(source, scene)
    numbers = _numbers(scene, descriptions(dataset), formula)

    def compute(bands: Bands) -> np.ndarray:
        result = formula.expression.compute(bands)
        if formula.limits:
            np.clip(result, *formula.limits, out=result, where=np.isfinite(result))
        return result

    return write_one_band(dataset, numbers, formula.name, compute, target, tell, side)


def _numbers(scene: str, names: tuple[str, ...], formula: Formula) -> dict[str, int]:
    """The number of the band that each word of the expression means."""
    known = band_numbers(names)
    missing = [word for word in formula.expression.words if word not in known]
    if missing:
        raise BlockFailure(
            "WRONG_INPUT_ERROR",
            f"{formula.name} needs {', '.join(missing)}, but {scene} has no such band. Its bands: {say_bands(names)}.",
        )
    return {word: known[word] for word in formula.expression.words}
