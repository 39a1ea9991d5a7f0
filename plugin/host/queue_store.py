"""The queue of submits that wait for their turn, in the ledger: it survives QGIS, and two QGIS take no submit twice.

What waits is counted as spent (`spending`), and is taken out in the transaction that writes its intent.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Mapping, Optional, Sequence

from ..jobs.request import JobRequest
from ..jobs.request_record import record
from . import spending
from .errors import HostError, NotConfirmed
from .ledger import Ledger
from .origin import Origin
from .submit import Confirmation
from .words import tr


class State(Enum):
    """How far one of the queued submits has come."""

    WAITING = "waiting"
    SENDING = "sending"  # its intent is written; the answer is not there, or was lost
    RUNNING = "running"  # it is a job
    DONE = "done"
    FAILED = "failed"  # the job failed or was cancelled
    STOPPED = "stopped"  # it became no job, for the reason given

    @property
    def over(self) -> bool:
        """True where nothing more happens by itself."""
        return self in (State.DONE, State.FAILED, State.STOPPED)


class NotQueued(HostError):
    """This submit is no longer waiting: another QGIS has taken it, or it was discarded. Nothing was sent."""


@dataclass(frozen=True)
class Queued:
    """One submit of a batch. `priced`: it was confirmed for `confirmed_credits` at `confirmed_at` (since 1970)."""

    id: int
    batch: str
    connection: str
    project: str
    fingerprint: str
    request: Mapping[str, Any]  # jobs.request_record
    priced: bool
    confirmed_credits: Optional[float]
    confirmation: str
    confirmed_at: float
    origin: Origin
    state: State
    job: str
    reason: str
    session: str

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.request.get("name") or "")

    @property
    def agreed(self) -> Confirmation:
        """What was confirmed; of one without a price only the id counts, by which its job is known again."""
        return Confirmation(self.fingerprint, self.confirmed_credits, again=False, id=self.confirmation)


Ordered = tuple[JobRequest, Optional[Confirmation]]


class QueueStore:
    """The table `queued`. Worker threads only; every method raises LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, connection: str, ordered: Sequence[Ordered], origin: Origin, session: str) -> str:
        """Queue a batch, whole or not at all; gives its id. None of the confirmations: it has no price.

        Raises NotConfirmed where a confirmation is not of its request, OverCap where the batch would pass a cap.
        """
        for request, confirmation in ordered:
            if confirmation is not None and confirmation.fingerprint != request.fingerprint:
                raise NotConfirmed(tr("What was confirmed is not what was to be queued, so nothing was."))
        batch, now, caps = uuid.uuid4().hex, time.time(), spending.Caps.now()
        priced = [confirmation for _request, confirmation in ordered if confirmation is not None]
        with self._ledger.transaction() as db:
            spending.check_all(db, caps, connection, [confirmation.max_credits for confirmation in priced])
            for request, confirmation in ordered:
                values = {
                    "batch": batch,
                    "connection": connection,
                    "project": request.project.id,
                    "fingerprint": request.fingerprint,
                    "request": json.dumps(record(request)),
                    "priced": confirmation is not None,
                    "confirmed_credits": confirmation.max_credits if confirmation else None,
                    "confirmation": confirmation.id if confirmation else uuid.uuid4().hex,
                    "project_file": origin.project_file,
                    "token": origin.token,
                    "state": State.WAITING.value,
                    "session": session,
                    "now": now,
                }
                db.execute(
                    "INSERT INTO queued (batch, connection, project, fingerprint, request, priced, confirmed_credits,"
                    " confirmation, confirmed_at, project_file, token, state, session) VALUES (:batch, :connection,"
                    " :project, :fingerprint, :request, :priced, :confirmed_credits, :confirmation, :now,"
                    " :project_file, :token, :state, :session)",
                    values,
                )
        return batch

    def all(self) -> list[Queued]:
        """Everything that is queued, in order, of all connections and sessions."""
        with self._ledger.transaction() as db:
            rows = db.execute("SELECT * FROM queued ORDER BY id").fetchall()
        return [_queued(row) for row in rows]

    def claim(self, item: Queued) -> Callable[[sqlite3.Connection], None]:
        """For `submit`: takes the item out of the queue in the transaction that writes its intent, or forbids it."""

        def take(db: sqlite3.Connection) -> None:
            taken = db.execute(
                "UPDATE queued SET state = ? WHERE id = ? AND state = ? AND session = ?",
                (State.SENDING.value, item.id, State.WAITING.value, item.session),
            )
            if taken.rowcount != 1:
                raise NotQueued(tr("This job is no longer waiting in the queue, so it was not run."))

        return take

    def note(self, item: Queued, state: State, *, job: str = "", reason: str = "") -> None:
        """The item has come so far; `job` stays what it was where none is given."""
        with self._ledger.transaction() as db:
            db.execute(
                "UPDATE queued SET state = ?, job = COALESCE(NULLIF(?, ''), job), reason = ? WHERE id = ?",
                (state.value, job, reason, item.id),
            )

    def stop_waiting(self, item: Queued, reason: str) -> None:
        """The item is not to be sent; one that was taken meanwhile is left alone."""
        with self._ledger.transaction() as db:
            db.execute(
                "UPDATE queued SET state = ?, reason = ? WHERE id = ? AND state = ?",
                (State.STOPPED.value, reason, item.id, State.WAITING.value),
            )

    def take_over(self, batch: str, over: str, session: str) -> None:
        """Go on with a batch of the session `over`, which is; where another has taken it meanwhile, it keeps it."""
        with self._ledger.transaction() as db:
            db.execute("UPDATE queued SET session = ? WHERE batch = ? AND session = ?", (session, batch, over))

    def discard(self, batch: str) -> None:
        """Take a batch out of the queue: what waits is never sent; what was sent goes on as any job."""
        with self._ledger.transaction() as db:
            db.execute("DELETE FROM queued WHERE batch = ?", (batch,))

    def settle_sending(self, item: Queued) -> State:
        """What has become of a submit whose end was not seen: its intent and entry carry its confirmation's id."""
        with self._ledger.transaction() as db:
            entry = db.execute("SELECT job FROM entry WHERE confirmation = ?", (item.confirmation,)).fetchone()
            intent = db.execute("SELECT 1 FROM intent WHERE confirmation = ?", (item.confirmation,)).fetchone()
            if entry is not None:
                db.execute(
                    "UPDATE queued SET state = ?, job = ? WHERE id = ?", (State.RUNNING.value, entry["job"], item.id)
                )
                return State.RUNNING
            if intent is not None:
                return State.SENDING
            reason = tr("It is not known to have become a job.")
            db.execute(
                "UPDATE queued SET state = ?, reason = ? WHERE id = ?", (State.STOPPED.value, reason, item.id)
            )
            return State.STOPPED


def _queued(row: sqlite3.Row) -> Queued:
    values = dict(row)
    values["origin"] = Origin(values.pop("project_file"), values.pop("token"))
    values.update(request=json.loads(row["request"]), priced=bool(row["priced"]), state=State(row["state"]))
    return Queued(**values)
