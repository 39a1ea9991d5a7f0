"""All jobs that are known of each project, as records for the table. GUI thread; touches only what has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Callable, Collection, Mapping, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..jobs.job import Job, JobState, JobType, Task, inputs_as_text, parse_time
from .connections import Connection
from .ledger import Entry, Intent
from .poll import Page, Snapshot
from .rebuild import is_doubtful
from .records import Delivery, DeliveryState, JobRecord
from .words import tr

NOTHING = Delivery()
Key = tuple[str, str]  # connection id, project id
LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)
TellDelivery = Callable[[str, str, Optional[Entry]], Delivery]


class JobBook(QObject):
    """Records by project and job id. Polls bring the newest pages, `add_page` the older ones."""

    changed = pyqtSignal(str, str, object)  # connection id, project id, the ids of the jobs that changed
    ended = pyqtSignal(str)  # connection id: a job that was running is over

    def __init__(self, delivery: TellDelivery) -> None:
        super().__init__()
        self._delivery = delivery
        self._records: dict[Key, dict[str, JobRecord]] = {}
        self._unconfirmed: dict[Key, set[str]] = {}

    def of(self, connection_id: str, project_id: str) -> Mapping[str, JobRecord]:
        """The project's records by job id; changes in place."""
        return self._records.setdefault((connection_id, project_id), {})

    def newest_first(self, connection_id: str) -> list[JobRecord]:
        """All records of a connection; submits whose answer was lost come first."""
        found = [r for key, records in self._records.items() if key[0] == connection_id for r in records.values()]
        return sorted(found, key=lambda r: (r.unconfirmed, r.job.created_at or LONG_AGO), reverse=True)

    def everything(self) -> list[JobRecord]:
        """All records of all connections."""
        return [record for records in self._records.values() for record in records.values()]

    def find(self, connection_id: str, job_id: str) -> Optional[JobRecord]:
        """One job's record, whichever its project is."""
        for key, records in self._records.items():
            if key[0] == connection_id and job_id in records:
                return records[job_id]
        return None

    def take(
        self, connection: Connection, project_id: str, snapshot: Snapshot, submitting: Collection[str] = ()
    ) -> None:
        """Bring the records up to a poll's answer. `submitting`: fingerprints of our submits under way."""
        records = self._records.setdefault((connection.id, project_id), {})
        changed = set(snapshot.gone & records.keys())
        for job_id in changed:
            del records[job_id]
        ended = False
        for job in snapshot.jobs:
            before = records.get(job.id)
            if before is None or job.id in snapshot.changed:
                ended |= before is not None and job.state.ended and not before.job.state.ended
                record = self._record(connection.id, job, snapshot.entries, snapshot.credits, before)
                asked = job.id in snapshot.tasks_asked
                records[job.id] = replace(record, tasks=snapshot.tasks[job.id]) if asked else record
                changed.add(job.id)
        changed |= self._take_unconfirmed((connection.id, project_id), snapshot.intents, submitting)
        if changed:
            self.changed.emit(connection.id, project_id, changed)
        if ended:
            self.ended.emit(connection.id)

    def _take_unconfirmed(self, key: Key, intents: Collection[Intent], submitting: Collection[str]) -> set[str]:
        records = self._records[key]
        now = {
            f"unconfirmed-{intent.id}": _unconfirmed(intent)
            for intent in intents
            if intent.project == key[1] and (intent.lost or intent.fingerprint not in submitting)
        }
        before = self._unconfirmed.get(key, set())
        changed = {job_id for job_id, record in now.items() if records.get(job_id) != record}
        for job_id in before - now.keys():
            records.pop(job_id, None)
        records.update(now)
        self._unconfirmed[key] = set(now)
        return changed | (before - now.keys())

    def add_page(self, connection_id: str, project_id: str, page: Page) -> int:
        """Add older jobs; gives how many were news."""
        records = self._records.setdefault((connection_id, project_id), {})
        new = {job.id: self._record(connection_id, job, page.entries, {}) for job in page.jobs if job.id not in records}
        records.update(new)
        if new:
            self.changed.emit(connection_id, project_id, set(new))
        return len(new)

    def set_tasks(self, record: JobRecord, tasks: tuple[Task, ...]) -> None:
        """The job's tasks as they are now."""
        self._replace(record.connection_id, record.job.id, tasks=tasks)

    def set_credits(self, record: JobRecord, credits: Optional[int]) -> None:
        """What the job has cost."""
        self._replace(record.connection_id, record.job.id, credits_used=credits)

    def delivery_changed(self, connection_id: str, job_id: str) -> None:
        """The job's delivery went on."""
        record = self.find(connection_id, job_id)
        if record is not None:
            self._replace(connection_id, job_id, delivery=self._delivery(connection_id, job_id, record.entry))

    def _replace(self, connection_id: str, job_id: str, **values: object) -> None:
        record = self.find(connection_id, job_id)
        if record is None:
            return
        now = replace(record, **values)  # type: ignore[arg-type]
        if now != record:
            self._records[(connection_id, record.job.project_id)][job_id] = now
            self.changed.emit(connection_id, record.job.project_id, {job_id})

    def _record(
        self,
        connection_id: str,
        job: Job,
        entries: Mapping[str, Entry],
        credits: Mapping[str, Optional[int]],
        before: Optional[JobRecord] = None,
    ) -> JobRecord:
        entry = entries.get(job.id)
        delivery = self._delivery(connection_id, job.id, entry)
        used = credits.get(job.id)
        if used is None and entry is not None and entry.charged is not None:
            used = int(entry.charged)
        return JobRecord(
            connection_id,
            job,
            before.tasks if before else (),
            used if used is not None else before.credits_used if before else None,
            entry is not None and not is_doubtful(entry),
            NOTHING if delivery == NOTHING else delivery,  # one for all: 10,000 jobs are many objects to collect
            entry=entry,
        )


def _unconfirmed(intent: Intent) -> JobRecord:
    request = intent.request
    workflow = request.get("workflow") or {}
    job = Job(
        id=f"unconfirmed-{intent.id}",
        project_id=intent.project,
        name=str(request.get("name") or ""),
        state=JobState.UNKNOWN,
        raw_status=tr("Unconfirmed"),
        job_type=JobType(request["job_type"]),
        workflow_id=str(workflow.get("id") or ""),
        workflow_name=str(workflow.get("name") or ""),
        created_at=parse_time(intent.server_time),
        inputs_text=inputs_as_text(request.get("inputs") or {}),
    )
    return JobRecord(intent.connection, job, ours=True, delivery=Delivery(DeliveryState.NONE), unconfirmed=True)


def intent_id(record: JobRecord) -> int:
    """The ledger's id of an unconfirmed submit."""
    return int(record.job.id.rpartition("-")[2])
