"""Values into the type of a raster's pixels."""

from __future__ import annotations

from typing import Optional

import numpy as np


def as_type(values: np.ndarray, kind: np.dtype, nodata: Optional[float]) -> np.ndarray:
    """Rounded and kept within the type; a valid pixel never becomes nodata."""
    if kind.kind not in "iu":
        return values.astype(kind)
    limits: np.iinfo = np.iinfo(kind)
    whole = np.clip(np.rint(values), limits.min, limits.max).astype(kind)
    if nodata is not None and limits.min <= nodata <= limits.max:
        whole[whole == kind.type(nodata)] = kind.type(nodata + 1 if nodata < limits.max else nodata - 1)
    return whole


def nodata_for(kind: np.dtype) -> float:
    """A value for pixels without data, where the raster declares none."""
    if kind.kind == "f":
        return -9999.0
    return 0.0 if kind.kind == "u" else float(np.iinfo(kind).min)
