"""Runs a STAC block once in a process of its own and prints seconds and peak memory (kB) as JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import TaskContext


def peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main(name: str, parameters: str, folder: Path) -> None:
    for part in ("output", "quicklooks"):
        (folder / part).mkdir(parents=True)
    begin = time.monotonic()
    task = TaskContext(json.loads(parameters), folder / "output", folder / "quicklooks", logging.getLogger("bench"))
    block_by_name(name).run(task)
    print(json.dumps({"seconds": time.monotonic() - begin, "peak_kb": peak()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
