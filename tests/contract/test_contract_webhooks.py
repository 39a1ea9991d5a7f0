"""Webhooks: made, changed, tested, deleted; and told of every change of status, signed (contract 2.9)."""

from __future__ import annotations

import pytest
from engine_process import BBOX, until
from webhook_receiver import Receiver, is_signed

INPUTS = {"tiny-data:1": {"bbox": BBOX}, "tiny-copy:1": {}}
CYCLE = ["RUNNING", "SUCCEEDED"]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def client(start_engine, tmp_path):
    return start_engine(tmp_path / "data", "--stay").practice()


def hooks(client):
    return f"/workspaces/{client.data('/users/me')['id']}/webhooks"


def make(client, url, **changed):
    wish = {"name": "Mine", "url": url, "events": ["job.status"], "secret": None, "active": True, **changed}
    answer = client.call("POST", hooks(client), json=wish)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def run(client):
    job = client.start(client.make_workflow("tiny-data", "tiny-copy"), INPUTS)
    assert client.wait(job)["status"] == "SUCCEEDED"
    return job.rpartition("/")[2]


def test_the_events_are_those_of_the_contract(practice):
    assert [event["name"] for event in practice.data("/webhooks/events")] == ["job.status", "order.status"]
    assert {"title", "category", "description", "documentation"} < set(practice.data("/webhooks/events")[0])


def test_create_read_change_delete(client):
    path = hooks(client)
    made = make(client, "https://example.org/hook", secret="my secret", active=False)
    assert {key: made[key] for key in ("name", "url", "events", "secret", "active")} == {
        "name": "Mine", "url": "https://example.org/hook", "events": ["job.status"], "secret": "my secret",
        "active": False,
    }  # fmt: skip
    one = f"{path}/{made['id']}"
    assert client.data(one) == made
    assert client.data(path) == [made]
    wish = {**made, "name": "Other", "secret": None, "active": True}
    changed = client.call("PUT", one, json=wish).json()["data"]
    assert (changed["name"], changed["active"], changed["secret"]) == ("Other", True, "my secret")
    assert len(make(client, "https://example.org/2")["secret"]) >= 32, "without a secret it is given one"
    assert client.call("DELETE", one).status_code == 204
    assert client.call("GET", one).status_code == 404
    assert client.call("DELETE", one).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://example.org/hook"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "https://user:word@example.org/"},
        {"url": "https://"},
        {"url": "https://example.org:99999/"},
        {"url": "https://exa mple.org/"},
        {"url": "http://127.0.0.1.example.org/"},
        {"url": None},
        {"name": ""},
        {"name": "x" * 101},
        {"events": []},
        {"events": ["job.status", "everything"]},
        {"events": "job.status"},
        {"secret": 5},
        {"active": "yes"},
    ],
)
def test_what_can_not_be_a_webhook_is_refused(practice, change):
    wish = {"name": "Mine", "url": "https://example.org/", "events": ["job.status"], "active": True, **change}
    answer = practice.call("POST", hooks(practice), json=wish)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert practice.data(hooks(practice)) == []


def test_a_workspace_is_for_its_own_project(practice, computer):
    assert practice.call("GET", hooks(computer)).status_code == 403


def test_every_change_of_status_is_told_in_order_and_signed(client, receiver):
    make(client, receiver.url, secret="über-secret")
    job_id = run(client)
    until(lambda: receiver.job_statuses(job_id) == CYCLE, f"both changes are told: {receiver.messages()}")
    messages = receiver.messages()
    assert [message["event"] for message in messages] == ["job.status"] * 6
    told = [(message["body"]["jobTaskName"], message["body"]["status"]) for message in messages]
    assert told == [
        (None, "RUNNING"), ("tiny-data:1", "RUNNING"), ("tiny-data:1", "SUCCEEDED"),
        ("tiny-copy:1", "RUNNING"), ("tiny-copy:1", "SUCCEEDED"), (None, "SUCCEEDED"),
    ]  # fmt: skip
    assert {message["body"]["projectId"] for message in messages} == {client.project_id}
    for headers, body in receiver.got:
        assert is_signed(headers, body, "über-secret")
        assert not is_signed(headers, body, "another secret")
        assert not is_signed(headers, body.replace(b"RUNNING", b"FAILED!"), "über-secret") or b"RUNNING" not in body


def test_failed_and_cancelled_jobs_are_told_too(client, receiver, tmp_path):
    make(client, receiver.url)
    failing = {"tiny-data:1": {"bbox": BBOX}, "tiny-failing:1": {"how": "fault"}}
    failed = client.start(client.make_workflow("tiny-data", "tiny-failing"), failing)
    client.wait(failed)
    until(lambda: receiver.job_statuses(failed.rpartition("/")[2]) == ["RUNNING", "FAILED"], "the failure is told")
    slow = {"tiny-data:1": {"bbox": BBOX}, "tiny-slow:1": {"gate": str(tmp_path / "gate")}}
    job = client.start(client.make_workflow("tiny-data", "tiny-slow"), slow)
    until(lambda: (tmp_path / "gate.started").exists(), "it is at work")
    client.call("POST", f"{job}/cancel")
    expected = ["RUNNING", "CANCELLING", "CANCELLED"]
    until(lambda: receiver.job_statuses(job.rpartition("/")[2]) == expected, "the cancelling is told")


def test_an_inactive_webhook_and_another_projects_jobs_are_silent(client, receiver, start_engine):
    silent, other = make(client, receiver.url, active=False), make(client, receiver.url, events=["order.status"])
    run(client)
    wish = {**silent, "active": True}
    client.call("PUT", f"{hooks(client)}/{silent['id']}", json=wish)
    client.call("DELETE", f"{hooks(client)}/{other['id']}")
    job_id = run(client)
    until(lambda: receiver.job_statuses(job_id) == CYCLE, "the active one is told")
    assert {message["body"]["jobId"] for message in receiver.messages()} == {job_id}


def test_what_was_not_taken_is_sent_again_and_nothing_overtakes_it(client):
    receiver = Receiver(500, 302)
    try:
        make(client, receiver.url)
        job_id = run(client)
        until(lambda: receiver.job_statuses(job_id) == ["RUNNING", "RUNNING", "RUNNING", "SUCCEEDED"], "all is told")
    finally:
        receiver.close()


def test_a_receiver_that_hangs_holds_up_no_job_and_no_other_webhook(client, receiver):
    hanging = Receiver()
    hanging.gate.clear()
    try:
        make(client, hanging.url)
        make(client, receiver.url)
        job_id = run(client)
        until(lambda: receiver.job_statuses(job_id) == CYCLE, "the other one is told")
        assert hanging.got == []
    finally:
        hanging.close()


def test_a_killed_engine_forgets_no_message(start_engine, tmp_path, receiver):
    engine = start_engine(tmp_path, "--stay")
    client = engine.practice()
    receiver.gate.clear()
    made = make(client, receiver.url)
    job_id = run(client)
    engine.kill()
    receiver.got.clear()
    receiver.gate.set()
    client = start_engine(tmp_path, "--stay").practice()
    until(lambda: receiver.job_statuses(job_id)[-2:] == CYCLE, "the next engine tells it")
    headers, body = receiver.got[-1]
    assert is_signed(headers, body, made["secret"])


def test_test_messages_say_how_many_arrived(client, receiver):
    good = make(client, receiver.url, events=["job.status", "order.status"], active=False)
    told = client.call("POST", f"{hooks(client)}/{good['id']}/tests", json={}).json()["data"]
    assert (told["testsRun"], told["testsSucceeded"]) == (2, 2)
    assert [message["event"] for message in receiver.messages()] == ["job.status", "order.status"]
    assert all(message["body"]["test"] for message in receiver.messages())
    assert all(is_signed(headers, body, good["secret"]) for headers, body in receiver.got)
    dead = make(client, "http://127.0.0.1:9/", active=False)
    told = client.call("POST", f"{hooks(client)}/{dead['id']}/tests", json={}).json()["data"]
    assert (told["testsRun"], told["testsSucceeded"]) == (1, 0)
