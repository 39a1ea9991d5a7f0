"""job.json and data.json: what a folder is, and which scene each file belongs to."""

from __future__ import annotations

import json
import os
import resource
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from up42_jobs.plugin.delivery.data_json import MAX_BYTES, OutputFile, Outputs, read_outputs, unlinked
from up42_jobs.plugin.delivery.errors import DataUnreadable, DeliveryError, DiskError, ManifestUnreadable
from up42_jobs.plugin.delivery.manifest import SCHEMA, manifest_of, read_manifest, write_manifest
from up42_jobs.plugin.jobs.job import Job, JobState, JobType, Scene, inputs_as_text
from up42_jobs.tests.unit.delivery_archives import data_json, feature

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
JOB = Job(
    id="2f1c-job",
    project_id="p",
    name="Itaipu · NDVI · 2026-11-22",
    state=JobState.SUCCEEDED,
    raw_status="SUCCEEDED",
    job_type=JobType.LIVE_JOB,
    workflow_id="w",
    workflow_name="NDVI",
    created_at=datetime(2026, 11, 22, 10, 0, 0, 123456, timezone.utc),
    finished_at=datetime(2026, 11, 22, 12, 5, tzinfo=timezone(timedelta(hours=2))),
    inputs_text=inputs_as_text(
        {"demo:1": {"bbox": None, "intersects": SQUARE, "limit": 2}, "ndvi:1": {"output_original_raster": False}}
    ),
)


def manifest(**changes):
    given = {
        "aoi": SQUARE,
        "aoi_name": "Itaipu",
        "platform": "This Computer",
        "project": "Demo",
        "scenes": [Scene("S1", SQUARE, datetime(2020, 5, 18, 13, tzinfo=timezone.utc), float("nan"))],
        "credits": 0,
        "licence": ["Public domain"],
        "attribution": ["USGS"],
        "versions": {"up42_jobs": "0.1.0"},
    }
    return {**manifest_of(JOB, **given), "files": [{"path": "a/b.tif", "bytes": 3, "scenes": ["S1"]}], **changes}


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    path = write_manifest(tmp_path, manifest())
    assert path == tmp_path / "job.json" and os.listdir(tmp_path) == ["job.json"]
    read = read_manifest(tmp_path)
    assert read["schema"] == SCHEMA == "up42-jobs/1"
    assert read["request"] == {
        "workflow": {"id": "w", "name": "NDVI"},
        "job_type": "live_job",
        "aoi": {"name": "Itaipu", "geometry": SQUARE},
        "filter": "intersects",
        "parameters": {"demo:1": {"limit": 2}, "ndvi:1": {"output_original_raster": False}},
    }
    assert read["job"] == {
        "id": "2f1c-job",
        "name": "Itaipu · NDVI · 2026-11-22",
        "state": "succeeded",
        "platform": "This Computer",
        "project": "Demo",
        "created": "2026-11-22T10:00:00Z",
        "finished": "2026-11-22T10:05:00Z",
    }
    assert read["scenes"] == [{"id": "S1", "acquired": "2020-05-18T13:00:00Z", "cloud_cover": None}]
    assert read["files"] == [{"path": "a/b.tif", "bytes": 3, "scenes": ["S1"]}]
    assert (read["credits"], read["licence"], read["attribution"]) == (0, ["Public domain"], ["USGS"])
    assert "Itaipu · NDVI" in path.read_text("utf-8")


def test_secrets_do_not_get_into_the_manifest(tmp_path):
    secrets = {
        "export:1": {
            "api_key": "geheim-1",
            "aws_secret_access_key": "geheim-2",
            "nested": [{"password": "geheim-3"}],
            "url": "https://user:geheim-4@storage.example/x?Expires=1&Signature=geheim-5",
            "note": "Authorization: Bearer geheim-6",
            "token_count": 3,
        }
    }
    given = manifest()
    given["request"] = {**given["request"], "parameters": secrets}
    text = write_manifest(tmp_path, given).read_text("utf-8")
    assert "geheim" not in text
    assert read_manifest(tmp_path)["request"]["parameters"]["export:1"]["token_count"] == 3


def test_a_manifest_replaces_an_older_one_in_one_step(tmp_path):
    write_manifest(tmp_path, manifest(credits=1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(DiskError):
            write_manifest(tmp_path, manifest(credits=2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == ["job.json"]
    assert read_manifest(tmp_path)["credits"] == 1
    write_manifest(tmp_path, manifest(credits=3))
    assert read_manifest(tmp_path)["credits"] == 3
    assert os.listdir(tmp_path) == ["job.json"]


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "manifest_broken", "line 1, column 1"),
        (b"{\n  nope", "manifest_broken", "line 2, column 3"),
        (b"[]", "manifest_broken", "not a JSON object"),
        (b"\xff\xfe", "manifest_broken", "not UTF-8"),
        (b"[" * 200_000, "manifest_broken", "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "manifest_broken", "number"),
        (b"{}", "manifest_broken", "not from UP42 Jobs"),
        (b'{"schema": "something/1"}', "manifest_broken", "not from UP42 Jobs"),
        (b'{"schema": ["up42-jobs/1"]}', "manifest_broken", "not from UP42 Jobs"),
        (b'{"schema": "up42-jobs/2"}', "manifest_newer", "update UP42 Jobs"),
        (b'{"schema": "up42-jobs/1"}', "manifest_broken", "“request” is missing"),
    ],
)
def test_a_broken_manifest_is_told_with_its_place(tmp_path, content, code, says):
    (tmp_path / "job.json").write_bytes(content)
    with pytest.raises(ManifestUnreadable) as broken:
        read_manifest(tmp_path)
    assert broken.value.code == code
    assert says in broken.value.text and str(tmp_path) in broken.value.text


@pytest.mark.parametrize("section", ["request", "job", "scenes", "files"])
def test_a_manifest_without_a_section(tmp_path, section):
    write_manifest(tmp_path, manifest(**{section: "no"}))
    with pytest.raises(ManifestUnreadable) as broken:
        read_manifest(tmp_path)
    assert section in broken.value.text


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "C:\\x", "a/../../x", "", ".", 5, None])
def test_a_manifest_never_leads_outside_its_folder(tmp_path, path):
    write_manifest(tmp_path, manifest(files=[{"path": path}]))
    with pytest.raises(ManifestUnreadable):
        read_manifest(tmp_path)


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(ManifestUnreadable) as missing:
        read_manifest(tmp_path)
    assert missing.value.code == "manifest_missing"
    with pytest.raises(ManifestUnreadable):
        read_manifest(tmp_path / "absent")


def test_a_manifest_of_any_size_is_not_read(tmp_path):
    with (tmp_path / "job.json").open("wb") as stream:
        stream.truncate(2**33)
    with pytest.raises(ManifestUnreadable) as large:
        read_manifest(tmp_path)
    assert "8.6 GB" in large.value.text


def outputs_of(folder: Path, files: list[str], content: bytes) -> Outputs:
    (folder / "data.json").write_bytes(content)
    return read_outputs(folder, [Path(name) for name in ["data.json", *files]])


def test_files_are_linked_to_their_scenes(tmp_path):
    features = [
        feature("S1", "S1.tif"),
        feature("S2", "S2"),
        feature("S3", "./output/S3_B02.tif"),
        feature("S4", "gone.tif"),
        feature("S5"),
    ]
    names = ["S1.tif", "S2/IMG.JP2", "S2/deep/RPC.xml", "S3_B02.tif", "extra.txt", "S22/x.tif"]
    found = outputs_of(tmp_path, names, data_json(*features))
    assert found.files == [
        OutputFile(Path("S1.tif"), ("S1",)),
        OutputFile(Path("S2/IMG.JP2"), ("S2",)),
        OutputFile(Path("S2/deep/RPC.xml"), ("S2",)),
        OutputFile(Path("S3_B02.tif"), ("S3",)),
        OutputFile(Path("extra.txt")),
        OutputFile(Path("S22/x.tif")),
    ]
    assert found.missing == ["gone.tif"]
    assert found.features == features
    assert found.collection == {"type": "FeatureCollection", "features": features}


def test_several_scenes_of_one_file_and_the_old_keys(tmp_path):
    features = [feature("S1", "m.tif"), feature("S2", "m.tif"), feature("S3", **{"up42.data.aoiclipped": "old.tif"})]
    found = outputs_of(tmp_path, ["m.tif", "old.tif"], data_json(*features))
    assert found.files == [OutputFile(Path("m.tif"), ("S1", "S2")), OutputFile(Path("old.tif"), ("S3",))]


@pytest.mark.parametrize("path", ["../x.tif", "/etc/passwd", "C:\\x", "a\0", "CON", "a/../../b"])
def test_unsafe_data_paths_are_listed_and_not_followed(tmp_path, path):
    found = outputs_of(tmp_path, ["a.tif"], data_json(feature("S1", path)))
    assert len(found.missing) == 1 and found.files == [OutputFile(Path("a.tif"))]


def test_without_data_json_there_are_only_files(tmp_path):
    assert read_outputs(tmp_path, [Path("a.tif")]) == Outputs(files=[OutputFile(Path("a.tif"))])


def test_a_test_query_without_scenes(tmp_path):
    assert outputs_of(tmp_path, [], data_json()) == Outputs()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"type": "FeatureCollection"}', b'{"type": "Feature"}', b"\xff", b'{"a":' * 100_000],
)
def test_a_broken_data_json_is_told(tmp_path, content):
    with pytest.raises(DataUnreadable) as broken:
        outputs_of(tmp_path, ["a.tif"], content)
    assert broken.value.code == "data_json_broken" and str(tmp_path) in broken.value.text


def test_a_large_data_json_is_told(tmp_path):
    with pytest.raises(DataUnreadable) as large:
        outputs_of(tmp_path, ["a.tif"], b" " * (MAX_BYTES + 1))
    assert large.value.code == "data_json_large" and "16.8 MB" in large.value.text
    assert unlinked([Path("data.json"), Path("a.tif")]).files == [OutputFile(Path("a.tif"))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "features", "properties", "id", "up42.data_path", "schema", "job", "files", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), JSON)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_strange_json_never_crashes(tmp_path_factory, features, other):
    folder = tmp_path_factory.mktemp("strange")
    document = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    assert len(outputs_of(folder, ["a.tif"], document).files) == 1
    for document in ({"schema": SCHEMA, "job": other, "request": {}, "scenes": [], "files": features}, other):
        (folder / "job.json").write_text(json.dumps(document))
        try:
            read_manifest(folder)
        except DeliveryError:
            continue
