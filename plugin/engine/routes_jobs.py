"""Estimate and jobs (contract 2.5, 2.7)."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping, Optional, Sequence

from ..jobs.aoi import AoiLimits
from . import projects, stored_jobs
from .answers import Answer, enveloped, nothing
from .blocks.base import Block, BlockFailure
from .chains import read_chain
from .credits import estimate, most_of_all
from .inputs import CheckedInputs, Rules, check_inputs
from .refusal import forbidden, invalid, not_found, too_many
from .routes_workflows import tasks_of, workflow_of
from .routing import Call, Route
from .shapes import job_shape, workspace_id

PAGE_SIZE = 100  # contract 2.5: not documented; the SDK's fixture has 100


def job_of(call: Call) -> dict[str, Any]:
    """The stored job {j} of the caller's project, and of the workflow {w} where the path names one. Raises Refusal."""
    row = stored_jobs.job_of_project(call.engine.store, call.project, call.name("j"))
    workflow_id = call.request.names.get("w")
    if row is None or (workflow_id and workflow_id != row["workflow_id"]):
        raise not_found(
            f"Job not found for id {call.name('j')} and projectId {call.project.id} "
            f"and userId {workspace_id(call.project)}"
        )
    return row


def post_estimate(call: Call) -> Answer:
    """`POST /projects/{p}/estimate/job`: {"tasks": […], "inputs": {…}}; checks the inputs as well."""
    checked = _checked_body(call)
    return enveloped(_estimate(call, checked.tasks_to_run, _has_price(call, checked.mode)))


def _checked_body(call: Call) -> CheckedInputs:
    """Tasks and inputs that need no workflow; both spellings of inputs are met (2.5, 2.7). Raises Refusal."""
    body = call.request.json()
    if not isinstance(body, dict):
        raise invalid('The body must be {"tasks": […], "inputs": {…}}.')
    chain = read_chain(body.get("tasks"), call.engine.blocks)
    return _check(call, [(task.name, task.block) for task in chain], body.get("inputs", body.get("input")))


def _has_price(call: Call, mode: str) -> bool:
    """A Test Query has none, and nothing has where there are no credits."""
    return call.project.kind.has_credits and mode == stored_jobs.LIVE


def _check(call: Call, tasks: Sequence[tuple[str, Block]], inputs: Any) -> CheckedInputs:
    store, project = call.engine.store, call.project
    max_km2 = projects.setting(store, project, projects.MAX_AOI)
    aoi = AoiLimits(min_km2=project.kind.min_aoi_km2, max_km2=max_km2)
    return check_inputs(tasks, inputs, Rules(aoi, projects.setting(store, project, projects.MAX_SCENES)))


def _estimate(call: Call, tasks: Sequence[stored_jobs.NewTask], priced: bool) -> dict[str, Any]:
    try:
        return estimate(tasks, call.engine.blocks, call.engine.block_settings, priced)
    except BlockFailure as e:
        raise invalid(f"[{e.code}] {e}") from e


def post_job(call: Call) -> Answer:
    """`POST /projects/{p}/workflows/{w}/jobs?name=…`, the body is the inputs."""
    return _create(call, workflow_of(call), call.request.json(), call.request.one("name"))


def rerun_job(call: Call) -> Answer:
    """`POST /projects/{p}/workflows/{w}/jobs/{j}?name=…`: a new job with the same inputs."""
    old = job_of(call)
    name = call.request.one("name") or f"Rerun {old['name'] or old['workflow_name']}"
    return _create(call, workflow_of(call), json.loads(old["inputs"]), name)


def validate_inputs(call: Call) -> Answer:
    """`POST /projects/{p}/workflows/{w}/jobs/validate`: the inputs alone; an empty answer where they are good."""
    _check(call, tasks_of(call, workflow_of(call)["id"]), call.request.json())
    return Answer()


def validate_job(call: Call) -> Answer:
    """`POST /projects/{p}/jobs/validate`: {"tasks": […], "input": {…}}; an empty answer where they are good."""
    _checked_body(call)
    return Answer()


def _create(call: Call, workflow: Mapping[str, Any], inputs: Any, name: Optional[str]) -> Answer:
    store, project = call.engine.store, call.project
    checked = _check(call, tasks_of(call, workflow["id"]), inputs)
    # what has no price starts at once: to estimate it, a block may have to look into many files
    priced = _has_price(call, checked.mode)
    estimated = _estimate(call, checked.tasks_to_run, priced) if priced else {}
    job = stored_jobs.NewJob(
        workflow_id=workflow["id"],
        workflow_name=workflow["name"],
        name=name,
        mode=checked.mode,
        inputs=inputs,
        estimate=estimated,
        held=most_of_all(estimated),
        tasks=checked.tasks_to_run,
    )
    with store.transaction():  # two jobs at the same moment must not both get the last place or the last credits
        if stored_jobs.unfinished_count(store, project) >= projects.setting(store, project, projects.MAX_JOBS):
            raise too_many("Your project has too many non-finished jobs")
        balance = projects.balance(store, project)
        if balance is not None and job.held > balance - projects.held(store, project):
            raise forbidden("Insufficient credits to run job")
        job_id = stored_jobs.create_job(store, project.kind.kind, job)
    answer = enveloped(job_shape(project, stored_jobs.job_row(store, job_id)))
    call.engine.runner.wake()
    return answer


def list_jobs(call: Call) -> Answer:
    """`GET /projects/{p}/jobs?page=&sort=`: a page of 100, empty after the last; all of them without `page`."""
    field, _, direction = (call.request.one("sort") or "createdAt,desc").partition(",")
    if field not in stored_jobs.SORT_FIELDS or direction.lower() not in ("", "asc", "desc"):
        raise invalid(f"sort must be one of {', '.join(stored_jobs.SORT_FIELDS)}, with ,asc or ,desc.")
    page = call.request.one("page")
    if page is not None and not re.fullmatch(r"[0-9]{1,9}", page):
        raise invalid("page must be a whole number from 0.")
    limit, offset = (-1, 0) if page is None else (PAGE_SIZE, int(page) * PAGE_SIZE)
    rows = stored_jobs.job_rows(call.engine.store, call.project, field, direction.lower() == "desc", limit, offset)
    return enveloped([job_shape(call.project, row) for row in rows])


def get_job(call: Call) -> Answer:
    """`GET /projects/{p}/jobs/{j}`."""
    return enveloped(job_shape(call.project, job_of(call)))


def rename_job(call: Call) -> Answer:
    """`PUT /projects/{p}/workflows/{w}/jobs/{j}`: {"name"}."""
    row = job_of(call)
    body = call.request.json()
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise invalid('The body must be {"name": "…"}, and the name must not be empty.')
    stored_jobs.rename_job(call.engine.store, row["id"], name)
    return get_job(call)


def cancel_job(call: Call) -> Answer:
    """`POST /projects/{p}/jobs/{j}/cancel`; a job that has ended stays as it is."""
    call.engine.runner.cancel(job_of(call)["id"])
    return nothing()


def get_estimate(call: Call) -> Answer:
    """`GET /projects/{p}/jobs/{j}/estimate`: of a job with a price, what was estimated when it was made."""
    job = job_of(call)
    stored = json.loads(job["estimate"])
    if stored:
        return enveloped(stored)
    blocks = call.engine.blocks
    tasks = [
        stored_jobs.NewTask(row["name"], blocks[row["block_id"]].description, json.loads(row["parameters"]))
        for row in stored_jobs.job_task_rows(call.engine.store, job["id"])
        if row["block_id"] in blocks
    ]
    return enveloped(_estimate(call, tasks, priced=False))


ROUTES = [
    Route("POST", "/projects/{p}/estimate/job", post_estimate),
    Route("POST", "/projects/{p}/jobs/validate", validate_job),
    Route("POST", "/projects/{p}/workflows/{w}/jobs/validate", validate_inputs),
    Route("POST", "/projects/{p}/workflows/{w}/jobs", post_job),
    Route("PUT", "/projects/{p}/workflows/{w}/jobs/{j}", rename_job),
    Route("POST", "/projects/{p}/workflows/{w}/jobs/{j}", rerun_job),
    Route("GET", "/projects/{p}/jobs", list_jobs),
    Route("GET", "/projects/{p}/jobs/{j}", get_job),
    Route("POST", "/projects/{p}/jobs/{j}/cancel", cancel_job),
    Route("GET", "/projects/{p}/jobs/{j}/estimate", get_estimate),
]
