"""Read a tar archive from a stream, member by member, and prove that it has an end.

Written by hand because `tarfile` takes a damaged header in the middle for the end of the archive, reads announced
headers of any size into memory, and needs five times as long for small files. Formats: POSIX.1-2001 (ustar, pax) and
GNU's long names and large numbers, as `tar(5)` and POSIX `pax` describe them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Iterator, Optional

from .errors import ArchiveBroken
from .members import CHUNK, Member

BLOCK = 512
MAX_EXTENSION = 1024 * 1024  # bytes of one extended header; Linux's longest path has 4096
MAX_EXTENSIONS = 16  # extended headers before one member; there are at most four kinds
_ZEROS = bytes(BLOCK)
_FILES = (b"0", b"\0", b"7")
_REFUSED = {
    b"1": "member_link",
    b"2": "member_link",
    b"3": "member_device",
    b"4": "member_device",
    b"6": "member_device",
}


@dataclass(frozen=True)
class _Header:
    name: str
    kind: bytes
    size: int


def tar_members(source: BinaryIO) -> Iterator[Member]:
    """The members of the tar in `source`, in order. Ends only after the end mark and nothing but zeros behind it.

    Raises ArchiveBroken for a damaged header, a missing end or data behind the end.
    """
    shared: dict[str, str] = {}  # pax keywords for all members that follow
    while True:
        header = _next_header(source, shared)
        if header is None:
            break
        is_folder = header.kind == b"5" or (header.kind == b"\0" and header.name.endswith("/"))
        payload = _Payload(source, 0 if is_folder or header.kind in _REFUSED else header.size)
        refused = None if is_folder or header.kind in _FILES else _REFUSED.get(header.kind, "member_kind")
        kind = f"tar {header.kind.decode('latin-1')!r}"
        yield Member(header.name, is_folder, payload.left, payload.chunks, refused, {"kind": kind} if refused else {})
        payload.skip()
    while True:
        rest = source.read(CHUNK)
        if not rest:
            return
        if rest.strip(b"\0"):
            raise ArchiveBroken("archive_trailing")


class _Payload:
    """The bytes of one member and the padding to the next block."""

    def __init__(self, source: BinaryIO, size: int):
        self.left = size
        self._source = source
        self._padding = -size % BLOCK

    def chunks(self) -> Iterator[bytes]:
        while self.left:
            data = self._source.read(min(self.left, CHUNK))
            if not data:
                raise ArchiveBroken("archive_cut")
            self.left -= len(data)
            yield data

    def skip(self) -> None:
        for _ in self.chunks():
            continue
        if self._padding:
            _exactly(self._source, self._padding)


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    while len(data) < size:
        more = source.read(size - len(data))
        if not more:
            raise ArchiveBroken("archive_cut")
        data += more
    return data


def _next_header(source: BinaryIO, shared: dict[str, str]) -> Optional[_Header]:
    """The next real member with its extended headers applied; None at the end mark."""
    own: dict[str, str] = {}
    for extensions in range(MAX_EXTENSIONS + 1):
        block = _exactly(source, BLOCK)
        if block == _ZEROS:
            if extensions and own:
                raise ArchiveBroken("archive_damaged", {"reason": "a name without its file"})
            return None
        header = _parse(block)
        if header.kind not in (b"x", b"g", b"L", b"K"):
            return _apply({**shared, **own}, header)
        if header.size > MAX_EXTENSION:
            raise ArchiveBroken("archive_damaged", {"reason": f"a header of {header.size} bytes"})
        data = _exactly(source, header.size + -header.size % BLOCK)[: header.size]
        if header.kind == b"g":
            shared.update(_pax_records(data))
        elif header.kind == b"x":
            own.update(_pax_records(data))
        elif header.kind == b"L":
            own["path"] = _text(data.rstrip(b"\0"))
    raise ArchiveBroken("archive_damaged", {"reason": "too many headers before one file"})


def _apply(extended: dict[str, str], header: _Header) -> _Header:
    if any(keyword.startswith("GNU.sparse.") for keyword in extended):
        return _Header(extended.get("path", header.name), b"S", header.size)
    size = header.size
    if "size" in extended:
        if not extended["size"].isascii() or not extended["size"].isdigit() or len(extended["size"]) > 20:
            raise ArchiveBroken("archive_damaged", {"reason": "a size that is no number"})
        size = int(extended["size"])
    return _Header(extended.get("path", header.name), header.kind, size)


def _parse(block: bytes) -> _Header:
    """One header block: offsets and lengths by POSIX ustar; a checksum over bytes taken as signed is an old custom."""
    checksum = _number(block[148:156])
    blanked = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(blanked)
    if checksum != unsigned and checksum != unsigned - 256 * sum(byte > 127 for byte in blanked):
        raise ArchiveBroken("archive_damaged", {"reason": "a header with a wrong checksum"})
    name = block[:100].split(b"\0", 1)[0]
    if block[257:263] == b"ustar\0":  # in GNU's own format these bytes hold times
        prefix = block[345:500].split(b"\0", 1)[0]
        name = prefix + b"/" + name if prefix else name
    return _Header(_text(name), block[156:157], _number(block[124:136]))


def _number(field: bytes) -> int:
    """Octal digits, or GNU's binary form for what they can't hold."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip() or b"0"
    try:
        return int(digits if digits.isdigit() else b"?", 8)  # int() alone takes signs and underscores too
    except ValueError:
        raise ArchiveBroken("archive_damaged", {"reason": "a header with a number that is none"}) from None


def _pax_records(data: bytes) -> dict[str, str]:
    """Records `<length> <keyword>=<value>\\n`; the length counts the whole record."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        length, blank, _ = data[at : at + 20].partition(b" ")
        end = at + int(length) if blank and length.isdigit() else at
        keyword, equals, value = data[at + len(length) + 1 : end].partition(b"=")
        if not equals or end > len(data) or not value.endswith(b"\n"):
            raise ArchiveBroken("archive_damaged", {"reason": "an extended header that can't be read"})
        records[_text(keyword)] = _text(value[:-1])
        at = end
    return records


def _text(name: bytes) -> str:
    """A name as text; bytes that are not UTF-8 are kept as lone surrogates, which the check of names refuses."""
    return name.decode("utf-8", "surrogateescape")
