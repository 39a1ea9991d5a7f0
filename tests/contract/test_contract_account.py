"""Token, projects, settings, error envelopes, and who is let in (contract 1.2, 1.5, 2.1)."""

from __future__ import annotations

import base64
import json
import socket
import uuid

import pytest
import requests


@pytest.fixture
def url(tiny_engine):
    return tiny_engine.line["url"]


def raw_answer(url, text):
    """Send exactly this text; returns all that comes back until the server closes."""
    host, port = url.rpartition("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text.encode())
        received = b""
        while True:
            part = connection.recv(65536)
            if not part:
                return received.decode()
            received += part


def assert_envelope(answer, status, code):
    assert answer.status_code == status
    body = answer.json()
    assert body["data"] is None
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert body["error"]["details"] is None


def test_token_has_the_keys_of_the_contract_and_no_error(tiny_engine, url):
    pair = (tiny_engine.line["project_id"], tiny_engine.line["project_key"])
    body = requests.post(f"{url}/oauth/token", auth=pair, data="grant_type=client_credentials", timeout=10).json()
    assert body["data"]["accessToken"] == body["access_token"]
    assert body["token_type"] == "bearer"
    assert "error" not in body
    head, claims, _ = body["access_token"].split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["token_type"] == "ACCESS"
    claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert claims["aud"] == claims["sub"] == pair[0]
    assert claims["exp"] - claims["iat"] == 300


def test_token_by_user_and_password_in_the_url(tiny_engine, url):
    line = tiny_engine.line
    with_user = url.replace("://", f"://{line['free_project_id']}:{line['free_project_key']}@")
    assert requests.post(f"{with_user}/oauth/token/", timeout=10).json()["access_token"]


@pytest.mark.parametrize("which", ["wrong key", "swapped keys", "unknown project", "no header", "not base64"])
def test_wrong_credentials_get_401(tiny_engine, url, which):
    line = tiny_engine.line
    headers = {
        "wrong key": basic(line["project_id"], "x"),
        "swapped keys": basic(line["project_id"], line["free_project_key"]),
        "unknown project": basic(str(uuid.uuid4()), line["project_key"]),
        "no header": {},
        "not base64": {"Authorization": "Basic ####"},
    }[which]
    answer = requests.post(f"{url}/oauth/token", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert "error" not in answer.json()


def basic(user, key):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()}


def test_without_a_good_token_everything_is_401(practice, url):
    token = practice.http.headers["Authorization"]
    tampered = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for header in (None, "Bearer", "Bearer x.y.z", tampered, basic(practice.project_id, practice.project_key)):
        value = header["Authorization"] if isinstance(header, dict) else header
        headers = {"Authorization": value} if value else {}
        for path in (practice.project, "/blocks", "/users/me", "/nothing"):
            assert_envelope(requests.get(url + path, headers=headers, timeout=10), 401, "UNAUTHORIZED")


def test_a_token_is_good_for_its_own_project_only(practice, computer):
    assert_envelope(practice.call("GET", computer.project), 403, 403)
    assert_envelope(practice.call("POST", f"{computer.project}/workflows", json={"name": "x"}), 403, 403)
    unknown = f"/projects/{uuid.uuid4()}"
    assert_envelope(practice.call("GET", unknown), 404, "RESOURCE_NOT_FOUND")
    assert_envelope(practice.call("POST", f"{unknown}/workflows", json={"name": "x"}), 403, 403)


def test_projects_say_what_they_are(practice, computer):
    project = practice.data(practice.project)
    assert project["id"] == practice.project_id
    assert project["displayId"] == practice.project_id[:8]
    assert "(play credits)" in project["name"]
    assert project["workspaceId"] == practice.data("/users/me")["id"] != computer.data("/users/me")["id"]
    assert computer.data(computer.project)["name"] == "This Computer"
    assert practice.data("/accounts/me/credits/balance")["balance"] <= 10_000
    assert_envelope(computer.call("GET", "/accounts/me/credits/balance"), 403, 403)


def test_settings_are_read_and_changed_both_ways(computer):
    path = f"{computer.project}/settings"
    before = {setting["name"]: setting["value"] for setting in computer.data(path)}
    assert before == {
        "JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE": "100",
        "JOB_QUERY_MAX_AOI_SIZE": "1000",
        "JOB_QUERY_MIN_AOI_SIZE": "0",
        "MAX_CONCURRENT_JOBS": "10",
    }
    answer = computer.call("PUT", path, json=[{"name": "MAX_CONCURRENT_JOBS", "value": "7"}])
    assert answer.status_code == 200
    assert {"7"} == {s["value"] for s in answer.json()["data"] if s["name"] == "MAX_CONCURRENT_JOBS"}
    wrong = [{"name": "MAX_CONCURRENT_JOBS", "value": "3"}, {"name": "JOB_QUERY_MAX_AOI_SIZE", "value": 0}]
    answer = computer.call("PUT", path, json=wrong)
    assert_envelope(answer, 400, "VALIDATION_ERROR")
    assert answer.json()["error"]["message"] == 'Field "list[1].value" must be in range Range[1,1000], got 0'
    answer = computer.call("POST", path, json={"settings": before})
    assert answer.status_code == 201
    assert {setting["name"]: setting["value"] for setting in answer.json()["data"]} == before


def test_every_answer_has_a_date_and_a_json_type(practice):
    for path in ("/users/me", "/nothing", f"{practice.project}/jobs/x"):
        answer = practice.call("GET", path)
        assert answer.headers["Date"].endswith("GMT")
        assert answer.headers["Content-Type"] == "application/json"


def test_bodies_of_get_are_read_and_the_connection_goes_on(practice):
    for _ in range(3):
        assert practice.call("GET", f"{practice.project}/", json={}).status_code == 200


def test_paths_with_and_without_a_slash_at_the_end_are_the_same(practice):
    for path in (f"{practice.project}/workflows", f"{practice.project}/workflows/"):
        assert practice.call("GET", path).status_code == 200


def test_unknown_paths_methods_and_bodies_are_refused_in_the_envelope(practice):
    assert_envelope(practice.call("DELETE", practice.project), 405, 405)
    assert_envelope(practice.call("PATCH", practice.project), 405, 405)
    workflows = f"{practice.project}/workflows"
    for body in ("{", '{"name": NaN}', '{"name": 1e999}', "[" * 100_000, "1" * 1000):
        assert_envelope(practice.call("POST", workflows, data=body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:{port}", "127.0.0.1:1", "127.0.0.1", ""])
def test_other_host_headers_are_refused(url, host):
    port = url.rpartition(":")[2]
    answer = raw_answer(
        url, f"GET /marketplace/blocks HTTP/1.1\r\nHost: {host.format(port=port)}\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith("HTTP/1.1 403 ")
    assert "Access-Control" not in answer


def test_localhost_is_a_good_host_and_needs_no_token_for_the_marketplace(url):
    answer = requests.get(url.replace("127.0.0.1", "localhost") + "/marketplace/blocks", timeout=10)
    assert answer.status_code == 200
    assert {"tiny-data", "tiny-copy"} <= {block["name"] for block in answer.json()["data"]}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("NONSENSE\r\n\r\n", 400),
        ("TOO MANY WORDS HERE\r\n\r\n", 400),
        ("BREW / HTTP/1.1\r\nHost: {host}\r\n\r\n", 501),
        ("POST /oauth/token HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        ("POST /oauth/token HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999\r\n\r\n", 413),
        ("POST /oauth/token HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n", 411),
    ],
)
def test_requests_that_are_not_http_as_we_know_it_get_an_envelope(url, text, status):
    head, _, body = raw_answer(url, text.format(host=url.rpartition("/")[2])).partition("\r\n\r\n")
    assert f" {status} " in head.splitlines()[0]
    assert json.loads(body)["error"]["code"] == status
