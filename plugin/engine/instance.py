"""One engine per data folder: the lock, the file that tells where the running engine is, and attaching to it."""

from __future__ import annotations

import base64
import http.client
import json
import os
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from .files import read_json, write_private_json
from .keys import Keys
from .lock import FileLock
from .proof import knows_key

LOCK_FILE = "engine.lock"
INSTANCE_FILE = "engine.json"
ATTACH_TIMEOUT_SECONDS = 5
_PUBLIC_KEYS = (
    *("url", "project_id", "project_key", "free_project_id", "free_project_key"),
    *("account_user", "account_password"),
)


class Instance:
    """The engine of one data folder, ours or another process's."""

    def __init__(self, data: Path):
        self._file = data / INSTANCE_FILE
        self._lock = FileLock(data / LOCK_FILE)

    def claim(self) -> bool:
        """Become the one engine of the folder; False if another process is."""
        claimed = self._lock.acquire(wait=False)
        if claimed:
            self._file.unlink(missing_ok=True)  # of one that was killed: its port may be someone else's by now
        return claimed

    def announce(self, url: str, keys: Keys) -> str:
        """Tell later starters where this engine is; returns the first line of its standard output."""
        known = {"url": url, **keys.public}
        write_private_json(self._file, {**known, "pid": os.getpid()})
        return json.dumps(known)

    def attach(self, stay: bool, settings: Optional[Mapping[str, Any]]) -> Optional[str]:
        """The first line of the engine that runs, once it has agreed to live on; None while there is none to ask."""
        known = read_json(self._file)
        if not isinstance(known, dict) or not all(isinstance(known.get(key), str) for key in _PUBLIC_KEYS):
            return None
        wish: dict[str, Any] = {"stay": stay}
        if settings is not None:
            wish["settings"] = settings
        if not _agrees(known, wish):
            return None
        return json.dumps({**{key: known[key] for key in _PUBLIC_KEYS}, "attached": True})

    def leave(self) -> None:
        """Stop being the engine of the folder."""
        self._file.unlink(missing_ok=True)
        self._lock.release()


def _agrees(known: Mapping[str, str], wish: Mapping[str, Any]) -> bool:
    """Ask the engine to live on. It must prove first that it is no stranger on a killed one's port."""
    pair = base64.b64encode(f"{known['project_id']}:{known['project_key']}".encode()).decode()
    connection = http.client.HTTPConnection(urlsplit(known["url"]).netloc, timeout=ATTACH_TIMEOUT_SECONDS)
    try:
        if not knows_key(connection, known["url"], known["free_project_key"]):
            return False
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
        connection.request("POST", "/engine/attach", json.dumps(wish), headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
