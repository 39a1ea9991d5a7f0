"""One delivery in a process of its own: `python delivery_worker.py URL FOLDER` prints its seconds and memory as JSON.

Only the delivery is timed: in QGIS the plugin is there already.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from up42_jobs.plugin.delivery.deliver import deliver
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import Session


def memory(field: str) -> int:
    """Bytes from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main(url: str, folder: str) -> None:
    session = Session()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    idle = memory("VmRSS")
    started = time.perf_counter()
    delivered = deliver(
        session,
        lambda: url,
        Path(folder),
        "Bench",
        lambda files: {"request": {}, "job": {"id": "bench"}},
        job_id="bench",
        cancel=Cancel(),
    )
    seconds = time.perf_counter() - started
    files = len(delivered.files)
    print(json.dumps({"seconds": seconds, "memory": memory("VmHWM") - idle, "files": files}))


if __name__ == "__main__":
    main(*sys.argv[1:])
