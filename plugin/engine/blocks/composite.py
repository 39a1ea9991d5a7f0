"""The processing block `composite`: one raster of all scenes, the median of what each pixel has."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from shapely.geometry import shape
from shapely.ops import unary_union

from .base import Amount, Block, BlockDescription, BlockFailure, Price, TaskContext
from .features import make_feature, write_features
from .processing import make_room, parent_rasters, safe_name
from .tables import shared_properties

_OF_ONE_SCENE = (
    *("eo:cloud_cover", "aoi_cloud_cover", "aoi_coverage", "masked_percent", "stac_item"),
    *("pass", "pass_scenes", "pass_aoi_coverage", "created", "updated", "s2:product_uri", "view:sun_azimuth"),
    "view:sun_elevation",
)
SCENES = 6  # by default: few enough to be fetched quickly, enough for a median
_SPEED = (500_000.0, 5_000_000.0)  # pixels read per second


class CompositeBlock(Block):
    """`<first scene>_composite.tif`, of the bands of the scenes."""

    description = BlockDescription(
        id="c0b5a0d2-9d2e-4bb6-8a4f-7e3c2d1b5f13",
        name="composite",
        display_name="Composite",
        description="The median of all scenes for each pixel and band, nodata left out: one raster, which clouds and "
        "haze disturb the less the more scenes there are. Put Cloud Mask before it.",
        type="PROCESSING",
        parameters={},
        price=Price("MEGAPIXEL", 1.0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
        keeps=frozenset({"nir"}),
        wishes={"limit": SCENES},
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """From one scene's pixels (unknown here: a tenth) to all of them, where they lie side by side."""
        least, most = parent.pixels if parent else (0.0, 0.0)
        pixels = least / 10, most
        return Amount((pixels[0] / 1e6, pixels[1] / 1e6), (0.5 + least / _SPEED[1], 2 + most / _SPEED[0]), pixels)

    def run(self, task: TaskContext) -> None:
        """Put all rasters of the parent together. Raises BlockFailure where their bands differ."""
        from .pixels.median import median_of
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        rasters = list(parent_rasters(task))
        features = [feature for feature, _, _ in rasters]
        if len(rasters) == 1:
            task.log.warning("There is one scene only: raise limit or widen the dates for a composite.")
        name = f"{safe_name(str(features[0]['id']))}_composite.tif"
        sources = [(str(feature["id"]), path) for feature, path, _ in rasters]
        made = median_of(sources, make_room(task.output, name), task.progress)
        if made.warped:
            task.log.info("By nearest neighbour onto the grid of %s: %s.", features[0]["id"], ", ".join(made.warped))
        if made.left_out:
            task.log.info("Left out, as classes have no median: %s.", ", ".join(made.left_out))
        if not made.valid:
            raise BlockFailure("NO_OUTPUT_ERROR", "No scene has a valid pixel: widen the dates or choose other scenes.")
        task.log.info(
            "Median of %d scenes: %.1f %% of the pixels have a value, from %.1f scenes on average.",
            len(rasters), 100 * made.valid, made.depth,
        )  # fmt: skip
        footprint = unary_union([shape(feature["geometry"]) for feature in features])
        properties = {**features[0]["properties"], **shared_properties(features)}
        for of_one_scene in _OF_ONE_SCENE:
            properties.pop(of_one_scene, None)
        title = f"Median of {len(rasters)} scenes"
        identity = f"{features[0]['id']}_composite"
        write_features(task.output, [make_feature(identity, footprint, {**properties, "title": title}, name)])
