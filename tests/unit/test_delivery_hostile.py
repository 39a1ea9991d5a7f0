"""Archives that lie, climb, swell or break: each is refused in words, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.delivery.deliver import deliver
from up42_jobs.plugin.delivery.errors import ArchiveBroken, ArchiveRefused, DeliveryError
from up42_jobs.plugin.delivery.limits import Tally, UnpackLimits
from up42_jobs.plugin.delivery.unpack import archive_members, unpack
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import NetworkSettings, Session
from up42_jobs.tests.unit.delivery_archives import (
    noise,
    packed,
    pax_record,
    pax_tar,
    raw_header,
    raw_tar,
    special,
    tar_of,
    tgz,
    zip_of,
)
from up42_jobs.tests.unit.delivery_server import StorageServer

GOOD = ("output/a.tif", b"pixels")
SMALL = UnpackLimits(max_members=1000, max_total=50_000_000, max_ratio=100, ratio_from=5_000_000)
LINK_MODE = (stat.S_IFLNK | 0o777) << 16
FIFO_MODE = (stat.S_IFIFO | 0o644) << 16


def zip_info(name: str, external_attr: int = 0, flag_bits: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr, info.flag_bits = external_attr, flag_bits
    return info


def encrypted_zip() -> bytes:
    """The flag in the list of members says: encrypted."""
    data = bytearray(zip_of(("a.tif", b"pixels")))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def method_zip(method: int) -> bytes:
    data = bytearray(zip_of(("a.tif", b"pixels")))
    data[data.index(b"PK\x01\x02") + 10] = method
    return bytes(data)


REFUSED = {
    "climbs": (tgz(GOOD, ("../x", b"")), "member_parent"),
    "climbs inside output": (tgz(GOOD, ("output/../../x", b"")), "member_parent"),
    "climbs at its end": (tgz(GOOD, ("output/a/..", b"")), "member_parent"),
    "climbs with backslashes": (tgz(GOOD, ("a\\..\\..\\x", b"")), "member_parent"),
    "a folder that climbs": (tgz(GOOD, special("../../evil", tarfile.DIRTYPE)), "member_parent"),
    "absolute": (packed(raw_tar(raw_header(b"/abs"))), "member_absolute"),
    "absolute by prefix": (packed(raw_tar(raw_header(b"x", prefix=b"/etc"))), "member_absolute"),
    "absolute by pax": (
        packed(pax_tar(pax_record(b"path", b"/etc/x"))),
        "member_absolute",
    ),
    "network share": (tgz(GOOD, ("\\\\server\\share\\x", b"")), "member_absolute"),
    "drive": (tgz(GOOD, ("C:\\x", b"")), "member_drive"),
    "drive with slash": (tgz(GOOD, ("c:/x", b"")), "member_drive"),
    "drive-relative": (tgz(GOOD, ("C:x", b"")), "member_drive"),
    "alternate data stream": (tgz(GOOD, ("output/a.txt:hidden", b"")), "member_character"),
    "symbolic link": (tgz(GOOD, special("output/link", tarfile.SYMTYPE, "/etc/passwd")), "member_link"),
    "file through a link": (
        tgz(special("output/d", tarfile.SYMTYPE, "/tmp"), ("output/d/x", b"")),
        "member_link",
    ),
    "hard link": (tgz(GOOD, special("output/hard", tarfile.LNKTYPE, "output/a.tif")), "member_link"),
    "character device": (tgz(GOOD, special("output/null", tarfile.CHRTYPE)), "member_device"),
    "block device": (tgz(GOOD, special("output/disk", tarfile.BLKTYPE)), "member_device"),
    "pipe": (tgz(GOOD, special("output/pipe", tarfile.FIFOTYPE)), "member_device"),
    "sparse": (packed(raw_tar(raw_header(b"s", kind=b"S", magic=b"ustar  \0"))), "member_kind"),
    "sparse by pax": (
        packed(pax_tar(pax_record(b"GNU.sparse.major", b"1"))),
        "member_kind",
    ),
    "volume label": (packed(raw_tar(raw_header(b"label", kind=b"V", magic=b"ustar  \0"))), "member_kind"),
    "unknown kind": (packed(raw_tar(raw_header(b"label", kind=b"\xff"))), "member_kind"),
    "NUL by pax": (
        packed(pax_tar(pax_record(b"path", b"a.tif\0.x"))),
        "member_control",
    ),
    "NUL in a long name": (
        packed(raw_tar(raw_header(b"././@LongLink", 6, b"L", b"ustar  \0"), b"a\0.tif", raw_header(b"a"))),
        "member_control",
    ),
    "line break": (tgz(GOOD, ("output/a\nb", b"")), "member_control"),
    "escape sequence": (tgz(GOOD, ("output/\x1b[2Ja", b"")), "member_control"),
    "C1 control": (tgz(GOOD, ("output/a\x9bb", b"")), "member_control"),
    "reads backwards": (tgz(GOOD, ("output/a\u202efit.exe", b"")), "member_control"),
    "not UTF-8": (packed(raw_tar(raw_header(b"caf\xe9.tif"))), "member_encoding"),
    "CON.txt": (tgz(GOOD, ("output/CON.txt", b"")), "member_reserved"),
    "nul": (tgz(GOOD, ("output/nul", b"")), "member_reserved"),
    "folder named aux": (tgz(GOOD, ("output/aux/a.tif", b"")), "member_reserved"),
    "COM1 with suffixes": (tgz(GOOD, ("output/com1.tar.gz", b"")), "member_reserved"),
    "LPT superscript": (tgz(GOOD, ("output/LPT³", b"")), "member_reserved"),
    "trailing dot": (tgz(GOOD, ("output/a.", b"")), "member_ending"),
    "trailing space": (tgz(GOOD, ("output/a.tif ", b"")), "member_ending"),
    "dots only": (tgz(GOOD, ("output/...", b"")), "member_ending"),
    "question mark": (tgz(GOOD, ("output/a?.tif", b"")), "member_character"),
    "long part": (tgz(GOOD, ("output/" + "a" * 256, b"")), "member_long"),
    "long part in bytes": (tgz(GOOD, ("output/" + "ü" * 128, b"")), "member_long"),
    "long path": (tgz(GOOD, ("output/" + "a/" * 500 + "a", b"")), "member_path_long"),
    "twice": (tgz(GOOD, ("output/a.tif", b"other")), "member_twice"),
    "twice, output/ dropped": (tgz(GOOD, ("a.tif", b"other")), "member_twice"),
    "twice with dots": (tgz(GOOD, ("output/./a.tif", b"other")), "member_twice"),
    "case": (tgz(GOOD, ("output/A.TIF", b"other")), "member_case"),
    "case of a folder": (tgz(("output/d/a", b""), ("output/D/b", b"")), "member_case"),
    "Unicode form": (tgz(("output/\u00e9", b""), ("output/e\u0301", b"")), "member_case"),
    "file, then folder": (tgz(GOOD, ("output/a.tif/b", b"")), "member_twice"),
    "folder, then file": (tgz(("output/d/a", b""), ("output/d", b"")), "member_twice"),
    "our record": (tgz(GOOD, ("output/job.json", b"{}")), "member_ours"),
    "our record in capitals": (tgz(GOOD, ("Job.JSON", b"{}")), "member_ours"),
    "no name": (packed(raw_tar(raw_header(b""))), "member_empty"),
    "the folder as a file": (packed(raw_tar(raw_header(b"./."))), "member_empty"),
    "too many files": (tgz(*((f"f{i}", b"") for i in range(1001))), "too_many_members"),
    "too many folders": (tgz(*((f"{i}/" + "d/" * 30 + "f", b"") for i in range(40))), "too_many_members"),
    "the same folder for ever": (tgz(*(special("d", tarfile.DIRTYPE) for _ in range(1001))), "too_many_members"),
    "announced too large": (packed(raw_tar(raw_header(b"big", 50_000_001))), "too_large"),
    "announced absurdly large": (
        packed(raw_tar(raw_header(b"big", size_field=b"\x80" + b"\xff" * 11))),
        "too_large",
    ),
    "announced too large by pax": (
        packed(pax_tar(pax_record(b"size", b"9" * 11))),
        "too_large",
    ),
    "many that are too large together": (tgz(*((f"f{i}", noise(100_000)) for i in range(501))), "too_large"),
    "bomb of zeros": (tgz(("output/zeros.tif", bytes(20_000_000))), "too_dense"),
    "bomb behind the end": (packed(tar_of(GOOD) + bytes(20_000_000)), "too_dense"),
    "zip: climbs": (zip_of(("../x", b"")), "member_parent"),
    "zip: absolute": (zip_of(("/abs", b"")), "member_absolute"),
    "zip: NUL": (zip_of(("a.tif0.exe", b"")).replace(b"a.tif0.exe", b"a.tif\0.exe"), "member_control"),
    "zip: backslash": (zip_of(("a0b.tif", b"")).replace(b"a0b.tif", b"a\\b.tif"), "member_character"),
    "zip: link": (zip_of((zip_info("link", LINK_MODE), b"/etc/passwd")), "member_link"),
    "zip: pipe": (zip_of((zip_info("pipe", FIFO_MODE), b"")), "member_device"),
    "zip: encrypted": (encrypted_zip(), "member_kind"),
    "zip: unknown method": (method_zip(97), "member_kind"),
    "zip: case": (zip_of(("a", b""), ("A", b"")), "member_case"),
    "zip: bomb of zeros": (zip_of(("zeros", bytes(20_000_000))), "too_dense"),
    "zip: too many files": (zip_of(*((f"f{i}", b"") for i in range(1001))), "too_many_members"),
}

HONEST = tgz(GOOD, ("output/b.tif", noise(300_000)), ("output/data.json", b"{}"))


def wrong_checksum() -> bytes:
    data = bytearray(HONEST)
    data[-8] ^= 1
    return bytes(data)


def wrong_length() -> bytes:
    data = bytearray(HONEST)
    data[-4] ^= 1
    return bytes(data)


def wrong_middle() -> bytes:
    data = bytearray(HONEST)
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def wrong_header() -> bytes:
    data = bytearray(tar_of(GOOD, ("output/b.tif", b"x")))
    data[1024 + 5] ^= 1
    return packed(bytes(data))


def without_end() -> bytes:
    return packed(tar_of(GOOD)[:1024])


def zip_with_wrong_checksum() -> bytes:
    return zip_of(("a.tif", b"pixels"), compression=zipfile.ZIP_STORED).replace(b"pixels", b"pixelz", 1)


BROKEN = {
    "empty": (b"", "archive_cut"),
    "a web page": (b"<!DOCTYPE html><html>Sign in</html>", "archive_unknown"),
    "a rar": (b"Rar!\x1a\x07\x01\x00" + bytes(600), "archive_unknown"),
    "gzip's first bytes only": (HONEST[:5], "archive_cut"),
    "cut in the middle": (HONEST[: len(HONEST) // 2], "archive_cut"),
    "cut in the checksum": (HONEST[:-6], "archive_cut"),
    "cut before the checksum": (HONEST[:-8], "archive_cut"),
    "tar cut, gzip whole": (packed(tar_of(GOOD)[:700]), "archive_cut"),
    "tar without end": (without_end(), "archive_cut"),
    "gzip of nothing": (packed(b""), "archive_cut"),
    "gzip of a text": (packed(b"no tar at all, only words " * 40), "archive_damaged"),
    "wrong checksum": (wrong_checksum(), "archive_damaged"),
    "wrong length": (wrong_length(), "archive_damaged"),
    "wrong byte in the middle": (wrong_middle(), "archive_damaged"),
    "wrong byte in a header": (wrong_header(), "archive_damaged"),
    "size that is no number": (packed(raw_tar(raw_header(b"a", size_field=b"12x45670000\0"))), "archive_damaged"),
    "negative size": (packed(raw_tar(raw_header(b"a", size_field=b"\xff" * 12))), "archive_damaged"),
    "pax size that is no number": (
        packed(pax_tar(pax_record(b"size", b"-1"))),
        "archive_damaged",
    ),
    "pax record without end": (packed(pax_tar(b"99 path=a")), "archive_damaged"),
    "pax record of length 0": (packed(pax_tar(b"0 path=a\n")), "archive_damaged"),
    "extended header too large": (packed(raw_tar(raw_header(b"p", 2_000_000, b"x"))), "archive_damaged"),
    "extended headers without end": (
        packed(raw_tar(*[raw_header(b"p", 0, b"x")] * 40, raw_header(b"a"))),
        "archive_damaged",
    ),
    "a name without its file": (
        packed(raw_tar(raw_header(b"p", 10, b"x"), pax_record(b"path", b"a"))),
        "archive_damaged",
    ),
    "second tar behind the first": (packed(tar_of(GOOD) + tar_of(("output/b", b"x"))), "archive_trailing"),
    "second archive behind the first": (HONEST + tgz(("output/c", b"x")), "archive_trailing"),
    "rubbish behind the archive": (HONEST + b"rubbish", "archive_trailing"),
    "rubbish behind the padding": (HONEST + bytes(1000) + b"\x1f\x8b", "archive_trailing"),
    "empty tar": (packed(tar_of()), "archive_empty"),
    "folders only": (tgz(special("output", tarfile.DIRTYPE)), "archive_empty"),
    "zip: cut": (zip_of(("a", noise(5000)))[:-40], "archive_cut"),
    "zip: wrong checksum": (zip_with_wrong_checksum(), "archive_damaged"),
    "zip: empty": (zip_of(), "archive_empty"),
    "zip: list of members lost": (b"PK\x03\x04" + bytes(500), "archive_cut"),
    "zip: list at a wrong place": (zip_of(("a", b"x")).replace(b"PK\x01\x02", b"PK\x01\x03"), "archive_damaged"),
    "zip: other name inside": (zip_of(("abc", b"x")).replace(b"abc", b"abd", 1), "archive_damaged"),
}


def refuse(tmp_path: Path, content: bytes, limits: UnpackLimits = SMALL) -> DeliveryError:
    """Unpack into a folder of its own; whatever happens, nothing may be left in it or beside it."""
    home = tmp_path / "home"
    home.mkdir()
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    with pytest.raises((ArchiveRefused, ArchiveBroken)) as refused:
        unpack(archive, home / "parent" / "folder", cancel=Cancel(), limits=limits)
    assert [path for path in home.rglob("*") if path.name != "parent"] == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "archive"}
    return refused.value


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_archive_is_refused_by_its_rule(tmp_path, name):
    content, rule = REFUSED[name]
    error = refuse(tmp_path, content)
    assert (type(error), error.code) == (ArchiveRefused, rule)
    assert error.member in error.text
    assert error.text.isprintable()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_archive_is_refused_in_words(tmp_path, name):
    content, code = BROKEN[name]
    error = refuse(tmp_path, content)
    assert (type(error), error.code) == (ArchiveBroken, code)
    assert error.text.isprintable()


def test_all_of_them_are_refused_while_they_arrive_too(tmp_path):
    """Through a server and the follower: in words, with nothing left, neither in the place of outputs nor beside it."""
    archives = {**REFUSED, **BROKEN}
    assert len(archives) >= 40
    session = Session(NetworkSettings(connect_timeout=20, read_timeout=20))
    with StorageServer(b"") as server:
        for number, (name, (server.body, code)) in enumerate(archives.items()):
            home = tmp_path / str(number) / "outputs"
            with pytest.raises((ArchiveRefused, ArchiveBroken)) as refused:
                deliver(
                    session,
                    server.url,
                    home,
                    "Job",
                    lambda files: {"request": {}, "job": {"id": "j"}},
                    job_id="j",
                    cancel=Cancel(),
                    limits=SMALL,
                )
            assert refused.value.code == code, name
            assert list(home.parent.rglob("*")) == [home], name
    session.close()


def test_every_shortened_archive_is_refused(tmp_path):
    archive, folder = tmp_path / "archive", tmp_path / "folder"
    whole = tgz(GOOD, ("output/b.tif", noise(500)))
    for length in range(len(whole)):
        archive.write_bytes(whole[:length])
        with pytest.raises(ArchiveBroken):
            unpack(archive, folder, cancel=Cancel())
        assert not folder.exists()
    archive.write_bytes(whole)
    assert len(unpack(archive, folder, cancel=Cancel())) == 2


@given(st.integers(0, 10**9), st.integers(1, 255))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_is_found_or_harmless(tmp_path_factory, place, flip):
    content = bytearray(tgz(GOOD, ("output/b.tif", b"0123456789" * 50)))
    content[place % len(content)] ^= flip
    folder = tmp_path_factory.mktemp("flip")
    (folder / "archive").write_bytes(content)
    try:
        unpack(folder / "archive", folder / "folder", cancel=Cancel())
    except (ArchiveBroken, ArchiveRefused):
        assert not (folder / "folder").exists()
    else:  # a byte of gzip's own header that means nothing, such as the time
        assert (folder / "folder" / "a.tif").read_bytes() == b"pixels"
        assert (folder / "folder" / "b.tif").read_bytes() == b"0123456789" * 50


@given(st.binary(max_size=1500), st.sampled_from(["tar", "gzip", "zip"]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_never_crashes(tmp_path_factory, rubbish, kind):
    starts = {"tar": raw_header(b"output/a", len(rubbish)), "gzip": b"", "zip": b"PK\x03\x04"}
    content = starts[kind] + rubbish
    folder = tmp_path_factory.mktemp("rubbish")
    (folder / "archive").write_bytes(packed(content) if kind != "zip" else content)
    with pytest.raises((ArchiveBroken, ArchiveRefused)):
        unpack(folder / "archive", folder / "folder", cancel=Cancel())
    assert not (folder / "folder").exists()


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_zip_with_wrong_bytes_never_crashes(tmp_path_factory, data):
    content = bytearray(zip_of(("output/a.tif", b"pixels" * 9), ("output/data.json", b"{}")))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("zip")
    (folder / "archive").write_bytes(content)
    try:
        unpack(folder / "archive", folder / "folder", cancel=Cancel(), limits=SMALL)
    except (ArchiveBroken, ArchiveRefused):
        assert sorted(path.name for path in folder.iterdir()) == ["archive"]


NAMES = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["..", ".", "", "/", "\\", "output", "C:", "a", "A", "con", "a.", " ", "\0"]), max_size=8
    ).map("/".join),
)


@given(st.lists(NAMES, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_ever_writes_outside_the_folder(tmp_path_factory, names):
    home = tmp_path_factory.mktemp("names")
    entries = []
    for name in names:
        raw = name.encode("utf-8", "surrogatepass")
        record = pax_record(b"path", raw)
        entries += [raw_header(b"p", len(record), b"x"), record, raw_header(b"plain", 3), b"abc"]
    (home / "archive").write_bytes(packed(raw_tar(*entries)))
    try:
        files = unpack(home / "archive", home / "folder", cancel=Cancel())
    except (ArchiveBroken, ArchiveRefused):
        assert sorted(os.listdir(home)) == ["archive"]
    else:
        assert sorted(os.listdir(home)) == ["archive", "folder"]
        there = {path for path in (home / "folder").rglob("*") if path.is_file()}
        assert there == set(files) and len(files) == len(names)
        assert all(path.read_bytes() == b"abc" for path in there)


def test_the_caps_are_in_the_message(tmp_path):
    error = refuse(tmp_path, REFUSED["bomb of zeros"][0])
    assert "100 times" in error.text and "zeros.tif" in error.text


def test_a_hundred_thousand_members_are_the_limit_by_default(tmp_path):
    header = raw_header(b"output", kind=b"5")
    error = refuse(tmp_path, packed(header * 100_001 + bytes(1024)), UnpackLimits())
    assert error.code == "too_many_members"
    assert "100000" in error.text


def test_a_bomb_is_stopped_long_before_its_end(tmp_path):
    """300 MB of zeros behind a first file; of the zeros only a few MB may have been unpacked."""
    squeeze = zlib.compressobj(1, wbits=31)
    parts = [squeeze.compress(tar_of(GOOD)[:1024] + raw_header(b"output/zeros", 3 * 10**8))]
    parts += [squeeze.compress(bytes(10**7)) for _ in range(30)]
    archive = tmp_path / "archive"
    archive.write_bytes(b"".join([*parts, squeeze.flush()]))
    limits = UnpackLimits(max_total=10**9, max_ratio=100, ratio_from=5_000_000)
    tally = Tally(limits)
    seen = [0]

    def count(unpacked: int, packed: int) -> None:
        seen[0] = unpacked
        tally.bytes(unpacked, packed)

    with archive.open("rb") as stream, pytest.raises(ArchiveRefused):
        for member in archive_members(stream, count):
            for _ in member.chunks():
                continue
    assert 5_000_000 < seen[0] < 30_000_000  # a read of 256 kB may hold 100 times as much
    with pytest.raises(ArchiveRefused) as refused:
        unpack(archive, tmp_path / "folder", cancel=Cancel(), limits=limits)
    assert refused.value.member == "output/zeros"
    assert sorted(os.listdir(tmp_path)) == ["archive"]


def test_an_honest_raster_of_nodata_is_no_bomb(tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(tgz(("output/mask.tif", bytes(60_000_000))))
    (mask,) = unpack(archive, tmp_path / "folder", cancel=Cancel())
    assert mask.stat().st_size == 60_000_000


def test_a_zip_with_an_endless_list_of_members_is_not_read_into_memory(tmp_path):
    size = 100_000_000
    end = b"PK\x05\x06" + bytes(4) + b"\xff\xff" * 2 + size.to_bytes(4, "little") + bytes(6)
    with (tmp_path / "archive").open("wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.seek(size)
        stream.write(end)
    with pytest.raises(ArchiveBroken) as refused:
        unpack(tmp_path / "archive", tmp_path / "folder", cancel=Cancel())
    assert f"a list of members of {size} bytes" in refused.value.text


def test_gzip_s_own_file_name_is_not_used(tmp_path):
    target = io.BytesIO()
    with gzip.GzipFile("../../evil", "wb", fileobj=target) as stream:
        stream.write(tar_of(GOOD))
    (tmp_path / "archive").write_bytes(target.getvalue())
    assert unpack(tmp_path / "archive", tmp_path / "folder", cancel=Cancel()) == [tmp_path / "folder" / "a.tif"]
