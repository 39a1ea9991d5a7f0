"""One worker process: started, awaited, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Mapping

from .package_path import PACKAGE, environment_with_package
from .taskfolder import TaskFolder


class WorkerProcess:
    """A worker at its task. It ends by itself when this process ends: its standard input is a pipe held here."""

    def __init__(self, folder: TaskFolder, environment: Mapping[str, str]):
        """Start it. Raises OSError."""
        with open(folder.log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{PACKAGE}.worker", str(folder.path)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment_with_package({**os.environ, **environment, **_temporary(folder)}),
                start_new_session=os.name == "posix",  # a process group of its own, to be stopped as one
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
                | getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def wait(self) -> int:
        """Wait for its end; returns the exit code, negative for a signal."""
        code = self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        return code

    def kill(self) -> None:
        """End it now, with everything that it has started."""
        if self._process.poll() is not None:
            return
        if os.name == "posix":
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
        else:
            self._process.kill()


def _temporary(folder: TaskFolder) -> dict[str, str]:
    """Temporary files belong to the task's folder, so that none outlives it."""
    return {name: str(folder.temporary) for name in ("TMPDIR", "TEMP", "TMP", "CPL_TMPDIR")}
