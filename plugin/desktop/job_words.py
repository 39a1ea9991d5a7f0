"""What the jobs table and its details say of a job."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional

from qgis.PyQt.QtCore import QDateTime, QLocale, Qt

from ..host.records import DeliveryState, JobRecord
from ..host.words import duration, job_type_word, number, state_word, tr
from ..jobs.job import Job, JobState, Task


def status_word(record: JobRecord) -> str:
    """The status in the user's language; one that is not known is said as the platform says it."""
    return record.job.raw_status if record.job.state is JobState.UNKNOWN else state_word(record.job.state)


def local_time(moment: Optional[datetime]) -> str:
    """A moment in local time, as the user's locale writes it."""
    if moment is None:
        return ""
    local = QDateTime.fromMSecsSinceEpoch(int(moment.timestamp() * 1000))
    return QLocale().toString(local, QLocale.FormatType.ShortFormat)


def utc_time(moment: Optional[datetime]) -> str:
    """The same moment in UTC, and the zone of the local one."""
    if moment is None:
        return ""
    local = QDateTime.fromMSecsSinceEpoch(int(moment.timestamp() * 1000))
    utc = local.toUTC().toString(Qt.DateFormat.ISODate)
    return tr("{utc} (UTC); shown in {zone}").format(utc=utc, zone=local.timeZoneAbbreviation())


def outputs_word(record: JobRecord) -> str:
    """How far the outputs have come: `Downloading 40 %`, `Loaded`, `On disk, not loaded`."""
    delivery = record.delivery
    if delivery.state is DeliveryState.DOWNLOADING:
        text = tr("Downloading {percent} %").format(percent=number(100 * delivery.fraction))
        return text if delivery.speed is None else f"{text} · {speed_word(delivery.speed)}"
    if delivery.state is DeliveryState.DELIVERED:
        return tr("On disk, not loaded")
    if delivery.state is DeliveryState.LOADED:
        return tr("Loaded")
    if delivery.state is DeliveryState.FAILED:
        return tr("Not delivered") if delivery.folder is None else tr("Not loaded")
    if record.job.state is JobState.RUNNING and record.tasks:
        done = sum(task.state is JobState.SUCCEEDED for task in record.tasks)
        return tr("Task {n} of {count}").format(n=min(done + 1, len(record.tasks)), count=len(record.tasks))
    return tr("Not downloaded") if record.job.state is JobState.SUCCEEDED else ""


def progress_word(record: JobRecord) -> str:
    """`outputs_word` where there is little room: of a download only `40 % · 3.1 MB/s`."""
    delivery = record.delivery
    if delivery.state is not DeliveryState.DOWNLOADING:
        return outputs_word(record)
    text = percent_word(delivery.fraction)
    return text if delivery.speed is None else f"{text} · {speed_word(delivery.speed)}"


def percent_word(fraction: float) -> str:
    """A fraction from 0 to 1 as `40 %`."""
    return tr("{percent} %").format(percent=number(100 * fraction))


def speed_word(speed: float) -> str:
    """Bytes per second as people say it: `3.1 MB/s`, `420 kB/s`."""
    if speed >= 1e6:
        return tr("{speed} MB/s").format(speed=number(speed / 1e6, 1))
    return tr("{speed} kB/s").format(speed=number(speed / 1e3))


def _seconds(started: Optional[datetime], finished: Optional[datetime], over: bool) -> Optional[float]:
    if started is None or (finished is None and over):
        return None
    return max(0.0, ((finished or datetime.now(timezone.utc)) - started).total_seconds())


def job_seconds(job: Job) -> Optional[float]:
    """How long the job ran, or runs already; None where that is not told."""
    return _seconds(job.started_at, job.finished_at, job.state.ended)


def duration_word(job: Job) -> str:
    """How long the job ran, or runs already: `40 s`, `5 min`."""
    seconds = job_seconds(job)
    return "" if seconds is None else duration(seconds)


def task_duration_word(task: Task) -> str:
    """The same of one task."""
    seconds = _seconds(task.started_at, task.finished_at, task.state.ended)
    return "" if seconds is None else duration(seconds)


def task_title(task: Task) -> str:
    """The task's block, or its name where that is not told."""
    return task.block_name or task.name


def job_title(record: JobRecord) -> str:
    """The job's name, or its id where it has none."""
    return record.job.name or record.job.id


def details(record: JobRecord) -> str:
    """Some lines about one job: what it is, its tasks, what went wrong, where its outputs are."""
    job = record.job
    facts = [job_type_word(job.job_type), job.workflow_name, local_time(job.created_at)]
    lines = [job_title(record), " · ".join(fact for fact in facts if fact)]
    if record.tasks:
        lines.append(", ".join(f"{task_title(task)}: {state_word(task.state)}" for task in record.tasks))
    if record.credits_used is not None:
        lines.append(tr("{credits} credits used").format(credits=number(record.credits_used)))
    if record.unconfirmed:
        lines.append(tr("The answer to this run was lost, so it may exist or not. Forget it to run the same again."))
    if record.delivery.message:
        lines.append(record.delivery.message)
    if record.delivery.folder is not None:
        lines.append(str(record.delivery.folder))
    return "\n".join(lines)
