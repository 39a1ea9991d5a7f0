"""The processing block `crs-conversion`: rasters in another coordinate reference system (contract 7.2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, Feature, Price, TaskContext
from .features import write_features
from .parameter_readers import read_choice, read_whole
from .processing import derived, make_room, megapixels, parent_rasters, raster_name

_SPEED = (2_000_000.0, 15_000_000.0)  # pixels per second
METHODS = ("near", "bilinear", "cubic", "cubicspline", "lanczos", "average", "mode")  # as gdalwarp calls them
_TURNED = 1.3  # a frame that is turned gets larger
KEPT = frozenset({"nir", "scl", "classes", "pan"})


class CrsConversionBlock(Block):
    """One raster for each of the parent's, of the same bands and type."""

    description = BlockDescription(
        id="30f20bac-7499-4159-a4f3-38188a6e33e0",
        name="crs-conversion",
        display_name="CRS Conversion",
        description="Brings rasters into another coordinate reference system. Bands of classes keep their values: they "
        "are never interpolated.",
        type="PROCESSING",
        parameters={
            "output_epsg_code": {
                "type": "integer",
                "default": None,
                "required": False,
                "minimum": 1024,
                "maximum": 999_999,
                "description": "Such as 3857. null: the UTM zone in which the raster's centre lies.",
            },
            "resampling_method": {
                "type": "string",
                "default": "cubic",
                "required": False,
                "enum": list(METHODS),
                "description": "How values between pixels are found. near keeps the values as they are.",
            },
        },
        price=Price("MEGAPIXEL", 0.0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
        keeps=KEPT,
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """About as many pixels as the parent has."""
        return megapixels(parent, (1.0, _TURNED), _SPEED)

    def run(self, task: TaskContext) -> None:
        """Convert each raster. Raises BlockFailure."""
        from .pixels.rasters import prepare_gdal
        from .pixels.reproject import convert

        prepare_gdal()
        code = read_whole(task.parameters, "output_epsg_code", 0, 1024, 999_999) or None
        method = read_choice(task.parameters, "resampling_method", "cubic", METHODS)
        features: list[Feature] = []
        for feature, source, tell in parent_rasters(task):
            name, scene = raster_name(feature), str(feature["id"])
            done = convert(scene, source, make_room(task.output, name), code, method, tell)
            task.log.info(
                "%s: from %s to EPSG:%d (%s), %d x %d pixels of %.6g.",
                scene, done.before, done.epsg, method, done.columns, done.rows, done.pixel,
            )  # fmt: skip
            if done.class_bands:
                task.log.info("%s: %s by nearest neighbour, as its values are classes.", scene, done.class_bands)
            made = derived(feature, name)
            properties = {**made["properties"], "proj:epsg": done.epsg}
            properties.pop("proj:code", None)
            features.append({**made, "properties": properties})
        write_features(task.output, features)
