"""A task's output folder as the contract's tar.gz (5.1): `output/`, `output/data.json`, then the files by name."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import Callable, Iterator

GZIP_LEVEL = 1  # rasters are compressed inside already
ROOT = "output"
DATA_JSON = "data.json"


def make_archive(output: Path, archive: Path, only_data_json: bool = False) -> None:
    """Write `archive`, whole or not at all. Raises OSError (e.g. where the disk is full).

    `only_data_json` is for a Test Query (5.4). Only folders and regular files go in: no links, no devices.
    """
    part = archive.with_name(f"{archive.name}.part")
    with open(part, "wb") as raw:
        # no name and no time in the gzip header: equal outputs give equal archives
        with (
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=GZIP_LEVEL, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            tar.add(str(output), ROOT, recursive=False, filter=_anonymous)
            for path in _members(output, only_data_json):
                name = f"{ROOT}/{path.relative_to(output).as_posix()}"
                tar.add(str(path), name, recursive=False, filter=_anonymous)
        raw.flush()
        os.fsync(raw.fileno())
    os.replace(part, archive)


def _members(output: Path, only_data_json: bool) -> Iterator[Path]:
    yield output / DATA_JSON
    if only_data_json:
        return
    for path in sorted(output.rglob("*"), key=_order(output)):
        if path != output / DATA_JSON and not path.is_symlink() and (path.is_file() or path.is_dir()):
            yield path


def _order(output: Path) -> Callable[[Path], tuple[str, ...]]:
    return lambda path: path.relative_to(output).parts


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member without what is of this computer only: its users and their rights."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    member.mtime = int(member.mtime)
    return member
