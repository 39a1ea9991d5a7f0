"""Whatever is sent to the engine, it answers with what was asked for or with a 4xx in the envelope, and lives on."""

from __future__ import annotations

import copy
import json
import os
import socket

import pytest
from engine_process import BBOX, Engine
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from urllib3.util import SKIP_HEADER

from up42_jobs.plugin.engine.__main__ import ROUTES

SECONDS = 10
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "150"))
QUICK = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
DATA, COPY = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 3))
SQUARE = [[13.3, 52.5], [13.4, 52.5], [13.4, 52.6], [13.3, 52.6], [13.3, 52.5]]
TASKS = [
    {"name": "tiny-data:1", "parentName": None, "blockId": DATA, "blockVersionTag": "1.0.0"},
    {"name": "tiny-copy:1", "parentName": "tiny-data:1", "blockId": COPY},
]
INPUTS = {
    "tiny-data:1": {
        "ids": None, "bbox": None, "intersects": {"type": "Polygon", "coordinates": [SQUARE]}, "limit": 2,
        "time": "2024-01-01T00:00:00Z/2024-02-01T00:00:00Z", "time_series": None,
    },
    "tiny-copy:1": {"strength": "medium"},
    "config": {"mode": "DEFAULT"},
}  # fmt: skip
GOOD = [
    TASKS,
    INPUTS,
    {"tasks": TASKS, "inputs": INPUTS},
    {"name": "Mine", "description": "d", "id": None},
    {"settings": {"MAX_CONCURRENT_JOBS": "5"}},
    [{"name": "MAX_CONCURRENT_JOBS", "value": "5"}],
    {"name": "Mine", "url": "http://127.0.0.1:9/", "events": ["job.status"], "secret": None, "active": False},
    {"proxy": None, "ca_pem": None},
    {"stay": True, "settings": None},
    {"path": "/", "name": "n", "licence": "l", "attribution": "a"},
]

words = st.sampled_from(["", "0", "-1", "1e999", "null", "../..", "%00", "ä", "x" * 5000, BBOX, 2**70, -0.0, 1.5])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spoilt(draw):
    """A good body in which one value, somewhere, is another one, or is gone."""
    body = copy.deepcopy(draw(st.sampled_from(GOOD)))
    node, key = [body], 0
    while isinstance(node[key], (dict, list)) and node[key] and draw(st.integers(0, 3)):
        node, key = node[key], draw(st.sampled_from(list(node[key]) if isinstance(node[key], dict) else [0]))
    if draw(st.booleans()):
        node[key] = draw(json_values)
    elif isinstance(node, dict):
        del node[key]
    return body


bodies = (json_values | spoilt()).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200)
texts = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    engine = Engine(tmp_path_factory.mktemp("hostile") / "data", "--stay")
    engine.read_line()
    made = engine.practice()
    made.workflow = made.make_workflow("tiny-data", "tiny-copy")
    made.job = made.start(made.workflow, INPUTS).rpartition("/")[2]
    made.wait(f"{made.project}/jobs/{made.job}")
    made.workspace = made.data("/users/me")["id"]
    yield made
    assert made.call("GET", "/users/me").status_code == 200, "it lives"
    assert engine.stop() == 0
    log = engine.data / "engine.log"
    assert not log.exists() or "Traceback" not in log.read_text()


def known_names(client):
    task = client.task(f"{client.project}/jobs/{client.job}", 0)["id"]
    known = {"p": client.project_id, "w": client.workflow, "j": client.job, "t": task, "ws": client.workspace}
    return {**known, "id": DATA, "tag": "1.0.0", "name": "scene-0.png"}


def assert_decent(answer):
    assert answer.status_code < 500, (answer.request.method, answer.request.url, answer.request.body, answer.text)
    if answer.request.method == "HEAD":
        return
    if answer.status_code >= 400 and not answer.request.url.partition("?")[0].rstrip("/").endswith("/oauth/token"):
        body = answer.json()
        assert body["data"] is None and body["error"]["message"] and body["error"]["code"]


@QUICK
@given(data=st.data())
def test_any_route_with_any_body(client, data):
    routes = [route for route in ROUTES if route.path not in ("/engine/lease", "/engine/attach")]
    route = data.draw(st.sampled_from(routes))
    names = known_names(client)
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(names)))
        names[name] = data.draw(texts)
    path = route.path.replace("\\", "")
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", quoted(value))
    query = data.draw(st.dictionaries(st.sampled_from(["page", "sort", "name", "size", "from", "to", "x"]), texts))
    body = data.draw(bodies)
    if route.method == "DELETE" and client.workflow in path:
        return  # the others need it
    assert_decent(client.call(route.method, path, params=query, data=body))


def quoted(text):
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{b:02x}" for b in c.encode()) for c in text)


@QUICK
@given(body=spoilt())
def test_jobs_and_estimates_of_spoilt_inputs(client, body):
    data = json.dumps(body).encode()
    for path in ("/estimate/job", "/jobs/validate", f"/workflows/{client.workflow}/jobs/validate"):
        assert_decent(client.call("POST", client.project + path, data=data))


@QUICK
@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=200), form=st.binary(max_size=200))
def test_any_login(client, token, form):
    assume(token != SKIP_HEADER)  # to the tests' own client a sign to leave the header out
    for header in (f"Bearer {token}", f"Basic {token}", token, None):
        headers = {"Authorization": header}
        assert client.call("GET", "/users/me", headers=headers).status_code == 401
        answer = client.call("POST", "/oauth/token", headers=headers, data=form)
        assert answer.status_code == 401


heads = st.lists(st.binary(max_size=40) | st.sampled_from([b"GET / HTTP/1.1", b"Host: x", b"Content-Length: -1"]))


@settings(QUICK, max_examples=80)
@given(lines=heads, end=st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n", b""]))
def test_any_bytes_on_the_wire(client, lines, end):
    host, port = client.url.rpartition("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
        connection.sendall(b"\r\n".join(lines) + end)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while True:
                part = connection.recv(65536)
                if not part:
                    break
                answer += part
        except ConnectionResetError:
            return  # closed while we were still talking
    status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/") else b"none"
    assert status in (b"none", b"501") or status.startswith(b"4"), answer[:200]
