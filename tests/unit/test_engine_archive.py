"""Archives of the local engine (contract 5.1)."""

from __future__ import annotations

import os
import tarfile

import pytest

from up42_jobs.plugin.engine.archive import make_archive


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "output"
    (folder / "b" / "deep").mkdir(parents=True)
    (folder / "data.json").write_text("{}")
    (folder / "a.tif").write_bytes(b"a" * 10)
    (folder / "b" / "deep" / "c.tif").write_bytes(b"c" * 20)
    (folder / "b" / "b.tif").write_bytes(b"b" * 30)
    return folder


def names(archive):
    with tarfile.open(archive, "r:gz") as tar:
        return tar.getnames()


def test_data_json_comes_first_then_the_rest_by_name(output, tmp_path):
    make_archive(output, tmp_path / "output.tgz")
    assert names(tmp_path / "output.tgz") == [
        *("output", "output/data.json", "output/a.tif"),
        *("output/b", "output/b/b.tif", "output/b/deep", "output/b/deep/c.tif"),
    ]
    with tarfile.open(tmp_path / "output.tgz") as tar:
        assert tar.extractfile("output/b/deep/c.tif").read() == b"c" * 20


def test_a_test_query_has_data_json_only(output, tmp_path):
    make_archive(output, tmp_path / "output.tgz", only_data_json=True)
    assert names(tmp_path / "output.tgz") == ["output", "output/data.json"]


def test_equal_outputs_give_equal_archives_that_tell_nothing_of_this_computer(output, tmp_path):
    make_archive(output, tmp_path / "one.tgz")
    make_archive(output, tmp_path / "two.tgz")
    assert (tmp_path / "one.tgz").read_bytes() == (tmp_path / "two.tgz").read_bytes()
    with tarfile.open(tmp_path / "one.tgz") as tar:
        for member in tar:
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            assert member.mode == (0o755 if member.isdir() else 0o644)


def test_links_and_pipes_stay_outside(output, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (output / "link.tif").symlink_to(secret)
    (output / "folder-link").symlink_to(tmp_path)
    os.mkfifo(output / "pipe")
    make_archive(output, tmp_path / "output.tgz")
    assert not {"output/link.tif", "output/folder-link", "output/pipe"} & set(names(tmp_path / "output.tgz"))


def test_nothing_half_written_stands_under_the_name(output, tmp_path):
    (output / "data.json").unlink()
    with pytest.raises(FileNotFoundError):
        make_archive(output, tmp_path / "output.tgz")
    assert not (tmp_path / "output.tgz").exists()
