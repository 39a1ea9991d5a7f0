"""Works on the jobs that wait: a few at once, first come first served, each task in a process of its own.

What is to be done is read from the store alone, so an engine that was killed goes on where it was: a job that is
RUNNING in the store and that no thread of ours works on is one to go on with, from its first task without a success.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, TypeVar

from ..jobs.aoi import GEOMETRY_PARAMETERS
from . import stored_jobs
from .block_settings import block_settings
from .blocks.base import Block
from .credits import charge, most_credits
from .network import NetworkSettings
from .process import WorkerProcess
from .store import Store
from .taskfolder import TaskFolder

MAX_JOBS_AT_ONCE = 4
STOP_SECONDS = 5.0  # a killed process is gone in milliseconds; one that waits for a dead disk is not waited for
RETRY_SECONDS = 1.0  # while the store can't be written (full disk)


class EngineStops(Exception):
    """The work is to be left as it is; the next engine goes on with it."""


_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Runner:
    """Runs jobs on threads of its own until `stop`."""

    def __init__(
        self,
        data: Path,
        store: Store,
        blocks: Mapping[str, Block],
        blocks_module: str,
        network: NetworkSettings,
        changed: Callable[[], None],
    ):
        """`changed` is called after each change of a job in the store."""
        self._data = data
        self._store = store
        self._blocks = blocks
        self._blocks_module = blocks_module
        self._network = network
        self._changed = changed
        self._condition = threading.Condition()
        self._claimed: set[str] = set()
        self._processes: dict[str, WorkerProcess] = {}  # by job id
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"jobs-{number}", daemon=True)
            for number in range(min(MAX_JOBS_AT_ONCE, os.cpu_count() or 1))
        ]

    def start(self) -> None:
        """Go on with what an earlier engine has left, then with what comes."""
        stored_jobs.finish_cancelling(self._store)
        self._changed()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is a new job."""
        with self._condition:
            self._condition.notify()

    def cancel(self, job_id: str) -> None:
        """Cancel a job: one that waits ends at once, one that runs as soon as its process is gone."""
        with self._condition:
            running = stored_jobs.ask_to_cancel(self._store, job_id)
            process = self._processes.get(job_id)
        if running and process:
            process.kill()
        self._changed()

    def stop(self) -> None:
        """Stop all work. What was running is RUNNING in the store still, and starts again with the next engine."""
        with self._condition:
            self._stopping = True
            processes = list(self._processes.values())
            self._condition.notify_all()
        for process in processes:
            process.kill()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while True:
            job_id = self._next_job()
            if job_id is None:
                return
            try:
                self._run_job(job_id)
            except EngineStops:
                return
            except Exception:
                _log.exception("Job %s could not be worked on", job_id)
                self._try_to_persist(partial(stored_jobs.end_job, self._store, job_id, stored_jobs.ERROR))
            with self._condition:
                self._claimed.discard(job_id)

    def _next_job(self) -> Optional[str]:
        """Wait for a job and claim it; None at the end."""
        with self._condition:
            while not self._stopping:
                for job_id in stored_jobs.waiting_job_ids(self._store):
                    if job_id not in self._claimed:
                        self._claimed.add(job_id)
                        return job_id
                self._condition.wait()
            return None

    def _run_job(self, job_id: str) -> None:
        if not self._persist(lambda: stored_jobs.begin_job(self._store, job_id)):
            return
        parent: Optional[Mapping[str, Any]] = None
        outcome = stored_jobs.SUCCEEDED
        for task in stored_jobs.job_task_rows(self._store, job_id):
            if task["status"] != stored_jobs.SUCCEEDED:
                outcome = self._run_task(task, parent)
                if outcome != stored_jobs.SUCCEEDED:
                    break
            parent = task
        self._persist(lambda: stored_jobs.end_job(self._store, job_id, outcome))

    def _run_task(self, task: Mapping[str, Any], parent: Optional[Mapping[str, Any]]) -> str:
        """Run one task and store how it ended; returns its status."""
        if not self._persist(lambda: stored_jobs.begin_task(self._store, task)):
            return stored_jobs.CANCELLED
        folder = TaskFolder.of(self._data, task["job_id"], task["id"])
        try:
            if task["status"] == stored_jobs.RUNNING:
                folder.say("WARNING", "The engine ended while this task ran: it starts again.")
            folder.prepare(self._order(task, parent))
            process = self._spawn(task["job_id"], folder)
        except OSError as e:
            name = "DISK_FULL" if e.errno == errno.ENOSPC else "UNDEFINED_ERROR"
            folder.say("ERROR", f"[{name}] The task can't be started: {e.strerror or e}.")
            return self._end_task(folder, task, stored_jobs.FAILED)
        code = process.wait()
        with self._condition:
            del self._processes[task["job_id"]]
            stopping = self._stopping
        if code == 0:
            return self._succeed(folder, task)
        if stopping:
            raise EngineStops
        return self._fail(folder, task, code)

    def _order(self, task: Mapping[str, Any], parent: Optional[Mapping[str, Any]]) -> dict[str, Any]:
        """What the worker is to do: the content of task.json."""
        job = stored_jobs.job_row(self._store, task["job_id"])
        of_data_task = json.loads(stored_jobs.job_task_rows(self._store, task["job_id"])[0]["parameters"])
        parent_folder = TaskFolder.of(self._data, parent["job_id"], parent["id"]) if parent else None
        return {
            "name": task["name"],
            "blocks": self._blocks_module,
            "block_id": task["block_id"],
            "block_name": task["block_name"],
            "parameters": json.loads(task["parameters"]),
            "aoi": {name: of_data_task[name] for name in GEOMETRY_PARAMETERS if of_data_task.get(name) is not None},
            "dry_run": job["mode"] == stored_jobs.DRY_RUN,
            "parent_output": str(parent_folder.output) if parent_folder else None,
            "settings": block_settings(self._store, self._data),
        }

    def _spawn(self, job_id: str, folder: TaskFolder) -> WorkerProcess:
        """Start the worker. One that was cancelled meanwhile is killed at once. Raises OSError."""
        with self._condition:
            if self._stopping:
                raise EngineStops
            process = WorkerProcess(folder, self._network.environment)
            self._processes[job_id] = process
            cancelled = stored_jobs.job_row(self._store, job_id)["status"] != stored_jobs.RUNNING
        if cancelled:
            process.kill()
        return process

    def _succeed(self, folder: TaskFolder, task: Mapping[str, Any]) -> str:
        job = stored_jobs.job_row(self._store, task["job_id"])
        consumption = json.loads(job["estimate"]).get(task["name"])
        for_block = for_machine = most = 0
        if consumption:
            units, seconds = folder.read_usage()
            block = self._blocks[task["block_id"]].description
            for_block, for_machine = charge(block, consumption, units, seconds or 0.0)
            most = most_credits(consumption)
        self._persist(lambda: stored_jobs.succeed_task(self._store, task, for_block, for_machine, most))
        return stored_jobs.SUCCEEDED

    def _fail(self, folder: TaskFolder, task: Mapping[str, Any], code: int) -> str:
        cancelled = stored_jobs.job_row(self._store, task["job_id"])["status"] == stored_jobs.CANCELLING
        if cancelled:
            folder.say("WARNING", "Cancelled.")
        elif code < 0:
            folder.say("ERROR", f"[UNDEFINED_ERROR] The task's process was ended by signal {-code}: memory ran out?")
        return self._end_task(folder, task, stored_jobs.CANCELLED if cancelled else stored_jobs.FAILED)

    def _end_task(self, folder: TaskFolder, task: Mapping[str, Any], status: str) -> str:
        try:
            folder.clear()  # first of all: on a full disk the store needs the room
        except OSError as e:
            _log.warning("The folder of task %s could not be cleared: %s", task["id"], e)
        self._persist(lambda: stored_jobs.end_task(self._store, task["id"], status))
        return status

    def _try_to_persist(self, change: Callable[[], object]) -> None:
        try:
            self._persist(change)
        except (EngineStops, sqlite3.Error):
            _log.exception("How a job ended could not be stored")

    def _persist(self, change: Callable[[], _Result]) -> _Result:
        """Make a change to the store, again and again while the disk is full."""
        while True:
            try:
                result = change()
                self._changed()
                return result
            except sqlite3.OperationalError as e:
                _log.error("The store can't be written: %s", e)
            with self._condition:
                if self._condition.wait_for(lambda: self._stopping, RETRY_SECONDS):
                    raise EngineStops
