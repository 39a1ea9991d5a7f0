"""The processing block `kmeans-clustering`: unsupervised classes (contract 7.2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .base import Amount, Block, BlockDescription, Feature, Price, TaskContext
from .features import write_features
from .parameter_readers import read_whole
from .processing import derived, make_room, megapixels, parent_rasters, raster_name

_SPEED = (1_000_000.0, 10_000_000.0)  # pixels per second
MAX_CLUSTERS = 64  # as many as the map has colours for
MAX_ITERATIONS = 1000
MAX_SIEVE = 100_000


class KmeansBlock(Block):
    """One band of bytes for each raster: 1 is the darkest cluster, 0 is no data."""

    description = BlockDescription(
        id="2ac55313-240d-4a7e-ac47-b7e7786f1f25",
        name="kmeans-clustering",
        display_name="K-Means Clustering",
        description="Groups pixels of like values into clusters, without training. Each pixel goes to the nearest "
        "centre; centres are found on an even sample of the raster, the same each time.",
        type="PROCESSING",
        parameters={
            "n_clusters": {
                "type": "integer",
                "default": 6,
                "required": False,
                "minimum": 2,
                "maximum": MAX_CLUSTERS,
                "description": "How many clusters.",
            },
            "n_iterations": {
                "type": "integer",
                "default": 10,
                "required": False,
                "minimum": 1,
                "maximum": MAX_ITERATIONS,
                "description": "The most rounds in which the centres are moved.",
            },
            "n_sieve_pixels": {
                "type": "integer",
                "default": 64,
                "required": False,
                "minimum": 0,
                "maximum": MAX_SIEVE,
                "description": "Areas of fewer pixels go to their largest neighbour. 0 or 1: all are kept.",
            },
        },
        price=Price("MEGAPIXEL", 1.0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster", "classes"}),
    )

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """As many pixels as the parent has."""
        return megapixels(parent, (1.0, 1.0), _SPEED)

    def run(self, task: TaskContext) -> None:
        """Cluster each raster by itself. Raises BlockFailure."""
        from .pixels.kmeans import ClusterOptions, cluster
        from .pixels.rasters import prepare_gdal

        prepare_gdal()
        options = ClusterOptions(
            read_whole(task.parameters, "n_clusters", 6, 2, MAX_CLUSTERS),
            read_whole(task.parameters, "n_iterations", 10, 1, MAX_ITERATIONS),
            read_whole(task.parameters, "n_sieve_pixels", 64, 0, MAX_SIEVE),
        )
        features: list[Feature] = []
        for feature, source, tell in parent_rasters(task):
            name, scene = raster_name(feature, "_clusters"), str(feature["id"])
            made = cluster(scene, source, make_room(task.output, name), options, tell)
            task.log.info("%s: %d clusters of %s.", scene, len(made.centres), ", ".join(made.bands))
            if len(made.centres) < options.clusters:
                task.log.warning("%s has no more than %d different values.", scene, len(made.centres))
            for number, (centre, share) in enumerate(zip(made.centres, made.shares), start=1):
                values = ", ".join(f"{value:.4g}" for value in centre)
                task.log.info("%s: cluster %d, %.1f %% of the pixels, centre %s.", scene, number, share * 100, values)
            more = {"kmeans:bands": list(made.bands), "kmeans:centres": made.centres}
            cluster_feature = derived(feature, name)
            features.append({**cluster_feature, "properties": {**cluster_feature["properties"], **more}})
        write_features(task.output, features)
