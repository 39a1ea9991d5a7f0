"""What the tests of the engine's blocks share: running a block as the worker does, and making small rasters."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

import numpy as np
from osgeo import gdal, osr

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import TaskContext


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@dataclass
class Done:
    """What a task has left behind."""

    output: Path
    quicklooks: Path
    lines: list[str]
    progress: list[float] = field(default_factory=list)

    @property
    def features(self) -> list[dict[str, Any]]:
        return json.loads((self.output / "data.json").read_text(encoding="utf-8"))["features"]

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    def raster(self, number: int = 0) -> gdal.Dataset:
        """The file of a feature."""
        gdal.UseExceptions()
        return gdal.Open(str(self.output / self.features[number]["properties"]["up42.data_path"]))


def run_block(
    name: str,
    parameters: Mapping[str, Any],
    folder: Path,
    parent: Optional[Path] = None,
    dry_run: bool = False,
    settings: Optional[Mapping[str, Any]] = None,
    aoi: Optional[Mapping[str, Any]] = None,
) -> Done:
    """Run a block in this process, into new folders below `folder`."""
    output, quicklooks = folder / "output", folder / "quicklooks"
    output.mkdir(parents=True)
    quicklooks.mkdir()
    handler = _Lines()
    log = logging.Logger(name)
    log.addHandler(handler)
    done = Done(output, quicklooks, handler.lines)
    task = TaskContext(
        parameters=json.loads(json.dumps(parameters)),
        output=output,
        quicklooks=quicklooks,
        log=log,
        parent_output=parent,
        aoi=aoi or {},
        dry_run=dry_run,
        settings=settings or {},
        progress=done.progress.append,
    )
    block_by_name(name).run(task)
    return done


def write_raster(
    path: Path,
    bands: np.ndarray,
    geotransform: Sequence[float] = (500000.0, 10.0, 0.0, 5600000.0, 0.0, -10.0),
    crs: Optional[int] = 32633,
    nodata: Optional[float] = None,
    descriptions: Sequence[str] = (),
    tags: Optional[Mapping[str, str]] = None,
) -> Path:
    """A GeoTIFF of an array (band, row, column)."""
    gdal.UseExceptions()
    from osgeo import gdal_array

    count, rows, columns = bands.shape
    kind = gdal_array.NumericTypeCodeToGDALTypeCode(bands.dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, count, kind)
    if crs is not None:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(crs)
        dataset.SetSpatialRef(reference)
        dataset.SetGeoTransform(list(geotransform))
    if tags:
        dataset.SetMetadata(dict(tags))
    for number in range(count):
        band = dataset.GetRasterBand(number + 1)
        if nodata is not None:
            band.SetNoDataValue(nodata)
        if descriptions:
            band.SetDescription(descriptions[number])
    dataset.WriteArray(bands)
    return path


def parent_of(folder: Path, rasters: Mapping[str, Path]) -> Path:
    """A parent task's output folder with these rasters (feature id -> file inside `folder`)."""
    features = [
        {
            "type": "Feature",
            "id": name,
            "bbox": [14.0, 50.0, 15.0, 51.0],
            "geometry": {"type": "Polygon", "coordinates": [[[14, 50], [15, 50], [15, 51], [14, 51], [14, 50]]]},
            "properties": {"datetime": "2024-05-18T10:00:00Z", "up42.data_path": path.relative_to(folder).as_posix()},
        }
        for name, path in rasters.items()
    ]
    (folder / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder
