"""Folder names: readable, and good on every file system."""

from __future__ import annotations

import os
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.delivery import portable_names
from up42_jobs.plugin.delivery.errors import DeliveryError, printable
from up42_jobs.plugin.delivery.folder_names import MAX_BYTES, MAX_CHARACTERS, folder_name, unique_folder

ANY_NAME = st.one_of(
    st.text(st.characters(), max_size=150),
    st.lists(st.sampled_from(["..", ".", "/", "\\", "CON", "nul", " ", " · ", "2026-11-22", "\0", "a" * 70, "ü"])).map(
        "".join
    ),
)


@pytest.mark.parametrize(
    ("job", "folder"),
    [
        ("Itaipu · NDVI · 2026-11-22", "Itaipu · NDVI · 2026-11-22"),
        ("Field 3/4 · S2: sharp? · 2026-11-22", "Field 3_4 · S2_ sharp_ · 2026-11-22"),
        ("  two\n\tlines  ", "two lines"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("CON", "_CON"),
        ("nul.2026", "_nul.2026"),
        ("con." + "0" * 76, "_con." + "0" * 74 + "…"),
        ("...", "Job"),
        ("", "Job"),
        (".hidden", "hidden"),
        ("ends with a dot. ", "ends with a dot"),
        ("e\u0301", "\u00e9"),
        ("أرض · NDVI", "أرض · NDVI"),
        ("a\u202efdp", "a fdp"),
        ("\udc80", "Job"),
    ],
)
def test_names_stay_readable(job, folder):
    assert folder_name(job) == folder


def test_a_long_name_keeps_its_date():
    name = folder_name("A very long name of an area of interest, " * 5 + " · NDVI · 2026-11-22")
    assert name.startswith("A very long name") and name.endswith("… · 2026-11-22")
    assert len(name) <= MAX_CHARACTERS
    wide = folder_name("日本" * 100 + " · 2026-11-22")
    assert wide.endswith("… · 2026-11-22") and len(wide.encode()) <= MAX_BYTES
    assert len(folder_name("x" * 300 + " · " + "y" * 300)) <= MAX_CHARACTERS


@given(ANY_NAME)
def test_any_name_is_good_everywhere(name):
    made = folder_name(name)
    assert portable_names.rule_broken(made) is None
    assert made == folder_name(made)
    assert not made.startswith(".")
    assert len(made.encode()) <= MAX_BYTES
    assert PurePosixPath("p", made).parent == PurePosixPath("p")
    assert PureWindowsPath("p", made).parent == PureWindowsPath("p")


@given(ANY_NAME)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_is_one_new_folder_in_the_parent(tmp_path_factory, name):
    parent = tmp_path_factory.mktemp("parent")
    for _ in range(3):
        folder = unique_folder(parent, name)
        folder.mkdir()
        assert folder.parent == parent
    assert len(os.listdir(parent)) == 3


def test_taken_names_are_counted_up(tmp_path):
    assert unique_folder(tmp_path, "a/b") == tmp_path / "a_b"
    (tmp_path / "a_b").mkdir()
    (tmp_path / "a_b (2)").symlink_to("nowhere")
    assert unique_folder(tmp_path, "a/b") == tmp_path / "a_b (3)"


def test_when_all_names_are_taken_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("up42_jobs.plugin.delivery.folder_names._MAX_COPIES", 2)
    (tmp_path / "a").mkdir()
    (tmp_path / "a (2)").mkdir()
    with pytest.raises(DeliveryError) as taken:
        unique_folder(tmp_path, "a")
    assert str(tmp_path / "a") in taken.value.text


def test_printable_names():
    assert printable("a\nb\0c\u202e") == "a\\nb\\x00c\\u202e"
    assert printable("\udcff") == "\\udcff"
    assert len(printable("x" * 1000)) <= 121
