"""Project, workflow, block and parameter: one description for every platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence

from .aoi import GEOMETRY_PARAMETERS, AoiLimits, GeometricFilter

MAX_PROCESSING_BLOCKS = 5  # of a workflow, after its data block (contract 2.3)
CLIP_TO_AOI = "clip_to_aoi"  # of processing blocks that take the AOI again (contract 3.1)


@dataclass(frozen=True)
class Project:
    """A platform's project and the limits that its settings give."""

    id: str
    name: str
    description: str = ""
    aoi_limits: AoiLimits = field(default_factory=AoiLimits)
    max_scenes: Optional[int] = None
    max_concurrent_jobs: int = 1


@dataclass(frozen=True)
class Parameter:
    """One parameter of a block, by the contract's descriptor (2.4).

    `type` is string, number, integer, boolean, array, geometry or dateRange. `has_default` tells a default of null
    from none at all.
    """

    name: str
    type: str
    default: Any = None
    has_default: bool = False
    required: bool = False
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: tuple[Any, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Block:
    """A data source or an algorithm."""

    id: str
    name: str
    display_name: str
    is_data: bool
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    dry_run: bool = False
    version: str = ""
    description: str = ""


@dataclass(frozen=True)
class WorkflowTask:
    """A block's place in a workflow; `name` ("sharpening:1") is its key in the parameters."""

    name: str
    block: Block
    parent: Optional[str] = None


@dataclass(frozen=True)
class Workflow:
    """One data block followed by up to five processing blocks, in a line."""

    id: str
    name: str
    project_id: str
    tasks: tuple[WorkflowTask, ...] = ()
    description: str = ""

    @property
    def data_task(self) -> Optional[WorkflowTask]:
        """The first task if it is a data block, else None (the workflow can't run)."""
        return self.tasks[0] if self.tasks and self.tasks[0].block.is_data else None

    @property
    def filters(self) -> tuple[GeometricFilter, ...]:
        """The geometric filters of the data block; none means that the workflow needs no AOI (storage data)."""
        data = self.data_task
        return tuple(f for f in GeometricFilter if data is not None and f.value in data.block.parameters)

    @property
    def needs_aoi(self) -> bool:
        """False for workflows on storage data."""
        return bool(self.filters)

    @property
    def has_test_query(self) -> bool:
        """True where the data block supports a dry run."""
        return self.data_task is not None and self.data_task.block.dry_run


def clips_to_aoi(task: WorkflowTask) -> bool:
    """True for a processing block that can end its outputs at the AOI: the form's AOI is sent to it too, if wanted."""
    known = task.block.parameters
    return not task.block.is_data and CLIP_TO_AOI in known and any(name in known for name in GEOMETRY_PARAMETERS)


def takes_aoi(task: WorkflowTask) -> bool:
    """True where the AOI's parameters of this task are given by the form's AOI."""
    return task.block.is_data or clips_to_aoi(task)


def editable_parameters(task: WorkflowTask) -> dict[str, Parameter]:
    """The parameters that are edited as such: all but the AOI's, which the AOI and its filter give."""
    return {
        name: parameter
        for name, parameter in task.block.parameters.items()
        if not (takes_aoi(task) and name in GEOMETRY_PARAMETERS)
    }


def task_names(block_names: Sequence[str]) -> list[str]:
    """`<block name>:<n>`, n counting the same block from 1 (contract 2.3)."""
    return [f"{name}:{block_names[: place + 1].count(name)}" for place, name in enumerate(block_names)]
