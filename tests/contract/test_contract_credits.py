"""Estimates, holds, charges and refusals in Practice; seconds without credits on This Computer (contract 2.7, 2.8)."""

from __future__ import annotations

import sqlite3

from engine_process import BBOX, until

DATA, COPY = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 3))
TASKS = [
    {"name": "tiny-data:1", "parentName": None, "blockId": DATA, "blockVersionTag": "1.0.0"},
    {"name": "tiny-copy:1", "parentName": "tiny-data:1", "blockId": COPY, "blockVersionTag": "1.0.0"},
]


def inputs(limit=3):
    return {"tiny-data:1": {"bbox": BBOX, "limit": limit}, "tiny-copy:1": {}}


def estimate(client, **body):
    return client.call("POST", f"{client.project}/estimate/job", json={"tasks": TASKS, **body})


def test_practice_estimates_credits(practice):
    answer = estimate(practice, inputs=inputs()).json()["data"]
    assert answer == {
        "tiny-data:1": {
            # 3 scenes at 2.5 credits, rounded up
            "blockConsumption": {"credit": {"min": 0, "max": 8}, "resources": {"unit": "SCENE", "min": 0, "max": 3}},
            # a small machine: 4 credits an hour, at least a minute
            "machineConsumption": {"credit": {"min": 1, "max": 1}, "duration": {"min": 1.25, "max": 2.5}},
        },
        "tiny-copy:1": {
            "blockConsumption": {"credit": {"min": 0, "max": 0}, "resources": {"unit": "MEGABYTE", "min": 0, "max": 0}},
            # a large one: 19 an hour; 600 s are 3.17 credits
            "machineConsumption": {"credit": {"min": 1, "max": 4}, "duration": {"min": 1.25, "max": 600}},
        },
    }
    assert estimate(practice, input=inputs()).json()["data"] == answer, "the older spelling of inputs"


def test_this_computer_estimates_time_but_no_credits(computer):
    for task in estimate(computer, inputs=inputs()).json()["data"].values():
        for consumption in task.values():
            assert consumption["credit"] == {"min": 0, "max": 0}
        assert task["machineConsumption"]["duration"]["max"] > 0


def test_a_test_query_is_free(practice):
    answer = estimate(practice, inputs={**inputs(), "config": {"mode": "DRY_RUN"}}).json()["data"]
    assert list(answer) == ["tiny-data:1"]
    assert answer["tiny-data:1"]["machineConsumption"]["credit"] == {"min": 0, "max": 0}


def test_an_estimate_checks_tasks_and_inputs(practice):
    assert estimate(practice, inputs=inputs(limit=0)).status_code == 400
    assert estimate(practice).status_code == 400
    answer = practice.call("POST", f"{practice.project}/estimate/job", json={"inputs": inputs()})
    assert answer.status_code == 400


def test_a_live_job_is_charged_for_what_it_used_within_its_estimate(practice):
    balance = practice.data("/accounts/me/credits/balance")["balance"]
    job = practice.start(practice.make_workflow("tiny-data", "tiny-copy"), inputs(limit=2))
    assert practice.wait(job)["status"] == "SUCCEEDED"
    used = practice.data(f"{job}/credits")
    assert used["projectId"] == practice.project_id
    assert used["jobId"] == job.rpartition("/")[2]
    assert [task["blockConsumption"] for task in used["tasks"]] == [5, 0]
    assert [task["machineConsumption"] for task in used["tasks"]] == [1, 1]
    assert [task["creditsUsed"] for task in used["tasks"]] == [6, 1]
    assert used["creditsUsed"] == 7
    assert practice.data("/accounts/me/credits/balance") == {"balance": balance - 7, "held": 0}
    assert practice.data(f"{job}/estimate")["tiny-data:1"]["blockConsumption"]["credit"] == {"min": 0, "max": 5}


def test_this_computer_charges_nothing(computer):
    job = computer.start(computer.make_workflow("tiny-data", "tiny-copy"), inputs())
    assert computer.wait(job)["status"] == "SUCCEEDED"
    assert computer.data(f"{job}/credits")["creditsUsed"] == 0


def test_credits_are_held_then_charged_for_tasks_that_succeed_and_the_rest_released(practice, tmp_path):
    gate = tmp_path / "gate"
    balance = practice.data("/accounts/me/credits/balance")["balance"]
    body = {"tiny-data:1": {"bbox": BBOX, "limit": 1}, "tiny-slow:1": {"gate": str(gate)}}
    job = practice.start(practice.make_workflow("tiny-data", "tiny-slow"), body)

    until(lambda: practice.task(job, 0)["status"] == "SUCCEEDED", "the data task is done")
    # 3 for the scene and 1 for its machine are paid; what the slow task may cost is held
    now = practice.data("/accounts/me/credits/balance")
    slow = practice.data(f"{job}/estimate")["tiny-slow:1"]["machineConsumption"]["credit"]["max"]
    assert now == {"balance": balance - 4, "held": slow}
    practice.call("POST", f"{job}/cancel")
    practice.wait(job, "CANCELLED")
    assert practice.data("/accounts/me/credits/balance") == {"balance": balance - 4, "held": 0}
    assert practice.data(f"{job}/credits")["creditsUsed"] == 4


def test_too_few_credits_are_403_and_test_queries_still_run(start_engine, tmp_path):
    first = start_engine(tmp_path / "data", "--stay")
    first.stop()
    with sqlite3.connect(tmp_path / "data" / "engine.sqlite") as store:
        store.execute("UPDATE projects SET balance = 12 WHERE kind = 'practice'")
    store.close()
    client = start_engine(tmp_path / "data", "--stay").practice()
    workflow = client.make_workflow("tiny-data", "tiny-copy")
    answer = client.post_job(workflow, inputs(limit=3))  # at most 13
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Insufficient credits to run job"
    assert client.data(f"{client.project}/jobs") == [], "a refused job is not there"
    assert client.post_job(workflow, {**inputs(), "config": {"mode": "DRY_RUN"}}).status_code == 200
    assert client.post_job(workflow, inputs(limit=2)).status_code == 200  # at most 10
