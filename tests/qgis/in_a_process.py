"""What would take the test run with it if it went wrong: a script in a QGIS process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
GOOD = "all is well"


def run_alone(script: str, home: Path, seconds: float = 60) -> None:
    """Run `script` without a display, its profile in `home`; it must print GOOD in time."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=REPOSITORY,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "XDG_RUNTIME_DIR": str(home),
             "QGIS_CUSTOM_CONFIG_PATH": str(home), "QGIS_AUTH_DB_DIR_PATH": str(home),
             "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert GOOD in done.stdout, done.stderr
