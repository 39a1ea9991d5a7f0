"""The interpreter of the local engine: QGIS's own Python, run once before it is trusted.

Nothing here needs shapely: this is what finds out, and says, that it is missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Iterable, Mapping, Optional

from qgis.PyQt.QtCore import QCoreApplication

TRIAL_SECONDS = 60.0  # the first start on a cold disk, under a virus scanner
_TRIAL = """
import sys
if sys.version_info < (3, 9):
    print("Python 3.9")
for name in ("osgeo.gdal", "numpy", "shapely"):
    try:
        __import__(name)
    except ImportError:
        print(name.partition(".")[0])
"""
_APT = {"osgeo": "python3-gdal", "numpy": "python3-numpy", "shapely": "python3-shapely"}
_DROPPED = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
# The engine has no use for secrets of QGIS, nor for a connection that is meant for the plugin.
_DROPPED_PREFIXES = ("QGIS_", "PYQGIS_", "QT_", "UP42_JOBS_")
_KEPT_PREFIX = "UP42_JOBS_STAC_"  # where its blocks find imagery


class PythonMissing(Exception):
    """No Python that can run the engine; the text says what is missing and the one command that mends it."""


def child_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for a Python beside QGIS.

    PYTHONHOME, PATH and the library paths stay: on Windows and macOS QGIS's Python finds its home and GDAL by them.
    What makes a child wait for input, turn warnings into errors or take itself for its parent goes.
    """
    kept = {
        name: value
        for name, value in given.items()
        if name.upper().startswith(_KEPT_PREFIX)
        or (name.upper() not in _DROPPED and not name.upper().startswith(_DROPPED_PREFIXES))
    }
    return {**kept, "PYTHONUTF8": "1"}


def no_window() -> int:
    """The process creation flag that keeps a console window from showing on Windows; 0 elsewhere."""
    return getattr(subprocess, "CREATE_NO_WINDOW", 0)


def candidates() -> list[Path]:
    """Where QGIS's Python may be, most likely first; only files that are there.

    `sys.executable` comes last: inside QGIS it may be another Python, or QGIS itself (then it is left out).
    """
    names = [f"python{sys.version_info.major}.{sys.version_info.minor}", "python3", "python"]
    program = Path(sys.executable or "")
    folders: list[Path] = []
    for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix):
        folders += [Path(prefix) / "Scripts", Path(prefix)] if os.name == "nt" else [Path(prefix) / "bin"]
    if os.name == "nt":
        names = [f"{name}.exe" for name in reversed(names)]
    folders += [program.parent / "bin", program.parent]  # macOS: QGIS.app/Contents/MacOS
    found = [folder / name for folder in folders for name in names]
    found.append(program)
    named = [path for path in found if path.name.lower().startswith("python") and path.is_file()]
    return list(dict.fromkeys(named))


def find_python(tried: Optional[Iterable[Path]] = None) -> Path:
    """The first candidate that can import osgeo, numpy and shapely. Raises PythonMissing. Worker thread: it waits."""
    least_missing: Optional[list[str]] = None
    for python in candidates() if tried is None else tried:
        missing = what_is_missing(python)
        if missing == []:
            return python
        if missing is not None and (least_missing is None or len(missing) < len(least_missing)):
            least_missing = missing
    raise PythonMissing(how_to_mend(least_missing or []))


def what_is_missing(python: Path) -> Optional[list[str]]:
    """What this Python lacks for the engine; [] if nothing, None if it can't be run at all."""
    try:
        trial = subprocess.run(
            [str(python), "-c", _TRIAL],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            env=child_environment(os.environ),
            creationflags=no_window(),
            check=False,
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return trial.stdout.split("\n")[:-1] if trial.returncode == 0 else None


def how_to_mend(missing: list[str]) -> str:
    """A sentence: what QGIS's Python lacks, and the command that installs it on this system."""
    if not missing or any(name not in _APT for name in missing):
        return _tr(
            "The local engine can't run: no usable Python was found beside QGIS. Reinstall QGIS with its Python."
        )
    return _tr("The local engine can't run: QGIS's Python lacks {missing}. {command}").format(
        missing=", ".join(missing), command=install_command(missing)
    )


def install_command(missing: list[str]) -> str:
    """How to install Python packages (of osgeo, numpy, shapely) for QGIS's Python on this system, as a sentence."""
    if os.name == "nt":
        return _tr("Run in the OSGeo4W Shell: {command}").format(command=f"python -m pip install {' '.join(missing)}")
    packages = " ".join(_APT[name] for name in missing)
    family = linux_family()
    if "debian" in family or "ubuntu" in family:
        return _tr("Run: {command}").format(command=f"sudo apt install {packages}")
    if "fedora" in family or "rhel" in family:
        return _tr("Run: {command}").format(command=f"sudo dnf install {packages}")
    python = next(iter(candidates()), "python3")
    return _tr("Run: {command}").format(command=f'"{python}" -m pip install --user {" ".join(missing)}')


def linux_family() -> list[str]:
    """The words of ID and ID_LIKE in os-release; [] where there is none."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return []
    pairs = dict(line.partition("=")[::2] for line in text.splitlines())
    return f"{pairs.get('ID', '')} {pairs.get('ID_LIKE', '')}".replace('"', "").replace("'", "").split()


def _tr(text: str) -> str:
    return QCoreApplication.translate("UP42Jobs", text)
