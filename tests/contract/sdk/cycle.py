"""The job cycle as a user of UP42's SDK writes it: `python cycle.py CHAPTER`, with the engine's first line on stdin.

Runs in the SDK's own environment. A chapter ends with 0 if everything was as it should be; its working folder is where
it may write. Nothing of the SDK is changed but where its requests go (loopback.py).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from loopback import redirect

LINE = json.load(sys.stdin)
redirect(LINE["url"])

import requests  # noqa: E402
import shapely.geometry  # noqa: E402
import up42  # noqa: E402

BBOX = [13.37, 52.50, 13.40, 52.52]  # in Berlin, about 4.5 km²
RING = [[13.37, 52.5], [13.4, 52.5], [13.4, 52.52], [13.37, 52.52], [13.37, 52.5]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
DATA, SHARPENING = "demo-s2-l2a:1", "sharpening:1"
ENDED = ("SUCCEEDED", "FAILED", "ERROR", "CANCELLED")


def practice():
    """Sign in with Practice's project key."""
    up42.authenticate(project_id=LINE["project_id"], project_api_key=LINE["project_key"])
    return up42.initialize_project()


def by_account(project_id):
    """Sign in with user name and password."""
    up42.authenticate(username=LINE["account_user"], password=LINE["account_password"])
    return up42.initialize_project(project_id=project_id)


def sharpened(project, name="SDK sharpened"):
    """A workflow of a data block and the sharpening filter."""
    workflow = project.create_workflow(name=name, description="made by the SDK")
    workflow.add_workflow_tasks(["demo-s2-l2a", "sharpening"])
    return workflow


def parameters(workflow, **given):
    return workflow.construct_parameters(**{"geometry": BBOX, "geometry_operation": "bbox", "limit": 1, **given})


def ended(job):
    """Wait without the SDK's own pauses of five seconds."""
    deadline = time.monotonic() + 60
    while job.status not in ENDED:
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.1)
    return job.status


def raises(kind, words, function, *arguments, **named):
    """Assert that the SDK raises an error with these words in it."""
    try:
        function(*arguments, **named)
    except kind as e:
        assert words in str(e), e
    else:
        raise AssertionError(f"no {kind.__name__} with {words!r}")


def sign_in():
    project = practice()
    assert "play credits" in project.info["name"] and "Practice" in repr(project)
    assert up42.get_credits_balance()["balance"] > 0
    free = by_account(LINE["free_project_id"])
    assert free.info["name"] == "This Computer"
    assert by_account(LINE["project_id"]).info["id"] == LINE["project_id"]
    assert up42.get_credits_balance()["balance"] > 0
    raises(ValueError, "Authentication", up42.authenticate, username=LINE["account_user"], password="wrong")
    raises(ValueError, "Authentication", up42.authenticate, project_id=LINE["project_id"], project_api_key="wrong")


def workflows():
    project = practice()
    workflow = project.create_workflow(name="SDK workflow", description="first")
    assert project.create_workflow(name="SDK workflow", description="first", use_existing=True).workflow_id == (
        workflow.workflow_id
    )
    assert "sharpening" not in workflow.get_compatible_blocks() and "demo-s2-l2a" in workflow.get_compatible_blocks()
    workflow.add_workflow_tasks(["Demo Sentinel-2 Scenes"])
    assert {"sharpening", "ndvi", "tiling"} <= set(workflow.get_compatible_blocks())
    ids = up42.get_blocks(basic=True)
    workflow.add_workflow_tasks([ids["demo-s2-l2a"], ids["sharpening"], ids["sharpening"]])
    assert list(workflow.get_workflow_tasks(basic=True)) == [DATA, SHARPENING, "sharpening:2"]
    assert set(workflow.get_parameters_info()) == {DATA, SHARPENING, "sharpening:2"}
    raises(Exception, "one data block", workflow.add_workflow_tasks, ["local-scenes", "demo-s2-l2a"])
    workflow.update_name(name="SDK renamed", description="second")
    assert (workflow.info["name"], workflow.info["description"]) == ("SDK renamed", "second")
    assert "SDK renamed" in [w.info["name"] for w in project.get_workflows()]
    workflow.delete()
    assert "SDK renamed" not in [w["name"] for w in project.get_workflows(return_json=True)]
    raises(Exception, "Workflow not found", lambda: workflow.info)


def blocks():
    practice()
    assert {"demo-s2-l2a", "sharpening"} <= set(up42.get_blocks())
    data = up42.get_blocks(block_type="data", basic=False)
    assert all(block["type"] == "DATA" for block in data)
    assert "tiling" in up42.get_blocks(block_type="processing")
    block = up42.get_block_details(up42.get_blocks()["demo-s2-l2a"])
    assert block["parameters"]["limit"]["type"] == "integer"
    assert up42.get_block_coverage(block["id"])["type"] == "FeatureCollection"


def construct():
    project = practice()
    workflow = sharpened(project)
    by_box = parameters(workflow, start_date="2025-01-01", end_date="2025-06-30", limit=3)
    assert by_box[DATA]["bbox"] == BBOX and by_box[SHARPENING] == {"strength": "medium"}
    assert by_box[DATA]["time"] == "2025-01-01T00:00:00Z/2025-06-30T23:59:59Z"
    shape = shapely.geometry.shape(POLYGON)
    for operation in ("intersects", "contains"):
        chosen = parameters(workflow, geometry=shape, geometry_operation=operation)
        assert chosen[DATA][operation]["type"] == "Polygon"
        estimate = workflow.estimate_job(chosen)
        assert list(estimate) == [DATA, SHARPENING]
        assert estimate[DATA]["blockConsumption"]["resources"]["unit"] == "SQUARE_KM"
    query = workflow.test_job(by_box)
    assert ended(query) == "SUCCEEDED"
    scenes = [feature["id"] for feature in query.get_results_json()["features"]]
    picked = workflow.construct_parameters(geometry=POLYGON, geometry_operation="intersects", scene_ids=scenes[:2])
    assert picked[DATA]["limit"] == len(picked[DATA]["ids"]) == len(scenes[:2]) and "time" not in picked[DATA]
    again = workflow.test_job(picked)
    assert ended(again) == "SUCCEEDED"
    assert [feature["id"] for feature in again.get_results_json()["features"]] == scenes[:2]


def live_job():
    project = practice()
    workflow = sharpened(project)
    chosen = parameters(workflow)
    query = workflow.test_job(chosen, track_status=True, name="SDK query", get_estimation=True)
    assert query.is_succeeded and query.info["mode"] == "DRY_RUN" and query.get_credits()["creditsUsed"] == 0
    assert len(query.get_jobtasks()) == 1
    looks = query.download_quicklooks(Path("looks"))
    assert looks and all(Path(look).read_bytes()[:2] == b"\xff\xd8" for look in looks)
    estimate = workflow.estimate_job(chosen)
    credits = [e[k]["credit"] for e in estimate.values() for k in ("blockConsumption", "machineConsumption")]
    job = workflow.run_job(chosen, track_status=True, name="SDK live ä")
    assert job.is_succeeded and job.info["name"] == "SDK live ä_py"
    used = job.get_credits()["creditsUsed"]
    assert used > 0 and sum(c["min"] for c in credits) <= used <= sum(c["max"] for c in credits)
    files = [Path(file) for file in job.download_results(Path("results"))]
    assert sorted(file.suffix for file in files) == [".json", ".tif"] and all(file.stat().st_size for file in files)
    (archive,) = job.download_results(Path("packed"), unpacking=False)
    assert Path(archive).read_bytes()[:2] == b"\x1f\x8b"
    results = job.get_results_json()
    assert results["features"] and "up42.data_path" in results["features"][0]["properties"]
    assert len(job.get_results_json(as_dataframe=True)) == len(results["features"])
    logs = job.get_logs(as_print=False, as_return=True)
    assert len(logs) == 2 and all("INFO" in log for log in logs.values())
    tasks = job.get_jobtasks()
    assert len(tasks) == 2 and "sharpening" in repr(tasks[1])
    assert set(job.get_jobtasks_results_json()) == {task.jobtask_id for task in tasks}
    assert all(task.download_results(Path(f"task-{number}")) for number, task in enumerate(tasks))
    assert tasks[0].get_results_json()["features"] and tasks[0].download_quicklooks(Path("task-looks"))
    found = up42.initialize_job(job.job_id)
    assert found.status == "SUCCEEDED" and job.job_id in [j.job_id for j in workflow.get_jobs()]


def parallel():
    project = practice()
    workflow = sharpened(project, "SDK parallel")
    other = shapely.geometry.box(13.42, 52.50, 13.44, 52.52)
    chosen = workflow.construct_parameters_parallel(
        geometries=[shapely.geometry.shape(POLYGON), other], interval_dates=[("2025-01-01", "2025-12-31")]
    )
    jobs = workflow.run_jobs_parallel(chosen, name="SDK batch", max_concurrent_jobs=5)
    assert set(jobs.status.values()) == {"SUCCEEDED"} and len(jobs.jobs) == 2
    assert sorted(info["name"] for info in jobs.info.values()) == ["SDK batch_0_py", "SDK batch_1_py"]
    found = jobs.download_results(Path("batch"))
    merged = json.loads(Path(found["merged_result"][0]).read_text())
    assert {feature["properties"]["job_id"] for feature in merged["features"]} == set(jobs.status)
    raises(ValueError, "Too many concurrent", workflow.run_jobs_parallel, chosen, max_concurrent_jobs=11)


def settings():
    project = by_account(LINE["free_project_id"])
    before = {setting["name"]: int(setting["value"]) for setting in project.get_project_settings()}
    project.update_project_settings(max_aoi_size=500, max_concurrent_jobs=7, number_of_images=20)
    after = {setting["name"]: int(setting["value"]) for setting in project.get_project_settings()}
    assert (after["JOB_QUERY_MAX_AOI_SIZE"], after["JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE"]) == (500, 20)
    assert project.max_concurrent_jobs == 7
    project.update_project_settings(
        before["JOB_QUERY_MAX_AOI_SIZE"],
        before["MAX_CONCURRENT_JOBS"],
        before["JOB_QUERY_LIMIT_PARAMETER_MAX_VALUE"],
    )
    assert {setting["name"]: int(setting["value"]) for setting in project.get_project_settings()} == before
    raises(Exception, "must be in range", project.update_project_settings, max_concurrent_jobs=100_000)


def cancel():
    project = practice()
    workflow = sharpened(project, "SDK cancelled")
    job = workflow.run_job(parameters(workflow, limit=10, start_date="2024-01-01", end_date="2026-12-31"))
    job.cancel_job()
    assert ended(job) == "CANCELLED"
    raises(ValueError, "cancelled", job.track_status)


def jobs():
    project = practice()
    workflow = sharpened(project, "SDK listed")
    made = [workflow.test_job(parameters(workflow), name=f"list {n}") for n in range(2)]
    assert [ended(job) for job in made] == ["SUCCEEDED"] * 2
    listed = [job.job_id for job in project.get_jobs(limit=50, sortby="createdAt", descending=True)]
    assert listed.index(made[1].job_id) < listed.index(made[0].job_id)
    assert {job.job_id for job in made} <= set(listed)
    assert {job.job_id for job in made} <= {job.job_id for job in project.get_jobs(test_jobs=True)}
    assert {job.job_id for job in made} == {job.job_id for job in workflow.get_jobs()}
    raises(Exception, "additional tasks", workflow.run_job, {DATA: {"bbox": BBOX}, SHARPENING: {}, "x:1": {}})
    raises(Exception, "limit", workflow.run_job, parameters(workflow, limit=10_000))


def wait_until_told(receiver, job_id):
    """Wait until the receiver has been told of the job's success."""
    deadline = time.monotonic() + 30
    with requests.Session() as session:
        session.trust_env = False
        while True:
            bodies = [message["body"] for message in session.get(receiver, timeout=10).json()]
            if any((b["jobId"], b["jobTaskId"], b["status"]) == (job_id, None, "SUCCEEDED") for b in bodies):
                return
            assert time.monotonic() < deadline, "the webhook is not told"
            time.sleep(0.05)


def webhooks():
    practice()
    receiver = LINE["receiver"]
    assert "job.status" in [event["name"] for event in up42.get_webhook_events()]
    hook = up42.create_webhook(name="SDK", url=receiver, events=["job.status"], active=True, secret="SDK secret")
    assert hook.webhook_id in [h.webhook_id for h in up42.get_webhooks()]
    assert hook.trigger_test_events()["testsSucceeded"] == 1
    assert hook.update(name="SDK 2").info["name"] == "SDK 2"
    project = up42.initialize_project()
    workflow = sharpened(project, "SDK told")
    job = workflow.test_job(parameters(workflow))
    assert ended(job) == "SUCCEEDED"
    print(job.job_id)
    wait_until_told(receiver, job.job_id)  # deleting a webhook forgets what is still to be told
    hook.delete()
    assert hook.webhook_id not in [h.webhook_id for h in up42.get_webhooks()]


def stored():
    """On an engine with the tests' own blocks, one of which takes assets."""
    project = practice()
    workflow = project.create_workflow(name="SDK stored")
    workflow.add_workflow_tasks(["tiny-stored", "tiny-copy"])
    chosen = workflow.construct_parameters(asset_ids=["asset-1", "asset-2"])
    assert chosen == {"tiny-stored:1": {"asset_ids": ["asset-1", "asset-2"]}, "tiny-copy:1": {"strength": "medium"}}
    job = workflow.run_job(chosen)
    assert ended(job) == "SUCCEEDED"
    assert {Path(file).stem for file in job.download_results(Path("stored"))} == {"data", "asset-1", "asset-2"}
    raises(Exception, "capabilityMismatches", workflow.add_workflow_tasks, ["tiny-blind-data", "tiny-copy"])
    workflow.add_workflow_tasks(["tiny-data", "tiny-failing"])
    broken = {"tiny-data:1": {"bbox": BBOX}, "tiny-failing:1": {"how": "fault"}}
    raises(ValueError, "failed", workflow.run_job, broken, track_status=True)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
