"""The use case *Save Archive As…*: a job's final output, or one task's, as the tar.gz itself. Worker thread."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from ..delivery.disk import disk_errors
from ..delivery.download import Progress as Bytes
from ..delivery.download import download
from ..delivery.folder_names import folder_name
from ..delivery.part_file import PartFile
from ..jobs.job import Job, Task
from ..net.cancel import Cancel
from ..platforms.contract import Unreachable
from .connections import Connection, Connections

SUFFIX = ".tar.gz"


def archive_name(job: Job) -> str:
    """A file name for a job's archive that every file system takes."""
    return folder_name(job.name or job.id) + SUFFIX


def with_suffix(path: str) -> Path:
    """The path that a person gave, with the archive's suffix where it has none of its kind."""
    return Path(path if path.lower().endswith((SUFFIX, ".tgz")) else path + SUFFIX)


def save_archive(
    connections: Connections,
    connection: Connection,
    job: Job,
    target: Path,
    cancel: Cancel,
    progress: Callable[[float], None],
    task: Optional[Task] = None,
) -> Path:
    """Download the archive to `target`, which is replaced only when the archive is there whole; gives `target`.

    Raises DeliveryError, NetError, PlatformError, Cancelled; what was downloaded is then kept beside `target`, hidden,
    and the next try goes on from there.
    """
    platform = connections.open(connection, cancel)
    part = target.with_name(f".{target.name}.{job.id}{f'-{task.id}' if task else ''}.part")

    def tell(received: Bytes) -> None:
        progress(received.received / received.total if received.total else 0.0)

    download(
        connections.session(cancel),
        lambda: platform.archive_url(job, task),
        part,
        cancel=cancel,
        progress=tell,
        retry_on=(Unreachable,),
    )
    with disk_errors(target.parent):
        part.replace(target)
    PartFile(part).discard()
    return target
