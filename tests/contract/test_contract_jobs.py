"""Jobs from the request to the end: Live Job, Test Query, refusals, failures, cancel (contract 2.5, 2.6, 3, 4)."""

from __future__ import annotations

import io
import os
import re
import tarfile
import time
import uuid

import pytest
import requests
from engine_process import BBOX, until

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - [\w.-]+ - [A-Z]+ - .+")


def inputs(data=None, **tasks):
    """Inputs of a workflow of tiny-data and others: `copy={…}` is for the task "tiny-copy:1"."""
    filled = {"tiny-data:1": {"bbox": BBOX, **(data or {})}}
    filled.update({f"tiny-{name}:1": parameters for name, parameters in tasks.items()})
    return filled


def dry(body):
    return {**body, "config": {"mode": "DRY_RUN"}}


def members(client, path):
    url = client.data(f"{path}/downloads/results/")["url"]
    answer = requests.get(url, timeout=10)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        return tar.getnames()


@pytest.fixture(scope="module")
def live(tiny_engine):
    """A Live Job of two tasks on This Computer that has ended."""
    client = tiny_engine.this_computer()
    workflow = client.make_workflow("tiny-data", "tiny-copy")
    body = inputs({"limit": 2, "time": None, "ids": None}, copy={"strength": "strong"})
    answer = client.post_job(workflow, body, name="Berlin 1 + 2 · München")
    job = f"{client.project}/jobs/{answer.json()['data']['id']}"
    client.wait(job)
    return client, job, answer, body


def test_a_new_job_is_not_started_and_says_what_was_sent(live):
    client, job, answer, body = live
    assert answer.status_code == 200
    made = answer.json()["data"]
    assert made["status"] == "NOT_STARTED"
    assert made["startedAt"] is made["finishedAt"] is None
    assert made["name"] == "Berlin 1 + 2 · München"
    assert made["inputs"] == body
    assert made["mode"] == "DEFAULT"
    assert made["workflowName"] == "Test"
    assert client.data(job)["status"] == "SUCCEEDED"


def test_the_tasks_of_a_job(live):
    client, job, *_ = live
    first, second = client.data(f"{job}/tasks/")
    assert (first["name"], second["name"]) == ("tiny-data:1", "tiny-copy:1")
    assert second["parentsIds"] == [first["id"]]
    for task in (first, second):
        assert task["status"] == "SUCCEEDED"
        assert task["startedAt"] <= task["finishedAt"]
        assert task["blockVersion"] == task["block"]["version"] == "1.0.0"
    assert (first["block"]["type"], second["block"]["type"]) == ("DATA", "PROCESSING")


def test_logs_are_plain_text_in_the_form_of_the_blocks(live):
    client, job, *_ = live
    answer = client.call("GET", f"{job}/tasks/{client.task(job, 0)['id']}/logs")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert all(LOG_LINE.fullmatch(line) for line in lines), lines
    assert any("Found 2 scenes" in line for line in lines)


def test_outputs_of_the_job_and_of_each_task(live):
    client, job, *_ = live
    bare = client.call("GET", f"{job}/outputs/data-json").json()
    assert bare["type"] == "FeatureCollection"
    assert [feature["id"] for feature in bare["features"]] == ["scene-0", "scene-1"]
    expected = ["output", "output/data.json", "output/scene-0.tif", "output/scene-1.tif"]
    assert members(client, job) == expected
    first = f"{job}/tasks/{client.task(job, 0)['id']}"
    assert members(client, first) == expected
    seen = client.call("GET", f"{first}/outputs/data-json/").json()["features"][0]["properties"]["seen"]
    assert seen["parameters"]["limit"] == 2
    assert seen["parameters"]["time"].startswith("2018"), "the default, where null was sent"
    assert seen["parameters"]["contains"] is None


def test_quicklooks_of_the_data_task(live):
    client, job, *_ = live
    first, second = (f"{job}/tasks/{task['id']}/outputs/quicklooks" for task in client.data(f"{job}/tasks"))
    assert client.data(first) == ["scene-0.png", "scene-1.png"]
    assert client.data(f"{second}/") == []
    image = client.call("GET", f"{first}/scene-1.png")
    assert (image.headers["Content-Type"], image.content[:4]) == ("image/png", b"\x89PNG")
    for name in ("scene-9.png", "..%2Ftask.json", "%2e%2e/task.json"):
        assert client.call("GET", f"{first}/{name}").status_code == 404


def test_a_test_query_runs_the_data_task_only_and_has_data_json_only(practice):
    workflow = practice.make_workflow("tiny-data", "tiny-copy")
    before = practice.data("/accounts/me/credits/balance")
    job = practice.start(workflow, dry(inputs({"limit": 3}, copy={})))
    ended = practice.wait(job)
    assert (ended["status"], ended["mode"]) == ("SUCCEEDED", "DRY_RUN")
    assert [task["name"] for task in practice.data(f"{job}/tasks")] == ["tiny-data:1"]
    assert members(practice, job) == ["output", "output/data.json"]
    features = practice.call("GET", f"{job}/outputs/data-json").json()["features"]
    assert len(features) == 3
    assert all("up42.data_path" not in feature["properties"] for feature in features)
    assert len(practice.data(f"{job}/tasks/{practice.task(job, 0)['id']}/outputs/quicklooks")) == 3
    assert practice.data("/accounts/me/credits/balance") == before
    assert practice.data(f"{job}/credits")["creditsUsed"] == 0


def test_rename_and_rerun(live):
    client, job, _, body = live
    made = client.data(job)
    in_workflow = f"{client.project}/workflows/{made['workflowId']}/jobs/{made['id']}"
    assert client.call("PUT", in_workflow, json={"name": "New"}).json()["data"]["name"] == "New"
    assert client.call("PUT", in_workflow, json={"name": ""}).status_code == 400
    again = client.call("POST", in_workflow).json()["data"]
    assert again["id"] != made["id"]
    assert again["name"] == "Rerun New"
    assert again["inputs"] == body
    named = client.call("POST", in_workflow, params={"name": "Mine"}).json()["data"]
    assert named["name"] == "Mine"
    for rerun in (again, named):
        assert client.wait(f"{client.project}/jobs/{rerun['id']}")["status"] == "SUCCEEDED"


def test_jobs_are_listed_in_pages_and_sorted(live):
    client = live[0]
    everything = client.data(f"{client.project}/jobs/")
    created = [job["createdAt"] for job in everything]
    assert created == sorted(created, reverse=True)
    assert client.data(f"{client.project}/jobs?page=0&sort=createdAt,asc")[-1] == everything[0]
    assert client.data(f"{client.project}/jobs?page=1") == []
    for query in ("page=-1", "page=x", "sort=colour,asc", "sort=name,up"):
        assert client.call("GET", f"{client.project}/jobs?{query}").status_code == 400


def test_unknown_jobs_tasks_and_foreign_jobs_are_404(live, practice):
    client, job, *_ = live
    answer = client.call("GET", f"{client.project}/jobs/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Job not found for id")
    assert client.call("GET", f"{job}/tasks/{uuid.uuid4()}/logs").status_code == 404
    assert practice.call("GET", f"{practice.project}/jobs/{job.rpartition('/')[2]}").status_code == 404
    assert practice.call("POST", f"{practice.project}/jobs/{job.rpartition('/')[2]}/cancel").status_code == 404


RING = [[13.3, 52.5], [13.4, 52.5], [13.4, 52.6], [13.3, 52.6], [13.3, 52.5]]
HOLE = [[13.34, 52.54], [13.36, 52.54], [13.36, 52.56], [13.34, 52.56], [13.34, 52.54]]
BOW_TIE = [[13.3, 52.5], [13.4, 52.6], [13.4, 52.5], [13.3, 52.6], [13.3, 52.5]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"bbox": None}, "needs one of intersects, bbox, contains, but none is given"),
        ({"intersects": polygon(RING)}, "intersects and bbox is given"),
        ({"bbox": [13.4, 52.5, 13.3, 52.6]}, "west < east"),
        ({"bbox": [13.3, 52.5, 13.4]}, "[west, south, east, north]"),
        ({"bbox": [13.3, 52.5, 13.4, "x"]}, "[west, south, east, north]"),
        ({"bbox": [170, 10, 190, 20]}, "180° meridian"),
        ({"bbox": [13.3, 52.5, 13.3001, 52.5001]}, "at least 0.1 km²"),
        ({"bbox": [13.0, 52.0, 14.0, 53.0]}, "at most 100 km²"),
        ({"bbox": None, "contains": polygon(BOW_TIE)}, "not valid"),
        ({"bbox": None, "contains": polygon(RING, HOLE)}, "hole"),
        ({"bbox": None, "intersects": polygon(RING[:-1])}, "closed rings"),
        ({"bbox": None, "intersects": {"type": "Point", "coordinates": [1, 2]}}, "Polygon"),
        ({"bbox": None, "intersects": {"type": "Feature", "geometry": polygon(RING)}}, "Polygon"),
        ({"bbox": None, "intersects": {"type": "Polygon", "coordinates": "x"}}, "Polygon"),
        ({"bbox": None, "intersects": 5}, "GeoJSON geometry"),
        ({"limit": 11}, "“limit” is 11, but at most 10"),
        ({"ids": ["a"] * 11}, "“ids” has 11 scenes, but at most 10"),
        ({"limit": 0}, "“limit” is 0, but at least 1"),
        ({"limit": "two"}, "“limit” must be a whole number"),
        ({"time": "yesterday"}, "“time” must be two dates"),
        ({"time": "2024-01-01T00:00:00Z/2024-02-01T00:00:00Z", "time_series": []}, "“time_series”"),
        ({"ids": [5]}, "“ids[]” must be a text"),
        ({"colour": "red"}, 'Task "tiny-data:1" has no parameter "colour"'),
        ({"ids": ["unknown"]}, "[WRONG_INPUT_ERROR] There is no scene “unknown”."),
    ],
)
def test_data_parameters_that_break_a_rule_are_named(practice, data, words):
    workflow = practice.make_workflow("tiny-data", "tiny-copy")
    answer = practice.post_job(workflow, inputs(data, copy={}))
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert words in error["message"]


def test_a_thousand_vertices_are_enough(computer):
    workflow = computer.make_workflow("tiny-data")
    west, south, side = 13.3, 52.5, 0.1
    along = [[west + side * n / 1000, south] for n in range(1000)]
    ring = [*along, [west + side, south + side], along[0]]
    answer = computer.post_job(workflow, inputs({"bbox": None, "intersects": polygon(ring)}))
    assert answer.status_code == 400
    assert "1001 vertices, but at most 1000" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "There were missing tasks/queries: tiny-data:1, tiny-copy:1"),
        (
            {"tiny-data:1": {"bbox": BBOX}, "sharpening:1": {}},
            "There were additional tasks/queries specified: sharpening:1, "
            "There were missing tasks/queries: tiny-copy:1",
        ),
        (inputs(copy={"strength": "brutal"}), "“strength” is “brutal”, but must be one of light, medium, strong"),
        (inputs(copy=[]), 'The parameters of task "tiny-copy:1" must be a JSON object'),
        ([], "one JSON object"),
        ({**inputs(copy={}), "config": {"mode": "FAST"}}, '"config" must be'),
        ({**inputs(copy={}), "config": "DRY_RUN"}, '"config" must be'),
    ],
)
def test_inputs_that_do_not_fit_the_workflow_are_refused(practice, body, words):
    workflow = practice.make_workflow("tiny-data", "tiny-copy")
    answer = practice.post_job(workflow, body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_this_computer_has_no_least_area_and_a_test_query_no_largest(practice, computer):
    small = {"bbox": [13.3, 52.5, 13.3001, 52.5001]}
    job = computer.start(computer.make_workflow("tiny-data"), inputs(small))
    assert computer.wait(job)["status"] == "SUCCEEDED"
    job = practice.start(practice.make_workflow("tiny-data"), dry(inputs({"bbox": [13.0, 52.0, 14.0, 53.0]})))
    assert practice.wait(job)["status"] == "SUCCEEDED"


def test_storage_data_needs_no_aoi_but_has_no_test_query(computer):
    workflow = computer.make_workflow("tiny-blind-data")
    body = {"tiny-blind-data:1": {"limit": 1}}
    assert computer.wait(computer.start(workflow, body))["status"] == "SUCCEEDED"
    answer = computer.post_job(workflow, dry(body))
    assert answer.status_code == 400
    assert "can't run a Test Query" in answer.json()["error"]["message"]


def test_a_workflow_without_tasks_cannot_run(practice):
    workflow = practice.call("POST", f"{practice.project}/workflows", json={"name": "Empty"}).json()["data"]["id"]
    answer = practice.post_job(workflow, {})
    assert answer.status_code == 400
    assert "no tasks" in answer.json()["error"]["message"]


def test_what_has_no_price_is_not_estimated_first_so_its_block_fails_the_job(computer):
    job = computer.start(computer.make_workflow("tiny-data"), inputs({"ids": ["unknown"], "limit": 1}))
    assert computer.wait(job)["status"] == "SUCCEEDED", "run does not mind; amount would have"
    assert computer.call("GET", f"{job}/estimate").status_code == 400
    job = computer.start(computer.make_workflow("tiny-data"), inputs())
    assert computer.data(f"{job}/estimate")["tiny-data:1"]["machineConsumption"]["duration"]["max"] == 2.5
    computer.wait(job)


def test_no_scene_found_fails_the_job_with_a_sentence(computer):
    job = computer.start(computer.make_workflow("tiny-data", "tiny-copy"), inputs({"ids": ["nothing"]}, copy={}))
    assert computer.wait(job)["status"] == "FAILED"
    assert [task["status"] for task in computer.data(f"{job}/tasks")] == ["FAILED", "NOT_STARTED"]
    assert "ERROR - [NO_INPUT_ERROR] No scene was found: search in a longer time." in computer.log(job, 0)
    assert computer.log(job, 1) == ""
    for path in ("outputs/data-json", "downloads/results"):
        answer = computer.call("GET", f"{job}/{path}")
        assert answer.status_code == 404
        assert "has no outputs" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("WRONG_INPUT_ERROR", "[WRONG_INPUT_ERROR] It was told to fail."),
        ("fault", "[UNDEFINED_ERROR] ZeroDivisionError: a mistake of the block"),
        ("memory", "[OUT_OF_MEMORY]"),
        ("disk", "[DISK_FULL]"),
        ("killed", "ended by signal 9"),
        ("no-data-json", "[NO_OUTPUT_ERROR]"),
    ],
)
def test_a_failed_task_ends_the_job_and_leaves_no_output(tiny_engine, computer, how, words):
    workflow = computer.make_workflow("tiny-data", "tiny-failing", "tiny-copy")
    job = computer.start(workflow, inputs(failing={"how": how}, copy={}))
    assert computer.wait(job)["status"] == "FAILED"
    tasks = computer.data(f"{job}/tasks")
    assert [task["status"] for task in tasks] == ["SUCCEEDED", "FAILED", "NOT_STARTED"]
    assert words in computer.log(job, 1)
    folder = tiny_engine.data / "jobs" / job.rpartition("/")[2] / tasks[1]["id"]
    assert {path.name for path in folder.iterdir()} == {"task.json", "log.txt"}
    assert members(computer, f"{job}/tasks/{tasks[0]['id']}"), "what did succeed can be fetched"


def test_cancel_ends_a_running_job_within_a_second(computer, tmp_path):
    gate = tmp_path / "gate"
    workflow = computer.make_workflow("tiny-data", "tiny-slow", "tiny-copy")
    job = computer.start(workflow, inputs(slow={"gate": str(gate)}, copy={}))
    started = gate.with_name("gate.started")
    until(lambda: started.exists() and started.read_text(), "the slow task is at work")
    assert computer.task(job, 1)["progress"] == 0.5
    asked = time.monotonic()
    assert computer.call("POST", f"{job}/cancel/").status_code == 204
    assert computer.data(job)["status"] in ("CANCELLING", "CANCELLED")
    computer.wait(job, "CANCELLED")
    assert time.monotonic() - asked < 1
    assert [task["status"] for task in computer.data(f"{job}/tasks")] == ["SUCCEEDED", "CANCELLED", "CANCELLED"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert computer.call("POST", f"{job}/cancel").status_code == 204, "again: nothing happens"
    assert computer.data(job)["status"] == "CANCELLED"


def test_too_many_jobs_are_429_and_waiting_ones_can_be_cancelled(start_engine, tmp_path):
    client = start_engine(tmp_path / "data", "--stay").this_computer()
    client.call("POST", f"{client.project}/settings", json={"settings": {"MAX_CONCURRENT_JOBS": "6"}})
    workflow = client.make_workflow("tiny-data", "tiny-slow")
    body = inputs(slow={"gate": str(tmp_path / "gate")})
    jobs = [client.start(workflow, body) for _ in range(6)]
    answer = client.post_job(workflow, body)
    assert answer.status_code == 429
    assert answer.json()["error"] == {
        "code": "TOO_MANY_REQUESTS",
        "message": "Your project has too many non-finished jobs",
        "details": None,
    }
    assert client.call("POST", f"{jobs[-1]}/cancel").status_code == 204
    last = client.data(jobs[-1])
    assert (last["status"], last["startedAt"]) == ("CANCELLED", None), "it was waiting: at most four run at once"
    assert client.post_job(workflow, body).status_code == 200
    (tmp_path / "gate").touch()
    assert {client.wait(job)["status"] for job in jobs} == {"SUCCEEDED", "CANCELLED"}
    started = [client.data(job)["startedAt"] for job in jobs[:-1]]
    assert started == sorted(started), "first come, first served"
