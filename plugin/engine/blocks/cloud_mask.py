"""The processing block `cloud-mask`: takes out clouds and their shadows by Sentinel-2's scene classification (SCL)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from .features import write_features
from .parameter_readers import is_number, read_list, read_whole, wrong
from .processing import derived, make_room, megapixels, parent_rasters, raster_name

_SPEED = (2_000_000.0, 15_000_000.0)  # pixels per second
# Classes of Sentinel-2's scene classification (ESA): cloud shadow, cloud of medium and high probability, thin cirrus.
CLOUDS = (3, 8, 9, 10)
MOST_CLASS = 11
CLOUDY_SCENES = 60  # percent: scenes with more have little left
MAX_BUFFER = 50


class CloudMaskBlock(Block):
    """The parent's bands without SCL; what is masked is nodata."""

    description = BlockDescription(
        id="7f1f6a0d-52d5-4f55-9b51-0d9a6e1a4c12",
        name="cloud-mask",
        display_name="Cloud Mask",
        description="Turns clouds and their shadows into nodata, by Sentinel-2's scene classification (the band "
        "SCL, which its data block reads by default then). The other bands are handed on.",
        type="PROCESSING",
        parameters={
            "classes": {
                "type": "array",
                "default": list(CLOUDS),
                "required": False,
                "items": {"type": "integer"},
                "description": "Classes to take out: 3 cloud shadow, 8 and 9 cloud, 10 thin cirrus; 11 is snow, 6 "
                "water, 1 defective, 2 dark.",
            },
            "buffer_pixels": {
                "type": "integer",
                "default": 0,
                "required": False,
                "minimum": 0,
                "maximum": MAX_BUFFER,
                "description": "So many pixels around them are taken out too.",
            },
        },
        price=Price("MEGAPIXEL", 0.0),
        inputs=frozenset({"raster", "scl"}),
        outputs=frozenset({"raster"}),
        keeps=frozenset({"nir"}),
        wishes={"bands": ["SCL"], "max_cloud_cover": CLOUDY_SCENES},
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has."""
        return megapixels(parent, (1.0, 1.0), _SPEED)

    def run(self, task: TaskContext) -> None:
        """Mask each raster; those that are all cloud are left out. Raises BlockFailure."""
        from .pixels.mask import mask_classes
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        classes = _classes(task.parameters)
        buffer = read_whole(task.parameters, "buffer_pixels", 0, 0, MAX_BUFFER)
        features: list[Feature] = []
        for feature, source, tell in parent_rasters(task):
            name, scene = raster_name(feature), str(feature["id"])
            share = mask_classes(scene, source, make_room(task.output, name), classes, buffer, tell)
            if share is None:
                task.log.warning("%s has nothing but clouds or nodata, so it is left out.", scene)
                (task.output / name).unlink()
                continue
            task.log.info("%s: %.1f %% of its valid pixels are masked.", scene, share * 100)
            made = derived(feature, name)
            features.append({**made, "properties": {**made["properties"], "masked_percent": round(share * 100, 2)}})
        if not features:
            raise BlockFailure(
                "NO_OUTPUT_ERROR", "All scenes are cloudy everywhere in the AOI: choose other dates or scenes."
            )
        write_features(task.output, features)


def _classes(parameters: Mapping[str, Any]) -> tuple[int, ...]:
    chosen = read_list(parameters, "classes", CLOUDS)
    if not chosen or not all(is_number(one) and one == int(one) and 0 <= one <= MOST_CLASS for one in chosen):
        raise wrong(f"classes must be a list of whole numbers from 0 to {MOST_CLASS}, such as {list(CLOUDS)}.")
    return tuple(int(one) for one in chosen)
