"""The real QGIS desktop, driven from outside: mouse and keyboard by xdotool, questions by a socket."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

REPOSITORY = Path(os.path.abspath(__file__)).parents[2]
INSIDE = REPOSITORY / "tests" / "desktop" / "inside"
START_SECONDS = 60.0
WAIT_SECONDS = 60.0
ASK_EVERY_SECONDS = 0.05

DOUBLE_CLICK = ("click", "--repeat", "2", "--delay", "60", "1")


class DesktopError(AssertionError):
    """The desktop did not do what the test waited for."""


class Desktop:
    """One QGIS in a throw-away profile with the plugin enabled; needs a display (DISPLAY)."""

    def __init__(
        self,
        plugin: Path = REPOSITORY,
        theme: str = "default",
        settings: str = "",
        again: Optional[Desktop] = None,
        project: Optional[Path] = None,
    ) -> None:
        """`theme`: QGIS's UI theme; `settings`: more lines for QGIS3.ini; `project`: opened at the start.

        `again`: start once more in the profile of a desktop that has ended; closing either removes it.
        """
        self.folder = again.folder if again else Path(tempfile.mkdtemp(prefix="up42-desktop-"))
        self._socket: Optional[socket.socket] = None
        if again is None:
            self._make_profile(plugin, theme, settings)
        else:
            (self.folder / "socket").unlink(missing_ok=True)
        environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),  # what lies in it QGIS takes for temporary layers, and asks at the end
            "LC_ALL": "C.UTF-8",
            "PYQGIS_STARTUP": str(INSIDE / "startup.py"),
            "UP42_TEST_ERRORS": str(self.folder / "errors.txt"),
            "UP42_TEST_SOCKET": str(self.folder / "socket"),
            "UP42_TEST_PLUGIN": str(self.folder / "profiles" / "default" / "python" / "plugins" / "up42_jobs"),
            "UP42_JOBS_ENGINE_DATA": str(self.folder / "engine"),
        }
        environment.pop("QT_QPA_PLATFORM", None)
        self._output = (self.folder / "output.txt").open("w")
        command = ["qgis", "--profiles-path", str(self.folder), "--profile", "default", "--nologo", "--noversioncheck"]
        self._process = subprocess.Popen(
            [*command, "--nocustomization", "--code", str(INSIDE / "served.py"), *([str(project)] if project else [])],
            env=environment, stdout=self._output, stderr=subprocess.STDOUT, cwd=self.folder,
        )
        self._connect()

    def _make_profile(self, plugin: Path, theme: str, settings: str) -> None:
        profile = self.folder / "profiles" / "default"
        for path in (profile / "python" / "plugins", profile / "QGIS", self.folder / "home" / "Documents"):
            path.mkdir(parents=True)
        (self.folder / "tmp").mkdir()
        (self.folder / "run").mkdir(mode=0o700)
        (self.folder / "errors.txt").touch()
        (profile / "python" / "plugins" / "up42_jobs").symlink_to(plugin)
        text = f"[PythonPlugins]\nup42_jobs=true\n\n[UI]\nUITheme={theme}\n\n{settings}\n"
        (profile / "QGIS" / "QGIS3.ini").write_text(text)

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection.connect(str(self.folder / "socket"))
                break
            except OSError as e:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise DesktopError(f"QGIS did not start: {self.output}\n{self.errors}") from e
                time.sleep(ASK_EVERY_SECONDS)
        connection.settimeout(WAIT_SECONDS)
        self._socket = connection
        self._stream = connection.makefile("rw", encoding="utf-8")

    def _ask(self, **question: str) -> Any:
        self._stream.write(json.dumps(question) + "\n")
        self._stream.flush()
        line = self._stream.readline()
        if not line:
            raise DesktopError(f"QGIS has gone: {self.output}\n{self.errors}")
        answer = json.loads(line)
        if "error" in answer:
            raise DesktopError(f"{question}\n{answer['error']}")
        return answer["value"]

    def get(self, expression: str) -> Any:
        """The value of a Python expression inside QGIS; what JSON can carry."""
        return self._ask(value=expression)

    def do(self, code: str) -> None:
        """Run Python inside QGIS; names stay for later calls."""
        self._ask(code=code)

    def wait(self, expression: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the expression is true inside QGIS."""
        deadline = time.monotonic() + seconds
        while not self.get(f"bool({expression})"):
            if time.monotonic() > deadline:
                self.shot(self.folder / "gave-up.png")
                raise DesktopError(f"still not true after {seconds} s: {expression}\n{self.errors}\n{self.output}")
            time.sleep(ASK_EVERY_SECONDS)

    def wait_for_map(self) -> None:
        """Wait until the map is drawn."""
        self.wait("not iface.mapCanvas().isDrawing()")

    def xdotool(self, *arguments: Any) -> None:
        """Mouse and keyboard as a person has them."""
        subprocess.run(["xdotool", *map(str, arguments)], check=True, timeout=30)

    def click(self, name: str, *action: str) -> None:
        """Click the middle of the visible widget of that object name; waits until it can be clicked."""
        self.wait(f"find({name!r}) is not None and find({name!r}).isEnabled() and resting_centre({name!r})")
        self.click_at(*self.get(f"centre({name!r})"), *action)

    def click_at(self, x: float, y: float, *action: str) -> None:
        """Click a point of the screen; `action` is xdotool's, a single left click if not given."""
        # No --sync: where the pointer is there already, it waits 15 s for it to move.
        self.xdotool("mousemove", round(x), round(y), "sleep", "0.05", *(action or ("click", "1")))

    def click_map(self, lon: float, lat: float, *action: str) -> None:
        """Click a place on Earth."""
        self.click_at(*self.get(f"map_point({lon}, {lat})"), *action)

    def key(self, *names: str) -> None:
        """Press keys by xdotool's names, one after the other."""
        self.xdotool("key", "--delay", "40", *names)

    def shot(self, path: Path, name: Optional[str] = None) -> None:
        """A picture of the screen, or of one visible widget."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if name is None:
            subprocess.run(["import", "-window", "root", str(path)], check=True, timeout=30)
        else:
            self.do(f"find({name!r}).grab().save({str(path)!r})")

    @property
    def errors(self) -> str:
        """Every Python error of the session."""
        return (self.folder / "errors.txt").read_text(encoding="utf-8")

    @property
    def output(self) -> str:
        """What QGIS wrote to stdout and stderr."""
        return (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")[-4000:]

    def watch_pauses(self) -> None:
        """Begin to measure the GUI thread's pauses."""
        self.do("served.watch_pauses()")

    def pauses(self) -> list[dict[str, Any]]:
        """Each pause over 0.1 s since then: seconds, and the stack where a frame of the plugin was on it."""
        return self.get("served.heartbeat.until_now()")

    def quit(self) -> int:
        """Leave QGIS as a person does; gives its exit code."""
        self.do(
            "from qgis.core import QgsProject; from qgis.PyQt.QtCore import QTimer\n"
            "QgsProject.instance().setDirty(False)\n"
            "QTimer.singleShot(0, iface.actionExit().trigger)"
        )
        return self._process.wait(timeout=WAIT_SECONDS)

    def kill(self) -> None:
        """SIGKILL, as a crash or the lack of memory would; the profile stays."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End what is still there, and the throw-away profile with it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._stream.close()
        if self._socket is not None:
            self._socket.close()
        self._output.close()
        shutil.rmtree(self.folder, ignore_errors=True)
