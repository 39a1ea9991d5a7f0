"""From a signed URL to one finished folder, whatever happens in between."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from up42_jobs.plugin.delivery import deliver as deliver_module
from up42_jobs.plugin.delivery.deliver import Delivered, deliver
from up42_jobs.plugin.delivery.download import download
from up42_jobs.plugin.delivery.errors import (
    ArchiveBroken,
    ArchiveRefused,
    DeliveryError,
    DownloadFailed,
    NotEnoughSpace,
)
from up42_jobs.plugin.delivery.manifest import read_manifest
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import NetworkSettings, Session
from up42_jobs.tests.unit.delivery_archives import feature, job_archive, noise, packed, raw_header, raw_tar, tgz
from up42_jobs.tests.unit.delivery_server import SIGNATURE, StorageServer, Turn

NAME = "Itaipu · NDVI · 2026-11-22"
JOB = "0b5d1c1e-1111-4222-8333-944445555666"
FILES = {"S1.tif": noise(400_000), "S2/S2_0-0.tif": noise(300_000), "S2/S2_0-1.tif": b""}
SCENES = [feature("S1", "S1.tif", datetime="2020-05-18T13:00:00Z"), feature("S2", "S2"), feature("S3", "gone.tif")]
ARCHIVE = job_archive(FILES, SCENES)


def make_manifest(files: list[Path]) -> dict[str, Any]:
    return {"request": {}, "job": {"id": JOB}, "credits": 3}


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


def run(session: Session, server: StorageServer, parent: Path, **options: Any) -> Delivered:
    options = {"job_id": JOB, "cancel": Cancel(), "name": NAME, "make_manifest": make_manifest, **options}
    name, manifest = options.pop("name"), options.pop("make_manifest")
    return deliver(session, server.url, parent, name, manifest, **options)


def check_complete(delivered: Delivered, parent: Path) -> None:
    """Exactly one folder, whole, and nothing else beside it."""
    assert os.listdir(parent) == [delivered.folder.name]
    for name, content in FILES.items():
        assert (delivered.folder / name).read_bytes() == content
    assert len(read_manifest(delivered.folder)["files"]) == len(FILES) + 1


def visible(parent: Path) -> list[str]:
    return [name for name in os.listdir(parent) if not name.startswith(".up42-")]


def test_an_output_is_delivered(session, server, parent):
    shown = []
    delivered = run(session, server, parent, after_member=lambda path: shown.append(path.name))
    assert delivered.folder == parent / NAME
    assert delivered.files == [delivered.folder / name for name in ["data.json", *FILES]]
    assert shown == ["data.json", "S1.tif", "S2_0-0.tif", "S2_0-1.tif"]
    assert [scene["id"] for scene in delivered.data["features"]] == ["S1", "S2", "S3"]
    assert delivered.missing == ["gone.tif"] and delivered.data_problem is None
    check_complete(delivered, parent)


def test_the_manifest_tells_files_and_scenes(session, server, parent):
    asked: list[list[Path]] = []

    def with_files(files: list[Path]) -> dict[str, Any]:
        asked.append(files)
        return make_manifest(files)

    manifest = read_manifest(run(session, server, parent, make_manifest=with_files).folder)
    assert asked == [[Path("data.json"), *map(Path, FILES)]]
    assert manifest["credits"] == 3 and manifest["delivery"] == JOB
    assert manifest["files"][1:] == [
        {"path": "S1.tif", "bytes": 400_000, "scenes": ["S1"]},
        {"path": "S2/S2_0-0.tif", "bytes": 300_000, "scenes": ["S2"]},
        {"path": "S2/S2_0-1.tif", "bytes": 0, "scenes": ["S2"]},
    ]
    assert manifest["scenes"][0] == {"id": "S1", "acquired": "2020-05-18T13:00:00Z", "cloud_cover": None}


def test_a_second_call_finds_the_folder_and_fetches_nothing(session, server, parent):
    first = run(session, server, parent)
    assert run(session, server, parent) == first
    assert len(server.requests) == 1
    check_complete(first, parent)


def test_an_output_whose_files_were_taken_away_is_delivered_anew(session, server, parent):
    first = run(session, server, parent)
    (first.folder / "S1.tif").unlink()
    second = run(session, server, parent)
    assert second.folder == parent / f"{NAME} (2)"
    assert (second.folder / "S1.tif").exists()


def test_jobs_of_the_same_name_have_folders_of_their_own(session, server, parent):
    first, second = run(session, server, parent), run(session, server, parent, job_id="other")
    assert (first.folder.name, second.folder.name) == (NAME, f"{NAME} (2)")
    assert run(session, server, parent, job_id="other").folder == second.folder
    (parent / f"{NAME} (3)").write_text("a file of the user's")
    assert run(session, server, parent, job_id="third").folder.name == f"{NAME} (4)"


@pytest.mark.parametrize("job_id", ["../../evil", "", "a" * 300, "C:\\x", "ü\0"])
def test_a_strange_job_id_stays_in_the_folder(session, server, tmp_path, parent, job_id):
    delivered = run(session, server, parent, job_id=job_id)
    check_complete(delivered, parent)
    assert os.listdir(tmp_path) == ["outputs"]


def test_drops_cost_nothing(session, server, parent):
    server.turns += [Turn(cut=200_000), Turn(status=403), Turn(cut=200_000)]
    check_complete(run(session, server, parent), parent)
    assert server.served == len(ARCHIVE)


def test_a_failed_download_goes_on_next_time(session, server, parent):
    server.turns += [Turn(cut=400_000)]
    server.always = Turn(cut=0)
    with pytest.raises(DownloadFailed):
        run(session, server, parent)
    assert visible(parent) == []
    server.always = None
    check_complete(run(session, server, parent), parent)
    assert server.served == len(ARCHIVE)


def test_cancel_keeps_what_arrived_and_shows_nothing(session, server, parent):
    cancel = Cancel()
    with pytest.raises(Cancelled):
        run(session, server, parent, cancel=cancel, after_member=lambda _: cancel.cancel())
    assert visible(parent) == []
    assert not [name for name in os.listdir(parent) if name.endswith((".partial", ".lock"))]
    kept = (parent / f".up42-{JOB}.part").stat().st_size
    check_complete(run(session, server, parent), parent)
    assert [request.get("range") for request in server.requests[1:]] in ([], [f"bytes={kept}-"])


def test_cancel_after_the_last_file(session, server, parent):
    cancel = Cancel()

    def late(files: list[Path]) -> dict[str, Any]:
        cancel.cancel()
        return make_manifest(files)

    with pytest.raises(Cancelled):
        run(session, server, parent, cancel=cancel, make_manifest=late)
    assert visible(parent) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (ARCHIVE[:-100], ArchiveBroken),
        (ARCHIVE[:-8] + bytes(8), ArchiveBroken),
        (b"<html>Sign in</html>", ArchiveBroken),
        (tgz(("output/a.tif", b"A"), ("../x", b"")), ArchiveRefused),
    ],
)
def test_a_bad_archive_leaves_nothing_and_is_fetched_anew_next_time(session, server, parent, body, problem):
    server.body = body
    with pytest.raises(problem):
        run(session, server, parent)
    assert os.listdir(parent) == []
    server.body, server.etag = ARCHIVE, '"two"'
    check_complete(run(session, server, parent), parent)


def test_no_room_for_the_unpacked_files(session, server, parent):
    size = 10**12 - 1
    server.body = packed(raw_tar(raw_header(b"big", size_field=b"\x80" + size.to_bytes(11, "big"))))
    with pytest.raises(NotEnoughSpace) as refused:
        run(session, server, parent)
    assert refused.value.values["needed"] == size
    assert visible(parent) == []


def test_a_data_json_that_can_not_be_read_does_not_hold_the_files_back(session, server, parent):
    server.body = tgz(("output/data.json", b"{"), ("output/a.tif", b"A"))
    delivered = run(session, server, parent)
    assert (delivered.folder / "a.tif").read_bytes() == b"A"
    assert delivered.data == {"type": "FeatureCollection", "features": []}
    assert delivered.data_problem is not None and str(delivered.folder) in delivered.data_problem.text
    assert read_manifest(delivered.folder)["files"][1] == {"path": "a.tif", "bytes": 1, "scenes": []}


@pytest.mark.parametrize(
    "strange", [[], "text", 5, {"cloud_cover": "?"}, {"id": [1]}, {"datetime": 5}, {"datetime": "x"}]
)
def test_strange_scenes_do_not_hold_the_files_back(session, server, parent, strange):
    server.body = job_archive({"a.tif": b"A"}, [{"type": "Feature", "properties": strange}, {"geometry": 3}])
    delivered = run(session, server, parent)
    assert (delivered.folder / "a.tif").read_bytes() == b"A"
    assert len(delivered.data["features"]) == 2


def test_a_manifest_that_fails_leaves_nothing_and_keeps_the_download(session, server, parent):
    with pytest.raises(ZeroDivisionError):
        run(session, server, parent, make_manifest=lambda _: 1 // 0)
    assert visible(parent) == []
    check_complete(run(session, server, parent), parent)
    assert len(server.requests) == 1


def test_no_link_is_left_on_disk(session, server, parent):
    server.turns += [Turn(cut=400_000)]
    server.always = Turn(cut=0)
    with pytest.raises(DownloadFailed) as failure:
        run(session, server, parent)
    assert SIGNATURE not in failure.value.text
    assert all(SIGNATURE.encode() not in path.read_bytes() for path in parent.iterdir())


def test_one_output_is_delivered_by_one_only(session, server, parent):
    """While one delivery is at work, a second of the same job is told so; a third of another job is not."""
    at_work, go_on = threading.Event(), threading.Event()

    def hold(_: Path) -> None:
        at_work.set()
        assert go_on.wait(10)

    first: list[Delivered] = []
    thread = threading.Thread(target=lambda: first.append(run(session, server, parent, after_member=hold)))
    thread.start()
    try:
        assert at_work.wait(10)
        with pytest.raises(DeliveryError) as busy:
            run(session, server, parent)
        assert busy.value.code == "busy"
        assert run(session, server, parent, job_id="other").folder == parent / NAME
    finally:
        go_on.set()
        thread.join(10)
    assert first[0].folder == parent / f"{NAME} (2)"
    assert sorted(os.listdir(parent)) == [NAME, f"{NAME} (2)"]


CRASHING = """
import os, sys
from pathlib import Path
from up42_jobs.plugin.delivery.deliver import deliver
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import Session

url, parent, name, job_id, where = sys.argv[1:]

def die_if(here):
    if here:
        os._exit(9)

def manifest(files):
    die_if(where == "manifest")
    return {"request": {}, "job": {"id": job_id}}

def progress(told):
    die_if(where == "download" or (where == "downloaded" and told.received == told.total))

deliver(
    Session(), lambda: url, Path(parent), name, manifest, job_id=job_id, cancel=Cancel(), progress=progress,
    after_member=lambda path: die_if(where == path.name),
)
os._exit(7)
"""


@pytest.mark.parametrize("where", ["download", "downloaded", "data.json", "S2_0-1.tif", "manifest"])
def test_a_crash_at_any_step_ends_with_one_complete_folder(session, server, parent, where):
    command = [sys.executable, "-c", CRASHING, server.url(), str(parent), NAME, JOB, where]
    assert subprocess.run(command, timeout=60, check=False).returncode == 9
    assert visible(parent) == []
    served = server.served
    check_complete(run(session, server, parent), parent)
    if where in ("downloaded", "manifest"):
        assert server.served == served
    assert len(server.requests) == 1 or "range" in server.requests[-1]


def test_a_crash_after_the_rename_ends_with_one_complete_folder(session, server, parent, tmp_path):
    """What such a crash leaves: the finished folder, and still the part with its sidecar and the lock file."""
    left: dict[str, bytes] = {}

    def remember(files: list[Path]) -> dict[str, Any]:
        left.update({path.name: path.read_bytes() for path in parent.iterdir() if path.is_file()})
        return make_manifest(files)

    first = run(session, server, parent, make_manifest=remember)
    assert {name.rpartition(JOB)[2] for name in left} == {".part", ".part.json", ".lock"}
    for name, content in left.items():
        (parent / name).write_bytes(content)
    assert run(session, server, parent) == first
    check_complete(first, parent)
    assert len(server.requests) == 1


def test_names_in_json_survive(session, server, parent):
    server.body = job_archive({"S1 – Ü.tif": b"x"}, [feature("S1 – Ü", "S1 – Ü.tif")])
    delivered = run(session, server, parent, name="Gewässer/Ü: Test?")
    assert delivered.folder.name == "Gewässer_Ü_ Test_"
    text = (delivered.folder / "job.json").read_text("utf-8")
    assert json.loads(text)["files"][1]["scenes"] == ["S1 – Ü"]
