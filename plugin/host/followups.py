"""What is still to be done for jobs of ours, in the ledger: endings to tell, outputs to load, once among all QGIS.

Worker threads. Whoever claims first does it; a claim to load that nobody keeps (that QGIS was killed) lapses.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

from .ledger import DAMAGED, Ledger, LedgerError

DAMAGE_TOLD = "damage told"
LAPSES_AFTER_SECONDS = 60.0  # adding a job's layers takes less


@dataclass(frozen=True)
class Waiting:
    """So many jobs of a project whose end has not been told."""

    connection: str
    project: str
    jobs: int


@dataclass(frozen=True)
class Unloaded:
    """Outputs on disk that are not on the map yet."""

    connection: str
    job: str
    folder: Path


def waiting(ledger: Ledger) -> list[Waiting]:
    """Where jobs of ours were last seen unfinished or untold; scripts collect their own."""
    with ledger.transaction() as db:
        rows = db.execute(
            "SELECT connection, project, COUNT(*) AS jobs FROM entry WHERE told IS NULL AND token <> ''"
            " GROUP BY connection, project ORDER BY connection, project"
        ).fetchall()
    return [Waiting(row["connection"], row["project"], row["jobs"]) for row in rows]


def unloaded(ledger: Ledger, project_file: str) -> list[Unloaded]:
    """What was delivered for that QGIS project while it was not open."""
    if not project_file:
        return []
    with ledger.transaction() as db:
        rows = db.execute(
            "SELECT connection, job, folder FROM entry WHERE delivered = 1 AND loaded = 0 AND folder IS NOT NULL"
            " AND token <> '' AND project_file = ? ORDER BY rowid",
            (project_file,),
        ).fetchall()
    return [Unloaded(row["connection"], row["job"], Path(row["folder"])) for row in rows]


def damage_to_tell(ledger: Ledger) -> Optional[Path]:
    """Where a damaged ledger was put aside, for the first one who asks since; a later one gets None."""
    try:
        return _damage(ledger)
    except LedgerError as e:
        if not is_damage(e):
            raise
        return _damage(ledger)  # it was found just now


def is_damage(error: Exception) -> bool:
    """True where the error says that the ledger was found damaged just now, and put aside."""
    return isinstance(error, LedgerError) and error.code == "corrupt"


def _damage(ledger: Ledger) -> Optional[Path]:
    with ledger.transaction() as db:
        row = db.execute("SELECT value FROM state WHERE name = ?", (DAMAGED,)).fetchone()
        if row is None:
            return None
        told = db.execute("SELECT value FROM state WHERE name = ?", (DAMAGE_TOLD,)).fetchone()
        if told is not None and told["value"] == row["value"]:
            return None
        db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (DAMAGE_TOLD, row["value"]))
        return Path(row["value"])


def connections_of(ledger: Ledger, jobs: Sequence[str]) -> list[tuple[str, str]]:
    """(connection, job) of those of these jobs that were started from this profile."""
    with ledger.transaction() as db:
        rows = [db.execute("SELECT connection, job FROM entry WHERE job = ?", (job,)).fetchone() for job in jobs]
    return [(row["connection"], row["job"]) for row in rows if row]


def claim_telling(ledger: Ledger, connection: str, job: str, state: str) -> bool:
    """True for the one who may tell that the job ended in `state`."""
    with ledger.transaction() as db:
        claimed = db.execute(
            "UPDATE entry SET told = ? WHERE connection = ? AND job = ? AND told IS NULL", (state, connection, job)
        )
        return claimed.rowcount == 1


def claim_loading(ledger: Ledger, connection: str, job: str) -> bool:
    """True for the one who may put the outputs on the map by itself; `note_loaded` or `give_up_loading` follows."""
    now = time.time()
    with ledger.transaction() as db:
        if not db.execute(
            "SELECT 1 FROM entry WHERE connection = ? AND job = ? AND loaded = 0", (connection, job)
        ).fetchone():
            return False
        db.execute("INSERT OR IGNORE INTO delivery (connection, job) VALUES (?, ?)", (connection, job))
        claimed = db.execute(
            "UPDATE delivery SET loading_since = ? WHERE connection = ? AND job = ?"
            " AND (loading_since IS NULL OR loading_since < ? OR loading_since > ?)",
            (now, connection, job, now - LAPSES_AFTER_SECONDS, now + LAPSES_AFTER_SECONDS),
        )
        return claimed.rowcount == 1


def give_up_loading(ledger: Ledger, connection: str, job: str) -> None:
    """The layers were not added after all: somebody else may."""
    with ledger.transaction() as db:
        db.execute("UPDATE delivery SET loading_since = NULL WHERE connection = ? AND job = ?", (connection, job))


def begin_delivery(ledger: Ledger, connection: str, job: str, parent: Path) -> Path:
    """The folder that gets the job's output folder: the one of the download that was interrupted, if there was one."""
    with ledger.transaction() as db:
        row = db.execute(
            "SELECT parent FROM delivery WHERE connection = ? AND job = ?", (connection, job)
        ).fetchone()
        before: Optional[str] = row["parent"] if row else None
        if before and Path(before).is_dir():
            return Path(before)
        db.execute("INSERT OR IGNORE INTO delivery (connection, job) VALUES (?, ?)", (connection, job))
        db.execute(
            "UPDATE delivery SET parent = ? WHERE connection = ? AND job = ?", (str(parent), connection, job)
        )
    return parent


def end_delivery(ledger: Ledger, connection: str, job: str) -> None:
    """It is whole: the next download of the same goes where the settings say then."""
    with ledger.transaction() as db:
        db.execute("UPDATE delivery SET parent = NULL WHERE connection = ? AND job = ?", (connection, job))


def note_project_saved(ledger: Ledger, token: str, project_file: str) -> None:
    """The project that jobs were started from has got a file."""
    with ledger.transaction() as db:
        db.execute("UPDATE entry SET project_file = ? WHERE token = ? AND project_file = ''", (project_file, token))
        db.execute("UPDATE intent SET project_file = ? WHERE token = ? AND project_file = ''", (project_file, token))


def note_files_removed(ledger: Ledger, connection: str, job: str) -> None:
    """The outputs are no longer on disk."""
    with ledger.transaction() as db:
        db.execute(
            "UPDATE entry SET folder = NULL, delivered = 0, loaded = 0 WHERE connection = ? AND job = ?",
            (connection, job),
        )
