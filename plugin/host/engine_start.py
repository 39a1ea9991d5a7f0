"""Start the local engine's process, or find the one that runs: its first line tells where it is."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Mapping, Optional, Sequence
from urllib.parse import urlsplit

from ..net.cancel import Cancel
from ..net.proxy import is_loopback
from ..net.redaction import redact
from .local_engine_python import child_environment, no_window
from .words import tr

START_SECONDS = 60.0  # longer than the engine itself waits for another one on the same folder
LOG_FILE = "engine-output.log"  # what the engine prints; engine.log is its own
LOG_BYTES = 500_000
FIRST_LINE_BYTES = 65_536
LINES_TOLD = 6
CHARACTERS_TOLD = 600
_KEYS = ("url", "project_id", "project_key", "free_project_id", "free_project_key")


class EngineFailed(Exception):
    """The engine did not start; the text says why."""


def start(
    folder: Path,
    python: Path,
    cancel: Cancel,
    options: Sequence[str] = (),
    settings: Optional[Mapping[str, Any]] = None,
) -> dict[str, str]:
    """The first line of the engine of this data folder, started if none runs. Raises EngineFailed, Cancelled.

    `options` are further arguments of the engine's command line; `settings` the network settings that it is lent.

    After Cancelled the process is left alone: without a lease it ends by itself, and another client may have it.
    """
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        log = _open_log(folder / LOG_FILE)
    except OSError as e:
        text = tr("Its folder {folder} can't be used: {reason}.")
        raise EngineFailed(text.format(folder=folder, reason=e.strerror or type(e).__name__)) from e
    with log:
        log_start = log.tell()
        process = _spawn(folder, python, log, [*options, *(["--settings-stdin"] if settings is not None else [])])
        if settings is not None:
            _lend(process, settings)
        line = _first_line(process, log, folder, log_start, cancel)
    return _read(line)


def _spawn(folder: Path, python: Path, log: IO[bytes], options: Sequence[str]) -> subprocess.Popen:
    package = __package__.partition(".")[0]
    # Links are kept as they are: the folder of a checkout may have any name, the import name is that of the link.
    parent = os.path.dirname(os.path.abspath(next(iter(sys.modules[package].__path__))))
    environment = child_environment(os.environ)
    known = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join((parent, known)) if known else parent
    try:
        return subprocess.Popen(
            [str(python), "-m", f"{package}.plugin.engine", "--data", str(folder), *options],
            stdin=subprocess.PIPE if "--settings-stdin" in options else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,  # not QGIS's, which may be on a disk that is to be taken out
            env=environment,
            close_fds=True,
            start_new_session=os.name == "posix",  # Ctrl-C in QGIS's terminal is not for the engine
            creationflags=no_window() | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as e:
        raise EngineFailed(tr("{python} can't be run.").format(python=python)) from e


def _lend(process: subprocess.Popen, settings: Mapping[str, Any]) -> None:
    """Write the settings on a thread of its own: they may be more than a pipe holds until the engine reads them."""
    line = json.dumps(settings).encode("ascii") + b"\n"

    def write() -> None:
        with contextlib.suppress(OSError), process.stdin as pipe:  # it has ended: its first line tells why
            pipe.write(line)

    threading.Thread(target=write, name="up42_jobs: engine settings", daemon=True).start()


def _first_line(process: subprocess.Popen, log: IO[bytes], folder: Path, log_start: int, cancel: Cancel) -> bytes:
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(
        target=_listen, args=(process, os.dup(log.fileno()), lines), name="up42_jobs: engine", daemon=True
    ).start()
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            line = lines.get(timeout=0.05)
        except queue.Empty:
            cancel.check()
            if time.monotonic() < deadline:
                continue
            process.kill()
            told = tr("It did not answer within {seconds} s.").format(seconds=round(START_SECONDS))
            raise EngineFailed(f"{told} {_last_lines(folder / LOG_FILE, log_start)}".strip()) from None
        if line:
            return line
        told = _last_lines(folder / LOG_FILE, log_start) or tr("It ended without a word.")
        raise EngineFailed(told)


def _listen(process: subprocess.Popen, log: int, lines: queue.Queue[bytes]) -> None:
    """Hand over the first line, log the rest so that no pipe ever fills up, and wait for the process's end."""
    output: Any = process.stdout
    with os.fdopen(log, "ab", buffering=0) as file, output:
        first = output.readline(FIRST_LINE_BYTES)
        if not first:
            process.wait()  # then standard error is complete
        lines.put(first)
        while True:
            more = output.read1(65_536)
            if not more:
                break
            file.write(more)
    process.wait()


def _read(line: bytes) -> dict[str, str]:
    try:
        known = json.loads(line)
    except ValueError:
        known = None
    if not isinstance(known, dict) or not all(isinstance(known.get(key), str) for key in _KEYS):
        raise EngineFailed(tr("Its first line is not what it should be."))
    if not is_loopback(urlsplit(known["url"]).hostname or ""):  # its keys are for this computer only
        raise EngineFailed(tr("It does not run on this computer."))
    return {key: known[key] for key in _KEYS}


def _open_log(path: Path) -> IO[bytes]:
    """The log to append to, readable by its owner only; begun anew when it has grown."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    if _size(path) > LOG_BYTES:
        flags |= os.O_TRUNC
    log = os.fdopen(os.open(path, flags, 0o600), "ab", buffering=0)
    log.seek(0, os.SEEK_END)
    return log


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _last_lines(path: Path, start: int) -> str:
    """The end of what the engine has said since `start`, in one line and without secrets; of a traceback, the error."""
    try:
        with path.open("rb") as file:
            file.seek(max(start, _size(path) - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = lines[-1:] if any(line.startswith("Traceback") for line in lines) else lines[-LINES_TOLD:]
    return redact(" ".join(lines))[-CHARACTERS_TOLD:]
