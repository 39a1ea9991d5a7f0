"""Runs one block in a process of its own, as the engine does: `blocks_worker.py BLOCK PARENT OUTPUT PARAMETERS`.

Prints a line of JSON: seconds of the work, and the peak of the resident memory in MB (VmHWM).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from up42_jobs.plugin.engine.blocks import block_by_name
from up42_jobs.plugin.engine.blocks.base import TaskContext


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


name, parent, output, parameters = sys.argv[1:]
folder = Path(output)
(folder / "quicklooks").mkdir(parents=True)
task = TaskContext(
    json.loads(parameters), folder, folder / "quicklooks", logging.getLogger(name), parent_output=Path(parent)
)
started = time.monotonic()
block_by_name(name).run(task)
print(json.dumps({"seconds": time.monotonic() - started, "peak_mb": peak_mb()}))
