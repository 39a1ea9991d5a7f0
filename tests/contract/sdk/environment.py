"""The environment that UP42's SDK runs in: made once in build/sdk-venv, known by a stamp, without system packages."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(__file__).parents[3] / "build" / "sdk-venv"
SECONDS = 170  # for the download of 150 MB; a test may take 180
NEWEST = (3, 11)  # up42-py 0.34.1 needs Python < 3.12
OLDEST = (3, 9)


class NoSdk(Exception):
    """The SDK can't be had here; the text says why."""


def sdk_python() -> Path:
    """The interpreter of the SDK's environment, made if it is not there. Raises NoSdk."""
    python = FOLDER / "bin" / "python"
    if _stamp_file().exists() and _stamp_file().read_text() == _stamp() and python.exists():
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
    _stamp_file().write_text(_stamp())
    return python


def _stamp_file() -> Path:
    return FOLDER / "stamp"


def _stamp() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _interpreter() -> str:
    """A Python of a version that fits. Raises NoSdk."""
    named = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    candidates = ["/usr/bin/python3", *(f"/usr/bin/{name}" for name in named), *named]
    for candidate in candidates:
        path = shutil.which(candidate)
        if path and OLDEST <= _version(path) <= NEWEST:
            return path
    raise NoSdk(f"no Python 3.9 to 3.11 with venv is here (this one is {sys.version.split()[0]})")


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
        raise NoSdk(f"{what}: not done after {SECONDS} s") from None
    if done.returncode:
        raise NoSdk(f"{what}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:300]}")
