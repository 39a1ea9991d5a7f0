"""The folder of one task: what stands where, and what is in it before and after the work.

`DIR/jobs/<job>/<task>/` holds task.json, output/, quicklooks/, output.tgz, log.txt; beside it `<task>.lock`, which a
worker holds for as long as it lives.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any, Optional

from .files import make_private_folder, read_json, write_private_json

JOBS_FOLDER = "jobs"
MAX_LOG_BYTES = 2_000_000  # what a caller gets of a log; GDAL can write much more
LOG_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"  # contract 3.2 rule 5: UP42's own blocks


class TaskFolder:
    """The paths of one task."""

    def __init__(self, path: Path):
        self.path = path
        self.order = path / "task.json"  # what is to be done, written by the runner
        self.output = path / "output"
        self.data_json = self.output / "data.json"
        self.quicklooks = path / "quicklooks"
        self.archive = path / "output.tgz"
        self.log = path / "log.txt"
        self.usage = path / "usage.json"  # what was used, written by the worker
        self.progress = path / "progress"
        self.temporary = path / "tmp"
        self.lock = path.with_name(f"{path.name}.lock")

    @classmethod
    def of(cls, data: Path, job_id: str, task_id: str) -> TaskFolder:
        """The folder of a task whose ids come from the store."""
        return cls(data / JOBS_FOLDER / job_id / task_id)

    def prepare(self, order: dict[str, Any]) -> None:
        """Make the folder and say what is to be done. Raises OSError."""
        make_private_folder(self.path)
        write_private_json(self.order, order)

    def clear(self) -> None:
        """Take away everything that an earlier try has made, but its log. Raises OSError."""
        for folder in (self.output, self.quicklooks, self.temporary):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.archive, self.archive.with_name("output.tgz.part"), self.usage, self.progress):
            file.unlink(missing_ok=True)

    def say(self, level: str, message: str) -> None:
        """Add a line to the log in the engine's name; lost where the disk takes no more."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        try:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{moment},000 - engine - {level} - {message}\n")
        except OSError:
            return

    def log_text(self) -> str:
        """The log; of a very long one the end."""
        try:
            with open(self.log, "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - MAX_LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return text if size <= MAX_LOG_BYTES else f"[… the first {size - MAX_LOG_BYTES} bytes are left out]\n{text}"

    def read_progress(self) -> Optional[float]:
        """How much of the task is done, 0 to 1; None where the block doesn't tell."""
        try:
            return float(self.progress.read_text())
        except (OSError, ValueError):
            return None

    def read_usage(self) -> tuple[Optional[float], Optional[float]]:
        """(units of the block's price, seconds) as the worker measured them; None where it could not."""
        usage = read_json(self.usage) or {}
        return usage.get("units"), usage.get("seconds")
