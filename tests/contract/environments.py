"""Virtual environments of tests: made once in `build/`, known by a stamp, without system packages."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

BUILD = Path(__file__).parents[2] / "build"


class NoEnvironment(Exception):
    """The environment can't be had here; the text says why."""


@dataclass(frozen=True)
class Environment:
    """`name`: of its folder in `build/`. `oldest`, `newest`: Python's versions. `seconds`: for each step, at most."""

    name: str
    requirements: Path
    oldest: tuple[int, int]
    newest: Optional[tuple[int, int]] = None
    seconds: float = 150

    def python(self) -> Path:
        """Its interpreter, made if it is not there. Raises NoEnvironment."""
        folder = BUILD / self.name
        python, stamp = folder / "bin" / "python", folder / "stamp"
        wanted = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted and python.exists():
            return python
        interpreter = self._interpreter()
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(exist_ok=True)
        self._run("A virtual environment can't be made", interpreter, "-m", "venv", str(folder))
        self._run(
            "Its packages can't be installed (is there a network?)",
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--retries", "1", "--timeout", "20", "-r", str(self.requirements)),
        )
        stamp.write_text(wanted)
        return python

    def _interpreter(self) -> str:
        newest = self.newest or (3, 14)
        named = [f"python3.{minor}" for minor in range(newest[1], self.oldest[1] - 1, -1)]
        for candidate in ("/usr/bin/python3", *(f"/usr/bin/{name}" for name in named), *named):
            path = shutil.which(candidate)
            if path and self.oldest <= _version(path) <= newest:
                return path
        versions = f"from 3.{self.oldest[1]}" if self.newest is None else f"3.{self.oldest[1]} to 3.{self.newest[1]}"
        raise NoEnvironment(f"no Python {versions} with venv is here (this one is {sys.version.split()[0]})")

    def _run(self, what: str, *command: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=self.seconds, env=environment, check=False
            )
        except subprocess.TimeoutExpired:
            raise NoEnvironment(f"{what}: not done after {self.seconds:g} s") from None
        if done.returncode:
            raise NoEnvironment(f"{what}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:300]}")


def _version(python: str) -> tuple[int, ...]:
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20, check=True)
        return tuple(int(number) for number in done.stdout.split())
    return (0, 0)


_HERE = Path(__file__).parent
# up42-py 0.34.1 needs Python < 3.12; it downloads 150 MB, stac-fastapi 7 about 20. A test may take 180 s.
SDK = Environment("sdk-venv", _HERE / "sdk" / "requirements.txt", (3, 9), (3, 11), 170)
STAC_API = Environment("stac-venv", _HERE / "stac_api" / "requirements.txt", (3, 11))
