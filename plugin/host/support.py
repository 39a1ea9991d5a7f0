"""*Copy Support Information*: what support needs to know of one job, without secrets. Worker thread."""

from __future__ import annotations

import platform as machine
from datetime import datetime, timezone
from typing import Optional
from urllib.parse import urlsplit

from osgeo import gdal
from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_VERSION_STR

from ..jobs.job import JobState, Task
from ..net.redaction import redact
from ..platforms.contract import Platform, PlatformError
from .connections import Connection
from .records import JobRecord
from .version import plugin_version

LOG_LINES = 12  # of each failed task, the last ones


def support_information(platform: Platform, connection: Connection, record: JobRecord) -> str:
    """Ids, versions, statuses, timings and error texts, one a line, in English. What can't be asked is left out."""
    job = record.job
    lines = [
        f"Job ID: {job.id}",
        f"Project ID: {job.project_id}",
        f"Workflow: {job.workflow_name} ({job.workflow_id})",
        f"Type: {job.job_type.value}",
        f"Status: {job.raw_status or job.state.value}",
        f"Created: {_utc(job.created_at)}  Started: {_utc(job.started_at)}  Finished: {_utc(job.finished_at)}",
        f"Connection: {connection.kind.value} {urlsplit(connection.url).hostname or ''}".rstrip(),
        f"Outputs: {record.delivery.state.value}. {record.delivery.message}".rstrip(". "),
    ]
    if record.credits_used is not None:
        lines.append(f"Credits used: {record.credits_used}")
    try:
        for task in platform.tasks(job):
            lines += _task_lines(platform, record, task)
    except PlatformError as e:
        lines.append(f"The tasks could not be asked for: {e}")
    lines += [
        f"UP42 Jobs {plugin_version()}, QGIS {Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}, GDAL {gdal.__version__},"
        f" Python {machine.python_version()}",
        f"System: {machine.system()} {machine.release()} {machine.machine()}",
        f"Written: {_utc(datetime.now(timezone.utc))}",
    ]
    return redact("\n".join(lines))


def _task_lines(platform: Platform, record: JobRecord, task: Task) -> list[str]:
    status = task.raw_status or task.state.value
    lines = [f"Task {task.name} ({task.id}): {status}, {_utc(task.started_at)} to {_utc(task.finished_at)}"]
    if task.state is JobState.FAILED and platform.capabilities.logs:
        try:
            lines += [f"  {line}" for line in platform.log(record.job, task).splitlines()[-LOG_LINES:]]
        except PlatformError as e:
            lines.append(f"  The log could not be asked for: {e}")
    return lines


def _utc(moment: Optional[datetime]) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "-"
