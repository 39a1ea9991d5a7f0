"""The processing block `pansharpen`: coloured bands with the detail of a panchromatic one (contract 7.2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, Feature, Price, TaskContext
from .features import write_features
from .parameter_readers import is_number, read_choice, read_list, wrong
from .processing import derived, make_room, megapixels, parent_rasters, raster_name, read_flag

_SPEED = (1_000_000.0, 8_000_000.0)  # pixels per second
METHODS = ("SFIM", "Esri", "Brovey")
_FINER = (1.0, 16.0)  # pixels written for each read: panchromatic pixels are up to a fourth as wide


class PansharpenBlock(Block):
    """One raster for each pair of a multispectral and a panchromatic one."""

    description = BlockDescription(
        id="903f0435-d638-475e-bbe9-53b5664a22a8",
        name="pansharpen",
        display_name="Pansharpening",
        description="Colour in the detail of the panchromatic band. It takes Landsat's band 8, an asset pan, and "
        "rasters in pairs, such as scene_ms.tif and scene_pan.tif (one band that says pan, or says so in its name).",
        type="PROCESSING",
        parameters={
            "method": {
                "type": "string",
                "default": "SFIM",
                "required": False,
                "enum": list(METHODS),
                "description": "SFIM keeps the colours best; Brovey and Esri look sharper.",
            },
            "include_pan": {
                "type": "boolean",
                "default": False,
                "required": False,
                "description": "Hand on the panchromatic band as the last one.",
            },
            "weights": {
                "type": "array",
                "default": None,
                "required": False,
                "items": {"type": "number"},
                "description": "For Esri and Brovey: a number for each band, how much of it the panchromatic band "
                "sees. null: all the same.",
            },
        },
        price=Price("MEGAPIXEL", 1.0),
        inputs=frozenset({"raster", "pan"}),
        outputs=frozenset({"raster"}),
        keeps=frozenset({"nir"}),
        wishes={"panchromatic": True},
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """From the parent's pixels to those of a panchromatic band four times as fine."""
        return megapixels(parent, _FINER, _SPEED)

    def run(self, task: TaskContext) -> None:
        """Sharpen each pair. Raises BlockFailure where there is none."""
        from .pixels.pairs import pairs_of
        from .pixels.pansharpen import PanOptions, pansharpen
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        options = PanOptions(
            read_choice(task.parameters, "method", "SFIM", METHODS),
            read_flag(task.parameters, "include_pan", False),
            _weights(task.parameters),
        )
        pairs, alone = pairs_of([(feature, path) for feature, path, _ in parent_rasters(task)])
        for scene in alone:
            task.log.warning("%s is left out: it has no counterpart.", scene)
        features: list[Feature] = []
        for done, pair in enumerate(pairs):

            def tell(part: float, done: int = done) -> None:
                task.progress((done + part) / len(pairs))

            name = raster_name(pair.colour, "_pansharpened")
            ratio = pansharpen(pair, make_room(task.output, name), options, tell)
            scene, pan = pair.colour["id"], pair.pan["id"]
            task.log.info("%s: %s, by %s, %.3g times as fine.", scene, options.method, pan, ratio)
            features.append(derived(pair.colour, name))
        write_features(task.output, features)


def _weights(parameters: Mapping[str, Any]) -> Optional[tuple[float, ...]]:
    given = read_list(parameters, "weights", ())
    if not all(is_number(one) and one >= 0 for one in given) or (given and not sum(given) > 0):
        raise wrong("weights must be a list of numbers that are not negative, one for each band, or null.")
    return tuple(float(one) for one in given) or None
