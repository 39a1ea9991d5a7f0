"""Workflows, their tasks, compatible blocks (contract 2.2 to 2.4), and the built-in workflows."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

BUILT_IN = Path(__file__).parents[2] / "resources" / "workflows"
DATA, BLIND, COPY = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def task(name, block, parent=None):
    return {"name": name, "parentName": parent, "blockId": block}


@pytest.fixture
def workflow(practice):
    answer = practice.call("POST", f"{practice.project}/workflows/", json={"name": "One", "description": "Two"})
    assert answer.status_code == 200
    return f"{practice.project}/workflows/{answer.json()['data']['id']}"


def test_a_workflow_is_made_listed_changed_and_deleted(practice, workflow):
    made = practice.data(workflow)
    assert (made["name"], made["description"], made["totalProcessingTime"]) == ("One", "Two", 0)
    assert made["createdBy"] == {"id": practice.project_id, "type": "API_KEY"}
    assert practice.data(f"{practice.project}/workflows")[0] == made, "most recent first"
    assert practice.call("PUT", workflow, json={"name": "New", "description": None}).status_code == 200
    assert (practice.data(workflow)["name"], practice.data(workflow)["description"]) == ("New", "Two")
    again = practice.call("POST", f"{practice.project}/workflows", json={"id": made["id"], "name": "Newer"})
    assert again.json()["data"]["id"] == made["id"]
    assert practice.data(workflow)["name"] == "Newer"
    assert practice.call("DELETE", workflow).status_code == 204
    gone = practice.call("GET", workflow)
    assert gone.status_code == 404
    assert gone.json()["error"]["message"].startswith(f"Workflow not found for id {made['id']} and projectId")


def test_workflows_belong_to_their_project(workflow, computer):
    foreign = f"{computer.project}/workflows/{workflow.rpartition('/')[2]}"
    assert computer.call("GET", foreign).status_code == 404
    assert computer.call("DELETE", foreign).status_code == 404


@pytest.mark.parametrize("body", [{"name": ""}, {"description": "x"}, {"name": "x" * 101}, {"name": 5}, ["x"]])
def test_workflows_without_a_good_name_are_refused(practice, body):
    assert practice.call("POST", f"{practice.project}/workflows", json=body).status_code == 400


def test_tasks_are_replaced_and_told_in_order_with_their_blocks(practice, workflow):
    tasks = [task("tiny-copy:1", COPY, "tiny-data:1"), task("tiny-data:1", DATA)]
    answer = practice.call("POST", f"{workflow}/tasks/", json=tasks)
    assert answer.status_code == 200
    first, second = practice.data(f"{workflow}/tasks")
    assert (first["name"], first["parentsIds"]) == ("tiny-data:1", [])
    assert (second["name"], second["parentsIds"]) == ("tiny-copy:1", [first["id"]])
    assert first["blockName"] == "tiny-data"
    assert first["blockVersionTag"] == "1.0.0"
    block = first["block"]
    assert block["parameters"]["limit"] == {"type": "integer", "default": 1, "minimum": 1}
    assert (block["type"], block["isDryRunSupported"], block["machineName"]) == ("DATA", True, "SMALL")
    assert practice.data(f"/blocks/{DATA}") == block
    practice.call("PUT", f"{workflow}/tasks", json=[task("only", DATA)])
    assert [item["name"] for item in practice.data(f"{workflow}/tasks")] == ["only"]


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([], "list"),
        ({}, "list"),
        ([task("a", COPY)], "one data block followed by"),
        ([task("a", DATA), task("b", DATA, "a")], "one data block followed by"),
        ([task("a", DATA), task("b", COPY, "a"), task("c", COPY, "a")], "more than one follows a"),
        ([task("a", DATA), task("b", COPY, "x")], "form a line"),
        ([task("a", DATA, "b"), task("b", COPY, "a")], "form a line"),
        ([task("a", DATA), task("a", COPY, "a")], "name of its own"),
        ([task("config", DATA)], "config"),
        ([task("x" * 101, DATA)], "100"),
        ([task("a", str(uuid.uuid4()))], "no block with id"),
        ([task("0", DATA), *(task(str(n), COPY, str(n - 1)) for n in range(1, 7))], "at most 5"),
    ],
)
def test_tasks_that_are_no_workflow_are_refused(practice, workflow, tasks, words):
    answer = practice.call("POST", f"{workflow}/tasks", json=tasks)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert practice.data(f"{workflow}/tasks") == []


def test_blocks_that_do_not_fit_are_422(practice, workflow):
    answer = practice.call("POST", f"{workflow}/tasks", json=[task("a", BLIND), task("b", COPY, "a")])
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["invalidTaskNames"] == ["b"]
    assert error["capabilityMismatches"] == [{"workflowTaskName": "b", "missingInputCapabilities": ["raster"]}]


def test_tasks_of_an_unknown_workflow_are_400(practice):
    path = f"{practice.project}/workflows/{uuid.uuid4()}/tasks"
    assert practice.call("POST", path, json=[task("a", DATA)]).status_code == 400
    assert practice.call("GET", path).status_code == 404


def test_compatible_blocks(practice, workflow):
    path = f"{workflow}/compatible-blocks"

    def names(query=""):
        return {block["name"] for block in practice.data(path + query)["blocks"]}

    assert names() == {"tiny-data", "tiny-blind-data", "tiny-stored"}
    practice.call("POST", f"{workflow}/tasks", json=[task("tiny-data:1", DATA), task("b", COPY, "tiny-data:1")])
    assert names("?parentTaskName=tiny-data:1") == {"tiny-copy", "tiny-slow", "tiny-failing"}
    assert names("?childTaskName=b") == {"tiny-data", "tiny-stored"}
    answer = practice.call("GET", f"{path}?parentTaskName=tiling:4")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "Workflow does not contain tasks: tiling:4"


def test_blocks_show_a_price_where_there_are_credits(practice, computer):
    assert practice.call("GET", f"/blocks/{uuid.uuid4()}").status_code == 404
    pricing = practice.data(f"/blocks/{DATA}")["metadata"]["blockPricingStrategy"]
    assert pricing == {"name": "simple", "unit": "SCENE", "direction": "OUTPUT", "credits": 2.5}
    assert computer.data(f"/blocks/{DATA}")["metadata"]["blockPricingStrategy"] is None


def test_built_in_workflows_are_named_described_and_in_a_line():
    files = sorted(BUILT_IN.glob("*.json"))
    workflows = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert workflows[0]["name"] == "Sentinel-2 True Colour (open data)"
    assert len({workflow["name"] for workflow in workflows}) == len(workflows)
    for workflow in workflows:
        assert set(workflow) == {"name", "description", "blocks"}
        assert workflow["description"]
        if workflow["blocks"][0].startswith("demo-"):
            assert workflow["name"].startswith("Demo")
            assert "not an observation" in workflow["description"]
