"""How rasters are to be cut: the parameters of `tiling`, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from .base import BlockFailure
from .parameter_readers import is_number, read_whole
from .processing import read_flag, safe_name

SMALLEST, LARGEST = 16, 16_384  # pixels of a tile's side
MAX_AUGMENTATION = 10


@dataclass(frozen=True)
class TilingOptions:
    """The parameters, checked."""

    width: int
    height: int
    match_extents: bool
    augmentation: int
    prefix: str
    discard_empty: bool
    nodata: Optional[float]


def read_options(parameters: Mapping[str, Any]) -> TilingOptions:
    """Check the parameters. Raises BlockFailure WRONG_INPUT_ERROR."""
    prefix = parameters.get("output_prefix") or ""
    if not isinstance(prefix, str) or (prefix and safe_name(prefix) != prefix):
        raise BlockFailure("WRONG_INPUT_ERROR", "output_prefix may have letters, digits, dots, - and _ only.")
    nodata = parameters.get("nodata")
    if nodata is not None and not is_number(nodata):
        raise BlockFailure("WRONG_INPUT_ERROR", "nodata must be a number or null.")
    return TilingOptions(
        read_whole(parameters, "tile_width", 768, SMALLEST, LARGEST),
        read_whole(parameters, "tile_height", 768, SMALLEST, LARGEST),
        read_flag(parameters, "match_extents", False),
        read_whole(parameters, "augmentation_factor", 1, 1, MAX_AUGMENTATION),
        prefix,
        read_flag(parameters, "discard_empty_tiles", True),
        None if nodata is None else float(nodata),
    )
