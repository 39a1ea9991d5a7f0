"""The STAC blocks against servers that fail: busy, broken, lying, gone. What can be had arrives, the rest is said."""

from __future__ import annotations

import json
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from servers import sentinel_scenes as s2
from servers.stac import HangUp, StacServer
from servers.web import Reply, json_reply

from up42_jobs.plugin.engine.blocks.base import BlockFailure
from up42_jobs.plugin.engine.blocks.stac import files as stac_files
from up42_jobs.plugin.engine.blocks.stac import http as stac_http
from up42_jobs.plugin.engine.blocks.stac.scenes import Asset, scene_of_item, web_address
from up42_jobs.plugin.engine.blocks.stac.sources import PRESETS, SENTINEL_2, URL_VARIABLE
from up42_jobs.tests.unit.blocks_support import run_block

ANALYTIC = "esa-s2-l2a-gtiff-analytic"
INSIDE = [12.01, 52.01, 12.05, 52.03]
ASKED = {"bbox": INSIDE, "ids": [s2.AFTER, s2.BEFORE], "bands": ["B04", "B08"]}
TWO = tuple(recipe for recipe in s2.RECIPES if recipe.id in (s2.AFTER, s2.BEFORE))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    return folder, s2.make_scenes(folder, "FILES", TWO)


@pytest.fixture
def server(made, monkeypatch):
    folder, items = made
    monkeypatch.setattr(stac_http, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(stac_files, "FIRST_PAUSE_SECONDS", 0.01)
    options = {**stac_files.OPTIONS, "GDAL_HTTP_RETRY_DELAY": "0.01"}
    monkeypatch.setattr(stac_files, "OPTIONS", options)
    with StacServer(folder) as running:
        running.items = json.loads(json.dumps(items).replace("FILES", running.url))
        monkeypatch.setenv(URL_VARIABLE, running.url)
        yield running


@pytest.fixture(scope="module")
def truth(made, tmp_path_factory):
    """What a server without faults delivers."""
    folder, items = made
    with StacServer(folder) as running, pytest.MonkeyPatch.context() as patch:
        running.items = json.loads(json.dumps(items).replace("FILES", running.url))
        patch.setenv(URL_VARIABLE, running.url)
        done = run_block(ANALYTIC, ASKED, tmp_path_factory.mktemp("truth"))
        return [done.raster(number).ReadAsArray() for number in range(2)]


def each(turn, reply, only=lambda request: True):
    """A fault at every `turn`-th request that `only` is true for."""
    count = 0

    def fault(request):
        nonlocal count
        if not only(request):
            return None
        count += 1
        if count % turn:
            return None
        if reply is HangUp:
            raise HangUp
        return reply

    return fault


def first(times, *replies, path="/search"):
    """Faults for the first requests of a path."""
    waiting = list(replies) * times

    def fault(request):
        if request.path != path or not waiting:
            return None
        reply = waiting.pop(0)
        if reply is HangUp:
            raise HangUp
        return reply

    return fault


def is_file(request):
    return request.path.endswith(".tif")


CUT = Reply(200, b'{"type": "FeatureCollection", "features": [', {"Content-Length": "4000"}, close=True)


@pytest.mark.parametrize(
    "replies",
    [
        (Reply(429, b"", {"Retry-After": "0"}), Reply(429, b"slow down")),
        (Reply(500, b"oops"), Reply(503, b"<html>"), Reply(502)),
        (HangUp, HangUp),
        (CUT,),
        (Reply(200, b"<html>not JSON</html>"), HangUp, Reply(504)),
    ],
)
def test_a_search_that_fails_for_a_while_is_asked_again(server, tmp_path, replies):
    server.faults = [first(1, *replies)]
    done = run_block(ANALYTIC, ASKED, tmp_path, dry_run=True)
    assert [feature["id"] for feature in done.features] == [s2.AFTER, s2.BEFORE]
    assert len(server.searches()) == len(replies) + 1


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(500), "it answers HTTP 500"),
        (Reply(200, b"<html>login</html>"), "its answer can't be read"),
        (HangUp, "the connection broke"),
        (json_reply([1, 2]), "doesn't answer like a STAC API"),
        (json_reply({"features": "none"}), "doesn't answer like a STAC API"),
        (Reply(403, b""), "asks for a login"),
        (Reply(404, b""), "has no collection sentinel-2-c1-l2a"),
        (Reply(418, b""), "refuses the search"),
    ],
)
def test_a_search_that_always_fails_is_said_in_one_sentence(server, tmp_path, reply, says):
    server.faults = [first(50, reply)]
    with pytest.raises(BlockFailure, match=says) as failure:
        run_block(ANALYTIC, ASKED, tmp_path)
    assert failure.value.code == "API_CONNECTION_ERROR"
    assert "\n" not in str(failure.value)


def test_offline_names_the_workflow_that_needs_no_network_and_says_so_soon(tmp_path, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv(URL_VARIABLE, f"http://127.0.0.1:{unused.getsockname()[1]}")
        begin = time.monotonic()
        with pytest.raises(BlockFailure, match="the workflow Demo Imagery, which needs no network") as failure:
            run_block(ANALYTIC, ASKED, tmp_path)
    assert time.monotonic() - begin < 5
    assert failure.value.code == "API_CONNECTION_ERROR"
    assert "Errno" not in str(failure.value) and "urllib3" not in str(failure.value)


def test_a_name_that_nobody_knows_is_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "http://stac.invalid/v1")  # RFC 2606: never resolves
    with pytest.raises(BlockFailure, match=r"stac.invalid can't be reached \(its name is not known: no network\?\)"):
        run_block(ANALYTIC, ASKED, tmp_path)


@pytest.mark.parametrize(
    ("turn", "reply"),
    [(2, Reply(503, b"busy")), (3, HangUp), (3, Reply(429, b"", {"Retry-After": "0"})), (4, Reply(500, b"oops"))],
)
def test_files_that_fail_now_and_then_arrive_whole(server, truth, tmp_path, turn, reply):
    server.faults = [each(turn, reply, is_file)]
    done = run_block(ANALYTIC, ASKED, tmp_path)
    for number, expected in enumerate(truth):
        assert (done.raster(number).ReadAsArray() == expected).all()
    assert "left out" not in done.log


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(404, b"gone"), "is not there"),
        (Reply(403, b"no"), "may not be read"),
        (Reply(200, b"<html>log in first</html>" * 2000), "its file nir "),
        (HangUp, "its file nir "),
    ],
)
def test_a_scene_that_can_not_be_read_is_left_out_and_said(server, truth, tmp_path, reply, says):
    path = f"/{s2.BEFORE}/B08.tif"
    server.faults = [each(1, reply, lambda request: request.path == path)]
    done = run_block(ANALYTIC, ASKED, tmp_path)
    assert [feature["id"] for feature in done.features] == [s2.AFTER]
    assert (done.raster().ReadAsArray() == truth[0]).all()
    assert f"{s2.BEFORE} is left out: " in done.log and says in done.log
    assert f"1 of 2 scenes delivered; not: {s2.BEFORE}." in done.lines
    assert not (done.output / f"{s2.BEFORE}.tif").exists()
    assert "http" not in done.log.lower().replace("http 40", "")


def test_blocks_that_are_garbage_are_noticed(server, tmp_path, monkeypatch):
    """Header and index are right, the pixels are not."""

    def spoilt(request):
        start = int((request.headers.get("range") or "bytes=0-").split("=")[1].split("-")[0])
        if request.path != f"/{s2.AFTER}/B04.tif" or start == 0:
            return None
        end = int(request.headers["range"].split("-")[1])
        body = np.random.default_rng(1).integers(0, 255, end - start + 1, np.uint8).tobytes()
        return Reply(206, body, {"Content-Range": f"bytes {start}-{end}/999999"})

    monkeypatch.setattr(stac_files, "OPTIONS", {**stac_files.OPTIONS, "GDAL_INGESTED_BYTES_AT_OPEN": "16384"})
    server.faults = [spoilt]
    done = run_block(ANALYTIC, ASKED, tmp_path)
    assert [feature["id"] for feature in done.features] == [s2.BEFORE]
    assert f"{s2.AFTER} is left out: its file red" in done.log


def test_no_scene_that_can_be_read_is_a_failure(server, tmp_path):
    server.faults = [each(1, Reply(503), is_file)]
    with pytest.raises(BlockFailure, match="None of the 2 scenes found could be read") as failure:
        run_block(ANALYTIC, ASKED, tmp_path)
    assert failure.value.code == "API_CONNECTION_ERROR"
    assert not list(tmp_path.rglob("*.tif"))


def test_a_server_without_ranges_is_named(server, tmp_path):
    def whole(request):
        if not is_file(request):
            return None
        return Reply(200, (server.folder / request.path.lstrip("/")).read_bytes())

    server.faults = [whole]
    with pytest.raises(BlockFailure, match="could be read"):
        run_block(ANALYTIC, ASKED, tmp_path)


def test_damaged_items_are_passed_over(server, tmp_path):
    good = server.items
    damaged = [None, 5, {}, {"id": 3}, {"id": "x", "geometry": None}, {"id": "y", "geometry": {"type": "Polygon"}}]
    server.faults = [first(1, json_reply({"features": [*damaged, *good], "links": "none"}))]
    done = run_block(ANALYTIC, ASKED, tmp_path, dry_run=True)
    assert len(done.features) == 2
    assert "6 items of 127.0.0.1 can't be used" in done.log


def test_a_server_that_sends_us_in_circles_comes_to_an_end(server, tmp_path):
    page = {"type": "FeatureCollection", "features": server.items, "links": []}
    page["links"] = [{"rel": "next", "href": f"{server.url}/search?again", "method": "GET"}]
    server.faults = [lambda request: json_reply(page) if request.path == "/search" else None]
    done = run_block(ANALYTIC, {"bbox": INSIDE, "limit": 50, "max_cloud_cover": 100}, tmp_path, dry_run=True)
    assert len(done.features) == 2
    assert len(server.asked("/search")) <= 3


def test_missing_bands_are_named_with_those_that_there_are(server, tmp_path):
    del server.items[1]["assets"]["nir"]
    done = run_block(ANALYTIC, ASKED, tmp_path)
    assert len(done.features) == 1
    assert "is left out: it lacks B08 (it has blue, green, red" in done.log


def test_addresses_are_of_the_web_or_none():
    earth = SENTINEL_2
    base = "https://example.org/collections/a/items/b"
    assert web_address("s3://bucket/a/b.tif", base, earth) == "https://bucket.s3.amazonaws.com/a/b.tif"
    assert web_address("../files/b.tif", base, earth) == "https://example.org/collections/a/files/b.tif"
    for evil in (
        "file:///etc/passwd",
        "/vsizip//etc/x.zip",
        "ftp://example.org/x",
        "http://127.0.0.1:8000/x",
        "",
        "c:\\x",
    ):
        address = web_address(evil, base, earth)
        assert address == "" or address.startswith("https://example.org/"), evil
    item = {"id": "a", "geometry": {"type": "Point", "coordinates": [1, 2]}, "assets": {"red": {"href": "file:///x"}}}
    found = scene_of_item(item, earth)
    assert found is None or not found.assets


def test_permits_are_asked_for_once_and_never_told(server, monkeypatch, caplog):
    answer = json_reply({"msft:expiry": "2999-01-01T00:00:00Z", "token": "se=2999&sig=geheim"})
    server.faults = [lambda request: answer if request.path.startswith("/permits") else None]
    source = type(SENTINEL_2)(**{**PRESETS["landsat-c2-l2"].__dict__, "permits": f"{server.url}/permits"})
    permits = stac_files.Permits(source, stac_http.Http())
    blob = Asset("red", "https://landsateuwest.blob.core.windows.net/landsat-c2/a.TIF")
    assert permits.signed(blob) == f"{blob.url}?se=2999&sig=geheim"
    permits.signed(blob)
    assert len(server.asked("/permits/landsat-c2-l2")) == 1
    elsewhere = Asset("red", "https://example.org/a.TIF")
    assert permits.signed(elsewhere) == elsewhere.url
    files = stac_files.RemoteFiles({"red": f"{server.url}/none.tif?sig=geheim"})
    with caplog.at_level(logging.DEBUG), pytest.raises(stac_files.NotReadable) as failure, ThreadPoolExecutor() as pool:
        pool.submit(files.dataset, "red").result()  # GDAL's options are those of the reading thread
    assert "geheim" not in str(failure.value) and "geheim" not in caplog.text


def test_a_permit_that_is_refused_is_said(server, tmp_path):
    server.faults = [lambda request: Reply(401) if request.path.startswith("/permits") else None]
    source = type(SENTINEL_2)(**{**PRESETS["landsat-c2-l2"].__dict__, "permits": f"{server.url}/permits"})
    with pytest.raises(BlockFailure, match=r"gives no permit.*landsat-c2-l2 \(HTTP 401\): it may ask for an account"):
        stac_files.Permits(source, stac_http.Http()).signed(Asset("a", "https://x.blob.core.windows.net/a.tif"))


def test_a_bucket_whose_requester_pays_is_named_as_what_it_may_be():
    path, gdals = "/vsicurl/https://usgs-landsat.s3.amazonaws.com/a.TIF?sig=geheim", "HTTP response code: 403"
    assert "requester pays" in stac_files._who_pays(path, gdals)
    assert stac_files._who_pays(path, "HTTP response code: 404") == ""
    assert stac_files._who_pays("/vsicurl/https://example.org/a.TIF", gdals) == ""
