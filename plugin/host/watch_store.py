"""The watches, in the ledger: searches that are looked at again, what was seen of them and what is new.

A scene is new until the user has said that it is seen; two QGIS on one profile don't look for the same at once.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

from ..jobs.job import Scene, parse_time
from ..jobs.request import JobRequest
from ..jobs.request_record import record
from .ledger import Ledger

MOST_SEEN = 5000  # ids of one watch, the newest
SECONDS_AN_HOUR = 3600.0
TRY_AGAIN_HOURS = 1.0  # after a look that failed, at the earliest


@dataclass(frozen=True)
class Watch:
    """A search that is looked at again every `hours`; None: when the user says so. Times are seconds since 1970.

    `fresh`: the scenes that are new `since` then; `more`: there may be further ones. `looked`: the last look that
    succeeded, 0 before the first, which only notes what there is. `request` is a jobs.request_record.
    """

    id: int
    connection: str
    project: str
    request: Mapping[str, Any]
    hours: Optional[float]
    begun: float
    looked: float
    tried: float
    since: float
    seen: tuple[str, ...]
    fresh: tuple[Scene, ...]
    more: bool

    @property
    def name(self) -> str:
        """AOI and workflow, as the job would be called."""
        return str(self.request.get("name") or "")

    def due(self, now: float) -> bool:
        """True where it is time to look by itself."""
        if self.hours is None:
            return False
        again = min(self.hours, TRY_AGAIN_HOURS) * SECONDS_AN_HOUR
        return now >= self.looked + self.hours * SECONDS_AN_HOUR and now >= self.tried + again


class WatchStore:
    """The table `watch`. Worker threads only; every method raises LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self) -> list[Watch]:
        """Oldest first."""
        with self._ledger.transaction() as db:
            return [_watch(row) for row in db.execute("SELECT * FROM watch ORDER BY id")]

    def add(self, connection: str, request: JobRequest, now: float) -> int:
        """Keep a request as a watch; gives its id."""
        text = json.dumps(record(request))
        with self._ledger.transaction() as db:
            cursor = db.execute(
                "INSERT INTO watch (connection, project, request, begun) VALUES (?, ?, ?, ?)",
                (connection, request.project.id, text, now),
            )
            return int(cursor.lastrowid or 0)

    def take(self, watch_id: int, now: float, only_due: bool) -> Optional[Watch]:
        """The watch, to be looked at now; None where it is gone or, for `only_due`, another QGIS was faster."""
        with self._ledger.transaction() as db:
            row = db.execute("SELECT * FROM watch WHERE id = ?", (watch_id,)).fetchone()
            watch = _watch(row) if row else None
            if watch is None or (only_due and not watch.due(now)):
                return None
            db.execute("UPDATE watch SET tried = ? WHERE id = ?", (now, watch_id))
            return watch

    def found(self, watch_id: int, scenes: Sequence[Scene], more: bool, now: float) -> list[str]:
        """Note what a look has found; gives the ids that no look before had found. `more`: not all was listed."""
        with self._ledger.transaction() as db:
            row = db.execute("SELECT * FROM watch WHERE id = ?", (watch_id,)).fetchone()
            if row is None:
                return []
            before = _watch(row)
            if not before.looked:
                seen = json.dumps([scene.id for scene in scenes][:MOST_SEEN])
                db.execute("UPDATE watch SET looked = ?, since = ?, seen = ? WHERE id = ?", (now, now, seen, watch_id))
                return []
            known = set(before.seen)
            fresh = [scene for scene in scenes if scene.id not in known]
            all_new = more and len(fresh) == len(scenes)
            db.execute(
                "UPDATE watch SET looked = ?, fresh = ?, more = ? WHERE id = ?",
                (now, json.dumps([_kept(scene) for scene in fresh]), all_new, watch_id),
            )
            told = {scene.id for scene in before.fresh}
            return [scene.id for scene in fresh if scene.id not in told]

    def mark_seen(self, watch_id: int) -> None:
        """What was new is no more; what comes from the last look on is."""
        with self._ledger.transaction() as db:
            row = db.execute("SELECT * FROM watch WHERE id = ?", (watch_id,)).fetchone()
            if row is not None:
                watch = _watch(row)
                seen = [scene.id for scene in watch.fresh] + list(watch.seen)
                db.execute(
                    "UPDATE watch SET seen = ?, fresh = '[]', more = 0, since = looked WHERE id = ?",
                    (json.dumps(seen[:MOST_SEEN]), watch_id),
                )

    def set_hours(self, watch_id: int, hours: Optional[float]) -> None:
        """Look every so many hours, or when asked (None)."""
        with self._ledger.transaction() as db:
            db.execute("UPDATE watch SET hours = ? WHERE id = ?", (hours, watch_id))

    def remove(self, watch_id: int) -> None:
        """Watch it no more."""
        with self._ledger.transaction() as db:
            db.execute("DELETE FROM watch WHERE id = ?", (watch_id,))


def _kept(scene: Scene) -> list[Any]:
    return [scene.id, scene.acquired_at.isoformat() if scene.acquired_at else None, scene.cloud_cover]


def _watch(row: sqlite3.Row) -> Watch:
    values = dict(row)
    values.update(
        request=json.loads(row["request"]),
        seen=tuple(json.loads(row["seen"])),
        fresh=tuple(Scene(name, {}, parse_time(time), cloud) for name, time, cloud in json.loads(row["fresh"])),
        more=bool(row["more"]),
    )
    return Watch(**values)
