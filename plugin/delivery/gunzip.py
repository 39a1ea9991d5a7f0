"""Decompress gzip from a stream that may still be growing; its end is only its end when every checksum was right.

Python's `tarfile` in stream mode never looks at gzip's checksum, and `gzip` takes twice as many copies.
"""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO, Callable

from .errors import ArchiveBroken

PACKED_CHUNK = 256 * 1024  # bytes read at once
UNPACKED_CHUNK = 1024 * 1024  # bytes given at once, at most


class Gunzip(io.RawIOBase):
    """The unpacked bytes of `source` (RFC 1952, several members in a row too, zero padding after the last).

    `count(unpacked, packed)` is called after each step with the bytes so far; what it raises ends the reading.
    Raises ArchiveBroken where the data end too early, are damaged, or go on with something else.
    """

    def __init__(self, source: BinaryIO, count: Callable[[int, int], None]):
        super().__init__()
        self._source = source
        self._count = count
        self._inflate = _new_inflate()
        self._packed = b""
        self._in = 0
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        """Fill `target` with some bytes; 0 only at the proven end."""
        data = self._next(len(target))
        target[: len(data)] = data
        return len(data)

    def _next(self, size: int) -> bytes:
        while not self._inflate.eof or self._goes_on():
            if not self._packed and not self._fetch():
                raise ArchiveBroken("archive_cut")
            try:
                data = self._inflate.decompress(self._packed, size)
            except zlib.error as error:
                raise ArchiveBroken("archive_damaged", {"reason": str(error)}) from None
            self._packed = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if data:
                self._out += len(data)
                self._count(self._out, self._in)
                return data
        return b""

    def _fetch(self) -> bool:
        self._packed = self._source.read(PACKED_CHUNK)
        self._in += len(self._packed)
        self._count(self._out, self._in)
        return bool(self._packed)

    def _goes_on(self) -> bool:
        """After the end of one gzip member: True where another one begins, False where nothing but zeros comes."""
        padded = False
        while self._packed or self._fetch():
            rest = self._packed.lstrip(b"\0")
            padded = padded or len(rest) < len(self._packed)
            if rest:
                if padded or rest[0] != 0x1F:
                    raise ArchiveBroken("archive_trailing")
                self._inflate = _new_inflate()
                return True
            self._packed = b""
        return False


def _new_inflate() -> Any:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # 16: gzip with header, checksum and length


def open_gzip(source: BinaryIO, count: Callable[[int, int], None]) -> BinaryIO:
    """`source` unpacked, buffered so that small reads are cheap."""
    return io.BufferedReader(Gunzip(source, count), UNPACKED_CHUNK)
