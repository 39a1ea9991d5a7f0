"""Read a zip archive, member by member. It can't be read while it arrives: its list of members stands at its end."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import BinaryIO, Callable, Iterator, Optional

from .errors import ArchiveBroken
from .members import CHUNK, Member

_END = b"PK\x05\x06"
_END_SIZE = 22
_MAX_COMMENT = 65535
_MAX_DIRECTORY = 64 * 1024 * 1024  # bytes of the list of members, which is held in memory
_ENCRYPTED = 0x1


def zip_members(source: BinaryIO, count: Callable[[int, int], None]) -> Iterator[Member]:
    """The members of the zip in `source` (seekable). `count(unpacked, packed)` is called with the bytes so far.

    Raises ArchiveBroken for a damaged archive; the checksum of each member is checked when its last chunk is taken.
    """
    packed = _check_directory(source)
    progress = [0]

    def count_more(more: int) -> None:
        progress[0] += more
        count(progress[0], packed)

    with _broken():
        archive = zipfile.ZipFile(source)
    with archive:
        for info in archive.infolist():
            yield _member(archive, info, count_more)


@contextmanager
def _broken() -> Iterator[None]:
    """What `zipfile` raises for damaged archives, as ArchiveBroken; an OSError is a place that no file can have."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise ArchiveBroken("archive_damaged", {"reason": str(error) or "it ends too early"}) from error


def _check_directory(source: BinaryIO) -> int:
    """The size of the archive in bytes; refuses a list of members that would not fit into memory."""
    size = source.seek(0, 2)
    start = max(0, size - _END_SIZE - _MAX_COMMENT)
    source.seek(start)
    tail = source.read(size - start)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_SIZE:
        raise ArchiveBroken("archive_cut")
    listed = int.from_bytes(tail[at + 12 : at + 16], "little")
    zip64 = tail.rfind(b"PK\x06\x06")
    if listed == 0xFFFFFFFF and zip64 >= 0:
        listed = int.from_bytes(tail[zip64 + 40 : zip64 + 48], "little")
    if listed > _MAX_DIRECTORY:
        raise ArchiveBroken("archive_damaged", {"reason": f"a list of members of {listed} bytes"})
    source.seek(0)
    return size


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, count_more: Callable[[int], None]) -> Member:
    def chunks() -> Iterator[bytes]:
        with _broken():
            stream = archive.open(info)
        with stream:
            while True:
                with _broken():
                    data = stream.read(CHUNK)
                if not data:
                    return
                count_more(len(data))
                yield data

    kind = stat.S_IFMT(info.external_attr >> 16)  # the Unix mode, where the archive was made on Unix
    name = info.orig_filename  # `filename` is cut at a NUL
    refused, values = _refused(info, kind)
    return Member(name, name.endswith("/") or kind == stat.S_IFDIR, info.file_size, chunks, refused, values)


def _refused(info: zipfile.ZipInfo, kind: int) -> tuple[Optional[str], dict[str, object]]:
    if kind == stat.S_IFLNK:
        return "member_link", {}
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "member_device", {}
    if info.flag_bits & _ENCRYPTED:
        return "member_kind", {"kind": "zip, encrypted"}
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "member_kind", {"kind": f"zip, compression method {info.compress_type}"}
    return None, {}
