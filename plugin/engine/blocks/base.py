"""What every block of the engine offers, and what it gets to work with.

A block is described once (`BlockDescription`, the contract's block object in short) and run once per task, in a worker
process of its own. A task reads its parent's `output/` folder and fills its own; the archive is made from that.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Protocol

Feature = dict[str, Any]  # a GeoJSON feature in EPSG:4326 with id, bbox, geometry, properties


@dataclass(frozen=True)
class Price:
    """Play credits of a block: `credits` for each `unit` (contract 2.7: SQUARE_KM, SCENE, MEGAPIXEL, MEGABYTE …)."""

    unit: str
    credits: float


@dataclass(frozen=True)
class BlockDescription:
    """What `GET /blocks/{id}` tells. `parameters` maps a name to the contract's descriptor (2.4)."""

    id: str
    name: str
    display_name: str
    description: str
    type: str  # DATA or PROCESSING
    parameters: Mapping[str, Mapping[str, Any]]
    price: Price
    inputs: frozenset[str] = frozenset()  # capabilities needed of the parent; empty for data blocks
    outputs: frozenset[str] = frozenset()  # capabilities given to a child
    keeps: frozenset[str] = frozenset()  # capabilities handed on to a child where the parent gives them
    wishes: Mapping[str, Any] = field(default_factory=dict)  # defaults for the data block of its workflow (wishes.py)
    dry_run: bool = False
    version: str = "1.0.0"
    provider: str = "UP42 Jobs"
    machine: str = "small"  # contract 6: credits per hour by machine


@dataclass(frozen=True)
class Amount:
    """How much one task will take: units as in `Price.unit`, machine time in seconds, each as (min, max)."""

    units: tuple[float, float]
    seconds: tuple[float, float]
    pixels: tuple[float, float] = (0.0, 0.0)  # handed on, so that a processing block can estimate from its parent


class BlockFailure(Exception):
    """A task can't be done. `code` is one of contract 3.2 rule 5, e.g. NO_INPUT_ERROR; the text is for the user."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


@dataclass
class TaskContext:
    """One task at work: its parameters, where to read, where to write, where to tell."""

    parameters: Mapping[str, Any]
    output: Path  # this task's output/ folder, empty at first: files and data.json
    quicklooks: Path  # this task's quicklooks, named <feature id>.jpg or .png
    log: logging.Logger
    parent_output: Optional[Path] = None  # the parent task's output/ folder; None for a data block
    aoi: Mapping[str, Any] = field(default_factory=dict)  # the data task's geometric filter: {"bbox": […]}; {}: none
    dry_run: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)  # the engine's: e.g. {"scene_folders": ["/…"]}
    progress: Callable[[float], None] = lambda fraction: None


class Block(Protocol):
    """One block. `run` raises BlockFailure for what a user can mend; anything else is reported as a fault of ours."""

    description: BlockDescription

    def amount(self, parameters: Mapping[str, Any], settings: Mapping[str, Any], parent: Optional[Amount]) -> Amount:
        """Estimate a task before it runs; quick (no raster is read)."""

    def run(self, task: TaskContext) -> None:
        """Fill `task.output` (files and data.json) and, for a data block, `task.quicklooks`."""
