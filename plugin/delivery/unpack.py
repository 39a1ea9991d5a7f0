"""Unpack a job's archive member by member, each one checked, into a folder that appears only when all of it is proven.

The readers take a stream, so that a follower of a file still growing can stand in for the file (a zip, whose list of
members is at its end, makes it wait until all is there). It survives the death of the process at any moment, not that
of the machine: nothing is forced to disk.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Callable, Iterator

from ..net.cancel import Cancel
from .disk import ArchiveFile, disk_errors, free_space, remove_folder, write_all
from .errors import ArchiveBroken, ArchiveRefused, DeliveryError, DiskError, NotEnoughSpace, printable
from .gunzip import open_gzip
from .limits import Tally, UnpackLimits
from .member_names import MemberPaths
from .members import Member
from .portable_names import path_length
from .tar_reader import BLOCK, tar_members
from .zip_reader import zip_members

LARGE_MEMBER = 16 * 1024 * 1024  # bytes from which the free space is looked at before a member is written
_WINDOWS_PATH = 259  # characters of a path that every Windows program takes
_OTHER_PATH = 1000  # macOS stops at 1024 bytes
_RENAME_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds


def nothing(path: Path) -> None:
    """The hook that does nothing."""


def unpack(
    archive: Path,
    folder: Path,
    *,
    cancel: Cancel,
    limits: UnpackLimits = UnpackLimits(),  # noqa: B008  (frozen)
    after_member: Callable[[Path], None] = nothing,
) -> list[Path]:
    """Unpack a tar.gz, tar or zip into `folder`, which must not exist yet; return its files in the archive's order.

    All is written to `<folder>.partial` (an old one is removed) and renamed when the whole archive, its checksums and
    its end are proven. A leading `output/` is dropped. `after_member` is called with each file in the partial
    folder, closed; what it raises ends the unpacking. On any failure the partial folder is removed.

    Raises ArchiveRefused, ArchiveBroken, NotEnoughSpace, DiskError, DeliveryError (folder_exists) or Cancelled.
    """
    if os.path.lexists(folder):
        raise DeliveryError("folder_exists", {"folder": str(folder)})
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        with ArchiveFile(archive) as stream:
            paths = unpack_into(stream, partial, cancel=cancel, limits=limits, after_member=after_member)
        put_in_place(partial, folder, cancel)
    except BaseException:
        remove_folder(partial)
        raise
    return [folder / path for path in paths]


def unpack_into(
    stream: BinaryIO,
    partial: Path,
    *,
    cancel: Cancel,
    limits: UnpackLimits,
    after_member: Callable[[Path], None],
    longest_name: int = 0,
) -> list[Path]:
    """Unpack `stream` into `partial`, emptied first; return the files' paths below it.

    After a failure the caller removes it. `longest_name` is the length of the name that the folder will get, where
    that is longer than the present one.
    """
    remove_folder(partial)
    with disk_errors(partial.parent):
        partial.mkdir(parents=True)
    room = (_WINDOWS_PATH if os.name == "nt" else _OTHER_PATH) - path_length(str(partial.parent))
    names = MemberPaths(room - max(longest_name, path_length(partial.name)) - 2, limits.max_members)
    tally = Tally(limits)

    def count(unpacked: int, packed: int) -> None:
        cancel.check()
        tally.bytes(unpacked, packed)

    folders = _Folders(partial)
    files: list[Path] = []
    for member in archive_members(stream, count):
        cancel.check()
        tally.member(member.name, member.size)
        if member.refused is not None:
            raise ArchiveRefused(member.refused, member.name, **member.values)
        path = names.path_of(member.name, member.is_folder)
        if member.is_folder:
            folders.make(path)
            continue
        file = folders.write(member, path, cancel)
        files.append(Path(path))
        after_member(file)
    if not files:
        raise ArchiveBroken("archive_empty")
    return files


def archive_members(stream: BinaryIO, count: Callable[[int, int], None]) -> Iterator[Member]:
    """The members of a tar.gz, tar or zip, known by its first bytes (never by its name)."""
    start = stream.read(BLOCK)
    stream.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return tar_members(open_gzip(stream, count))
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return zip_members(stream, count)
    if start[257:262] == b"ustar":
        return tar_members(stream)
    if not start:
        raise ArchiveBroken("archive_cut")
    raise ArchiveBroken("archive_unknown", {"start": printable(start[:16].decode("latin-1"))})


def put_in_place(partial: Path, folder: Path, cancel: Cancel) -> None:
    """Give the finished folder its final name. Raises DeliveryError (folder_exists) where that is taken.

    On Windows a virus scanner or indexer can hold a new file open for a moment, which forbids the rename.
    """
    for pause in (*_RENAME_PAUSES, None):
        if os.path.lexists(folder):
            raise DeliveryError("folder_exists", {"folder": str(folder)})
        try:
            partial.rename(folder)
            return
        except PermissionError as error:
            if pause is None or os.name != "nt":
                raise DiskError("disk_error", {"folder": str(folder), "reason": error.strerror}) from error
            cancel.wait(pause)
            cancel.check()
        except FileExistsError as error:
            raise DeliveryError("folder_exists", {"folder": str(folder)}) from error
        except OSError as error:
            if os.path.lexists(folder):  # ENOTEMPTY: another program was faster
                raise DeliveryError("folder_exists", {"folder": str(folder)}) from error
            raise DiskError("disk_error", {"folder": str(folder), "reason": error.strerror}) from error


class _Folders:
    """Makes folders and files below the partial folder, with the user's own permissions and the present time."""

    def __init__(self, root: Path):
        self._root = root
        self._made = {""}

    def make(self, path: str) -> None:
        if path not in self._made:
            with disk_errors(self._root.parent):
                (self._root / path).mkdir(parents=True, exist_ok=True)
            self._made.add(path)

    def write(self, member: Member, path: str, cancel: Cancel) -> Path:
        """One file; a large one only where there is room for it."""
        shown = self._root.parent
        if member.size >= LARGE_MEMBER:
            free = free_space(self._root)
            if free is not None and member.size > free:
                raise NotEnoughSpace(shown, free, member.size)
        self.make(path.rpartition("/")[0])
        file = self._root / path
        with disk_errors(shown):
            target = file.open("wb", buffering=0)
        with target:
            for chunk in member.chunks():
                cancel.check()
                with disk_errors(shown):
                    write_all(target, chunk)
        return file
