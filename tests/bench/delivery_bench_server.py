"""A storage server as fast as the machine: `python delivery_bench_server.py FOLDER` prints its port.

`/name?rate=BYTES` gives at most so many bytes per second. `/sent` tells the bytes of bodies given to the network since
it was asked last.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PIECE = 4 * 1024 * 1024
SLOW_PIECE = 64 * 1024
_lock = threading.Lock()
_sent = [0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/sent":
            with _lock:
                body, _sent[0] = str(_sent[0]).encode(), 0
            self._head(200, len(body))
            self.wfile.write(body)
            return
        with open(os.path.join(sys.argv[1], os.path.basename(url.path)), "rb") as stream:
            self._send(stream, float(parse_qs(url.query).get("rate", ["0"])[0]))

    def _send(self, stream, rate: float) -> None:
        size = os.fstat(stream.fileno()).st_size
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted.group(1)) if wanted else 0
        extra = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if wanted else {}
        self._head(206 if wanted else 200, size - start, ETag=f'"{size}"', **extra)
        self.wfile.flush()
        began, at = time.monotonic(), start
        while at < size:
            try:
                count = self.connection.sendfile(stream, at, min(size - at, SLOW_PIECE if rate else PIECE))
            except OSError:
                self.close_connection = True
                return
            at += count
            with _lock:
                _sent[0] += count
            if rate:
                time.sleep(max(0.0, began + (at - start) / rate - time.monotonic()))

    def _head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()
