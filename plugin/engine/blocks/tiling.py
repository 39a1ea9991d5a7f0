"""The processing block `tiling`: cuts rasters into tiles of one size (contract 7.2 and 7.3)."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from .features import write_features
from .processing import parent_rasters
from .tiling_options import LARGEST, MAX_AUGMENTATION, SMALLEST, read_options

_SPEED = (500_000.0, 5_000_000.0)  # pixels per second


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
