"""Downloads: whole or resumable, never a lie. Against a real server that cuts, stalls, expires and changes its mind."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from up42_jobs.plugin.delivery.download import Progress, download
from up42_jobs.plugin.delivery.errors import DiskError, DownloadFailed, NotEnoughSpace
from up42_jobs.plugin.delivery.part_file import PartFile
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
from up42_jobs.plugin.net.session import NetworkSettings, Session
from up42_jobs.tests.unit.delivery_archives import noise
from up42_jobs.tests.unit.delivery_server import SIGNATURE, StorageServer, Turn

KB, MB = 1024, 1024 * 1024
BODY = noise(3 * MB)
QUICK = (0.01, 0.01, 0.01)


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(NetworkSettings(connect_timeout=20, read_timeout=20))  # the machine may be busy
    yield session
    session.close()


@pytest.fixture
def impatient() -> Iterator[Session]:
    session = Session(NetworkSettings(connect_timeout=20, read_timeout=0.5))
    yield session
    session.close()


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer(BODY) as server:
        yield server


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "output.part"


def fetch(session: Session, server: StorageServer, part: Path, **options: Any) -> bytes:
    options = {"cancel": Cancel(), "pauses": QUICK, **options}
    return download(session, server.url, part, **options).read_bytes()


def test_a_whole_download_is_bit_identical(session, server, part):
    told: list[Progress] = []
    assert fetch(session, server, part, progress=told.append) == BODY
    assert len(server.requests) == 1
    assert "authorization" not in server.requests[0]
    assert "range" not in server.requests[0]
    assert [p.received for p in told] == sorted(p.received for p in told)
    assert told[-1] == Progress(len(BODY), len(BODY))


def test_an_empty_body_is_a_whole_download(session, server, part):
    server.body = b""
    assert fetch(session, server, part) == b""


def test_after_a_drop_only_what_is_missing_is_fetched(session, server, part):
    server.turns += [Turn(cut=MB), Turn(cut=MB)]
    assert fetch(session, server, part) == BODY
    assert [r.get("range") for r in server.requests] == [None, f"bytes={MB}-", f"bytes={2 * MB}-"]
    assert {r.get("if-range") for r in server.requests[1:]} == {'"one"'}
    assert server.served == len(BODY)


def test_each_try_has_a_fresh_url(session, server, part):
    server.single_use = True
    server.turns += [Turn(cut=MB), Turn(cut=MB)]
    assert fetch(session, server, part) == BODY
    assert server.served == len(BODY)


def test_a_link_that_expires_on_the_way_costs_nothing(session, server, part):
    server.turns += [Turn(cut=MB), Turn(status=403), Turn()]
    assert fetch(session, server, part) == BODY
    assert server.served == len(BODY)


def test_a_download_goes_on_in_a_later_run(session, server, part):
    cancel = Cancel()

    with pytest.raises(Cancelled):
        fetch(session, server, part, cancel=cancel, progress=lambda _: cancel.cancel())
    kept = part.stat().st_size
    assert 0 < kept < len(BODY)
    assert fetch(session, server, part) == BODY
    assert server.requests[1]["range"] == f"bytes={kept}-"


def test_a_finished_part_of_an_earlier_run_is_not_asked_for_again(session, server, part):
    fetch(session, server, part)
    assert fetch(session, server, part) == BODY
    assert len(server.requests) == 1


def test_a_changed_archive_is_started_again(session, server, part):
    other = noise(2 * MB)

    def change(server: StorageServer) -> None:
        server.body, server.etag = other, '"two"'

    server.turns += [Turn(cut=MB), Turn(before=change)]
    assert fetch(session, server, part) == other
    assert server.requests[1]["if-range"] == '"one"'


def test_a_server_without_ranges_is_started_again(session, server, part):
    server.turns += [Turn(cut=MB), Turn(ranges=False)]
    assert fetch(session, server, part) == BODY
    assert server.served == MB + len(BODY)


@pytest.mark.parametrize("etag", [None, 'W/"weak"', "unquoted", '"not ascii \u00e9"'])
def test_without_a_strong_etag_nothing_is_joined(session, server, part, etag):
    server.etag = etag
    server.turns += [Turn(cut=MB)]
    assert fetch(session, server, part) == BODY
    assert "range" not in server.requests[1]


@pytest.mark.parametrize("shift", [-1, 1, -MB])
def test_a_part_that_does_not_fit_is_not_joined(session, server, part, shift):
    server.turns += [Turn(cut=MB), Turn(shift=shift)]
    assert fetch(session, server, part) == BODY


def test_a_part_of_another_body_is_not_joined(session, server, part):
    server.turns += [Turn(cut=MB), Turn(headers={"ETag": '"other"'})]
    assert fetch(session, server, part) == BODY
    assert "range" not in server.requests[2]


def test_a_part_without_its_place_is_not_joined(session, server, part):
    server.turns += [Turn(cut=MB), Turn(headers={"Content-Range": "bytes nonsense"})]
    assert fetch(session, server, part) == BODY


def test_a_server_that_gives_pieces_is_asked_until_all_is_there(session, server, part):
    server.always = Turn(piece=200 * KB)
    assert fetch(session, server, part) == BODY
    assert server.served == len(BODY)


def test_pieces_that_can_not_be_joined_end_in_words(session, server, part):
    server.etag = None
    server.always = Turn(piece=KB)
    with pytest.raises(DownloadFailed) as failure:
        fetch(session, server, part)
    assert failure.value.code == "download_failed"
    assert len(server.requests) == len(QUICK) + 1


def test_a_part_as_long_as_the_archive_is_recognised_by_416(session, server, part):
    fetch(session, server, part)
    part.with_name(f"{part.name}.json").write_text(json.dumps({"etag": '"one"', "length": None}))
    assert fetch(session, server, part) == BODY
    assert server.served == len(BODY)


def test_a_part_longer_than_the_archive_is_dropped(session, server, part):
    part.write_bytes(noise(4 * MB))
    part.with_name(f"{part.name}.json").write_text(json.dumps({"etag": '"one"', "length": None}))
    assert fetch(session, server, part) == BODY
    assert server.requests[0]["range"] == f"bytes={4 * MB}-"


@pytest.mark.parametrize(
    "sidecar", ["", "{", "[]", '{"etag": 5, "length": "x"}', '{"length": 7}', "[" * 99999, "\udc80"]
)
def test_a_part_with_a_broken_sidecar_is_started_again(session, server, part, sidecar):
    part.write_bytes(b"something else")
    part.with_name(f"{part.name}.json").write_bytes(sidecar.encode("utf-8", "surrogateescape"))
    assert fetch(session, server, part) == BODY


def test_a_part_without_sidecar_is_started_again(session, server, part):
    part.write_bytes(b"something else")
    assert fetch(session, server, part) == BODY


def test_a_body_without_length(session, server, part):
    server.turns.append(Turn(chunked=True))
    told: list[Progress] = []
    assert fetch(session, server, part, progress=told.append) == BODY
    assert told[0].total is None
    assert PartFile(part).is_complete


def test_a_cut_body_without_length_is_resumed(session, server, part):
    server.turns += [Turn(chunked=True, cut=MB), Turn(chunked=True, cut=MB)]
    assert fetch(session, server, part) == BODY
    assert server.served < len(BODY) + MB


def test_a_silent_server_is_left_and_asked_again(impatient, server, part):
    server.turns += [Turn(stall=MB)]
    started = time.monotonic()
    assert fetch(impatient, server, part) == BODY
    assert time.monotonic() - started >= 0.5
    assert len(server.requests) >= 2 and "range" in server.requests[1]


def test_tries_go_on_while_they_bring_something(session, server, part):
    server.always = Turn(cut=200 * KB)
    assert fetch(session, server, part, pauses=(0.01,)) == BODY
    assert len(server.requests) == 16


def test_tries_that_bring_nothing_are_bounded_and_what_arrived_is_kept(session, server, part):
    server.turns += [Turn(cut=MB)]
    server.always = Turn(cut=0)
    with pytest.raises(DownloadFailed) as failure:
        fetch(session, server, part)
    assert len(server.requests) == 1 + len(QUICK) + 1
    assert part.stat().st_size == MB
    assert "1.0 MB of 3.1 MB" in failure.value.text
    server.always = None
    assert fetch(session, server, part) == BODY
    assert server.served == len(BODY)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_lasting_refusal_ends_in_words_without_the_link(session, server, part, status):
    server.always = Turn(status=status)
    with pytest.raises(DownloadFailed) as failure:
        fetch(session, server, part)
    assert failure.value.code == "download_refused"
    assert str(status) in failure.value.text
    assert len(server.requests) == 2
    assert SIGNATURE not in repr(failure.value) + failure.value.text + str(failure.value.__cause__)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_bad_moment_of_the_server_passes(session, server, part, status):
    server.turns += [Turn(status=status), Turn(status=status, headers={"Retry-After": "0"})]
    assert fetch(session, server, part) == BODY


def test_the_server_says_how_long_to_wait(session, server, part):
    server.turns += [Turn(status=503, headers={"Retry-After": "1"})]
    started = time.monotonic()
    assert fetch(session, server, part) == BODY
    assert time.monotonic() - started >= 0.9


def test_a_platform_that_gives_no_url_for_a_moment(session, server, part):
    class Away(Exception):
        pass

    calls = iter([Away, None])

    def fresh_url() -> str:
        problem = next(calls, None)
        if problem is not None:
            raise problem
        return server.url()

    assert download(session, fresh_url, part, cancel=Cancel(), pauses=QUICK, retry_on=(Away,)).read_bytes() == BODY
    with pytest.raises(ZeroDivisionError):
        download(session, lambda: str(1 // 0), part.with_name("b.part"), cancel=Cancel(), retry_on=(Away,))


def test_a_refused_connection_ends_in_words(session, part):
    with StorageServer(BODY) as gone:
        url = gone.url()
    with pytest.raises(DownloadFailed) as failure:
        download(session, lambda: url, part, cancel=Cancel(), pauses=QUICK)
    assert SIGNATURE not in failure.value.text


@pytest.mark.parametrize("stall", [0, MB])
def test_cancel_against_a_silent_server_is_quick_and_keeps_what_came(server, part, stall):
    session = Session(NetworkSettings(read_timeout=30))
    server.turns.append(Turn(stall=stall))
    cancel, ended = Cancel(), []

    def work() -> None:
        with pytest.raises(Cancelled):
            fetch(session, server, part, cancel=cancel)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    if stall:
        assert server.sent_some.wait(5)
    else:
        while not server.requests:
            time.sleep(0.01)
    asked = time.monotonic()
    cancel.cancel()
    thread.join(5)
    assert ended and ended[0] - asked < 1
    assert fetch(session, server, part) == BODY
    session.close()


def test_cancel_in_a_pause(session, server, part):
    server.always = Turn(status=503)
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(session, server, part, cancel=cancel, pauses=(30.0, 30.0))
    assert time.monotonic() - started < 2


def test_cancelled_before_it_begins(session, server, part):
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        fetch(session, server, part, cancel=cancel)
    assert not server.requests and not part.exists()


def test_too_little_space_is_refused_with_numbers_before_a_byte_is_written(session, server, part):
    server.turns.append(Turn(headers={"Content-Length": str(10**16)}))
    with pytest.raises(NotEnoughSpace) as refused:
        fetch(session, server, part)
    assert refused.value.values["needed"] == 10**16
    assert refused.value.values["free"] > 0
    assert "10000000.0 GB" in refused.value.text and str(part.parent) in refused.value.text
    assert part.stat().st_size == 0


def test_the_space_for_the_unpacked_files_counts_too(session, server, part):
    with pytest.raises(NotEnoughSpace) as refused:
        fetch(session, server, part, unpacked_share=10**10)
    assert refused.value.values["needed"] > len(BODY) * 10**10


def test_the_sidecar_holds_no_link(session, server, part):
    server.turns += [Turn(cut=MB)]
    server.always = Turn(cut=0)
    with pytest.raises(DownloadFailed):
        fetch(session, server, part)
    text = part.with_name(f"{part.name}.json").read_text()
    assert SIGNATURE not in text and "http" not in text


def test_a_folder_that_is_not_there(session, server, tmp_path):
    with pytest.raises(DiskError) as failure:
        fetch(session, server, tmp_path / "absent" / "output.part")
    assert "absent" in failure.value.text
