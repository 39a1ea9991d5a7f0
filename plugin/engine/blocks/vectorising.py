"""The processing block `vectorising`: classes as polygons (contract 7.2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, Feature, Price, TaskContext
from .features import write_features
from .parameter_readers import read_whole, wrong
from .processing import derived, make_room, megapixels, parent_rasters, raster_name

_SPEED = (500_000.0, 5_000_000.0)  # pixels per second
MAX_SIEVE = 100_000


class VectorisingBlock(Block):
    """One GeoJSON file for each raster: a polygon for each area of equal values, with its value."""

    description = BlockDescription(
        id="a9c26542-c431-4e89-b654-8cf5c3d2f0b6",
        name="vectorising",
        display_name="Vectorising",
        description="Areas of equal class as polygons with the attribute value, as GeoJSON. Nodata is left out.",
        type="PROCESSING",
        parameters={
            "n_sieve_pixels": {
                "type": "integer",
                "default": 1,
                "required": False,
                "minimum": 0,
                "maximum": MAX_SIEVE,
                "description": "Areas of fewer pixels go to their largest neighbour. 0 or 1: all are kept.",
            },
            "dst_crs": {
                "type": "integer",
                "default": None,
                "required": False,
                "minimum": 1024,
                "maximum": 999_999,
                "description": "The EPSG code of the polygons' CRS. null: 4326, as GeoJSON is meant to be.",
            },
            "src_band": {
                "type": "integer",
                "default": 1,
                "required": False,
                "minimum": 1,
                "maximum": 1000,
                "description": "The number of the band.",
            },
            "n_connectivity_pixels": {
                "type": "integer",
                "default": 4,
                "required": False,
                "minimum": 4,
                "maximum": 8,
                "description": "4: pixels that share an edge are one area; 8: also those that share a corner.",
            },
        },
        price=Price("MEGAPIXEL", 0.0),
        inputs=frozenset({"raster", "classes"}),
        outputs=frozenset({"vector"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has; no raster comes of it."""
        read = megapixels(parent, (1.0, 1.0), _SPEED)
        return Amount(read.units, read.seconds)

    def run(self, task: TaskContext) -> None:
        """Vectorise each raster. Raises BlockFailure."""
        from .pixels.polygons import VectorOptions, vectorise
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        connected = read_whole(task.parameters, "n_connectivity_pixels", 4, 4, 8)
        if connected not in (4, 8):
            raise wrong("n_connectivity_pixels must be 4 or 8.")
        options = VectorOptions(
            read_whole(task.parameters, "n_sieve_pixels", 1, 0, MAX_SIEVE),
            read_whole(task.parameters, "dst_crs", 4326, 1024, 999_999),
            read_whole(task.parameters, "src_band", 1, 1, 1000),
            connected,
        )
        features: list[Feature] = []
        for feature, source, tell in parent_rasters(task):
            name, scene = raster_name(feature)[: -len(".tif")] + ".geojson", str(feature["id"])
            count = vectorise(scene, source, make_room(task.output, name), options, tell)
            task.log.info("%s: %s polygons.", scene, f"{count:,}")
            features.append(derived(feature, name))
        write_features(task.output, features)
