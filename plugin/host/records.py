"""What the dock and the scripts are told of a job, put together from the platform, the ledger and the delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Mapping, Optional

from ..jobs.job import Job, Task
from ..jobs.workflow import Project, Workflow
from ..platforms.contract import Capabilities
from .connections import Connection
from .ledger import Entry


@dataclass(frozen=True)
class Catalogue:
    """What a connection offers: projects, the chosen one's workflows, and its balance in credits.

    `refused`: the IDs of projects that the connection names, but the platform doesn't give, and why.
    """

    connection: Connection
    projects: list[Project]
    project: Project
    workflows: list[Workflow]
    balance: Optional[int]
    capabilities: Capabilities
    refused: Mapping[str, str] = field(default_factory=dict)


class DeliveryState(Enum):
    """How far a job's outputs have come to this computer."""

    NONE = "none"
    DOWNLOADING = "downloading"
    DELIVERED = "delivered"
    LOADED = "loaded"
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """The delivery of one job; `fraction` from 0 to 1 while downloading, `message` says what failed.

    `speed`: of the download, in bytes per second; None: not known.
    """

    state: DeliveryState = DeliveryState.NONE
    fraction: float = 0.0
    folder: Optional[Path] = None
    message: str = ""
    speed: Optional[float] = None


@dataclass(frozen=True)
class JobRecord:
    """One row of the jobs table. `ours`: started from this profile. `unconfirmed`: its submit's answer was lost.

    `entry`: what the ledger knows of it, where it is ours.
    """

    connection_id: str
    job: Job
    tasks: tuple[Task, ...] = ()
    credits_used: Optional[int] = None
    ours: bool = False
    delivery: Delivery = Delivery()
    unconfirmed: bool = False
    entry: Optional[Entry] = None


class Offer(Enum):
    """What a notice offers to do."""

    SHOW = "show"
    LOAD = "load"
    COLLECT = "collect"
    FETCH = "fetch"  # the same for layers that lost their files
    WATCHES = "watches"
    DEMO = "demo"  # imagery that needs no network, in place of what could not be reached
    LATER = "later"


@dataclass(frozen=True)
class Notice:
    """Something to tell the user: info, success, warning or critical. `jobs`: (connection id, job id) of each."""

    level: str
    text: str
    jobs: tuple[tuple[str, str], ...] = ()
    offers: tuple[Offer, ...] = ()
