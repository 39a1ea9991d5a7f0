"""The processing block `sharpening`: an unsharp mask (contract 7.2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, BlockFailure, Price, TaskContext
from .features import write_features
from .processing import derived, make_room, megapixels, parent_rasters, raster_name

_SPEED = (500_000.0, 4_000_000.0)  # pixels per second
STRENGTHS = ("light", "medium", "strong")


class SharpeningBlock(Block):
    """Crisper edges; type, nodata and bands stay as they are."""

    description = BlockDescription(
        id="e374ea64-dc3b-4500-bb4b-974260fb203e",
        name="sharpening",
        display_name="Sharpening",
        description="Crisper edges by an unsharp mask. The values of the pixels change: to look at, not to measure.",
        type="PROCESSING",
        parameters={
            "strength": {
                "type": "string",
                "default": "medium",
                "required": True,
                "enum": list(STRENGTHS),
                "description": "light, medium or strong",
            }
        },
        price=Price("MEGAPIXEL", 1.0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has."""
        return megapixels(parent, (1.0, 1.0), _SPEED)

    def run(self, task: TaskContext) -> None:
        """Sharpen each raster of the parent. Raises BlockFailure."""
        from .pixels.rasters import prepare_gdal
        from .pixels.sharpen import sharpen

        prepare_gdal()
        strength = task.parameters.get("strength") or "medium"
        if not isinstance(strength, str) or strength not in STRENGTHS:
            raise BlockFailure("WRONG_INPUT_ERROR", f"strength must be one of {', '.join(STRENGTHS)}.")
        features = []
        for feature, source, tell in parent_rasters(task):
            name = raster_name(feature)
            sharpen(str(feature["id"]), source, make_room(task.output, name), strength, tell)
            task.log.info("%s: sharpened (%s).", feature["id"], strength)
            features.append(derived(feature, name))
        write_features(task.output, features)
