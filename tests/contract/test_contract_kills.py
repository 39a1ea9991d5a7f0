"""SIGKILL at twenty random moments of a batch of jobs: every job ends, every archive is whole, every credit adds up."""

from __future__ import annotations

import io
import random
import tarfile
import threading
import time

import requests
from engine_process import BBOX

KILLS = 20
LONGEST_LIFE = 1.2  # seconds from an engine's first line, or from its start, to its end
INPUTS = {"tiny-data:1": {"bbox": BBOX, "limit": 3}}
KINDS = {  # the workflow's blocks and its last task's inputs -> how its jobs end, what they cost
    "good": (("tiny-data", "tiny-copy"), {"tiny-copy:1": {}}, "SUCCEEDED", 10),  # 8 + 1 for the data task, 1 for a copy
    "bad": (("tiny-data", "tiny-failing"), {"tiny-failing:1": {"how": "fault"}}, "FAILED", 9),
    "query": (("tiny-data", "tiny-copy"), {"tiny-copy:1": {}, "config": {"mode": "DRY_RUN"}}, "SUCCEEDED", 0),
}


def submit_until_killed(client, workflows, chance):
    """Ask for one job after the other, as many as may wait, until nobody answers."""
    try:
        while True:
            kind = chance.choices(list(KINDS), [3, 1, 1])[0]
            if client.post_job(workflows[kind], {**INPUTS, **KINDS[kind][1]}, name=kind).status_code == 429:
                time.sleep(0.02)
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return


def assert_whole(client, path):
    """The archive can be read to its end, and holds what data.json names."""
    answer = requests.get(client.data(f"{path}/downloads/results")["url"], timeout=10)
    features = client.call("GET", f"{path}/outputs/data-json").json()["features"]
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        sizes = {member.name: member.size for member in tar.getmembers()}
        assert all(len(tar.extractfile(name).read()) == sizes[name] for name in sizes if name != "output")
    named = {feature["properties"].get("up42.data_path") for feature in features} - {None}
    assert {"output", "output/data.json", *(f"output/{name}" for name in named)} == set(sizes)


def test_twenty_kills_lose_nothing(start_engine, tmp_path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    first = start_engine(tmp_path, "--stay")
    client = first.practice()
    workflows = {kind: client.make_workflow(*blocks) for kind, (blocks, *_) in KINDS.items()}
    first.kill()
    for number in range(KILLS):
        engine = start_engine(tmp_path, "--stay", wait=False)
        if number % 5 == 4:  # while it starts
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            engine.kill()
            continue
        engine.read_line()
        killer = threading.Timer(chance.uniform(0, LONGEST_LIFE), engine.process.kill)
        client = engine.practice()
        killer.start()
        submit_until_killed(client, workflows, chance)
        engine.kill()

    client = start_engine(tmp_path, "--stay").practice()
    listed = client.data(f"{client.project}/jobs")
    jobs = [client.wait(f"{client.project}/jobs/{job['id']}") for job in listed]
    assert len(jobs) > 10, "else nothing was tested"  # at most ten wait at a time
    paid = 0
    for job in jobs:
        path = f"{client.project}/jobs/{job['id']}"
        _, _, status, cost = KINDS[job["name"]]
        used = client.data(f"{path}/credits")["creditsUsed"]
        assert (job["status"], used) == (status, cost), (job["name"], client.log(path, 0), client.log(path, -1))
        paid += used
        for task in client.data(f"{path}/tasks"):
            if task["status"] == "SUCCEEDED":
                assert_whole(client, f"{path}/tasks/{task['id']}")
    assert client.data("/accounts/me/credits/balance") == {"balance": 10_000 - paid, "held": 0}
    history = client.call("GET", "/accounts/me/credits/history?size=2000").json()["data"]["content"]
    assert sum(entry["delta"] for entry in history) == 10_000 - paid
    print(f"{len(jobs)} jobs, {paid} credits")
