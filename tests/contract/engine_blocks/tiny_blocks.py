"""Blocks small enough to test the engine around them: quick, or slow, or failing in every way that blocks can fail."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import time
from pathlib import Path

from up42_jobs.plugin.engine.blocks.base import Amount, BlockDescription, BlockFailure, Price

AOI_PARAMETERS = {
    "ids": {"type": "array", "default": None},
    "bbox": {"type": "array", "default": None},
    "intersects": {"type": "geometry"},
    "contains": {"type": "geometry"},
    "time": {"type": "dateRange", "default": "2018-01-01T00:00:00Z/2030-01-01T00:00:00Z"},
    "time_series": {"type": "array", "default": None},
    "limit": {"type": "integer", "default": 1, "minimum": 1},
}
PNG = b"\x89PNG\r\n\x1a\n not a picture, but bytes"


def write_data_json(output, features):
    (output / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def square(identifier, path=None):
    ring = [[0, 0], [0.01, 0], [0.01, 0.01], [0, 0.01], [0, 0]]
    properties = {"up42.data_path": path} if path else {}
    return {
        "type": "Feature",
        "id": identifier,
        "bbox": [0, 0, 0.01, 0.01],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }


class TinyData:
    """Finds `limit` scenes; none where the only id asked for is "nothing"."""

    description = BlockDescription(
        id="00000000-0000-4000-8000-000000000001",
        name="tiny-data",
        display_name="Tiny Data",
        description="Scenes for tests",
        type="DATA",
        parameters=AOI_PARAMETERS,
        price=Price("SCENE", 2.5),
        outputs=frozenset({"raster"}),
        dry_run=True,
    )

    def amount(self, parameters, settings, parent):
        if parameters["ids"] == ["unknown"]:
            raise BlockFailure("WRONG_INPUT_ERROR", "There is no scene “unknown”.")
        return Amount((0, parameters["limit"]), (1.25, 2.5), (100, 200))

    def run(self, task):
        if task.parameters["ids"] == ["nothing"]:
            raise BlockFailure("NO_INPUT_ERROR", "No scene was found: search in a longer time.")
        names = [f"scene-{number}" for number in range(int(task.parameters["limit"]))]
        for name in names:
            (task.quicklooks / f"{name}.png").write_bytes(PNG)
            if not task.dry_run:
                (task.output / f"{name}.tif").write_bytes(name.encode() * 1000)
        features = [square(name, None if task.dry_run else f"{name}.tif") for name in names]
        features[0]["properties"]["seen"] = {"settings": task.settings, "parameters": dict(task.parameters)}
        write_data_json(task.output, features)
        task.log.info("Found %d scenes.", len(names))


class TinyBlindData(TinyData):
    """Has no dry run and needs no AOI."""

    description = BlockDescription(
        id="00000000-0000-4000-8000-000000000002",
        name="tiny-blind-data",
        display_name="Tiny Blind Data",
        description="Stored scenes for tests",
        type="DATA",
        parameters={"limit": {"type": "integer", "default": 1}, "ids": {"type": "array", "default": None}},
        price=Price("SCENE", 0),
        outputs=frozenset({"points"}),
    )


class TinyStored(TinyData):
    """Scenes by their asset ids, as from a storage: no AOI, no Test Query."""

    description = BlockDescription(
        id="00000000-0000-4000-8000-000000000006",
        name="tiny-stored",
        display_name="Tiny Stored",
        description="Assets for tests",
        type="DATA",
        parameters={"asset_ids": {"type": "array", "required": True}},
        price=Price("SCENE", 0),
        outputs=frozenset({"raster"}),
    )

    def amount(self, parameters, settings, parent):
        return Amount((1, 1), (1, 2), (100, 200))

    def run(self, task):
        for name in task.parameters["asset_ids"]:
            (task.output / f"{name}.tif").write_bytes(name.encode())
        write_data_json(task.output, [square(name, f"{name}.tif") for name in task.parameters["asset_ids"]])


class TinyCopy:
    """Hands on what it gets."""

    description = BlockDescription(
        id="00000000-0000-4000-8000-000000000003",
        name="tiny-copy",
        display_name="Tiny Copy",
        description="Copies",
        type="PROCESSING",
        parameters={"strength": {"type": "string", "default": "medium", "enum": ["light", "medium", "strong"]}},
        price=Price("MEGABYTE", 0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
        machine="large",
    )

    def amount(self, parameters, settings, parent):
        return Amount((0, 0), (parent.seconds[0], 600), parent.pixels)

    def run(self, task):
        shutil.copytree(task.parent_output, task.output, dirs_exist_ok=True)


class TinySlow(TinyCopy):
    """Works until the file `gate` is there; tells by the file `gate`.started that it is at work."""

    description = BlockDescription(
        id="00000000-0000-4000-8000-000000000004",
        name="tiny-slow",
        display_name="Tiny Slow",
        description="Waits",
        type="PROCESSING",
        parameters={"gate": {"type": "string", "required": True}},
        price=Price("MEGABYTE", 0),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
    )

    def run(self, task):
        (task.output / "half-done.tif").write_text("half")
        task.progress(0.5)
        gate = Path(task.parameters["gate"])
        gate.with_name(f"{gate.name}.started").write_text(str(os.getpid()))
        while not gate.exists():
            time.sleep(0.01)
        (task.output / "half-done.tif").unlink()
        super().run(task)


class TinyFailing(TinyCopy):
    """Fails as it is told."""

    description = BlockDescription(
        id="00000000-0000-4000-8000-000000000005",
        name="tiny-failing",
        display_name="Tiny Failing",
        description="Fails",
        type="PROCESSING",
        parameters={"how": {"type": "string", "required": True}},
        price=Price("SCENE", 1),
        inputs=frozenset({"raster"}),
        outputs=frozenset({"raster"}),
    )

    def run(self, task):
        (task.output / "half-done.tif").write_text("half")
        how = task.parameters["how"]
        if how == "fault":
            raise ZeroDivisionError("a mistake of the block")
        if how == "memory":
            raise MemoryError
        if how == "disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how != "no-data-json":
            raise BlockFailure(how, "It was told to fail.")


_ALL = [TinyData(), TinyBlindData(), TinyStored(), TinyCopy(), TinySlow(), TinyFailing()]
BLOCKS = {block.description.id: block for block in _ALL}
