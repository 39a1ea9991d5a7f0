"""From the names in an archive to paths below one folder. An archive is a stranger: every name is checked."""

from __future__ import annotations

import re

from . import portable_names
from .errors import ArchiveRefused

OWN_NAME = "job.json"  # the manifest that the plugin writes into the folder
_DRIVE = re.compile(r"[A-Za-z]:")


def parts_of(member: str) -> tuple[str, ...]:
    """The checked parts of a member's name; `.` and doubled slashes are dropped, () is the folder itself.

    Raises ArchiveRefused for a name that would leave the folder or that some file system can't hold.
    """
    try:
        member.encode()
    except UnicodeEncodeError:
        raise ArchiveRefused("member_encoding", member) from None
    if member.startswith(("/", "\\")):
        raise ArchiveRefused("member_absolute", member)
    if _DRIVE.match(member):
        raise ArchiveRefused("member_drive", member)
    parts = tuple(part for part in member.split("/") if part not in ("", "."))
    for part in parts:
        if part == ".." or ".." in part.split("\\"):
            raise ArchiveRefused("member_parent", member)
        rule = portable_names.rule_broken(part)
        if rule is not None:
            raise ArchiveRefused(rule, member, length=len(part.encode()), maximum=portable_names.MAX_PART_BYTES)
    return parts


class MemberPaths:
    """Gives each member of one archive its path, and remembers them so that no two share one.

    `path_room` is how long a path may be below the folder (`portable_names.path_length`), `max_entries` how many
    files and folders there may be (folders that are only named in paths count too: they are made).
    """

    def __init__(self, path_room: int, max_entries: int):
        self._path_room = path_room
        self._max_entries = max_entries
        self._known: dict[str, str] = {}  # folded path -> path
        self._folders: set[str] = set()

    def path_of(self, member: str, is_folder: bool) -> str:
        """The path below the folder, with `/`; "" is the folder itself. A leading `output/` is dropped, once."""
        parts = parts_of(member)
        if parts and parts[0] == "output" and (is_folder or len(parts) > 1):
            parts = parts[1:]
        if not parts:
            if not is_folder:
                raise ArchiveRefused("member_empty", member)
            return ""
        path = "/".join(parts)
        length = portable_names.path_length(path)
        if length > self._path_room:
            raise ArchiveRefused("member_path_long", member, length=length, maximum=max(self._path_room, 0))
        if portable_names.folded(path) == OWN_NAME:
            raise ArchiveRefused("member_ours", member)
        for depth in range(1, len(parts)):
            self._claim(member, "/".join(parts[:depth]), is_folder=True)
        self._claim(member, path, is_folder)
        return path

    def _claim(self, member: str, path: str, is_folder: bool) -> None:
        if is_folder and path in self._folders:
            return
        key = portable_names.folded(path)
        if key in self._known:
            other = self._known[key]
            if other == path:
                raise ArchiveRefused("member_twice", member)
            raise ArchiveRefused("member_case", member, other=other)
        if len(self._known) >= self._max_entries:
            raise ArchiveRefused("too_many_members", member, maximum=self._max_entries)
        self._known[key] = path
        if is_folder:
            self._folders.add(path)
