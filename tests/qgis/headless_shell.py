"""A shell as on a machine of its own without a display: a fresh profile with the plugin enabled, and `qgis_process`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Mapping

ROOT = Path(__file__).parents[2]
SECONDS = 120


class HeadlessShell:
    """`home` is the folder that commands run in."""

    def __init__(self, home: Path, engine_data: Path) -> None:
        self.home = home
        program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
        if program is None:
            raise AssertionError("qgis_process belongs to QGIS")
        self.program = program
        plugins = home / "config/profiles/default/python/plugins"
        plugins.mkdir(parents=True)
        (plugins / "up42_jobs").symlink_to(ROOT)
        settings = home / "config/profiles/default/QGIS"
        settings.mkdir()
        (settings / "QGIS3.ini").write_text("[PythonPlugins]\nup42_jobs=true\n")
        (home / "run").mkdir(mode=0o700)
        (home / "bin").mkdir()
        (home / "bin/qgis_process").symlink_to(program)
        self.environment = {
            "PATH": f"{home / 'bin'}:/usr/bin:/bin",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_CUSTOM_CONFIG_PATH": str(home / "config"),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "UP42_JOBS_ENGINE_DATA": str(engine_data),
        }

    def __call__(self, *command: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `more` is added to the environment."""
        return subprocess.run(
            command, env={**self.environment, **more}, cwd=self.home, input=stdin,
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )

    def start(self, *command: str, **more: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            command, env={**self.environment, **more}, cwd=self.home, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )

    def run(self, algorithm: str, inputs: Mapping[str, Any], **more: str) -> subprocess.CompletedProcess[str]:
        """`qgis_process run` with plain arguments."""
        arguments = [f"{name}={value}" for name, value in inputs.items()]
        return self("qgis_process", "run", f"up42jobs:{algorithm}", "--", *arguments, **more)

    def results(self, algorithm: str, inputs: Mapping[str, Any], **more: str) -> dict[str, Any]:
        """The outputs of `qgis_process --json run`, which must succeed."""
        arguments = [f"{name}={value}" for name, value in inputs.items()]
        done = self("qgis_process", "--json", "run", f"up42jobs:{algorithm}", "--", *arguments, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout[done.stdout.index("{"):])["results"]
