"""Look at the newest build/up42_jobs-*.zip as plugins.qgis.org does at upload: with bandit and detect-secrets.

The upload is blocked by the rules in `BLOCKING` (mandatory there since 2026; `# nosec` is not counted here) and by any
secret found. Other findings of bandit are printed: the site shows them as warnings.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

BUILD = Path(__file__).resolve().parent.parent / "build"
TOP = "up42_jobs"
BLOCKING = {
    *("B102", "B103", "B105", "B106", "B107", "B111", "B201", "B202", "B301", "B302", "B304", "B305", "B306", "B307"),
    *("B312", "B321", "B323", "B401", "B402", "B412", "B413", "B501", "B502", "B503", "B505", "B506", "B507", "B601"),
    *("B602", "B604", "B605", "B609", "B610", "B611", "B612", "B613", "B615", "B701"),
}


def layout_problems(names: list[str]) -> list[str]:
    """Return what is wrong with the names in the zip."""
    problems = [f"{name} is outside the folder {TOP}" for name in names if not name.startswith(f"{TOP}/")]
    hidden = [name for name in names if "__pycache__" in name or any(part.startswith(".") for part in name.split("/"))]
    problems += [f"{name} is hidden or compiled, or leaves the folder" for name in hidden]
    needed = [f"{TOP}/{name}" for name in ("LICENSE", "metadata.txt", "__init__.py")]
    return problems + [f"{name} is missing" for name in needed if name not in names]


def run_json(*arguments: str) -> Any:
    """Run a module of this Python and return the JSON that it prints."""
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit(f"!! {arguments[0]} did not run: {done.stderr.strip()[-500:]}")


def bandit_findings(folder: Path) -> list[tuple[str, str]]:
    """Return (rule, a line saying where and what) of each finding."""
    report = run_json("bandit", "--quiet", "--recursive", "--ignore-nosec", "--format", "json", str(folder))
    errors = [f"{error['filename']}: {error['reason']}" for error in report["errors"]]
    if errors:
        sys.exit("!! bandit could not read " + "; ".join(errors))
    findings = []
    for one in report["results"]:
        place = f"{Path(one['filename']).relative_to(folder.parent)}:{one['line_number']}"
        findings.append((one["test_id"], f"{place} {one['test_id']} {one['issue_text']}"))
    return findings


def secrets(folder: Path) -> list[str]:
    """Return one line for each secret that detect-secrets believes to see (never the secret itself)."""
    report = run_json("detect_secrets", "-C", str(folder), "scan", "--all-files", ".")
    return [
        f"{folder / found['filename']}:{found['line_number']} looks like a secret ({found['type']})"
        for group in report["results"].values()
        for found in group
    ]


def main() -> int:
    """Scan the package; 0 when the site would take it."""
    packages = sorted(BUILD.glob(f"{TOP}-*.zip"), key=lambda path: path.stat().st_mtime)
    if not packages:
        sys.exit("!! There is no package yet: make package")
    scratch = Path(tempfile.mkdtemp())
    try:
        with zipfile.ZipFile(packages[-1]) as archive:
            blocking = layout_problems(archive.namelist())
            if not blocking:
                archive.extractall(scratch)
                findings = bandit_findings(scratch / TOP)
                blocking += [line for rule, line in findings if rule in BLOCKING] + secrets(scratch / TOP)
                warnings = [line for rule, line in findings if rule not in BLOCKING]
                print("\n".join(f"   warning: {line}" for line in warnings), end="\n" if warnings else "")
    finally:
        shutil.rmtree(scratch)
    if blocking:
        print("\n".join(f"!! {line}" for line in blocking), file=sys.stderr)
        return 1
    print(f"== {packages[-1].name}: nothing that blocks an upload")
    return 0


if __name__ == "__main__":
    sys.exit(main())
