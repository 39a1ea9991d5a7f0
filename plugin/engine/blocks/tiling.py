"""The processing block `tiling`: cuts rasters into tiles of one size (contract 7.2 and 7.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from .features import write_features
from .processing import parent_rasters, read_flag, safe_name

SMALLEST, LARGEST = 16, 16_384  # pixels of a tile's side
MAX_AUGMENTATION = 10
_SPEED = (500_000.0, 5_000_000.0)  # pixels per second


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


class TilingBlock(Block):
    """One GeoTIFF and one feature for each tile: `<feature id>/<feature id>_<column>-<row>.tif`."""

    description = BlockDescription(
        id="3e146dd6-2b67-4d6e-a422-bb3d973e32ff",
        name="tiling",
        display_name="Raster Tiling",
        description="Cuts rasters into tiles of one size. Tiles at the right and lower edge are filled up with nodata.",
        type="PROCESSING",
        parameters={
            "nodata": {
                "type": "number",
                "default": None,
                "required": False,
                "description": "The value of pixels without data; null for the raster's own, 0 where it has none.",
            },
            "tile_width": {
                "type": "number",
                "default": 768,
                "required": True,
                "minimum": SMALLEST,
                "maximum": LARGEST,
                "description": "Pixels across.",
            },
            "tile_height": {
                "type": "number",
                "default": 768,
                "required": True,
                "minimum": SMALLEST,
                "maximum": LARGEST,
                "description": "Pixels down.",
            },
            "match_extents": {
                "type": "boolean",
                "default": False,
                "required": False,
                "description": "One grid of tiles for all rasters, so that tiles of equal place have equal extents.",
            },
            "output_prefix": {
                "type": "string",
                "default": "",
                "required": False,
                "description": "The beginning of the tiles' names; the scene's id where empty.",
            },
            "augmentation_factor": {
                "type": "number",
                "default": 1,
                "required": False,
                "minimum": 1,
                "maximum": MAX_AUGMENTATION,
                "description": "2 adds a second grid of tiles, moved by half a tile; 3 two grids, moved by thirds; …",
            },
            "discard_empty_tiles": {
                "type": "boolean",
                "default": True,
                "required": False,
                "description": "Leave out tiles that have only nodata or zeros.",
            },
        },
        price=Price("MEGAPIXEL", 0.0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
        keeps=frozenset({"nir", "scl", "classes"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """From fewer pixels than the parent's (empty tiles) to more (edges filled up, augmentation)."""
        options = read_options(parameters)
        least, most = parent.pixels if parent else (0.0, 0.0)
        side = math.sqrt(most)
        filled = (side + options.width) * (side + options.height) * options.augmentation if most else 0.0
        pixels = least * 0.3, filled
        return Amount(
            (pixels[0] / 1e6, pixels[1] / 1e6), (0.5 + pixels[0] / _SPEED[1], 2 + pixels[1] / _SPEED[0]), pixels
        )

    def run(self, task: TaskContext) -> None:
        """Cut all rasters of the parent. Raises BlockFailure."""
        from .pixels.rasters import prepare_gdal
        from .pixels.tiles import cut_tiles, open_inputs, plan_tiles

        prepare_gdal()
        options = read_options(task.parameters)
        rasters = open_inputs(parent_rasters(task))
        features: list[Feature] = []
        for raster, tiles in zip(rasters, plan_tiles(rasters, options)):
            made = list(cut_tiles(task.output, raster, tiles, options))
            empty = len(tiles) - len(made)
            task.log.info("%s: %d tiles, %d empty ones left out.", raster.feature["id"], len(made), empty)
            features += made
        if not features:
            raise BlockFailure("NO_OUTPUT_ERROR", "All tiles are empty: set discard_empty_tiles to false to get them.")
        write_features(task.output, features)


def read_options(parameters: Mapping[str, Any]) -> TilingOptions:
    """Check the parameters. Raises BlockFailure WRONG_INPUT_ERROR."""
    prefix = parameters.get("output_prefix") or ""
    if not isinstance(prefix, str) or (prefix and safe_name(prefix) != prefix):
        raise BlockFailure("WRONG_INPUT_ERROR", "output_prefix may have letters, digits, dots, - and _ only.")
    nodata = parameters.get("nodata")
    if nodata is not None and not _is_number(nodata):
        raise BlockFailure("WRONG_INPUT_ERROR", "nodata must be a number or null.")
    return TilingOptions(
        _read_whole(parameters, "tile_width", 768, SMALLEST, LARGEST),
        _read_whole(parameters, "tile_height", 768, SMALLEST, LARGEST),
        read_flag(parameters, "match_extents", False),
        _read_whole(parameters, "augmentation_factor", 1, 1, MAX_AUGMENTATION),
        prefix,
        read_flag(parameters, "discard_empty_tiles", True),
        None if nodata is None else float(nodata),
    )


def _read_whole(parameters: Mapping[str, Any], name: str, otherwise: int, least: int, most: int) -> int:
    value = parameters.get(name)
    if value is None:
        return otherwise
    if not _is_number(value) or value != int(value) or not least <= value <= most:
        raise BlockFailure("WRONG_INPUT_ERROR", f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
