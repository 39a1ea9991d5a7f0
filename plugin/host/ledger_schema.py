"""The ledger's tables, from version to version."""

from __future__ import annotations

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
