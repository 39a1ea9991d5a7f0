"""Signed URLs: no credentials, five minutes, parts of the file, and nothing for who has changed the URL."""

from __future__ import annotations

import io
import tarfile

import pytest
import requests
from engine_process import BBOX


@pytest.fixture(scope="module")
def job(tiny_engine):
    client = tiny_engine.this_computer()
    job = client.start(client.make_workflow("tiny-data"), {"tiny-data:1": {"bbox": BBOX, "limit": 5}})
    assert client.wait(job)["status"] == "SUCCEEDED"
    return client, job


@pytest.fixture
def url(job):
    client, path = job
    return client.data(f"{path}/downloads/results")["url"]


@pytest.fixture
def whole(url):
    return requests.get(url, timeout=10)


def part(url, wanted, **headers):
    return requests.get(url, headers={"Range": wanted, **headers}, timeout=10)


def test_the_url_is_on_the_engine_and_needs_no_token(job, url, whole):
    assert url.startswith(f"{job[0].url}/signed/")
    assert "/output.tgz?" in url
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "application/gzip"
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    assert whole.headers["Accept-Ranges"] == "bytes"
    with tarfile.open(fileobj=io.BytesIO(whole.content)) as tar:
        assert tar.getnames()[:2] == ["output", "output/data.json"]


def test_head_has_the_headers_only(url, whole):
    head = requests.head(url, timeout=10)
    assert head.status_code == 200
    assert head.headers["Content-Length"] == str(len(whole.content))
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("wanted", ["bytes=0-9", "bytes=10-", "bytes=-7", "bytes=5-99999999", "bytes=0-0"])
def test_parts(url, whole, wanted):
    content, size = whole.content, len(whole.content)
    first, _, last = wanted.partition("=")[2].partition("-")
    start = int(first) if first else size - int(last)
    end = min(int(last), size - 1) if first and last else size - 1
    answer = part(url, wanted)
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{size}"
    assert answer.content == content[start : end + 1]


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,3-4"])
def test_parts_that_are_not_understood_give_the_whole(url, whole, wanted):
    answer = part(url, wanted)
    assert (answer.status_code, answer.content) == (200, whole.content)


@pytest.mark.parametrize("past", [0, 5])
def test_parts_past_the_end_are_416(url, whole, past):
    size = len(whole.content)
    answer = part(url, f"bytes={size + past}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"
    assert answer.json()["error"]["code"] == 416


def test_if_range_gives_the_part_of_the_same_file_only(url, whole):
    for known in (whole.headers["ETag"], whole.headers["Last-Modified"]):
        assert part(url, "bytes=3-", **{"If-Range": known}).status_code == 206
    answer = part(url, "bytes=3-", **{"If-Range": '"another"'})
    assert (answer.status_code, answer.content) == (200, whole.content)


def test_a_changed_url_is_403(job, url):
    client, path = job
    good, _, query = url.partition("?")
    expires, signature = (item.partition("=")[2] for item in query.split("&"))
    task = client.task(path, 0)["id"]
    other = good.replace(task, task[::-1])
    changed = [
        good,
        f"{good}?Expires={int(expires) + 1}&Signature={signature}",
        f"{good}?Expires={expires}&Signature={signature[::-1]}",
        f"{good}?Expires=&Signature={signature}",
        f"{good}?Expires=x&Signature={signature}",
        f"{other}?{query}",
        f"{good}?Expires={expires}&Signature=%C3%A4",
    ]
    for wrong in changed:
        answer = requests.get(wrong, timeout=10)
        assert answer.status_code == 403, wrong
        assert answer.json()["error"]["code"] == 403
