"""The local engine as its clients live with it: started once, shared, noticed when gone, ended with the last client."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from up42_jobs.plugin.host.engine_process import EngineAddress, EngineUnavailable, LocalEngine
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import Session
from up42_jobs.plugin.platforms.tokens import TokenStore
from up42_jobs.plugin.platforms.up42_jobs import Up42Jobs
from up42_jobs.tests.servers.worker import Worker

PYTHON = Path(sys.executable)
DEADLINE = 30.0  # seconds, on a machine with much else to do
CLIENT = """
import sys
from pathlib import Path
from up42_jobs.plugin.host.engine_process import LocalEngine
from up42_jobs.plugin.net.cancel import Cancel

engine = LocalEngine(Path(sys.argv[1]), lambda: Path(sys.executable))
print(engine.address(Cancel()).url, flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks into /proc and sends signals")


@pytest.fixture
def folder(qgis_app: object, tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever engine is left on it at the end is ended."""
    yield tmp_path / "x y-ü"
    with contextlib.suppress(OSError, ValueError):
        os.kill(pid_of(tmp_path / "x y-ü"), signal.SIGKILL)


@pytest.fixture
def client(folder: Path) -> Iterator[Callable[[], LocalEngine]]:
    made: list[LocalEngine] = []

    def make() -> LocalEngine:
        made.append(LocalEngine(folder, lambda: PYTHON))
        return made[-1]

    yield make
    for engine in made:
        engine.release()


def address_of(engine: LocalEngine, cancel: Cancel) -> EngineAddress:
    return Worker(lambda: engine.address(cancel)).result(DEADLINE)


def pid_of(folder: Path) -> int:
    return json.loads((folder / "engine.json").read_text())["pid"]


def is_running(pid: int) -> bool:
    """True while the process lives; a zombie does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.01)


def leases(address: EngineAddress) -> int:
    pair = (address.free.user, address.free.secret)
    return Session().request("GET", f"{address.url}/engine", basic=pair).json()["data"]["leases"]


def test_it_is_started_once_for_all_workers_and_answers(client: Callable[[], LocalEngine], folder: Path) -> None:
    engine, cancel = client(), Cancel()
    workers = [Worker(lambda: engine.address(cancel)) for _ in range(6)]
    addresses = {worker.result(DEADLINE).url for worker in workers}
    address = address_of(engine, cancel)
    assert addresses == {address.url}
    assert leases(address) == 1
    for credentials in (address.free, address.practice):
        (project,) = Up42Jobs(Session(), address.url, credentials, TokenStore()).projects()
        assert project.id == credentials.user
    assert address.free.secret not in repr(address) + repr(engine.__dict__)


def test_a_second_client_shares_it_and_it_ends_with_the_last(client: Callable[[], LocalEngine], folder: Path) -> None:
    first, second, cancel = client(), client(), Cancel()
    address = address_of(first, cancel)
    pid = pid_of(folder)
    assert address_of(second, cancel) == address
    assert leases(address) == 2
    first.release()
    until(lambda: leases(address) == 1, "one lease is left")
    assert is_running(pid)
    second.release()
    until(lambda: not is_running(pid), "the engine has ended")


def test_a_killed_client_takes_the_engine_with_it(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        pid = pid_of(folder)
        process.kill()
        process.wait(DEADLINE)
    until(lambda: not is_running(pid), "the engine has ended")


def test_a_killed_engine_is_noticed_and_started_again(client: Callable[[], LocalEngine], folder: Path) -> None:
    engine, cancel = client(), Cancel()
    before = address_of(engine, cancel)
    pid = pid_of(folder)
    os.kill(pid, signal.SIGKILL)
    until(lambda: engine._living() is None, "the loss of the lease is noticed")
    after = address_of(engine, cancel)
    assert pid_of(folder) != pid
    assert leases(after) == 1
    assert (after.free.user, after.practice.user) == (before.free.user, before.practice.user)
    assert after.free.secret != before.free.secret, "each start has its own key"


def test_it_inherits_nothing_that_it_should_not_have(
    client: Callable[[], LocalEngine], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UP42_JOBS_PROJECT_KEY", "made-up-key")
    monkeypatch.setenv("QGIS_AUTH_PASSWORD_FILE", "/made/up")
    monkeypatch.setenv("PYTHONINSPECT", "1")
    monkeypatch.setenv("KEPT", "yes")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.set_inheritable(True)  # as Qt's sockets are
        address_of(client(), Cancel())
        pid = pid_of(folder)
        inode = f"socket:[{os.fstat(ours.fileno()).st_ino}]"
        assert inode not in [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    names = {pair.partition(b"=")[0].decode() for pair in environment}
    assert "KEPT" in names
    assert not {"UP42_JOBS_PROJECT_KEY", "QGIS_AUTH_PASSWORD_FILE", "PYTHONINSPECT", "QT_QPA_PLATFORM"} & names
    assert os.getsid(pid) == pid  # Ctrl-C in our terminal is not for it
    assert os.readlink(f"/proc/{pid}/cwd") == str(folder)


def test_its_files_are_private_and_its_keys_are_in_no_log(client: Callable[[], LocalEngine], folder: Path) -> None:
    address = address_of(client(), Cancel())
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.suffix == ".log":
            assert address.free.secret not in path.read_text()


def test_cancel_is_seen_while_the_engine_is_awaited(qgis_app: object, folder: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 60\n")
    silent.chmod(0o755)
    engine, cancel, other = LocalEngine(folder, lambda: silent), Cancel(), Cancel()
    worker, waiting = Worker(lambda: engine.address(cancel)), Worker(lambda: engine.address(other))
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the process has started")
    for work, flag in ((waiting, other), (worker, cancel)):
        asked_at = time.monotonic()
        flag.cancel()
        with pytest.raises(Cancelled):
            work.result()
        assert work.ended_at - asked_at < 1
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_released_while_it_was_starting(client: Callable[[], LocalEngine], folder: Path) -> None:
    engine = client()
    worker = Worker(lambda: engine.address(Cancel()))
    until(folder.exists, "the start has begun")
    engine.release()
    with pytest.raises(Cancelled):
        worker.result(DEADLINE)
    pid = pid_of(folder)
    until(lambda: not is_running(pid), "the engine has ended")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'Disk full.' >&2; exit 1", "Disk full."),
        ("printf 'Traceback (most recent call last):\\n  File x\\nOSError: full\\n' >&2; exit 1", ": OSError: full"),
        ("exit 0", "without a word"),
        ("echo '{}'", "first line"),
        ("echo nonsense", "first line"),
    ],
)
def test_a_start_that_fails_says_why(qgis_app: object, folder: Path, tmp_path: Path, script: str, words: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    with pytest.raises(EngineUnavailable) as caught:
        Worker(lambda: LocalEngine(folder, lambda: broken).address(Cancel())).result(DEADLINE)
    assert words in str(caught.value) and "engine-output.log" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_engine_elsewhere_is_not_trusted_with_the_keys(qgis_app: object, folder: Path, tmp_path: Path) -> None:
    line = dict.fromkeys(("project_id", "project_key", "free_project_id", "free_project_key"), "x")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"#!/bin/sh\necho '{json.dumps({**line, 'url': 'http://example.org:80'})}'\n")
    elsewhere.chmod(0o755)
    with pytest.raises(EngineUnavailable, match="does not run on this computer"):
        Worker(lambda: LocalEngine(folder, lambda: elsewhere).address(Cancel())).result(DEADLINE)


def test_an_engine_that_never_grants_a_lease(qgis_app: object, folder: Path, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        line = dict.fromkeys(("project_id", "project_key", "free_project_id", "free_project_key"), "x")
        line["url"] = f"http://127.0.0.1:{unused.getsockname()[1]}"
        gone = tmp_path / "gone"
        gone.write_text(f"#!/bin/sh\necho '{json.dumps(line)}'\n")
        gone.chmod(0o755)
        with pytest.raises(EngineUnavailable, match="doesn't answer"):
            Worker(lambda: LocalEngine(folder, lambda: gone).address(Cancel())).result(DEADLINE)


def test_a_folder_that_can_not_be_made(qgis_app: object, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineUnavailable, match="can't be used"):
        Worker(lambda: LocalEngine(tmp_path / "file" / "x", lambda: PYTHON).address(Cancel())).result(DEADLINE)


def test_no_python_to_be_found(qgis_app: object, folder: Path) -> None:
    with pytest.raises(EngineUnavailable, match="Reinstall QGIS"):
        Worker(lambda: LocalEngine(folder, lambda: None).address(Cancel())).result(DEADLINE)
    with pytest.raises(EngineUnavailable, match="can't be run"):
        Worker(lambda: LocalEngine(folder, lambda: folder / "python").address(Cancel())).result(DEADLINE)


def test_a_long_engine_output_never_blocks_it_and_the_log_is_begun_anew(
    qgis_app: object, folder: Path, tmp_path: Path
) -> None:
    folder.mkdir(mode=0o700)
    log = folder / "engine-output.log"
    log.write_bytes(b"old" * 300_000)
    log.chmod(0o600)
    done = tmp_path / "done"
    talker = tmp_path / "talker"
    talker.write_text(f"#!/bin/sh\necho nonsense\nhead -c 300000 /dev/zero\ntouch '{done}'\n")
    talker.chmod(0o755)
    with pytest.raises(EngineUnavailable):
        Worker(lambda: LocalEngine(folder, lambda: talker).address(Cancel())).result(DEADLINE)
    until(done.exists, "all is printed")
    until(lambda: log.stat().st_size == 300_000, "all is in the log")
