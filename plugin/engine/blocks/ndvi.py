"""The processing block `ndvi`: (NIR - red) / (NIR + red), from -1 to 1 (contract 7.2)."""

from __future__ import annotations

import shutil
from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, Feature, Price, TaskContext
from .features import write_features
from .processing import derived, make_room, megapixels, parent_rasters, raster_name, read_flag

_SPEED = (2_000_000.0, 15_000_000.0)  # pixels per second


class NdviBlock(Block):
    """One band of float32 for each scene of the parent."""

    description = BlockDescription(
        id="d0da4ac9-94c6-4905-80f5-c95e702ca878",
        name="ndvi",
        display_name="NDVI",
        description="The normalised difference vegetation index, (NIR - red) / (NIR + red): below 0 water, about 0.1 "
        "to 0.2 bare ground and towns, above 0.6 dense green plants.",
        type="PROCESSING",
        parameters={
            "output_original_raster": {
                "type": "boolean",
                "default": False,
                "required": False,
                "description": "Hand on the original raster too.",
            }
        },
        price=Price("MEGAPIXEL", 1.0),
        inputs=frozenset({"raster", "nir"}),
        outputs=frozenset({"raster"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has, twice as many with the originals."""
        copies = 2.0 if read_flag(parameters, "output_original_raster", False) else 1.0
        return megapixels(parent, (copies, copies), _SPEED)

    def run(self, task: TaskContext) -> None:
        """Compute it for each raster. Raises BlockFailure where one has no red or near infrared band."""
        from .pixels.ndvi import compute_ndvi
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        with_original = read_flag(task.parameters, "output_original_raster", False)
        features: list[Feature] = []
        for feature, source, tell in parent_rasters(task):
            name = raster_name(feature, "_ndvi")
            mean = compute_ndvi(str(feature["id"]), source, make_room(task.output, name), tell)
            task.log.info("%s: mean NDVI %s.", feature["id"], "unknown" if mean is None else f"{mean:.2f}")
            features.append(derived(feature, name))
            if with_original:
                original = raster_name(feature)
                shutil.copyfile(source, make_room(task.output, original))
                features.append({**derived(feature, original), "id": f"{feature['id']}_original"})
        write_features(task.output, features)
