"""A receiver of webhooks on loopback: keeps what it gets, and checks it as the contract's receivers do (2.9)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(ThreadingHTTPServer):
    """`statuses`: what it answers, in turn, then 200 for ever. `gate`: it answers when that is set."""

    daemon_threads = True

    def __init__(self, *statuses):
        self.got = []
        self.statuses = list(statuses)
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook?from=engine"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.gate.set()
        self.shutdown()
        self.server_close()

    def messages(self):
        return [json.loads(body) for _, body in list(self.got)]

    def job_statuses(self, job_id):
        bodies = [message["body"] for message in self.messages()]
        return [body["status"] for body in bodies if body["jobId"] == job_id and body["jobTaskId"] is None]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.gate.wait(30)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self):
        """The messages so far, for a program that waits for one."""
        body = json.dumps(self.server.messages()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Quiet."""


def is_signed(headers, body, secret):
    """What UP42's receivers check: the listed headers' values, joined, under the secret; not older than 300 s."""
    listed, created = re.fullmatch(r"up42-sig=\((.*)\);created=(\d+)", headers["signature-input"]).groups()
    names = re.findall(r'[^"\s]+', listed)
    text = "".join(headers[name] for name in names)
    expected = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert "digest" in names, "else the body could be changed"
    return (
        abs(time.time() - int(created)) < 300
        and headers["signature"] == f"up42-sig={expected}"
        and headers["digest"] == f"SHA-256={digest}"
    )
