"""Archives made by hand for the tests of delivery: honest ones, and ones that no honest program writes."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from typing import Any, Mapping, Optional, Sequence, Union

Entry = Union[tuple[str, bytes], tarfile.TarInfo]


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A link, device, pipe or folder."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def tar_of(*entries: Entry, fmt: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar; names go in as they are."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=fmt) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            name, content = entry
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def packed(tar: bytes, level: int = 1) -> bytes:
    return gzip.compress(tar, level)


def tgz(*entries: Entry, fmt: int = tarfile.PAX_FORMAT) -> bytes:
    return packed(tar_of(*entries, fmt=fmt))


def raw_header(
    name: bytes, size: int = 0, kind: bytes = b"0", magic: bytes = b"ustar\x0000", prefix: bytes = b"",
    size_field: Optional[bytes] = None,
) -> bytes:  # fmt: skip
    """One header block with a right checksum, for what `tarfile` refuses to write."""
    fields = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
    fields += size_field or b"%011o\0" % size
    fields += b"00000000000\0" + b" " * 8 + kind + bytes(100) + magic + bytes(64) + b"0000000\0" * 2
    block = bytearray(fields + prefix.ljust(155, b"\0") + bytes(12))
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def raw_tar(*blocks: bytes) -> bytes:
    """Header and content blocks, each padded, and the end mark."""
    return b"".join(block + bytes(-len(block) % 512) for block in blocks) + bytes(1024)


def pax_record(keyword: bytes, value: bytes) -> bytes:
    rest = b" " + keyword + b"=" + value + b"\n"
    size = len(rest)
    while len(str(size).encode()) + len(rest) != size:
        size = len(str(size).encode()) + len(rest)
    return str(size).encode() + rest


def pax_tar(*records: bytes, member: bytes = b"a") -> bytes:
    """One member with an extended header of `records`."""
    data = b"".join(records)
    return raw_tar(raw_header(b"p", len(data), b"x"), data, raw_header(member))


def zip_of(*entries: tuple[Union[str, zipfile.ZipInfo], bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def feature(scene: str, data_path: Optional[str] = None, **properties: Any) -> dict[str, Any]:
    """A feature of data.json as the contract (5.2) has it."""
    geometry = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    linked = {} if data_path is None else {"up42.data_path": data_path}
    return {"type": "Feature", "id": scene, "geometry": geometry, "properties": {**properties, **linked}}


def data_json(*features: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


def job_archive(files: Mapping[str, bytes], features: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """An output as the platform packs it: everything below `output/`, data.json among it."""
    entries: list[Entry] = [special("output", tarfile.DIRTYPE), ("output/data.json", data_json(*features))]
    return tgz(*entries, *((f"output/{name}", content) for name, content in files.items()))


def noise(size: int) -> bytes:
    """Bytes that don't compress, as imagery hardly does."""
    return os.urandom(size)
