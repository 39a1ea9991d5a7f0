"""*Export Table…*: jobs and totals as CSV or XLSX, by GDAL. Worker thread. Times are ISO 8601 in UTC with Z."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from osgeo import ogr

from .errors import HostError
from .records import JobRecord
from .table_totals import Total, estimated, totals
from .words import tr

Row = Sequence[Any]

JOB_COLUMNS = (
    "job_id", "name", "type", "status", "workflow", "connection", "project_id", "created", "started", "finished",
    "duration_s", "credits_estimated", "credits_used", "folder",
)  # fmt: skip
TOTAL_COLUMNS = (
    "connection", "workflow", "from", "to", "jobs", "succeeded", "credits_estimated", "credits_used",
    "jobs_with_unknown_credits",
)  # fmt: skip
NUMBERS = ("duration_s", "credits_estimated", "credits_used", "jobs", "succeeded", "jobs_with_unknown_credits")
XLSX = ".xlsx"


def write_table(
    records: Sequence[JobRecord], titles: Mapping[str, str], priced: frozenset[str], target: Path
) -> list[Path]:
    """Write the jobs and their totals by connection and workflow; gives the files.

    An XLSX file has a sheet for each of both; beside `x.csv` there is `x-totals.csv`. `titles`, `priced`: see
    `totals`. Raises HostError where nothing can be written there.
    """
    jobs = [_job_row(record, titles) for record in records]
    sums = [_total_row(total) for total in totals(records, titles, priced)]
    if target.suffix.lower() == XLSX:
        _write(target, "XLSX", {"Jobs": (JOB_COLUMNS, jobs), "Totals": (TOTAL_COLUMNS, sums)})
        return [target]
    beside = target.with_name(f"{target.stem}-totals{target.suffix}")
    _write(target, "CSV", {target.stem: (JOB_COLUMNS, jobs)})
    _write(beside, "CSV", {beside.stem: (TOTAL_COLUMNS, sums)})
    return [target, beside]


def _job_row(record: JobRecord, titles: Mapping[str, str]) -> Row:
    job = record.job
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    return (
        job.id, job.name, job.job_type.value, job.raw_status or job.state.value, job.workflow_name,
        titles.get(record.connection_id, record.connection_id), job.project_id, _utc(job.created_at),
        _utc(job.started_at), _utc(job.finished_at), seconds, estimated(record), record.credits_used,
        str(record.delivery.folder or ""),
    )  # fmt: skip


def _total_row(total: Total) -> Row:
    return (
        total.connection, "Total" if total.workflow is None else total.workflow, _utc(total.first), _utc(total.last),
        total.jobs, total.succeeded, total.estimated, total.used, total.unknown,
    )  # fmt: skip


def _write(target: Path, driver: str, tables: Mapping[str, tuple[Sequence[str], Sequence[Row]]]) -> None:
    """Write beside `target`, then put it in its place: no half-written table under the final name."""
    part = target.with_name(f".{target.stem}.part{target.suffix}")
    part.unlink(missing_ok=True)
    try:
        source = ogr.GetDriverByName(driver).CreateDataSource(str(part))
        if source is None:
            raise OSError(driver)
        for name, (columns, rows) in tables.items():
            layer = source.CreateLayer(name, None, ogr.wkbNone)
            for column in columns:
                layer.CreateField(ogr.FieldDefn(column, ogr.OFTReal if column in NUMBERS else ogr.OFTString))
            for row in rows:
                feature = ogr.Feature(layer.GetLayerDefn())
                for index, value in enumerate(row):
                    if value is not None:
                        feature.SetField(index, value)
                layer.CreateFeature(feature)
        source = None  # written when it is let go of
        part.replace(target)
    except (OSError, RuntimeError) as e:
        text = tr("The table could not be written to {path}: check the folder and whether the file is open elsewhere.")
        raise HostError(text.format(path=target)) from e


def _utc(moment: Optional[datetime]) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
