"""A real engine in a process of its own, and a plain client of the contract to talk to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

BLOCKS_FOLDER = Path(__file__).parent / "engine_blocks"
DEADLINE = 30.0
BBOX = [13.37, 52.50, 13.40, 52.52]  # in Berlin, about 4.5 km²
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "ERROR")


def until(condition, what, seconds=DEADLINE):
    """Wait until `condition()` is true and return its value; fail with `what` if it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"after {seconds} s still not: {what}")


class Client:
    """One project of one engine."""

    def __init__(self, url, project_id, project_key):
        self.url = url
        self.project_id = project_id
        self.project_key = project_key
        self.http = requests.Session()
        self.http.trust_env = False
        self.project = f"/projects/{project_id}"
        self.log_in()

    def log_in(self):
        answer = self.http.post(f"{self.url}/oauth/token", auth=(self.project_id, self.project_key), timeout=10)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method, path, **options):
        return self.http.request(method, self.url + path, timeout=10, **options)

    def data(self, path):
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["error"] is None
        return body["data"]

    def at_once(self, count):
        """Let the project have so many unfinished jobs."""
        settings = {item["name"]: item["value"] for item in self.data(f"{self.project}/settings")}
        settings["MAX_CONCURRENT_JOBS"] = str(count)
        answer = self.call("POST", f"{self.project}/settings", json={"settings": settings})
        assert answer.ok, answer.text

    def come_to_rest(self):
        """Wait until the project has no unfinished job: those of earlier tests take the next one's room and credits."""
        until(lambda: all(job["status"] in ENDED for job in self.data(f"{self.project}/jobs")), "all jobs have ended")

    def make_workflow(self, *block_names):
        """A workflow of these blocks; returns its id."""
        blocks = {block["name"]: block["id"] for block in self.data("/blocks")}
        workflow = self.call("POST", f"{self.project}/workflows", json={"name": "Test", "description": ""}).json()
        names = [f"{name}:1" for name in block_names]
        tasks = [
            {"name": name, "parentName": parent, "blockId": blocks[block]}
            for name, parent, block in zip(names, [None, *names], block_names)
        ]
        workflow_id = workflow["data"]["id"]
        answer = self.call("POST", f"{self.project}/workflows/{workflow_id}/tasks", json=tasks)
        assert answer.status_code == 200, answer.text
        return workflow_id

    def post_job(self, workflow_id, inputs, name="Test job"):
        return self.call("POST", f"{self.project}/workflows/{workflow_id}/jobs", params={"name": name}, json=inputs)

    def start(self, workflow_id, inputs, name="Test job"):
        """Start a job; returns its path."""
        answer = self.post_job(workflow_id, inputs, name)
        assert answer.status_code == 200, answer.text
        return f"{self.project}/jobs/{answer.json()['data']['id']}"

    def wait(self, job, *statuses):
        """Wait until the job has one of these statuses, or has ended; returns the job."""

        def there():
            found = self.data(job)
            return found if found["status"] in (statuses or ENDED) else None

        return until(there, f"{job} has one of {statuses or ENDED}")

    def task(self, job, index):
        return self.data(f"{job}/tasks")[index]

    def log(self, job, index):
        return self.call("GET", f"{job}/tasks/{self.task(job, index)['id']}/logs").text


class Engine:
    """An engine's process, or the process that has attached to one."""

    def __init__(self, data, *options, tiny=True, environment=None):
        self.data = Path(data)
        start = [str(BLOCKS_FOLDER / "start_tiny_engine.py")] if tiny else ["-m", "up42_jobs.plugin.engine"]
        path = os.pathsep.join([str(BLOCKS_FOLDER), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self.process = subprocess.Popen(
            [sys.executable, *start, "--data", str(data), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        )

    def read_line(self):
        """The first line; the process's errors where there is none."""
        text = self.process.stdout.readline()
        assert text, self.process.stderr.read()
        self.line = json.loads(text)
        return self.line

    def practice(self):
        return Client(self.line["url"], self.line["project_id"], self.line["project_key"])

    def this_computer(self):
        return Client(self.line["url"], self.line["free_project_id"], self.line["free_project_key"])

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)
        self.close_pipes()
        return self.process.returncode

    def close_pipes(self):
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
