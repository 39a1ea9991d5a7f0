"""The ledger: what the server can't know of a job, in SQLite in the profile. Used off the GUI thread.

Rollback journal and short BEGIN IMMEDIATE transactions: WAL fails on roaming profiles (design, *The journey* 5).
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional

from ..delivery.errors import DeliveryError
from ..delivery.lock import exclusive
from ..jobs.problem import QT_TRANSLATE_NOOP

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
LOST_AFTER_SECONDS = 300.0  # longer than any POST lasts: whoever submitted was killed meanwhile
# A version of the schema each, oldest first: append, never change one that was released. Statements end with ";" and
# hold no other. The tables of a new version may be another module's, which uses `Ledger.transaction`.
MIGRATIONS: list[str] = [
    """
CREATE TABLE entry (
  connection TEXT NOT NULL, job TEXT NOT NULL, project TEXT NOT NULL, request TEXT NOT NULL,
  confirmed_credits REAL, project_file TEXT NOT NULL, token TEXT NOT NULL,
  folder TEXT, delivered INTEGER NOT NULL DEFAULT 0, loaded INTEGER NOT NULL DEFAULT 0, told TEXT,
  PRIMARY KEY (connection, job));
CREATE TABLE intent (
  id INTEGER PRIMARY KEY, connection TEXT NOT NULL, project TEXT NOT NULL, fingerprint TEXT NOT NULL,
  request TEXT NOT NULL, confirmed_credits REAL, project_file TEXT NOT NULL, token TEXT NOT NULL, server_time TEXT,
  begun REAL NOT NULL, lost INTEGER NOT NULL DEFAULT 0);
""",
    # What was spent and bought (spending.py, bought.py), and submits that wait for their turn (queue_store.py).
    """
ALTER TABLE intent ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN begun REAL NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN charged REAL;
CREATE TABLE queued (
  id INTEGER PRIMARY KEY, batch TEXT NOT NULL, connection TEXT NOT NULL, project TEXT NOT NULL,
  fingerprint TEXT NOT NULL, request TEXT NOT NULL, priced INTEGER NOT NULL, confirmed_credits REAL,
  confirmation TEXT NOT NULL, confirmed_at REAL NOT NULL, project_file TEXT NOT NULL, token TEXT NOT NULL,
  state TEXT NOT NULL, job TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', session TEXT NOT NULL)
""",
    # What is still to be done for jobs of ours (followups.py), and what was taken from a server anew (rebuild.py).
    """
CREATE TABLE delivery (
  connection TEXT NOT NULL, job TEXT NOT NULL, parent TEXT, loading_since REAL, PRIMARY KEY (connection, job));
CREATE TABLE rebuilt (connection TEXT NOT NULL, project TEXT NOT NULL, PRIMARY KEY (connection, project));
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL)
""",
    # Priced submits that the user took for never sent, though their jobs may exist (forgotten.py).
    """
CREATE TABLE forgotten (
  id INTEGER PRIMARY KEY, connection TEXT NOT NULL, project TEXT NOT NULL, fingerprint TEXT NOT NULL,
  request TEXT NOT NULL, confirmed_credits REAL NOT NULL, project_file TEXT NOT NULL, token TEXT NOT NULL,
  server_time TEXT, begun REAL NOT NULL, confirmation TEXT NOT NULL)
""",
    # Searches that are looked at again (watch_store.py). Times are seconds since 1970, 0: never.
    """
CREATE TABLE watch (
  id INTEGER PRIMARY KEY, connection TEXT NOT NULL, project TEXT NOT NULL, request TEXT NOT NULL,
  hours REAL, begun REAL NOT NULL, looked REAL NOT NULL DEFAULT 0, tried REAL NOT NULL DEFAULT 0,
  since REAL NOT NULL DEFAULT 0, seen TEXT NOT NULL DEFAULT '[]', fresh TEXT NOT NULL DEFAULT '[]',
  more INTEGER NOT NULL DEFAULT 0)
""",
]
DAMAGED = "damaged"  # the state that says that an older file was put aside, and which


class LedgerError(Exception):
    """The ledger can't be used now. `code` is one of `TEMPLATES`, `values` fill it."""

    def __init__(self, code: str, path: Path, reason: object = "") -> None:
        self.code = code
        self.values: Mapping[str, object] = {"path": str(path), "reason": str(reason)}
        super().__init__(TEMPLATES[code].format(**self.values))


@dataclass(frozen=True)
class Entry:
    """One job that was started from this profile. `told`: the state whose ending the user has been told of.

    `begun`: when it was submitted, in seconds since 1970; `charged`: credits that it has cost, once that is known;
    `confirmation`: the id of the confirmation that it used up.
    """

    connection: str
    job: str
    project: str
    request: Mapping[str, Any]
    confirmed_credits: Optional[float]
    project_file: str
    token: str
    folder: Optional[str] = None
    delivered: bool = False
    loaded: bool = False
    told: Optional[str] = None
    fingerprint: str = ""
    confirmation: str = ""
    begun: float = 0.0
    charged: Optional[float] = None


@dataclass(frozen=True)
class Intent:
    """A submit whose end is not known: written before the POST, gone when the answer is there.

    `lost`: no answer will come any more; whoever submitted said so, or has been silent for too long.
    """

    id: int
    connection: str
    project: str
    fingerprint: str
    request: Mapping[str, Any]
    confirmed_credits: Optional[float]
    project_file: str
    token: str
    server_time: Optional[str]
    lost: bool
    confirmation: str = ""


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
        return [_intent(row) for row in rows]

    def entries(self, connection: str) -> dict[str, Entry]:
        """The jobs of a connection that were started from this profile, by job id."""
        with self.transaction() as db:
            rows = db.execute("SELECT * FROM entry WHERE connection = ?", (connection,)).fetchall()
        return {row["job"]: _entry(row) for row in rows}

    def entry(self, connection: str, job_id: str) -> Optional[Entry]:
        """One job's entry, or None where it was not started from this profile."""
        with self.transaction() as db:
            row = db.execute("SELECT * FROM entry WHERE connection = ? AND job = ?", (connection, job_id)).fetchone()
        return _entry(row) if row else None

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


def _intent(row: sqlite3.Row) -> Intent:
    values = dict(row)
    silent = time.time() - values.pop("begun") > LOST_AFTER_SECONDS
    values.update(request=json.loads(row["request"]), lost=bool(row["lost"]) or silent)
    return Intent(**values)


def _entry(row: sqlite3.Row) -> Entry:
    values = dict(row)
    values.update(request=json.loads(row["request"]), delivered=bool(row["delivered"]), loaded=bool(row["loaded"]))
    return Entry(**values)
