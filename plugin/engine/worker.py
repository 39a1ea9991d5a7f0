"""Runs one task in a process of its own: `python -m up42_jobs.plugin.engine.worker TASKDIR`.

Standard input is a pipe that the engine holds open: when it closes, the engine is gone and so is the worker. The exit
code says how it went (contract 3.2 rule 5). What it writes to standard error is the task's log.
"""

from __future__ import annotations

import errno
import importlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Mapping

from .archive import make_archive
from .blocks.base import Block, BlockFailure, TaskContext
from .lock import FileLock
from .taskfolder import LOG_FORMAT, TaskFolder
from .usage import used_units

EXIT_CODES: Mapping[str, int] = {
    "INPUT_PARAMETERS_ERROR": 2,
    "NO_INPUT_ERROR": 3,
    "WRONG_INPUT_ERROR": 4,
    "API_CONNECTION_ERROR": 5,
    "NO_OUTPUT_ERROR": 6,
}
UNDEFINED = 100
OUT_OF_MEMORY = 137
FAULT = 1
NICENESS = 10  # the map on the screen comes first
NO_SPACE_BYTES = 8_000_000  # with less than this free, a failure is put down to the full disk
PROGRESS_SECONDS = 0.25


def main(arguments: list[str]) -> int:
    """Run the task of the folder that is the one argument; returns the exit code."""
    folder = TaskFolder(Path(arguments[0]))
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    _log_to_standard_error()
    # A worker of an engine that was killed a moment ago may still be on its way out: wait for it.
    FileLock(folder.lock).acquire(wait=True)
    return run_task(folder)


def _end_with_the_engine() -> None:
    """Wait for the end of standard input, then end this process and those that it has started."""
    while os.read(0, 1024):
        continue
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(FAULT)


def _log_to_standard_error() -> None:
    logging.raiseExceptions = False  # a full disk must not flood the log with its own failure
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(format=LOG_FORMAT, level=logging.INFO, stream=sys.stderr)


def run_task(folder: TaskFolder) -> int:
    """Do what `task.json` says; returns the exit code. A task that fails leaves its log and nothing else."""
    order = json.loads(folder.order.read_bytes())
    log = logging.getLogger(order["block_name"])
    started = time.monotonic()
    try:
        folder.clear()
        for path in (folder.output, folder.quicklooks, folder.temporary):
            path.mkdir()
        log.info("%s of task %s begins. Times are UTC.", "Test Query" if order["dry_run"] else "Work", order["name"])
        block: Block = importlib.import_module(order["blocks"]).BLOCKS[order["block_id"]]
        block.run(_context(folder, order, log))
        _deliver(folder, order, block, started)
        log.info("Done in %.1f s.", time.monotonic() - started)
        return 0
    except BlockFailure as e:
        log.error("[%s] %s", e.code, e)
        return EXIT_CODES.get(e.code, UNDEFINED)
    except Exception as e:
        return _explain(log, e, folder)


def _context(folder: TaskFolder, order: Mapping[str, Any], log: logging.Logger) -> TaskContext:
    parent = order["parent_output"]
    return TaskContext(
        parameters=order["parameters"],
        output=folder.output,
        quicklooks=folder.quicklooks,
        log=log,
        parent_output=Path(parent) if parent else None,
        aoi=order["aoi"],
        dry_run=order["dry_run"],
        settings=order["settings"],
        progress=_progress_writer(folder.progress),
    )


def _progress_writer(path: Path) -> Callable[[float], None]:
    last = 0.0

    def write(fraction: float) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            path.write_text(f"{min(max(fraction, 0.0), 1.0):.3f}")

    return write


def _deliver(folder: TaskFolder, order: Mapping[str, Any], block: Block, started: float) -> None:
    if not folder.data_json.is_file():
        raise BlockFailure("NO_OUTPUT_ERROR", "The block has written no data.json: please report this.")
    units = used_units(block.description.price.unit, folder.output, order["parameters"])
    shutil.rmtree(folder.temporary, ignore_errors=True)
    make_archive(folder.output, folder.archive, only_data_json=order["dry_run"])
    folder.usage.write_text(json.dumps({"units": units, "seconds": time.monotonic() - started}))


def _explain(log: logging.Logger, error: Exception, folder: TaskFolder) -> int:
    """Log what went wrong in the words of who can mend it; returns the exit code."""
    if isinstance(error, MemoryError):
        log.error("[OUT_OF_MEMORY] There is not enough memory for this task: use a smaller AOI or fewer scenes.")
        return OUT_OF_MEMORY
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if full or "No space left" in str(error) or shutil.disk_usage(folder.path).free < NO_SPACE_BYTES:
        log.error("[DISK_FULL] The disk is full at %s: free some space and run the job again.", _data_folder(folder))
        return FAULT
    log.error("[UNDEFINED_ERROR] %s: %s", type(error).__name__, error, exc_info=error)
    return FAULT


def _data_folder(folder: TaskFolder) -> Path:
    """DIR of DIR/jobs/<job>/<task>."""
    return folder.path.parents[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
