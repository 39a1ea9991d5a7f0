"""Nobody's key goes to a stranger: an engine that was killed leaves its address, and its port may be another's."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from up42_jobs.plugin.engine.instance import Instance
from up42_jobs.plugin.engine.keys import load_keys
from up42_jobs.plugin.engine.lock import FileLock


class Stranger(ThreadingHTTPServer):
    """Says yes to everything and keeps what it hears; or passes questions on to a real engine."""

    daemon_threads = True

    def __init__(self, relay_to=None):
        heard = self.heard = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                heard.append(f"{self.requestline}\n{self.headers}\n{body.decode()}")
                content = b'{"error": null, "data": {"proof": "' + b"0" * 64 + b'"}}'
                if relay_to:
                    content = requests.get(relay_to + self.path, timeout=5).content
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture(params=["a stranger", "a stranger who asks the real engine"])
def stranger(request, tiny_engine):
    server = Stranger(tiny_engine.line["url"] if "asks" in request.param else None)
    yield server
    server.shutdown()
    server.server_close()


def test_a_starter_sends_no_key_to_a_stranger_on_a_stale_address(stranger, tiny_engine, tmp_path):
    holder = FileLock(tmp_path / "engine.lock")
    assert holder.acquire(wait=False), "as if another starter had the folder and had not come to its address yet"
    known = {**tiny_engine.line, "url": stranger.url, "pid": 1}
    (tmp_path / "engine.json").write_text(json.dumps(known))
    instance = Instance(tmp_path)
    assert not instance.claim()
    assert instance.attach(stay=True, settings={"proxy": "http://user:pass-word@proxy.example.org:1"}) is None
    holder.release()
    assert [heard.split()[1].partition("?")[0] for heard in stranger.heard] == ["/engine/proof"]
    told = "".join(stranger.heard)
    secrets = [value for name, value in known.items() if name.endswith(("key", "password"))]
    assert not [word for word in ("Authorization", "pass-word", *secrets) if word in told]


def test_the_real_engine_is_attached_to(tiny_engine):
    line = Instance(tiny_engine.data).attach(stay=True, settings=None)
    assert json.loads(line) == {**tiny_engine.line, "attached": True}


def test_a_killed_engines_keys_open_nothing_any_more(start_engine, tmp_path):
    killed = start_engine(tmp_path, "--stay")
    killed.kill()
    left = json.loads((tmp_path / "engine.json").read_text())
    assert left["project_key"] == killed.line["project_key"]
    again = start_engine(tmp_path, "--stay")
    for user, key in (("project_id", "project_key"), ("free_project_id", "free_project_key")):
        answer = requests.post(f"{again.line['url']}/oauth/token", auth=(left[user], left[key]), timeout=10)
        assert answer.status_code == 401
    assert load_keys(tmp_path).project_key != again.line["project_key"]


@pytest.mark.parametrize("nonce", ["", "x" * 64, "ab", "A" * 64, "a" * 129])
def test_only_nonces_are_answered(tiny_engine, nonce):
    answer = requests.get(f"{tiny_engine.line['url']}/engine/proof", params={"nonce": nonce}, timeout=10)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_web_pages_are_refused(tiny_engine, practice, headers):
    url = tiny_engine.line["url"]
    for method, path in (("GET", "/users/me"), ("POST", "/oauth/token"), ("OPTIONS", "/users/me")):
        answer = practice.http.request(method, url + path, headers=headers, timeout=10)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert practice.call("GET", "/users/me", headers={"Origin": url, "Sec-Fetch-Site": "none"}).status_code == 200
