"""What can go wrong between a signed URL and proven files: a code, its values, and a sentence for each.

Like `jobs.problem`: the templates are marked for extraction here and translated by `host`. No template, value or
exception text ever holds a URL: a signed one is a secret.
"""

from __future__ import annotations

from pathlib import Path
from typing import Mapping, Optional

from ..jobs.problem import QT_TRANSLATE_NOOP

TEMPLATES: Mapping[str, str] = {
    # Download
    "download_refused": QT_TRANSLATE_NOOP(
        "Delivery",
        "The download was refused (HTTP {status}), also with a fresh link: the output may have been deleted on the "
        "platform. Refresh the jobs and fetch it again.",
    ),
    "download_failed": QT_TRANSLATE_NOOP(
        "Delivery",
        "The download stopped at {received} of {total}; {tries} tries in a row brought no more. What arrived is kept: "
        "fetch the output again to go on from there. The last answer was: {reason}",
    ),
    "busy": QT_TRANSLATE_NOOP(
        "Delivery", "This output is being fetched already, perhaps by another QGIS window: wait until that is done."
    ),
    # Disk
    "space_missing": QT_TRANSLATE_NOOP(
        "Delivery",
        "“{folder}” has {free} free, but {needed} are needed: free some space or choose an output folder on another "
        "disk, then fetch the output again.",
    ),
    "disk_full": QT_TRANSLATE_NOOP(
        "Delivery",
        "The disk of “{folder}” is full ({free} free): free some space or choose an output folder on another disk, "
        "then fetch the output again.",
    ),
    "file_too_large": QT_TRANSLATE_NOOP(
        "Delivery",
        "A file became larger than the disk of “{folder}” allows (FAT32, for example, stops at 4 GB): choose an "
        "output folder on another disk, then fetch the output again.",
    ),
    "disk_error": QT_TRANSLATE_NOOP(
        "Delivery", "“{folder}” can’t be read or written ({reason}): check it or choose another output folder."
    ),
    "folder_exists": QT_TRANSLATE_NOOP(
        "Delivery", "“{folder}” exists already and is never overwritten: choose another name or move it away."
    ),
    # Archive: broken
    "archive_unknown": QT_TRANSLATE_NOOP(
        "Delivery",
        "What was downloaded is not a tar.gz or zip archive (it begins with “{start}”). Fetch the output again; if "
        "that does not help, tell the platform's support.",
    ),
    "archive_cut": QT_TRANSLATE_NOOP(
        "Delivery", "The archive ends in the middle, so nothing of it was kept: fetch the output again."
    ),
    "archive_damaged": QT_TRANSLATE_NOOP(
        "Delivery", "The archive is damaged ({reason}), so nothing of it was kept: fetch the output again."
    ),
    "archive_trailing": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive goes on after its own end, so nothing of it was kept: fetch the output again; if that does not "
        "help, tell the platform's support.",
    ),
    "archive_empty": QT_TRANSLATE_NOOP("Delivery", "The archive holds no file at all: look at the job's log for why."),
    # Archive: refused because of a member
    "member_absolute": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” is an absolute path, which would be written "
        "outside the output folder. Tell the platform's support.",
    ),
    "member_drive": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” names a drive, so it would be written outside "
        "the output folder. Tell the platform's support.",
    ),
    "member_parent": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” climbs out of the output folder with “..”. Tell "
        "the platform's support.",
    ),
    "member_empty": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: it holds a file without a name (“{member}”). Tell the "
        "platform's support.",
    ),
    "member_encoding": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: the name “{member}” is not UTF-8. Tell the platform's "
        "support, or save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "member_control": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: the name “{member}” holds a control character. Tell the "
        "platform's support.",
    ),
    "member_character": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: the name “{member}” holds a character that Windows can’t "
        'store (one of \\ : * ? " < > |). Save the archive itself with Save Archive As… and unpack it by hand.',
    ),
    "member_reserved": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” has a name that Windows keeps for a device. Save "
        "the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "member_ending": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: the name “{member}” ends with a dot or a space, which "
        "Windows drops. Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "member_long": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: a part of the name “{member}” has {length} bytes, but file "
        "systems take at most {maximum}. Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "member_path_long": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: the path “{member}” has {length} characters, but only "
        "{maximum} fit below the output folder. Choose an output folder with a shorter path.",
    ),
    "member_twice": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” is in it twice. Save the archive itself with "
        "Save Archive As… and unpack it by hand.",
    ),
    "member_case": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” and “{other}” are the same name on Windows and "
        "macOS. Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "member_ours": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: its file “{member}” has the name under which the plugin "
        "keeps its own record. Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "member_link": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” is a link, which could lead outside the output "
        "folder. Tell the platform's support.",
    ),
    "member_device": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” is a device or a pipe, not a file. Tell the "
        "platform's support.",
    ),
    "member_kind": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: “{member}” is of a kind that the plugin doesn’t unpack "
        "({kind}). Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "too_many_members": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: it holds more than {maximum} files and folders (the next is "
        "“{member}”). Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "too_large": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: with “{member}” it would unpack to {size}, but at most "
        "{maximum} are allowed. Save the archive itself with Save Archive As… and unpack it by hand.",
    ),
    "too_dense": QT_TRANSLATE_NOOP(
        "Delivery",
        "The archive was refused and nothing of it kept: at “{member}” it has unpacked to {ratio} times its size, "
        "but at most {maximum} times are allowed. Save the archive itself with Save Archive As… and look into it.",
    ),
    # data.json and job.json
    "data_json_large": QT_TRANSLATE_NOOP(
        "Delivery",
        "The files have arrived, but data.json in “{folder}” has {size}, more than the {maximum} that are read: the "
        "files are not linked to their scenes.",
    ),
    "data_json_broken": QT_TRANSLATE_NOOP(
        "Delivery",
        "The files have arrived, but data.json in “{folder}” can’t be read ({reason}): the files are not linked to "
        "their scenes.",
    ),
    "manifest_missing": QT_TRANSLATE_NOOP(
        "Delivery", "“{folder}” has no job.json: choose a folder that was made by UP42 Jobs."
    ),
    "manifest_large": QT_TRANSLATE_NOOP(
        "Delivery",
        "job.json in “{folder}” has {size}, more than the {maximum} that are read: it is not from UP42 Jobs.",
    ),
    "manifest_broken": QT_TRANSLATE_NOOP(
        "Delivery", "job.json in “{folder}” can’t be read ({reason}): take it from the original output folder again."
    ),
    "manifest_newer": QT_TRANSLATE_NOOP(
        "Delivery",
        "job.json in “{folder}” was written in the format “{schema}”, this version reads “{known}”: update UP42 Jobs.",
    ),
}

GB = 10**9
_UNITS = ((GB, "GB"), (10**6, "MB"), (10**3, "kB"))
_MAX_SHOWN = 120  # characters of a member's name in a message


class Size(int):
    """A number of bytes that reads as people say it: `1.4 GB`. `host` may write it in the user's locale."""

    def __str__(self) -> str:
        for unit, name in _UNITS:
            if self >= unit:
                return f"{int(self) / unit:.1f} {name}"
        return f"{int(self)} bytes"


class DeliveryError(Exception):
    """A delivery that can't go on: `code` is one of `TEMPLATES`, `values` fill it. The text holds no secret."""

    def __init__(self, code: str, values: Optional[Mapping[str, object]] = None):
        super().__init__(code)
        self.code = code
        self.values: Mapping[str, object] = values or {}

    @property
    def text(self) -> str:
        """The sentence in English, for logs, tests and the command line."""
        return TEMPLATES[self.code].format(**self.values)

    def __str__(self) -> str:
        return self.text


class DownloadFailed(DeliveryError):
    """The archive can't be had now; what arrived is kept for a later resume."""


class NotEnoughSpace(DeliveryError):
    """The disk can't take the output; `values` have `folder`, `free` and, where known, `needed` (both bytes)."""

    def __init__(self, folder: Path, free: int, needed: Optional[int] = None):
        values: dict[str, object] = {"folder": str(folder), "free": Size(free)}
        if needed is not None:
            values["needed"] = Size(needed)
        super().__init__("disk_full" if needed is None else "space_missing", values)


class DiskError(DeliveryError):
    """A folder can't be read or written."""


class ArchiveBroken(DeliveryError):
    """The archive is not whole or not an archive: fetching it again may help."""


class ArchiveRefused(DeliveryError):
    """A member of the archive breaks a rule: `code` is the rule, `member` the name, made printable."""

    def __init__(self, rule: str, member: str, **values: object):
        self.member = printable(member)
        super().__init__(rule, {"member": self.member, **values})


class DataUnreadable(DeliveryError):
    """data.json can't be read; the files themselves are there."""


class ManifestUnreadable(DeliveryError):
    """There is no job.json that can be read."""


def printable(name: str) -> str:
    """`name` on one line, for a message: what can't be printed is escaped, what is too long is cut in the middle."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)
    half = _MAX_SHOWN // 2
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:half]}…{shown[-half:]}"
