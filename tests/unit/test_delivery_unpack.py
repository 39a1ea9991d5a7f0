"""Unpacking honest archives of every make; the folder appears whole or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from up42_jobs.plugin.delivery.errors import DeliveryError, DiskError, NotEnoughSpace
from up42_jobs.plugin.delivery.limits import UnpackLimits
from up42_jobs.plugin.delivery.unpack import unpack
from up42_jobs.plugin.net.cancel import Cancel, Cancelled
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
from up42_jobs.tests.unit.delivery_disk import small_disk

BIG = noise(5_000_000)
LONG = "scene/" + "é" * 60 + "/" + "n" * 120 + ".tif"  # too long for a plain tar header


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outputs" / "folder"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fmt", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_gz_of_every_format(archive, folder, fmt):
    names = ["output/a.tif", "output/b/c/d.tif", "output/e/" + "x" * 60 + "/" + "y" * 60]
    names += [] if fmt == tarfile.USTAR_FORMAT else ["output/" + LONG]
    given = {name: name.encode() * 7 for name in names} | {"output/big.tif": BIG, "output/empty.tif": b""}
    archive.write_bytes(tgz(special("output", tarfile.DIRTYPE), *given.items(), fmt=fmt))
    files = unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {name[len("output/") :]: content for name, content in given.items()}
    assert files == [folder / name[len("output/") :] for name in given]
    assert sorted(os.listdir(folder.parent)) == ["folder"]


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar program")
@pytest.mark.parametrize("options", [[], ["--format=posix"], ["--format=gnu"], ["--format=v7"], ["-b", "1"]])
def test_archives_of_the_tar_program(tmp_path, archive, folder, options):
    (tmp_path / "output" / "sub").mkdir(parents=True)
    (tmp_path / "output" / "data.json").write_text("{}")
    (tmp_path / "output" / "sub" / "a b.tif").write_bytes(BIG)
    subprocess.run(["tar", "czf", archive, *options, "output"], cwd=tmp_path, check=True)
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"data.json": b"{}", "sub/a b.tif": BIG}


def test_a_plain_tar(archive, folder):
    archive.write_bytes(tar_of(("output/a.tif", BIG)))
    assert unpack(archive, folder, cancel=Cancel()) == [folder / "a.tif"]
    assert contents(folder) == {"a.tif": BIG}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip(archive, folder, method):
    archive.write_bytes(zip_of(("output/", b""), ("output/a/b.tif", BIG), ("output/ü.json", b"{}"), compression=method))
    assert unpack(archive, folder, cancel=Cancel()) == [folder / "a" / "b.tif", folder / "ü.json"]
    assert contents(folder) == {"a/b.tif": BIG, "ü.json": b"{}"}


def test_gzip_in_several_members_and_zero_padding(archive, folder):
    tar = tar_of(("output/a.tif", BIG))
    pieces = [gzip.compress(tar[at : at + 700_000]) for at in range(0, len(tar), 700_000)]
    archive.write_bytes(b"".join(pieces) + bytes(5000))
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"a.tif": BIG}


def test_an_old_tar_without_magic(archive, folder):
    old = raw_header(b"output/", kind=b"\0", magic=bytes(8)) + raw_header(b"output/a", 3, b"\0", bytes(8))
    archive.write_bytes(packed(old + b"abc".ljust(512, b"\0") + bytes(512)))
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"a": b"abc"}


def test_pax_sizes_and_global_headers(archive, folder):
    data = pax_record(b"comment", b"from everywhere")
    tar = raw_header(b"g", len(data), b"g") + data.ljust(512, b"\0")
    tar += pax_tar(pax_record(b"size", b"3"), pax_record(b"path", b"output/b"))[:1536] + b"abc".ljust(512, b"\0")
    archive.write_bytes(packed(tar + bytes(1024)))
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"b": b"abc"}


def test_a_size_in_gnu_s_binary_form(archive, folder):
    archive.write_bytes(packed(raw_tar(raw_header(b"a", size_field=b"\x80" + (3).to_bytes(11, "big")), b"abc")))
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"a": b"abc"}


def test_output_is_dropped_once_and_only_in_front(archive, folder):
    names = ["./output/a", "output/output/b", "c/output/d", "Results/e", "outputs/f"]
    archive.write_bytes(tgz(*((name, b"") for name in names)))
    unpack(archive, folder, cancel=Cancel())
    assert set(contents(folder)) == {"a", "output/b", "c/output/d", "Results/e", "outputs/f"}


def test_a_file_named_output_keeps_its_name(archive, folder):
    archive.write_bytes(tgz(("output", b"x")))
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"output": b"x"}


def test_permissions_of_the_archive_are_not_taken_over(archive, folder):
    info = special("output/run.sh", tarfile.REGTYPE)
    info.mode, info.uid, info.mtime = 0o6777, 12345, 2**33
    archive.write_bytes(tgz(info, ("output/a", b"")))
    first, second = unpack(archive, folder, cancel=Cancel())
    assert stat.S_IMODE(first.stat().st_mode) == stat.S_IMODE(second.stat().st_mode)
    assert not first.stat().st_mode & (stat.S_IXUSR | stat.S_ISUID | stat.S_ISGID)
    assert first.stat().st_uid == os.getuid() and first.stat().st_mtime < 2**32


def test_each_file_is_shown_closed_and_inside_the_partial_folder(archive, folder):
    archive.write_bytes(tgz(("output/a.tif", b"A"), ("output/b.tif", b"BB")))
    seen = []

    def look(path: Path) -> None:
        assert not folder.exists()
        assert path.is_relative_to(folder.with_name("folder.partial"))
        seen.append(path.read_bytes())
        path.with_name(f"{path.name}.ovr").write_bytes(b"overview")

    files = unpack(archive, folder, cancel=Cancel(), after_member=look)
    assert seen == [b"A", b"BB"]
    assert set(contents(folder)) == {"a.tif", "a.tif.ovr", "b.tif", "b.tif.ovr"}
    assert files == [folder / "a.tif", folder / "b.tif"]


def test_a_hook_that_fails_leaves_nothing(archive, folder):
    archive.write_bytes(tgz(("output/a.tif", b"A")))
    with pytest.raises(ZeroDivisionError):
        unpack(archive, folder, cancel=Cancel(), after_member=lambda _: 1 // 0)
    assert os.listdir(folder.parent) == []


def test_an_existing_folder_is_never_overwritten(archive, folder):
    archive.write_bytes(tgz(("output/a.tif", b"new")))
    folder.mkdir(parents=True)
    with pytest.raises(DeliveryError) as refused:
        unpack(archive, folder, cancel=Cancel())
    assert refused.value.code == "folder_exists"
    assert os.listdir(folder) == []


def test_a_folder_that_appears_meanwhile_is_not_overwritten(archive, folder):
    archive.write_bytes(tgz(("output/a.tif", b"new")))

    def other_program(_: Path) -> None:
        folder.mkdir()
        (folder / "mine").write_text("mine")

    with pytest.raises(DeliveryError) as refused:
        unpack(archive, folder, cancel=Cancel(), after_member=other_program)
    assert refused.value.code == "folder_exists"
    assert contents(folder) == {"mine": b"mine"}
    assert os.listdir(folder.parent) == ["folder"]


def test_what_a_crash_left_is_removed(archive, folder):
    archive.write_bytes(tgz(("output/a.tif", b"new")))
    partial = folder.with_name("folder.partial")
    partial.mkdir(parents=True)
    (partial / "half.tif").write_bytes(b"half")
    unpack(archive, folder, cancel=Cancel())
    assert contents(folder) == {"a.tif": b"new"}


class CancelledMeanwhile(Cancel):
    """Another thread cancels just before the third look at the flag."""

    looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks == 3:
            self.cancel()
        super().check()


@pytest.mark.parametrize("make", [tgz, tar_of, zip_of])
def test_cancel_in_the_middle_of_a_member(archive, folder, make):
    """The partial folder is gone although a part of the file was written."""
    archive.write_bytes(make(("output/big.tif", BIG)))
    with pytest.raises(Cancelled):
        unpack(archive, folder, cancel=CancelledMeanwhile())
    assert os.listdir(folder.parent) == []


@pytest.mark.parametrize("make", [tgz, tar_of, zip_of])
def test_cancel_between_empty_members(archive, folder, make):
    archive.write_bytes(make(("output/a", b""), ("output/b", b"")))
    cancel = Cancel()
    seen = []

    def stop(path: Path) -> None:
        seen.append(path.name)
        cancel.cancel()

    with pytest.raises(Cancelled):
        unpack(archive, folder, cancel=cancel, after_member=stop)
    assert seen == ["a"]


def test_a_member_larger_than_the_disk_is_refused_with_numbers(archive, folder):
    size = 10**15
    archive.write_bytes(packed(raw_tar(raw_header(b"big", size_field=b"\x80" + size.to_bytes(11, "big")))))
    with pytest.raises(NotEnoughSpace) as refused:
        unpack(archive, folder, cancel=Cancel(), limits=UnpackLimits(max_total=10**16))
    assert refused.value.values["needed"] == size and refused.value.values["free"] > 0
    assert "1000000.0 GB" in refused.value.text
    assert os.listdir(folder.parent) == []


@pytest.mark.parametrize("size", [9_000_000, 2_050_000])  # full in the middle, and in the last write of a file
def test_a_full_disk_is_told_and_leaves_nothing(archive, tmp_path, size):
    archive.write_bytes(tgz(("output/a.tif", b"A"), ("output/b.tif", noise(size))))
    home = tmp_path / "disk"
    with small_disk(home, 2_000_000) as mounted:
        with pytest.raises((NotEnoughSpace, DiskError)) as full:
            unpack(archive, home / "folder", cancel=Cancel())
        assert os.listdir(home) == []
        assert full.value.code == ("disk_full" if mounted else "file_too_large")
        assert str(home) in full.value.text


def test_a_folder_that_can_not_be_made(archive, tmp_path):
    archive.write_bytes(tgz(("output/a.tif", b"A")))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DiskError) as failure:
        unpack(archive, tmp_path / "file" / "folder", cancel=Cancel())
    assert str(tmp_path / "file") in failure.value.text


def test_an_archive_that_is_not_there(tmp_path):
    with pytest.raises(DiskError):
        unpack(tmp_path / "absent", tmp_path / "folder", cancel=Cancel())
    assert os.listdir(tmp_path) == []
