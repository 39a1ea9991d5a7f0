"""Rooms without Qt are importable where there is no QGIS, and starting the plugin needs neither shapely nor requests.

Each import happens in a Python of its own, in which the forbidden packages can't be found.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QT_AND_QGIS = ("qgis", "processing", "PyQt5", "PyQt6", "sip")

BLOCKER = """
import importlib, importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError("No module named " + repr(name) + " (kept out by the test)", name=name)

sys.meta_path.insert(0, Absent())
for module in {modules}:
    importlib.import_module(module)
print("imported", len({modules}))
"""


def modules_of(room: str) -> list[str]:
    """Every module of `room` by its full name, found on disk so that a new one is tested too."""
    files = sorted((ROOT / "plugin" / room).rglob("*.py"))
    names = (file.relative_to(ROOT).with_suffix("").parts for file in files if file.name != "__main__.py")
    return [".".join(("up42_jobs", *(part for part in parts if part != "__init__"))) for parts in names]


def import_without(absent: tuple[str, ...], modules: list[str]) -> subprocess.CompletedProcess:
    code = BLOCKER.format(absent=set(absent), modules=modules)
    return subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("room", "also_absent"),
    [
        ("jobs", ("requests", "urllib3", "osgeo", "shapely")),
        ("net", ("osgeo",)),
        ("platforms", ("osgeo", "shapely")),
        ("delivery", ("osgeo", "shapely")),
        ("engine", ("requests",)),
    ],
)
def test_room_imports_without_qgis(room, also_absent):
    modules = modules_of(room)
    assert len(modules) > 1, f"no modules found in {room}"

    done = import_without(QT_AND_QGIS + also_absent, modules)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"imported {len(modules)}"


def test_the_blocker_blocks():
    done = import_without(("shapely",), ["shapely.geometry"])

    assert done.returncode != 0
    assert "kept out by the test" in done.stderr


def test_plugin_starts_without_shapely_and_requests():
    done = import_without(("shapely", "requests"), ["up42_jobs", "up42_jobs.plugin.main"])

    assert done.returncode == 0, done.stderr
