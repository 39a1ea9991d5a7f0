"""A hundred deliveries through a server that does everything wrong: each is complete, or refused and not there."""

from __future__ import annotations

import functools
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from up42_jobs.plugin.delivery import deliver as deliver_module
from up42_jobs.plugin.delivery.deliver import Delivered, deliver
from up42_jobs.plugin.delivery.download import download
from up42_jobs.plugin.delivery.errors import ArchiveBroken, DownloadFailed
from up42_jobs.plugin.delivery.manifest import read_manifest
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.errors import NetError
from up42_jobs.plugin.net.session import NetworkSettings, Session
from up42_jobs.tests.unit.delivery_archives import feature, job_archive
from up42_jobs.tests.unit.delivery_server import StorageServer, Turn

DELIVERIES = 100
SILENCE = 0.25  # seconds after which a silent server is left
JOB = "0b5d1c1e-1111-4222-8333-944445555666"
NOISE = random.Random(1).randbytes
FILES = {"S1.tif": NOISE(700_000), "S2/S2_0-0.tif": NOISE(300_000), "S2/S2_0-1.tif": b"", "S3.txt": b"text " * 9000}
ARCHIVE = job_archive(FILES, [feature("S1", "S1.tif"), feature("S2", "S2")])
OTHER_FILES = {"S1.tif": NOISE(400_000), "other.tif": NOISE(500_000)}
OTHER = job_archive(OTHER_FILES)
Chance = random.Random


def flipped(chance: Chance) -> bytes:
    body = bytearray(ARCHIVE)
    body[chance.randrange(20, len(body))] ^= 1 << chance.randrange(8)
    return bytes(body)


def serve(body: bytes, etag: str) -> Callable[[StorageServer], None]:
    def change(server: StorageServer) -> None:
        server.body, server.etag = body, etag

    return change


def somewhere(chance: Chance) -> int:
    return chance.randrange(len(ARCHIVE))


# What only delays: after it, the delivery must be complete.
PASSING: dict[str, Callable[[Chance], Turn]] = {
    "cuts": lambda chance: Turn(cut=somewhere(chance)),
    "cuts without a length": lambda chance: Turn(cut=somewhere(chance), chunked=True),
    "stalls": lambda chance: Turn(stall=somewhere(chance)),
    "has a bad moment": lambda chance: Turn(status=chance.choice([408, 429, 500, 502, 503])),
    "redirects": lambda chance: Turn(status=chance.choice([301, 302, 303, 307, 308]), headers={"Location": "/moved"}),
    "forgets ranges": lambda chance: Turn(ranges=False, cut=somewhere(chance)),
    "sends a piece": lambda chance: Turn(piece=somewhere(chance) + 1),
    "has another archive": lambda chance: Turn(before=serve(OTHER, '"other"')),
}
# What may end it, in words.
LASTING: dict[str, Callable[[Chance], Turn]] = {
    "expires": lambda chance: Turn(status=chance.choice([401, 403, 404, 410])),
    "sends beside the place": lambda chance: Turn(shift=chance.choice([1, 2])),
    "shortens": lambda chance: Turn(before=serve(ARCHIVE[: somewhere(chance)], '"short"')),
    "shortens under the same name": lambda chance: Turn(before=serve(ARCHIVE[: somewhere(chance)], '"one"')),
    "corrupts": lambda chance: Turn(before=serve(flipped(chance), '"flipped"')),
    "corrupts under the same name": lambda chance: Turn(before=serve(flipped(chance), '"one"')),
    "sends a page": lambda chance: Turn(before=serve(b"<html>Sign in</html>" * 50, '"page"')),
}


def run(session: Session, server: StorageServer, parent: Path, **options: Any) -> Delivered:
    return deliver(
        session,
        server.url,
        parent,
        "Itaipu · NDVI",
        lambda files: {"request": {}, "job": {"id": JOB}},
        job_id=JOB,
        cancel=Cancel(),
        **options,
    )


def check_complete(delivered: Delivered, parent: Path) -> None:
    """Exactly one folder with exactly the files of one of the two archives, and nothing beside it."""
    assert os.listdir(parent) == [delivered.folder.name]
    paths = [path for path in delivered.folder.rglob("*") if path.is_file() and path.suffix != ".json"]
    there = {path.relative_to(delivered.folder).as_posix(): path.read_bytes() for path in paths}
    assert there in (FILES, OTHER_FILES)
    assert len(read_manifest(delivered.folder)["files"]) == len(there) + 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries as a test can afford them; some more tries, as a busy machine may be silent too."""
    monkeypatch.setattr(deliver_module, "download", functools.partial(download, pauses=(0.01,) * 8))


def test_chaos(tmp_path):
    chance = random.Random(42)
    session = Session(NetworkSettings(connect_timeout=20, read_timeout=SILENCE))
    ended: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for number in range(DELIVERIES):
        parent = tmp_path / str(number)
        may_fail = number % 2 == 1
        kinds = {**PASSING, **LASTING} if may_fail else PASSING
        chosen = [chance.choice(list(kinds)) for _ in range(chance.randrange(1, 5))]
        if may_fail and not set(chosen) & set(LASTING):
            chosen.append(chance.choice(list(LASTING)))
        met.update(chosen)
        with StorageServer(ARCHIVE) as server:
            server.turns += [kinds[kind](chance) for kind in chosen]
            try:
                check_complete(run(session, server, parent), parent)
                ended["complete"] += 1
            except (DownloadFailed, ArchiveBroken, NetError) as refused:
                assert may_fail, (number, chosen, refused)
                assert str(refused)
                assert all(name.startswith(".up42-") and name.endswith((".part", ".part.json"))
                           for name in os.listdir(parent)), chosen  # fmt: skip
                ended["refused"] += 1
                again(session, server, parent)
    session.close()
    assert sum(ended.values()) == DELIVERIES
    assert min(met[kind] for kind in {**PASSING, **LASTING}) > 0
    assert ended["complete"] >= 60 and ended["refused"] >= 15, ended


def again(session: Session, server: StorageServer, parent: Path) -> None:
    """When the server is well again, so is the delivery."""
    server.turns.clear()
    serve(ARCHIVE, '"healed"')(server)
    check_complete(run(session, server, parent), parent)
