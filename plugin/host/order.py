"""What is to be done with the outputs of one job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..jobs.job import Job, Task
from .connections import Connection
from .origin import Origin

Key = tuple[str, str]  # connection id, job id


@dataclass(frozen=True)
class Order:
    """One download: of which job, for which project. `asked`: by the user just now, so it is loaded where they are."""

    connection: Connection
    job: Job
    origin: Origin
    asked: bool = False
    load: bool = True
    task: Optional[Task] = None

    @property
    def key(self) -> Key:
        """Connection and job."""
        return self.connection.id, self.job.id

    @property
    def name(self) -> str:
        """What it is called to people."""
        return self.job.name or self.job.id
