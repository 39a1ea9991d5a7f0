"""The engine's memory: one SQLite file in the data folder, with short transactions.

Rollback journal, not WAL: one process writes, and a killed one must leave a file that any SQLite can mend.
"""

from __future__ import annotations

import sqlite3
import threading
import uuid
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

STORE_FILE = "engine.sqlite"
BUSY_MILLISECONDS = 10_000

# Projects are known inside by their kind ("practice", "free"): their ids come from the keys and may change.
_FIRST_SCHEMA = """
CREATE TABLE projects (kind TEXT PRIMARY KEY, balance INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE project_settings (id TEXT PRIMARY KEY, kind TEXT NOT NULL REFERENCES projects, name TEXT NOT NULL,
    value INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (kind, name));
CREATE TABLE workflows (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL REFERENCES projects, name TEXT NOT NULL, description TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE workflow_tasks (id TEXT PRIMARY KEY, workflow_id TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, name TEXT NOT NULL, block_id TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (workflow_id, position));
CREATE TABLE seeded (workflow_id TEXT PRIMARY KEY);
CREATE TABLE jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL REFERENCES projects, workflow_id TEXT NOT NULL, workflow_name TEXT NOT NULL, name TEXT,
    mode TEXT NOT NULL, status TEXT NOT NULL, inputs TEXT NOT NULL, estimate TEXT NOT NULL, held INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, finished_at TEXT);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE TABLE job_tasks (id TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES jobs (id), position INTEGER NOT NULL,
    name TEXT NOT NULL, block_id TEXT NOT NULL, block_name TEXT NOT NULL, block_version TEXT NOT NULL,
    block_type TEXT NOT NULL, parameters TEXT NOT NULL, status TEXT NOT NULL,
    block_credits INTEGER NOT NULL DEFAULT 0, machine_credits INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, finished_at TEXT, UNIQUE (job_id, position));
CREATE TABLE scene_folders (id TEXT PRIMARY KEY, name TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    licence TEXT NOT NULL, attribution TEXT NOT NULL);
"""
# The triggers tell webhooks of each change of status, whoever makes it (contract 2.9).
_WEBHOOKS = """
CREATE TABLE webhooks (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL REFERENCES projects, name TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL,
    secret TEXT NOT NULL, active INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE webhook_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE, job_id TEXT NOT NULL, task_id TEXT,
    status TEXT NOT NULL, created_at TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL);
CREATE INDEX deliveries_by_webhook ON webhook_deliveries (webhook_id, seq);
CREATE TRIGGER tell_of_job AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO webhook_deliveries (webhook_id, job_id, task_id, status, created_at, due)
    SELECT id, NEW.id, NULL, NEW.status, NEW.updated_at, CAST(strftime('%s', 'now') AS REAL) FROM webhooks
    WHERE active AND kind = NEW.kind AND events LIKE '%"job.status"%';
END;
CREATE TRIGGER tell_of_task AFTER UPDATE OF status ON job_tasks WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO webhook_deliveries (webhook_id, job_id, task_id, status, created_at, due)
    SELECT id, NEW.job_id, NEW.id, NEW.status, NEW.updated_at, CAST(strftime('%s', 'now') AS REAL) FROM webhooks
    WHERE active AND kind = (SELECT kind FROM jobs WHERE id = NEW.job_id) AND events LIKE '%"job.status"%';
END;
"""
_STEPS = (_FIRST_SCHEMA, _WEBHOOKS)  # from each version of the store to the next; never changed, only added to
SCHEMA_VERSION = len(_STEPS)


class StoreError(Exception):
    """The stored data can't be used; the text says why."""


def now() -> str:
    """This moment as the contract writes it: ISO 8601, UTC, microseconds."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


class Store:
    """One connection for all threads, taken in turns. Raises sqlite3.Error (e.g. where the disk is full)."""

    def __init__(self, data: Path):
        self._turn = threading.RLock()
        self._connection = sqlite3.connect(
            str(data / STORE_FILE), timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = DELETE", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._make_schema()

    def _make_schema(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StoreError("A newer version of the engine has used this data folder: update, or use another folder.")
        for step in range(version, SCHEMA_VERSION):
            self._connection.executescript(f"BEGIN IMMEDIATE; {_STEPS[step]} PRAGMA user_version = {step + 1}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is done inside; nested ones belong to the outermost."""
        with self._turn:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """All rows of a query."""
        with self._turn:
            return [dict(row) for row in self._connection.execute(sql, values)]

    def row(self, sql: str, *values: Any) -> Optional[dict[str, Any]]:
        """The first row of a query; None without one."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def change(self, sql: str, *values: Any) -> int:
        """Insert, update or delete; returns how many rows were touched."""
        with self._turn:
            return self._connection.execute(sql, values).rowcount

    def change_many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        """`change` for each of several sets of values."""
        with self._turn:
            self._connection.executemany(sql, values)

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._connection.close()
