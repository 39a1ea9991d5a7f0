"""The environment of stac-fastapi: made once in build/stac-venv, known by a stamp, without system packages."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(__file__).parents[3] / "build" / "stac-venv"
SECONDS = 150  # for the download of 20 MB; a test may take 180
OLDEST = (3, 11)  # stac-fastapi 7


class NoStacApi(Exception):
    """stac-fastapi can't be had here; the text says why."""


def stac_python() -> Path:
    """The interpreter of its environment, made if it is not there. Raises NoStacApi."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / "stamp"
    if stamp.exists() and stamp.read_text() == _stamp() and python.exists():
        return python
    interpreter = _interpreter()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(exist_ok=True)
    _run("A virtual environment can't be made", interpreter, "-m", "venv", str(FOLDER))
    _run(
        "Its packages can't be installed (is there a network?)",
        *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--retries", "1", "--timeout", "20", "-r", str(REQUIREMENTS)),
    )
    stamp.write_text(_stamp())
    return python


def _stamp() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _interpreter() -> str:
    for candidate in ("/usr/bin/python3", "python3.13", "python3.12", "python3.11"):
        path = shutil.which(candidate)
        if path and _version(path) >= OLDEST:
            return path
    raise NoStacApi(f"no Python from 3.11 with venv is here (this one is {sys.version.split()[0]})")


def _version(python: str) -> tuple[int, ...]:
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20, check=True)
        return tuple(int(number) for number in done.stdout.split())
    return (0, 0)


def _run(what: str, *command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise NoStacApi(f"{what}: not done after {SECONDS} s") from None
    if done.returncode:
        raise NoStacApi(f"{what}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:300]}")
