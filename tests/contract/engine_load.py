"""Many clients at once, for some seconds: what they got, and what the engine's memory did."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from pathlib import Path

from engine_process import BBOX

from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.contract import Refused
from up42_jobs.plugin.platforms.credentials import Credentials
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs

THREADS = 8
INPUTS = {"tiny-data:1": {"bbox": BBOX}, "tiny-copy:1": {}}
TASK_BLOCKS = ("tiny-data", "tiny-copy")


def megabytes(pid):
    """The memory of a process that is its own."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * 4096 / 1e6


def together(workers):
    """Run functions on a thread each; raises what the first one that failed has raised."""
    failures = []

    def guarded(worker):
        try:
            worker()
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=guarded, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def hammer(engine, seconds):
    """Reads, estimates and jobs, as fast as they come. Returns the answers' statuses, bodies of refusals, memory."""
    client = engine.practice()
    workflow = client.make_workflow(*TASK_BLOCKS)
    job = client.start(workflow, INPUTS)
    client.wait(job)
    reads = [job, f"{job}/tasks", f"{client.project}/workflows/{workflow}/tasks", "/users/me", "/blocks"]
    reads += [f"{client.project}/settings", f"{client.project}/jobs?page=0", f"{job}/outputs/data-json"]
    statuses, refusals, memory = Counter(), [], []
    deadline = time.monotonic() + seconds

    def read(number):
        own = engine.practice()
        while time.monotonic() < deadline:
            for path in reads[number % len(reads) :]:
                answer = own.call("GET", path)
                statuses[answer.status_code] += 1
                if answer.status_code >= 400:
                    refusals.append(answer.text)

    def work():
        own = engine.practice()
        while time.monotonic() < deadline:
            answer = own.post_job(workflow, {**INPUTS, "config": {"mode": "DRY_RUN"}})
            statuses[answer.status_code] += 1
            if answer.status_code == 200:
                own.wait(f"{own.project}/jobs/{answer.json()['data']['id']}", "SUCCEEDED", "FAILED")

    def watch():
        while time.monotonic() < deadline:
            memory.append(megabytes(engine.process.pid))
            time.sleep(seconds / 50)

    readers = [lambda number=number: read(number) for number in range(THREADS)]
    together([*readers, watch] if engine.limited else [*readers, work, watch])
    return statuses, refusals, memory


def growth(memory):
    """Megabytes between the second quarter and the last."""
    quarter = len(memory) // 4
    return statistics.median(memory[-quarter:]) - statistics.median(memory[quarter : 2 * quarter])


def read_all(engine, wanted):
    """Our own client on several threads, until it has read `wanted` jobs; returns (seconds, how often it gave up)."""
    line, session, tokens = engine.line, Session(), TokenStore()
    project_id = line["project_id"]
    given_up, left = Counter(), iter(range(wanted))
    taking = threading.Lock()
    (job, *_) = Up42Jobs(session, line["url"], _credentials(line), tokens).jobs(_Project(project_id))

    def read():
        platform = Up42Jobs(session, line["url"], _credentials(line), tokens)
        while True:
            with taking:
                if next(left, None) is None:
                    return
            while True:  # as the tracker: what is refused now is asked for again later
                try:
                    assert platform.job(project_id, job.id).id == job.id
                    break
                except Refused as e:
                    assert "asked too often" in str(e)
                    given_up["times"] += 1

    started = time.monotonic()
    together([read] * THREADS)
    session.close()
    return time.monotonic() - started, given_up["times"]


def _credentials(line):
    return Credentials.project(line["project_id"], line["project_key"])


class _Project:
    def __init__(self, project_id):
        self.id = project_id
