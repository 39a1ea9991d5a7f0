"""The arrows between the rooms run one way, as pyproject.toml draws them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_logo=True))"


def test_imports_follow_the_arrows():
    done = subprocess.run([sys.executable, "-c", LINT_IMPORTS], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
