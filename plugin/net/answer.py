"""What comes back: bodies that are counted, so that a cut one is never taken for a whole one."""

from __future__ import annotations

import datetime
import http.client
import zlib
from dataclasses import dataclass, field
from json import loads
from typing import Any, Iterator, Mapping, Optional

from requests.models import Response
from urllib3.exceptions import HTTPError, ReadTimeoutError

from .cancel import Cancelled
from .connection import Exchange
from .errors import BadBody, BadJson, NetError, TimedOut, TooLarge, Truncated
from .retry import http_date

CHUNK = 64 * 1024  # bytes


@dataclass(frozen=True)
class Answer:
    """A whole answer of a status below 400. `headers` are found whatever their case; `body` is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url_host: str

    def json(self) -> Any:
        """The body as JSON. Raises BadJson."""
        try:
            return loads(self.body)
        except (ValueError, RecursionError):
            beginning = self.body[:4096].decode("utf-8", "replace")
        raise BadJson(self.url_host, beginning)

    @property
    def server_date(self) -> Optional[datetime.datetime]:
        """The server's clock (UTC) as it answered."""
        return http_date(self.headers.get("Date"))


class StreamAnswer:
    """An answer whose body is still on its way. Its connection is free again after `close`."""

    def __init__(self, response: Response, exchange: Exchange, url_host: str, read_seconds: float) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url_host = url_host
        self.length = _length(response.headers)  # bytes announced; None where they are not
        self._bodiless = response.request.method == "HEAD" or self.status in (204, 304)
        self._response = response
        self._exchange = exchange
        self._read_seconds = read_seconds

    @property
    def server_date(self) -> Optional[datetime.datetime]:
        """The server's clock (UTC) as it answered."""
        return http_date(self.headers.get("Date"))

    def iter_chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The body as it was sent, not unpacked, in chunks of at most `size` bytes.

        Raises Truncated where bytes are missing, after those that came; TimedOut; Cancelled.
        """
        expected = 0 if self._bodiless else self.length
        received = 0
        while True:
            chunk = self._read(size, received, expected)
            self._exchange.cancel.check()  # a connection that was shut down looks like the body's end
            received += len(chunk)
            if chunk:
                yield chunk
            if not chunk or received == expected:
                break
        if expected is not None and received != expected:
            raise Truncated(self.url_host, received, expected)

    def read_all(self, limit: int) -> bytes:
        """The whole body, unpacked. Raises TooLarge above `limit` bytes, BadBody, and what iter_chunks does."""
        if not self._bodiless and self.length is not None and self.length > limit:
            raise TooLarge(self.url_host, "too_large", limit=limit)
        unpack = _unpacker(self.headers, self.url_host, limit)
        parts = []
        for chunk in self.iter_chunks():
            parts.append(unpack.feed(chunk))
        unpack.end()
        return b"".join(parts)

    def read_beginning(self, limit: int) -> bytes:
        """As much of the body as can be had, up to `limit` bytes, for an error's details. Raises Cancelled only."""
        parts: list[bytes] = []
        try:
            unpack = _unpacker(self.headers, self.url_host, limit)
            for chunk in self.iter_chunks():
                parts.append(unpack.feed(chunk))
        except NetError:
            self._exchange.cancel.check()
        return b"".join(parts)[:limit]

    def close(self) -> None:
        """Give the connection back, or close it if a part of the body is unread. Idempotent."""
        try:
            self._response.close()
        finally:
            self._exchange.leave()

    def _read(self, size: int, received: int, expected: Optional[int]) -> bytes:
        failure: NetError
        try:
            return self._response.raw.read(size, decode_content=False)
        except ReadTimeoutError:
            failure = TimedOut(self.url_host, "read_timed_out", self._read_seconds)
        except (HTTPError, OSError, http.client.HTTPException):
            failure = Truncated(self.url_host, received, expected)
        # Raised out here, so that no exception of urllib3 with a URL in it hangs on to ours.
        if self._exchange.cancel.cancelled:
            raise Cancelled
        raise failure


class _Unpacker:
    """Content-Encoding undone, piece by piece, up to `limit` bytes in all."""

    def __init__(self, url_host: str, limit: int) -> None:
        self._host, self._left, self._limit = url_host, limit, limit

    def feed(self, data: bytes) -> bytes:
        return self._counted(data)

    def end(self) -> None:
        """Raises BadBody if more was to come."""

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(self._host, "too_large", limit=self._limit)
        return data


class _Gunzip(_Unpacker):
    """gzip, with any number of members; a bomb is stopped at the limit."""

    def __init__(self, url_host: str, limit: int) -> None:
        super().__init__(url_host, limit)
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        parts = []
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            self._begun = True
            try:
                parts.append(self._counted(self._member.decompress(data, self._left + 1)))
            except zlib.error:
                raise BadBody(self._host, "encoding", reason="gzip") from None
            data = self._member.unconsumed_tail or self._member.unused_data
        return b"".join(parts)

    def end(self) -> None:
        if self._begun and not self._member.eof:
            raise BadBody(self._host, "encoding", reason="gzip")


def _unpacker(headers: Mapping[str, str], url_host: str, limit: int) -> _Unpacker:
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return _Gunzip(url_host, limit)
    if encoding in ("", "identity"):
        return _Unpacker(url_host, limit)
    raise BadBody(url_host, "encoding", reason=encoding[:40])


def _length(headers: Mapping[str, str]) -> Optional[int]:
    """Content-Length, where it says how long the body is (RFC 9112, 6.3: not beside Transfer-Encoding)."""
    values = {value.strip() for value in headers.get("Content-Length", "").split(",")}
    value = values.pop()
    if values or "Transfer-Encoding" in headers or not (value.isascii() and value.isdigit()):
        return None
    return int(value)
