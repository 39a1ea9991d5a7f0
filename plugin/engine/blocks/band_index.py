"""The processing block `index`: NDVI, NDWI, NBR, or an expression of one's own over the bands."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, BlockFailure, Feature, Price, TaskContext
from .expression import FUNCTIONS, Formula, read_expression
from .features import write_features
from .parameter_readers import read_choice, read_text
from .processing import derived, make_room, megapixels, parent_rasters, raster_name

_SPEED = (2_000_000.0, 15_000_000.0)  # pixels per second
OWN = "expression"
# Tucker 1979; McFeeters 1996 (water); Key and Benson 2006 (burnt ground).
FORMULAS: Mapping[str, str] = {
    "NDVI": "(nir - red) / (nir + red)",
    "NDWI": "(green - nir) / (green + nir)",
    "NBR": "(nir - swir2) / (nir + swir2)",
}


class IndexBlock(Block):
    """One band of float32 for each raster: `<scene>_ndvi.tif`, `_ndwi`, `_nbr` or `_index`."""

    description = BlockDescription(
        id="5d0c54d1-6a0e-4b0f-8f0a-3f7b1f0c9a11",
        name="index",
        display_name="Index",
        description="NDVI (plants), NDWI (water), NBR (burnt ground), or an expression of your own over the bands. "
        "Computed on reflectance, where the file says how.",
        type="PROCESSING",
        parameters={
            "index": {
                "type": "string",
                "default": "NDVI",
                "required": False,
                "enum": [*FORMULAS, OWN],
                "description": "NDWI needs a green band, NBR one of shortwave infrared 2 (Sentinel-2: B12).",
            },
            "expression": {
                "type": "string",
                "default": None,
                "required": False,
                "description": "Such as (nir - swir1) / (nir + swir1) or B08 / B04 > 2. Bands: red, green, blue, nir, "
                f"swir1, swir2, their codes, or band1, band2, …; + - * / **, comparisons, {', '.join(FUNCTIONS)}.",
            },
        },
        price=Price("MEGAPIXEL", 1.0),
        inputs=frozenset({"raster", "nir"}),
        outputs=frozenset({"raster"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has. Raises BlockFailure for an expression that can't be read."""
        read_formula(parameters)
        return megapixels(parent, (1.0, 1.0), _SPEED)

    def run(self, task: TaskContext) -> None:
        """Compute it for each raster. Raises BlockFailure where a band is missing."""
        from .pixels.indices import compute_index
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        formula = read_formula(task.parameters)
        features: list[Feature] = []
        for feature, source, tell in parent_rasters(task):
            name, scene = raster_name(feature, f"_{formula.name.lower()}"), str(feature["id"])
            mean = compute_index(scene, source, make_room(task.output, name), formula, tell)
            task.log.info("%s: mean %s %s.", scene, formula.name, "unknown" if mean is None else f"{mean:.4g}")
            features.append(derived(feature, name))
        task.log.info("%s = %s", formula.name, formula.expression.text)
        write_features(task.output, features)


def read_formula(parameters: Mapping[str, Any]) -> Formula:
    """What is to be computed. Raises BlockFailure."""
    chosen = read_choice(parameters, "index", "NDVI", [*FORMULAS, OWN])
    text = read_text(parameters, "expression")
    if chosen == OWN:
        if text is None:
            raise BlockFailure("WRONG_INPUT_ERROR", "expression is missing, such as (nir - red) / (nir + red).")
        return Formula("Index", read_expression(text), None)
    if text is not None:
        raise BlockFailure(
            "WRONG_INPUT_ERROR", f"expression is given, but index is {chosen}: set index to {OWN}, or drop expression."
        )
    return Formula(chosen, read_expression(FORMULAS[chosen]), (-1.0, 1.0))
