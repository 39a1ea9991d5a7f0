"""The interpreter of the local engine: tried before it is trusted, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from up42_jobs.plugin.host import engine_folder, local_engine_python
from up42_jobs.plugin.host.engine_process import default_data_folder
from up42_jobs.plugin.host.local_engine_python import (
    PythonMissing,
    candidates,
    child_environment,
    find_python,
    how_to_mend,
    what_is_missing,
)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Python that has none of the packages."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python3"


def test_the_python_that_runs_us_is_found() -> None:
    found = find_python()
    assert what_is_missing(found) == []
    assert candidates()[0].name.startswith(f"python{sys.version_info.major}")


def test_a_python_without_the_packages_is_passed_over(bare_python: Path, tmp_path: Path) -> None:
    assert what_is_missing(bare_python) == ["osgeo", "numpy", "shapely"]
    no_program = tmp_path / "python3"
    no_program.write_text("no program")
    assert what_is_missing(no_program) is None
    assert find_python([no_program, bare_python, Path(sys.executable)]) == Path(sys.executable)


def test_what_is_missing_is_said_with_the_command_that_mends_it(
    bare_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_engine_python, "linux_family", lambda: ["ubuntu", "debian"])
    with pytest.raises(PythonMissing, match="sudo apt install python3-gdal python3-numpy python3-shapely"):
        find_python([tmp_path / "none", bare_python])
    assert how_to_mend(["shapely"]).endswith("lacks shapely. Run: sudo apt install python3-shapely")
    monkeypatch.setattr(local_engine_python, "linux_family", lambda: ["fedora"])
    assert "sudo dnf install python3-shapely" in how_to_mend(["shapely"])
    monkeypatch.setattr(local_engine_python, "linux_family", list)
    assert f'"{candidates()[0]}" -m pip install --user shapely' in how_to_mend(["shapely"])
    with pytest.raises(PythonMissing, match="Reinstall QGIS"):
        find_python([])


def test_qgis_itself_is_no_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("qgis-bin.exe", "QGIS"):
        program = tmp_path / name
        program.write_text("")
        monkeypatch.setattr(sys, "executable", str(program))
        assert program not in candidates()
    monkeypatch.setattr(sys, "executable", None)
    assert candidates()


def test_a_macos_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundle = tmp_path / "QGIS.app" / "Contents" / "MacOS"
    (bundle / "bin").mkdir(parents=True)
    for path in (bundle / "QGIS", bundle / "bin" / "python3"):
        path.write_text("")
    for name in ("prefix", "exec_prefix", "base_prefix"):
        monkeypatch.setattr(sys, name, str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "executable", str(bundle / "QGIS"))
    assert candidates() == [bundle / "bin" / "python3"]


def test_the_childs_environment_keeps_what_finds_libraries_and_drops_what_misleads() -> None:
    kept = {
        "UP42_JOBS_STAC_URL": "https://example.org/stac",
        "PATH": "p",
        "PYTHONHOME": "h",
        "PYTHONPATH": "x",
        "LD_LIBRARY_PATH": "l",
        "GDAL_DATA": "g",
    }
    dropped = {"__PYVENV_LAUNCHER__": "v", "PYTHONSTARTUP": "s", "PYTHONWARNINGS": "error", "UP42_JOBS_URL": "u"}
    assert child_environment({**kept, **dropped}) == {**kept, "PYTHONUTF8": "1"}


def test_the_data_folder_is_in_the_profile_unless_the_environment_says_where(
    qgis_app: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UP42_JOBS_ENGINE_DATA", raising=False)
    monkeypatch.setattr(engine_folder.QgsApplication, "qgisSettingsDirPath", lambda: str(tmp_path / "profile"))
    assert default_data_folder() == tmp_path / "profile" / "up42_jobs" / "engine"
    monkeypatch.setenv("UP42_JOBS_ENGINE_DATA", str(tmp_path / "elsewhere"))
    assert default_data_folder() == tmp_path / "elsewhere"


def test_a_profile_on_a_network_share_keeps_its_engine_on_a_local_disk(
    qgis_app: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UP42_JOBS_ENGINE_DATA", raising=False)
    monkeypatch.setattr(engine_folder.QgsApplication, "qgisSettingsDirPath", lambda: str(tmp_path))
    profile = tmp_path / "up42_jobs" / "engine"
    monkeypatch.setattr(engine_folder, "is_on_network_share", lambda path: path == profile)
    found = default_data_folder()
    assert found != profile and found.name == "engine"


def test_a_folder_that_others_may_write_to_is_not_ours(tmp_path: Path) -> None:
    assert engine_folder._is_ours(tmp_path / "not there yet")
    tmp_path.chmod(0o777)
    assert not engine_folder._is_ours(tmp_path)
    if os.getuid() == 0:
        tmp_path.chmod(0o700)
        os.chown(tmp_path, 65534, 65534)
        assert not engine_folder._is_ours(tmp_path)
        os.chown(tmp_path, 0, 0)


def test_local_disks_are_no_network_shares(tmp_path: Path) -> None:
    assert not engine_folder.is_on_network_share(tmp_path / "not" / "there" / "yet")
