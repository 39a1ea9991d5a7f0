"""Balance, history, and what jobs and workflows have used (contract 2.8)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Optional

from ..jobs.job import parse_time
from . import projects, stored_jobs
from .answers import Answer, enveloped
from .refusal import forbidden, invalid
from .routes_jobs import job_of
from .routes_workflows import workflow_of
from .routing import Call, Route
from .shapes import credits_shape, display_id, workspace_id
from .stored_credits import paid_tasks, spent_on_workflow

SORT_FIELDS = ("createdAt", "delta", "type")
PAGE_SIZE = 20
MOST_PAGE_SIZE = 2000  # contract 2.8: what the SDK asks for


def get_balance(call: Call) -> Answer:
    """`GET /accounts/me/credits/balance`; `held` (our addition): what unfinished jobs may still take of it."""
    balance = projects.balance(call.engine.store, call.project)
    if balance is None:
        raise forbidden(f"{call.project.kind.name} has no credits: everything on it is free.")
    return enveloped({"balance": balance, "held": projects.held(call.engine.store, call.project)})


def get_history(call: Call) -> Answer:
    """`GET /accounts/me/credits/history?from&to&page&size&sort`: one page of what changed the balance."""
    since, until = _moment(call, "from"), _moment(call, "to")
    page, size = _number(call, "page", 0, 0, 10**9), _number(call, "size", PAGE_SIZE, 1, MOST_PAGE_SIZE)
    field, _, direction = (call.request.one("sort") or "createdAt,desc").partition(",")
    if field not in SORT_FIELDS or direction.lower() not in ("", "asc", "desc"):
        raise invalid(f"sort must be one of {', '.join(SORT_FIELDS)}, with ,asc or ,desc.")
    entries = [
        entry
        for entry in _entries(call)
        if (since is None or _time(entry) >= since) and (until is None or _time(entry) < until)
    ]
    entries.sort(key=lambda entry: entry[field], reverse=direction.lower() == "desc")
    return enveloped(_page(entries, page, size))


def _entries(call: Call) -> list[dict[str, Any]]:
    """What Practice began with, then each task that was paid for; nothing where there are no credits."""
    if not call.project.kind.has_credits:
        return []
    author = {"id": workspace_id(call.project), "type": "USER"}
    begun = projects.project_row(call.engine.store, call.project)["created_at"]
    first = {
        "type": "CREDIT_PURCHASE",
        "createdAt": begun,
        "createdBy": author,
        "delta": projects.PLAY_CREDITS,
        "details": {"description": "Play credits to begin with: they cost nothing."},
    }
    return [first, *(_paid(call, author, task) for task in paid_tasks(call.engine.store, call.project))]


def _paid(call: Call, author: dict[str, str], task: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "JOB_TASK",
        "createdAt": task["finished_at"],
        "createdBy": author,
        "delta": -task["credits"],
        "details": {
            "projectId": call.project.id,
            "projectDisplayId": display_id(call.project.id),
            "workflowId": task["workflow_id"],
            "jobId": task["job_id"],
            "jobDisplayId": display_id(task["job_id"]),
            "jobName": task["job_name"],
            "jobTaskId": task["id"],
            "jobTaskName": task["name"],
            "blockName": task["block_name"],
        },
    }


def _page(entries: list[dict[str, Any]], page: int, size: int) -> dict[str, Any]:
    """A page as Spring writes it."""
    content = entries[page * size : (page + 1) * size]
    pages = -(-len(entries) // size)
    return {
        "content": content,
        "number": page,
        "size": size,
        "numberOfElements": len(content),
        "totalElements": len(entries),
        "totalPages": pages,
        "first": page == 0,
        "last": page >= pages - 1,
        "empty": not content,
    }


def _time(entry: dict[str, Any]) -> Optional[datetime]:
    return parse_time(entry["createdAt"])


def _moment(call: Call, name: str) -> Any:
    text = call.request.one(name)
    if not text:
        return None
    moment = parse_time(text.replace(" ", "+"))  # a plus sign that was not encoded
    if moment is None:
        raise invalid(f"{name} must be a time such as 2024-05-01T00:00:00Z.")
    return moment


def _number(call: Call, name: str, otherwise: int, least: int, most: int) -> int:
    text = call.request.one(name)
    if text is None:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise invalid(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def get_payment_info(call: Call) -> Answer:
    """`GET /accounts/me/paymentInfo`: nobody pays here."""
    return enveloped({"hasPaymentMethod": False, "isInvoiced": False, "isCreditPurchasePossible": False})


def get_job_credits(call: Call) -> Answer:
    """`GET /projects/{p}/jobs/{j}/credits`."""
    job = job_of(call)
    return enveloped(credits_shape(call.project, job, stored_jobs.job_task_rows(call.engine.store, job["id"])))


def get_workflow_credits(call: Call) -> Answer:
    """`GET /projects/{p}/workflows/{w}/credits`."""
    workflow = workflow_of(call)
    return enveloped({"creditsSpent": spent_on_workflow(call.engine.store, call.project, workflow["id"])})


ROUTES = [
    Route("GET", "/accounts/me/credits/balance", get_balance),
    Route("GET", "/accounts/me/credits/history", get_history),
    Route("GET", "/accounts/me/paymentInfo", get_payment_info),
    Route("GET", "/projects/{p}/jobs/{j}/credits", get_job_credits),
    Route("GET", "/projects/{p}/workflows/{w}/credits", get_workflow_credits),
]
