"""Unpacking while it arrives: it overlaps, it starts again with the download, and either side's end is the other's."""

from __future__ import annotations

import functools
import os
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from up42_jobs.plugin.delivery import deliver as deliver_module
from up42_jobs.plugin.delivery.deliver import Delivered, deliver
from up42_jobs.plugin.delivery.download import Progress, download
from up42_jobs.plugin.delivery.errors import ArchiveBroken, ArchiveRefused, DownloadFailed, NotEnoughSpace
from up42_jobs.plugin.delivery.follow import FollowedPart, Growth, Restarted
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import NetworkSettings, Session
from up42_jobs.tests.unit.delivery_archives import job_archive, noise, tgz, zip_of
from up42_jobs.tests.unit.delivery_disk import small_disk
from up42_jobs.tests.unit.delivery_server import StorageServer, Turn

MB = 1_000_000
FILES = {"first.tif": noise(2 * MB), "second.tif": noise(2 * MB)}
ARCHIVE = job_archive(FILES)
JOB = "0b5d1c1e-1111-4222-8333-944445555666"


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(NetworkSettings(connect_timeout=20, read_timeout=20))  # the machine may be busy
    yield session
    session.close()


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer(ARCHIVE) as server:
        yield server


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries as a test can afford them."""
    monkeypatch.setattr(deliver_module, "download", functools.partial(download, pauses=(0.01, 0.01, 0.01)))


def run(session: Session, url: Callable[[], str], parent: Path, **options: Any) -> Delivered:
    options = {"job_id": JOB, "cancel": Cancel(), **options}
    return deliver(session, url, parent, "Itaipu", lambda _: {"request": {}, "job": {"id": JOB}}, **options)


def check_complete(delivered: Delivered, parent: Path, files: dict[str, bytes] = FILES) -> None:
    assert os.listdir(parent) == [delivered.folder.name]
    there = {path.name: path.read_bytes() for path in delivered.folder.iterdir() if path.suffix != ".json"}
    assert there == files


def no_download_goes_on() -> bool:
    return all(thread.name != "up42-download" for thread in threading.enumerate())


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_files_are_there_before_the_download_has_ended(session, server, parent):
    """The server sends the second half only after the first file was unpacked."""
    unpacked = threading.Event()
    half = len(ARCHIVE) * 3 // 5
    server.turns += [Turn(cut=half), Turn(before=lambda _: unpacked.wait(10))]
    names = []

    def note(path: Path) -> None:
        names.append((path.name, server.served))
        if path.name == "first.tif":
            unpacked.set()

    check_complete(run(session, server.url, parent, after_member=note), parent)
    assert unpacked.is_set() and names[1] == ("first.tif", half)
    assert server.served == len(ARCHIVE)


def test_another_archive_in_the_middle_is_unpacked_from_its_beginning(session, server, parent):
    other = {"first.tif": noise(MB), "third.tif": noise(MB)}
    unpacked = threading.Event()

    def change(server: StorageServer) -> None:
        assert unpacked.wait(10)
        server.body, server.etag = job_archive(other), '"two"'

    server.turns += [Turn(cut=len(ARCHIVE) * 3 // 5), Turn(before=change)]
    seen = []

    def note(path: Path) -> None:
        seen.append(path.name)
        unpacked.set() if path.name == "first.tif" else None

    check_complete(run(session, server.url, parent, after_member=note), parent, other)
    assert seen[1:] == ["first.tif", "data.json", "first.tif", "third.tif"]


def test_a_zip_is_unpacked_when_all_is_there(session, server, parent):
    server.body = zip_of(*(("output/" + name, content) for name, content in FILES.items()))
    server.turns += [Turn(cut=MB), Turn(cut=MB)]
    check_complete(run(session, server.url, parent), parent)
    assert server.served == len(server.body)


@pytest.mark.parametrize(
    ("body", "problem"),
    [(tgz(("a.tif", b"A"), ("../x", b""), ("b.tif", noise(MB))), ArchiveRefused), (b"<html>" * 200_000, ArchiveBroken)],
)
def test_a_bad_archive_ends_the_download_at_once(session, server, parent, body, problem):
    """Although the server says nothing more."""
    server.body = body
    server.always = Turn(stall=len(body) // 2)
    started = time.monotonic()
    with pytest.raises(problem):
        run(session, server.url, parent)
    assert time.monotonic() - started < 5  # the read time-out is 20 s
    assert no_download_goes_on() and os.listdir(parent) == []


def test_a_hook_that_fails_ends_the_download_and_keeps_what_came(session, server, parent):
    server.turns.append(Turn(stall=3 * MB))
    with pytest.raises(ZeroDivisionError):
        run(session, server.url, parent, after_member=lambda _: 1 // 0)
    assert no_download_goes_on()
    kept = (parent / f".up42-{JOB}.part").stat().st_size
    assert kept and not [name for name in os.listdir(parent) if name.endswith(".partial")]
    check_complete(run(session, server.url, parent), parent)
    assert server.requests[1]["range"] == f"bytes={kept}-"


def test_a_failed_download_ends_the_unpacking(session, server, parent):
    server.turns += [Turn(cut=3 * MB)]
    server.always = Turn(cut=0)
    with pytest.raises(DownloadFailed):
        run(session, server.url, parent)
    assert not [name for name in os.listdir(parent) if name.endswith(".partial")]
    server.always = None
    check_complete(run(session, server.url, parent), parent)
    assert server.served == len(ARCHIVE)


def test_a_part_that_the_machine_s_death_has_spoilt_is_fetched_anew(session, server, parent):
    server.turns += [Turn(cut=3 * MB)]
    server.always = Turn(cut=0)
    with pytest.raises(DownloadFailed):
        run(session, server.url, parent)
    part = parent / f".up42-{JOB}.part"
    part.write_bytes(part.read_bytes()[: 2 * MB] + bytes(MB))  # blocks that never reached the disk
    server.always = None
    check_complete(run(session, server.url, parent), parent)


def test_progress_is_told_on_the_caller_s_thread_with_a_speed(session, server, parent):
    told: list[tuple[Progress, threading.Thread]] = []
    server.turns += [Turn(cut=MB)]
    run(session, server.url, parent, progress=lambda news: told.append((news, threading.current_thread())))
    assert {thread for _, thread in told} == {threading.current_thread()}
    assert told[-1][0] == Progress(len(ARCHIVE), len(ARCHIVE))
    received = [news.received for news, _ in told]
    assert received == sorted(received)
    assert all(news.speed is None or news.speed >= 0 for news, _ in told)


def test_space_that_others_take_meanwhile_is_noticed(session, server, tmp_path):
    server.body = job_archive({"a.tif": noise(30 * MB)})
    home = tmp_path / "disk"
    taken = threading.Event()

    def take(server: StorageServer) -> None:
        (home / "of others").write_bytes(bytes(24 * MB))
        taken.set()

    server.turns += [Turn(cut=10 * MB), Turn(before=take)]
    with small_disk(home, 75 * MB) as mounted:
        if not mounted:
            pytest.skip("a small disk can't be mounted here")
        with pytest.raises(NotEnoughSpace) as refused:
            run(session, server.url, home)
        assert taken.is_set() and refused.value.code == "space_missing"
        assert refused.value.values["needed"] > refused.value.values["free"] > 0
        (home / "of others").unlink()
        delivered = run(session, server.url, home)
        assert (delivered.folder / "a.tif").stat().st_size == 30 * MB


# --- cancel ---


@pytest.mark.parametrize("phase", ["url", "connect", "headers", "body", "pause", "unpack"])
def test_cancel_within_a_second_in_every_phase(session, server, parent, phase):
    cancel, there, ended = Cancel(), threading.Event(), []
    release = threading.Event()
    deaf = socket.create_server(("127.0.0.1", 0), backlog=0)  # takes connections for a while, never answers
    filler = [socket.socket() for _ in range(3)]
    for each in filler:
        each.setblocking(False)
        each.connect_ex(deaf.getsockname())
    urls = {
        "url": lambda: (there.set(), release.wait(20), "http://127.0.0.1:9/")[-1],
        "connect": lambda: (there.set(), f"http://127.0.0.1:{deaf.getsockname()[1]}/x")[-1],
    }
    if phase == "headers":
        server.always = Turn(before=lambda _: (there.set(), release.wait(20)))
    elif phase == "body":
        server.always = Turn(stall=MB)
        there = server.sent_some
    elif phase == "pause":
        server.always = Turn(status=503, headers={"Retry-After": "20"}, before=lambda _: there.set())

    def work() -> None:
        with pytest.raises(Cancelled):
            hook = (lambda _: there.set()) if phase == "unpack" else (lambda _: None)
            run(session, urls.get(phase, server.url), parent, cancel=cancel, after_member=hook)
        ended.append(time.monotonic())

    if phase == "unpack":
        server.always = Turn(stall=3 * MB)  # the first file is whole, the second waits for more
    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert there.wait(10)
        asked = time.monotonic()
        cancel.cancel()
        thread.join(10)
        assert ended and ended[0] - asked < 1
        assert not [name for name in os.listdir(parent) if name.endswith((".partial", ".lock"))]
    finally:
        release.set()
        for each in (*filler, deaf):
            each.close()


def test_a_cancelled_wait_for_a_link_writes_nothing_later(session, server, parent):
    """The platform answers long after the delivery was given up."""
    cancel, asked, answer = Cancel(), threading.Event(), threading.Event()

    def slow_url() -> str:
        asked.set()
        answer.wait(20)
        return server.url()

    threading.Thread(target=lambda: (asked.wait(10), cancel.cancel())).start()
    with pytest.raises(Cancelled):
        run(session, slow_url, parent, cancel=cancel)
    answer.set()
    wait_for(no_download_goes_on)
    assert os.listdir(parent) == [] and not server.requests


# --- the follower alone ---


def test_a_read_waits_for_what_was_asked_for(tmp_path):
    part, growth = tmp_path / "part", Growth()
    part.write_bytes(b"abcdef")
    growth.grew(2)
    steps = [0]

    def step() -> None:
        steps[0] += 1
        if steps[0] == 3:
            growth.grew(6)
        elif steps[0] == 6:
            growth.ended()

    with FollowedPart(part, growth, step) as stream:
        assert stream.read(2) == b"ab"
        assert stream.read(3) == b"cde"
        assert stream.read(100) == b"f" and stream.read(1) == b""
        assert stream.seek(-2, os.SEEK_END) == 4 and stream.read() == b"ef"


def test_bytes_of_two_bodies_are_never_mixed(tmp_path):
    """A writer begins anew again and again, as fast as it can; whatever is read is of one body from its beginning."""
    part, growth, chance = tmp_path / "part", Growth(), random.Random(7)
    done = threading.Event()

    def write() -> None:
        for body in range(300):
            growth.begins()
            part.write_bytes(b"")
            with part.open("ab", buffering=0) as target:
                for count in range(chance.randrange(1, 30)):
                    target.write(bytes([body % 256]) * 1000)
                    growth.grew((count + 1) * 1000)
        done.set()
        growth.ended()

    thread = threading.Thread(target=write)
    thread.start()
    begun = 0
    while True:
        begun += 1
        data = b""
        try:
            with FollowedPart(part, growth, lambda: None) as stream:
                for chunk in iter(lambda stream=stream: stream.read(700), b""):
                    data += chunk
                    assert len(set(data)) == 1
        except Restarted:
            continue
        break
    thread.join(10)
    assert done.is_set() and begun > 1 and data == part.read_bytes()
