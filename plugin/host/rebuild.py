"""After a damaged ledger was put aside: what can be known of our jobs again, from the platform and the output folders.

The platform does not tell who started a job. Those whose outputs are here are ours; the others count as ours where
that is the careful thing to do, for the cap per month. None of them is loaded by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterable, Mapping, Sequence

from ..delivery.errors import DeliveryError
from ..delivery.manifest import FILE_NAME, read_manifest
from ..jobs.job import Job
from .ledger import DAMAGED, Entry, Ledger

NO_PROJECT = "rebuilt"  # a token that no open project has
MAX_FOLDERS = 2_000  # looked into


def is_due(ledger: Ledger, connection_id: str, project_id: str) -> bool:
    """True where the ledger was begun anew and this project's jobs were not taken from the platform since."""
    with ledger.transaction() as db:
        return bool(
            db.execute(
                "SELECT 1 FROM state WHERE name = ? AND NOT EXISTS"
                " (SELECT 1 FROM rebuilt WHERE connection = ? AND project = ?)",
                (DAMAGED, connection_id, project_id),
            ).fetchone()
        )


def is_doubtful(entry: Entry) -> bool:
    """True for a job that may be somebody else's."""
    return entry.token == NO_PROJECT and entry.folder is None


def rebuild(
    ledger: Ledger,
    connection_id: str,
    project_id: str,
    jobs: Sequence[Job],
    output_roots: Iterable[Path],
    charged: Mapping[str, float],
) -> None:
    """Write down these jobs, with the folders that hold their outputs. Ended ones count as told.

    `charged`: credits by job id, where they are known.
    """
    folders = _folders(output_roots)
    with ledger.transaction() as db:
        for job in jobs:
            folder = folders.get(job.id)
            begun = job.created_at.timestamp() if job.created_at else 0.0
            db.execute(
                "INSERT OR IGNORE INTO entry (connection, job, project, request, project_file, token, folder,"
                " delivered, loaded, told, begun, charged) VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?)",
                (connection_id, job.id, project_id, json.dumps(_request(job)), NO_PROJECT,
                 str(folder) if folder else None, int(folder is not None), int(folder is not None),
                 job.state.value if job.state.ended else None, begun, charged.get(job.id)),
            )  # fmt: skip
        db.execute("INSERT OR IGNORE INTO rebuilt VALUES (?, ?)", (connection_id, project_id))


def _request(job: Job) -> dict[str, object]:
    """As much of the request as the platform tells; see `request_record.record`."""
    return {
        "name": job.name,
        "job_type": job.job_type.value,
        "workflow": {"id": job.workflow_id, "name": job.workflow_name},
        "inputs": dict(job.inputs),
    }


def _folders(roots: Iterable[Path]) -> dict[str, Path]:
    """Job id -> the folder of its final output. A folder that can't be read is left out: it is still on disk."""
    found: dict[str, Path] = {}
    for root in roots:
        try:
            folders = [path for path in sorted(root.iterdir()) if (path / FILE_NAME).is_file()]
        except OSError:
            continue
        for folder in folders[:MAX_FOLDERS]:
            try:
                job = read_manifest(folder)["job"]
            except DeliveryError:
                continue
            if not job.get("task"):
                found[job["id"]] = folder
    return found
