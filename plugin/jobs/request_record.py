"""A request as plain JSON: for the ledger, for `job.json`, and to be told from other requests."""

from __future__ import annotations

from typing import Any, Mapping

from .request import JobRequest

CONFIG = "config"  # the inputs key that carries the mode (contract 2.5); no parameter


def record(request: JobRequest) -> dict[str, Any]:
    """What was asked for, without any secret. `aoi.geometry` is GeoJSON in EPSG:4326, areas are in km²."""
    aoi = request.aoi
    return {
        "name": request.name,
        "job_type": request.job_type.value,
        "workflow": {"id": request.workflow.id, "name": request.workflow.name} if request.workflow else None,
        "blocks": [task.block.name for task in request.workflow.tasks] if request.workflow else [],
        "geometric_filter": request.geometric_filter.value,
        "aoi": {"name": aoi.name, "geometry": aoi.geojson, "area_km2": round(aoi.area_km2, 6)} if aoi else None,
        "parameters": request.parameters,
        "inputs": request.inputs,
    }


def same_inputs(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """True where two inputs objects ask for the same; null counts as absent (contract 3.2), the mode is left out."""

    def told(inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {
            task: {name: value for name, value in values.items() if value is not None}
            for task, values in inputs.items()
            if task != CONFIG and isinstance(values, Mapping)
        }

    return told(a) == told(b)
