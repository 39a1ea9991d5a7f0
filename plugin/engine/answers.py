"""What a route answers: a value in the contract's envelope, bytes, or a file that can be fetched in parts."""

from __future__ import annotations

import json
import os
import re
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Mapping, Optional

from .refusal import Refusal

JSON_TYPE = "application/json"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Answer:
    """A status, headers and a body that is in memory."""

    def __init__(
        self,
        body: bytes = b"",
        content_type: str = JSON_TYPE,
        status: int = 200,
        headers: Optional[Mapping[str, str]] = None,
    ):
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers or {}

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        """Write status, headers and body."""
        handler.send_response(self.status)
        if self.body or self.status != 204:
            handler.send_header("Content-Type", self.content_type)
            handler.send_header("Content-Length", str(len(self.body)))
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(self.body)


def bare_json(value: Any, status: int = 200) -> Answer:
    """A JSON value without envelope."""
    return Answer(json.dumps(value, ensure_ascii=False).encode(), status=status)


def enveloped(data: Any, status: int = 200) -> Answer:
    """`{"error": null, "data": …}` (contract 1.5)."""
    return bare_json({"error": None, "data": data}, status)


def refused(refusal: Refusal) -> Answer:
    """The error envelope."""
    return bare_json(refusal.envelope, refusal.status)


def nothing() -> Answer:
    """204."""
    return Answer(status=204)


class FileAnswer:
    """A file, whole or the one part that `Range` asks for, if it still is the file that `If-Range` names."""

    def __init__(self, path: Path, content_type: str, name: str):
        """Open the file. Raises FileNotFoundError."""
        self._file = open(path, "rb")  # noqa: SIM115  (closed when it is sent)
        self._content_type = content_type
        self._name = name

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        """Stream it from disk."""
        with self._file as file:
            state = os.fstat(file.fileno())
            tag = f'"{state.st_size:x}-{state.st_mtime_ns:x}"'
            modified = formatdate(state.st_mtime, usegmt=True)
            wanted = handler.headers.get("Range")
            if wanted and handler.headers.get("If-Range", tag) not in (tag, modified):
                wanted = None  # another file by now: all of it
            part = _part(wanted, state.st_size)
            headers = {"ETag": tag, "Last-Modified": modified, "Accept-Ranges": "bytes"}
            if part is None:
                headers["Content-Range"] = f"bytes */{state.st_size}"
                refusal = Refusal(416, "The file has no such part.")
                Answer(json.dumps(refusal.envelope).encode(), status=416, headers=headers).send(handler)
                return
            start, length = part
            if wanted and (start, length) != (0, state.st_size):
                headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{state.st_size}"
            self._head(handler, headers, length)
            if handler.command != "HEAD" and length:
                handler.wfile.flush()  # what follows goes past the buffer
                handler.connection.sendfile(file, start, length)

    def _head(self, handler: BaseHTTPRequestHandler, headers: Mapping[str, str], length: int) -> None:
        handler.send_response(206 if "Content-Range" in headers else 200)
        handler.send_header("Content-Type", self._content_type)
        handler.send_header("Content-Length", str(length))
        handler.send_header("Content-Disposition", f'attachment; filename="{self._name}"')
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()


def _part(wanted: Optional[str], size: int) -> Optional[tuple[int, int]]:
    """Start and length of the part (RFC 9110, 14.1.2); the whole where it is not understood; None: no such part."""
    match = _RANGE.fullmatch((wanted or "").replace(" ", ""))
    if not match or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:  # the last n bytes
        length = min(int(last), size)
        return (size - length, length) if length else None
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return 0, size
    return (start, end - start + 1) if start < size else None
