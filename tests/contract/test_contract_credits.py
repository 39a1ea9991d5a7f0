"""Estimates, holds, charges and refusals in Practice; seconds without credits on This Computer (contract 2.7, 2.8)."""

from __future__ import annotations

import sqlite3

import requests
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


def history(client, **query):
    answer = client.call("GET", "/accounts/me/credits/history", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_the_history_explains_the_balance_page_by_page(start_engine, tmp_path):
    client = start_engine(tmp_path, "--stay").practice()
    workflow = client.make_workflow("tiny-data", "tiny-copy")
    assert client.data(f"{client.project}/workflows/{workflow}/credits") == {"creditsSpent": 0}
    for _ in range(2):
        job = client.start(workflow, inputs())
        client.wait(job)
    used = client.data(f"{job}/credits")["creditsUsed"]
    assert client.data(f"{client.project}/workflows/{workflow}/credits") == {"creditsSpent": 2 * used}
    everything = history(client, size=2000)
    assert (everything["totalElements"], everything["totalPages"], everything["last"]) == (5, 1, True)
    balance = client.data("/accounts/me/credits/balance")["balance"]
    assert sum(entry["delta"] for entry in everything["content"]) == balance
    assert [entry["type"] for entry in everything["content"]] == ["JOB_TASK"] * 4 + ["CREDIT_PURCHASE"]
    assert everything["content"][0]["details"]["jobId"] == job.rpartition("/")[2]
    pages = [history(client, size=2, page=page, sort="createdAt,asc") for page in range(4)]
    assert [page["last"] for page in pages] == [False, False, True, True]
    assert [len(page["content"]) for page in pages] == [2, 2, 1, 0]
    paged = [entry for page in pages for entry in page["content"]]
    assert paged == everything["content"][::-1]
    since = paged[2]["createdAt"]
    assert history(client, **{"from": since})["totalElements"] == 3
    assert history(client, to=since)["totalElements"] == 2
    for wrong in ({"page": "-1"}, {"size": "0"}, {"size": "9999"}, {"from": "yesterday"}, {"sort": "colour,asc"}):
        assert client.call("GET", "/accounts/me/credits/history", params=wrong).status_code == 400, wrong


def test_what_is_free_has_no_history(computer):
    assert history(computer)["content"] == []


def test_the_account_has_both_projects(tiny_engine):
    line = tiny_engine.line
    form = {"grant_type": "password", "username": line["account_user"], "password": line["account_password"]}
    body = requests.post(f"{line['url']}/oauth/token", data=form, timeout=10).json()
    header = {"Authorization": f"Bearer {body['data']['accessToken']}"}
    for project_id in (line["project_id"], line["free_project_id"]):
        answer = requests.get(f"{line['url']}/projects/{project_id}/workflows", headers=header, timeout=10)
        assert answer.status_code == 200
    assert "balance" in requests.get(f"{line['url']}/accounts/me/credits/balance", headers=header, timeout=10).text
    for wrong in ({"password": "x"}, {"username": "x"}, {"grant_type": "client_credentials"}):
        answer = requests.post(f"{line['url']}/oauth/token", data={**form, **wrong}, timeout=10)
        assert (answer.status_code, "error" in answer.json()) == (401, False)


def test_validate_only_both_ways(practice):
    by_body, workflow = f"{practice.project}/jobs/validate", practice.make_workflow("tiny-data", "tiny-copy")
    by_workflow = f"{practice.project}/workflows/{workflow}/jobs/validate"
    before = len(practice.data(f"{practice.project}/jobs"))
    for path, good, bad in (
        (by_body, {"tasks": TASKS, "input": inputs()}, {"tasks": TASKS, "input": inputs(limit=0)}),
        (by_workflow, inputs(), inputs(limit=0)),
    ):
        answer = practice.call("POST", path, json=good)
        assert (answer.status_code, answer.content) == (200, b"")
        answer = practice.call("POST", path, json=bad)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert len(practice.data(f"{practice.project}/jobs")) == before


def test_blocks_have_one_version_and_data_blocks_a_coverage(practice):
    (version,) = practice.data(f"/blocks/{DATA}/versions")
    assert version == practice.data(f"/blocks/{DATA}/versions/1.0.0") == practice.data(f"/blocks/{DATA}")
    assert "blockPricingStrategy" in practice.data(f"/blocks/{DATA}/versions/1.0.0/metadata")
    assert practice.call("GET", f"/blocks/{DATA}/versions/9.9.9").status_code == 404
    coverage = requests.get(practice.data(f"/blocks/{DATA}/coverage")["url"], timeout=10).json()
    assert coverage["type"] == "FeatureCollection"
    assert practice.call("GET", f"/blocks/{COPY}/coverage").status_code == 404
