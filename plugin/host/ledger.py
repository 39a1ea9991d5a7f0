"""The ledger: what the server can't know of a job, in SQLite in the profile. Used off the GUI thread.

Rollback journal and short BEGIN IMMEDIATE transactions: WAL fails on roaming profiles (design, *The journey* 5).
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional

from ..delivery.errors import DeliveryError
from ..delivery.lock import exclusive
from ..jobs.problem import QT_TRANSLATE_NOOP
from .ledger_rows import Entry, Intent, entry_of, intent_of
from .ledger_schema import MIGRATIONS

__all__ = ["DAMAGED", "MIGRATIONS", "TEMPLATES", "Entry", "Intent", "Ledger", "LedgerError"]

TEMPLATES: Mapping[str, str] = {
    "busy": QT_TRANSLATE_NOOP(
        "Ledger", "The plugin's record of its jobs, {path}, is in use by another program: try again in a moment."
    ),
    "unusable": QT_TRANSLATE_NOOP(
        "Ledger",
        "The plugin's record of its jobs, {path}, can't be read or written ({reason}): check the disk and the folder's"
        " permissions. Nothing was sent.",
    ),
    "corrupt": QT_TRANSLATE_NOOP(
        "Ledger",
        "The plugin's record of its jobs was damaged. It was put aside as {reason} and begun anew: jobs are taken from"
        " the server and from the output folders again. What was being done just now was not done: try it again.",
    ),
    "newer": QT_TRANSLATE_NOOP(
        "Ledger", "The plugin's record of its jobs, {path}, was written by a newer version: update UP42 Jobs."
    ),
}
BUSY_SECONDS = 10.0
DAMAGED = "damaged"  # the state that says that an older file was put aside, and which


class LedgerError(Exception):
    """The ledger can't be used now. `code` is one of `TEMPLATES`, `values` fill it."""

    def __init__(self, code: str, path: Path, reason: object = "") -> None:
        self.code = code
        self.values: Mapping[str, object] = {"path": str(path), "reason": str(reason)}
        super().__init__(TEMPLATES[code].format(**self.values))


class Ledger:
    """Opens the database anew for every call, so that any worker thread and any second QGIS may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def folder(self) -> Path:
        """Where it lies, in the profile."""
        return self._path.parent

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction of its own: all of it is written at the end, or nothing. Raises LedgerError.

        Keep it short, no network inside: others wait for it. Rows can be asked by name. Worker threads only.
        """
        try:
            with self._connected() as db:
                yield db
        except sqlite3.OperationalError as e:
            locked = "locked" in str(e) or "busy" in str(e)
            raise LedgerError("busy" if locked else "unusable", self._path, e) from e
        except sqlite3.DatabaseError as e:
            if type(e) is not sqlite3.DatabaseError:
                raise  # a fault of ours
            raise LedgerError("corrupt", self._path, self._put_aside()) from e
        except OSError as e:
            raise LedgerError("unusable", self._path, e.strerror or e) from e

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("BEGIN IMMEDIATE")
            try:
                self._migrate(db)
                yield db
            except BaseException:
                if db.in_transaction:  # SQLite has rolled back by itself after some errors
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _put_aside(self) -> Path:
        """Move a damaged file away and begin a new one; gives where it is now. Raises LedgerError."""
        stem = f"{self._path.stem}-damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        aside = self._path.with_name(stem + self._path.suffix)
        try:
            with exclusive(self._path.with_name(f".{self._path.name}.lock")):
                if not self._is_sound():  # else another thread or another QGIS was faster
                    self._begin_anew(aside)
        except DeliveryError as e:
            raise LedgerError("busy", self._path) from e
        except (OSError, sqlite3.Error) as e:
            raise LedgerError("unusable", self._path, e) from e
        return aside

    def _begin_anew(self, aside: Path) -> None:
        self._path.replace(aside)
        journal = self._path.with_name(f"{self._path.name}-journal")
        if journal.exists():  # the new file must not take it for its own
            journal.replace(aside.with_name(f"{aside.name}-journal"))
        with self._connected() as db:
            db.execute("INSERT INTO state VALUES (?, ?)", (DAMAGED, str(aside)))

    def _is_sound(self) -> bool:
        try:
            with self._connected() as db:
                return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except sqlite3.DatabaseError:
            return False

    def _migrate(self, db: sqlite3.Connection) -> None:
        """Bring the schema to the newest version; what a failed migration did is rolled back with the transaction."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise LedgerError("newer", self._path)
        for migration in MIGRATIONS[version:]:
            for statement in migration.split(";"):
                db.execute(statement)
        if version < len(MIGRATIONS):
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def begin(
        self,
        connection: str,
        project: str,
        fingerprint: str,
        request: Mapping[str, Any],
        *,
        confirmed_credits: Optional[float],
        project_file: str,
        token: str,
        server_time: Optional[str],
        confirmation: str = "",
        allow: Callable[[sqlite3.Connection], None] = lambda _db: None,
    ) -> Optional[int]:
        """Write the intent to submit, before the POST; gives its id.

        None where a submit of the same request is under way, here or in another QGIS, or its end is not known.
        `allow` may look at what was spent, in the same transaction, and forbid the submit by an exception.
        """
        text, begun = json.dumps(request), time.time()
        with self.transaction() as db:
            same = "SELECT 1 FROM intent WHERE connection = ? AND fingerprint = ?"
            if db.execute(same, (connection, fingerprint)).fetchone():
                return None
            allow(db)
            cursor = db.execute(
                "INSERT INTO intent (connection, project, fingerprint, request, confirmed_credits, project_file,"
                " token, server_time, begun, confirmation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (connection, project, fingerprint, text, confirmed_credits, project_file, token, server_time, begun,
                 confirmation),
            )
            return cursor.lastrowid

    def settle(self, intent_id: int, job_id: str) -> None:
        """The intent became this job."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO entry"
                " (connection, job, project, request, confirmed_credits, project_file, token,"
                " fingerprint, confirmation, begun)"
                " SELECT connection, ?, project, request, confirmed_credits, project_file, token,"
                " fingerprint, confirmation, begun"
                " FROM intent WHERE id = ?",
                (job_id, intent_id),
            )
            db.execute("DELETE FROM intent WHERE id = ?", (intent_id,))

    def mark_lost(self, intent_id: int) -> None:
        """The intent's answer was lost."""
        with self.transaction() as db:
            db.execute("UPDATE intent SET lost = 1 WHERE id = ?", (intent_id,))

    def drop(self, intent_id: int) -> None:
        """The intent is known to have become no job: it was refused, or the user says so."""
        with self.transaction() as db:
            db.execute("DELETE FROM intent WHERE id = ?", (intent_id,))

    def intents(self, connection: str) -> list[Intent]:
        """The submits of a connection whose end is not known."""
        with self.transaction() as db:
            rows = db.execute("SELECT * FROM intent WHERE connection = ? ORDER BY id", (connection,)).fetchall()
        return [intent_of(row) for row in rows]

    def entries(self, connection: str) -> dict[str, Entry]:
        """The jobs of a connection that were started from this profile, by job id."""
        with self.transaction() as db:
            rows = db.execute("SELECT * FROM entry WHERE connection = ?", (connection,)).fetchall()
        return {row["job"]: entry_of(row) for row in rows}

    def entry(self, connection: str, job_id: str) -> Optional[Entry]:
        """One job's entry, or None where it was not started from this profile."""
        with self.transaction() as db:
            row = db.execute("SELECT * FROM entry WHERE connection = ? AND job = ?", (connection, job_id)).fetchone()
        return entry_of(row) if row else None

    def note_delivered(self, connection: str, job_id: str, folder: Path) -> None:
        """The outputs are whole in `folder`."""
        with self.transaction() as db:
            db.execute(
                "UPDATE entry SET folder = ?, delivered = 1 WHERE connection = ? AND job = ?",
                (str(folder), connection, job_id),
            )

    def note_loaded(self, connection: str, job_id: str) -> None:
        """The layers were added to the project the job was started from."""
        with self.transaction() as db:
            db.execute("UPDATE entry SET loaded = 1 WHERE connection = ? AND job = ?", (connection, job_id))

    def note_told(self, connection: str, job_id: str, state: str) -> None:
        """The user has been told that the job ended in `state`."""
        with self.transaction() as db:
            db.execute("UPDATE entry SET told = ? WHERE connection = ? AND job = ?", (state, connection, job_id))
