"""The real engine as a server elsewhere would be: a process of its own, with the keys that a test gives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Optional

PROJECT_ID = "0f0e0d0c-1111-4222-8333-444444444444"
DEADLINE = 30.0  # seconds


class RemoteEngine:
    """`start` and `stop` it as often as needed: port, project and account stay; the key is what `start` is given."""

    user, password = "me@example.org", "made-up-word-of-the-test"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._process: Optional[subprocess.Popen] = None
        self.url = ""
        self.free_project_id = ""

    def start(self, project_key: str) -> None:
        """Run, with this key for *Practice*. No token of an earlier start is good any more."""
        (self._folder / "keys.json").unlink(missing_ok=True)
        environment = {
            **os.environ,
            "UP42_JOBS_PROJECT_ID": PROJECT_ID,
            "UP42_JOBS_PROJECT_KEY": project_key,
            "UP42_JOBS_USER": self.user,
            "UP42_JOBS_PASSWORD": self.password,
        }
        command = ["-m", "up42_jobs.plugin.engine", "--data", str(self._folder), "--stay", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=subprocess.PIPE, text=True, cwd=self._folder.parent
        )
        known = json.loads(self._process.stdout.readline())
        self.url, self.free_project_id = known["url"], known["free_project_id"]
        self._port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """End; nothing listens on the port any more."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(DEADLINE)
            self._process.stdout.close()
            self._process = None
