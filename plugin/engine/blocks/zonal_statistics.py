"""The processing block `zonal-statistics`: one table over all scenes and zones (contract 7.2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, Price, TaskContext
from .parameter_readers import read_list, wrong
from .processing import megapixels, parent_rasters
from .zones import AOI, read_zones

_SPEED = (5_000_000.0, 30_000_000.0)  # pixels per second
STATISTICS = ("mean", "min", "max", "std", "sum", "count", "valid_percent")
DEFAULT = ("mean", "min", "max", "std", "valid_percent")


class ZonalStatisticsBlock(Block):
    """`<first scene>_statistics.csv` and `.geojson`: a row for each zone, scene and band."""

    description = BlockDescription(
        id="10cc89b3-5bf1-48a0-8dcd-04fa079ba1e9",
        name="zonal-statistics",
        display_name="Zonal Statistics",
        description="One table of all scenes: zone, date, mean, smallest, largest, spread and share of valid pixels, "
        "as CSV and as GeoJSON. Without zones the AOI is the one; of rasters that have no AOI, each whole one.",
        type="PROCESSING",
        parameters={
            "stats": {
                "type": "array",
                "default": list(DEFAULT),
                "required": False,
                "items": {"type": "string", "enum": list(STATISTICS)},
                "description": "Columns of the table. std is that of all pixels (not of a sample).",
            },
            "zones": {
                "type": "array",
                "default": [],
                "required": False,
                "description": "GeoJSON polygons, or features with such, in EPSG:4326. Empty: the AOI.",
            },
            "zones_attribute_id": {
                "type": "string",
                "default": None,
                "required": False,
                "description": "Which property of the zones' features is their name. null: their id, else a number.",
            },
        },
        price=Price("MEGAPIXEL", 0.0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"vector", "table"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has; no raster comes of it."""
        read = megapixels(parent, (0.2, 1.0), _SPEED)
        return Amount(read.units, read.seconds)

    def run(self, task: TaskContext) -> None:
        """Sum up each band of each raster over each zone. Raises BlockFailure."""
        from .pixels.rasters import prepare_gdal
        from .pixels.zonal import sum_up
        from .tables import write_table

        prepare_gdal()
        statistics = _statistics(task.parameters)
        zones = read_zones(task.parameters, task.aoi)
        rows, features = [], []
        for feature, source, tell in parent_rasters(task):
            found = sum_up(feature, source, zones, tell)
            outside = sorted({row.zone for row in found if not row.totals.inside})
            if outside:
                task.log.warning("%s: %d zones have no pixel in it.", feature["id"], len(outside))
            if zones[0].name == AOI:
                for row in found:
                    mean = "unknown" if row.mean is None else f"{row.mean:.4g}"
                    task.log.info("%s, %s: mean %s, %.1f %% valid.", row.scene, row.band, mean, row.valid_percent)
            rows += found
            features.append(feature)
        task.log.info("A table of %d rows: %d scenes.", len(rows), len(features))
        write_table(task.output, features, rows, statistics)


def _statistics(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    chosen = read_list(parameters, "stats", DEFAULT) or list(DEFAULT)
    unknown = [one for one in chosen if one not in STATISTICS]
    if unknown:
        raise wrong(f"stats has {unknown[0]!r}, but must be of {', '.join(STATISTICS)}.")
    return tuple(dict.fromkeys(chosen))
