"""A local engine that outlives the process that started it, on the user's explicit word, until it is stopped."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from time import monotonic
from typing import Any, Optional

from ..net.cancel import Cancel
from .engine_lease import Lease, LeaseRefused
from .engine_network import read_settings
from .engine_process import EngineUnavailable
from .engine_start import LOG_FILE, EngineFailed, start
from .local_engine_python import PythonMissing, find_python, how_to_mend
from .network import QgisTrust
from .words import tr

INSTANCE_FILE = "engine.json"  # the engine's own: where it is, its keys and its process (plugin/engine/instance.py)
STOP_SECONDS = 30.0  # the engine gives its workers 5
STEP_SECONDS = 0.1


def start_to_stay(data: Path, port: int, cancel: Cancel) -> str:
    """The URL of the engine of this data folder, which lives until `stop`. `port` 0: any that is free.

    An engine that runs there already is asked to stay, on the port that it has. Raises EngineUnavailable, Cancelled.
    """
    try:
        python = find_python()
    except PythonMissing as e:
        raise EngineUnavailable(str(e)) from e
    if python is None:
        raise EngineUnavailable(how_to_mend([]))
    options = ["--stay", *(["--port", str(port)] if port else [])]
    try:
        return start(data, python, cancel, options, read_settings(QgisTrust()))["url"]
    except EngineFailed as e:
        text = tr("The local engine could not be started: {reason} (Its log is {log}.)")
        raise EngineUnavailable(text.format(reason=e, log=data / LOG_FILE)) from e


def stop(data: Path, cancel: Cancel) -> Optional[str]:
    """End the engine of this data folder, whoever uses it; its queue is kept. The URL it had; None if none ran.

    Returns when it has ended. Raises EngineUnavailable where it doesn't end, Cancelled.
    """
    known = _known(data)
    if known is None or not _is_our_engine(known):
        return None
    try:
        os.kill(known["pid"], signal.SIGTERM)
    except ProcessLookupError:
        return None
    except OSError as e:
        raise EngineUnavailable(tr("The engine can't be stopped: {why}.").format(why=e.strerror)) from e
    deadline = monotonic() + STOP_SECONDS
    while _known(data) == known and _is_our_engine(known):
        cancel.check()
        if monotonic() > deadline:
            text = tr("The engine (process {pid}) was asked to end, but still runs: end that process.")
            raise EngineUnavailable(text.format(pid=known["pid"]))
        cancel.wait(STEP_SECONDS)
    return str(known["url"])


def _known(data: Path) -> Optional[dict[str, Any]]:
    try:
        known = json.loads((data / INSTANCE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    texts = ("url", "free_project_id", "free_project_key")
    if not isinstance(known, dict) or not all(isinstance(known.get(key), str) for key in texts):
        return None
    return known if isinstance(known.get("pid"), int) else None


def _is_our_engine(known: dict[str, Any]) -> bool:
    """Whether the engine of the file answers there and proves it: its process number may be another's by now."""
    try:
        Lease(known["url"], known["free_project_id"], known["free_project_key"]).close()
    except LeaseRefused:
        return False
    return True
