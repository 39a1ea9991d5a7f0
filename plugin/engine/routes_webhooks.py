"""Webhooks: their events, and those of a workspace (contract 2.9)."""

from __future__ import annotations

import json
import secrets
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from .answers import Answer, enveloped, nothing
from .refusal import invalid, not_found
from .routing import Call, Route
from .store import now
from .stored_webhooks import (
    EVENTS,
    JOB_STATUS,
    Webhook,
    add_webhook,
    change_webhook,
    delete_webhook,
    webhook_row,
    webhook_rows,
)
from .webhook_message import test_body
from .webhook_sender import LOOPBACK, send

MOST_WEBHOOKS = 20  # of a workspace
MAX_NAME_LENGTH = 100
MAX_LENGTH = 2000
_EVENT_TEXTS = {
    JOB_STATUS: ("job", "The status of a job or of one of its tasks has changed."),
    "order.status": ("order", "The status of an order has changed. This engine has no orders."),
}


def list_events(call: Call) -> Answer:
    """`GET /webhooks/events`."""
    shapes = [
        {"name": name, "title": name, "category": category, "description": text, "documentation": None}
        for name, (category, text) in _EVENT_TEXTS.items()
    ]
    return enveloped(shapes)


def list_webhooks(call: Call) -> Answer:
    """`GET /workspaces/{ws}/webhooks`."""
    return enveloped([_shape(row) for row in webhook_rows(call.engine.store, call.project)])


def post_webhook(call: Call) -> Answer:
    """`POST /workspaces/{ws}/webhooks`; without a secret it is given one."""
    wish = _wish(call.request.json(), secrets.token_urlsafe(32))
    if len(webhook_rows(call.engine.store, call.project)) >= MOST_WEBHOOKS:
        raise invalid(f"A workspace has at most {MOST_WEBHOOKS} webhooks: delete one first.")
    return _one(call, add_webhook(call.engine.store, call.project, wish))


def get_webhook(call: Call) -> Answer:
    """`GET /workspaces/{ws}/webhooks/{id}`."""
    return enveloped(_shape(_row(call)))


def put_webhook(call: Call) -> Answer:
    """`PUT /workspaces/{ws}/webhooks/{id}`: all five fields; a secret of null leaves it."""
    row = _row(call)
    change_webhook(call.engine.store, row["id"], _wish(call.request.json(), row["secret"]))
    return _one(call, row["id"])


def remove_webhook(call: Call) -> Answer:
    """`DELETE /workspaces/{ws}/webhooks/{id}`."""
    delete_webhook(call.engine.store, _row(call)["id"])
    return nothing()


def test_webhook(call: Call) -> Answer:
    """`POST /workspaces/{ws}/webhooks/{id}/tests`: one message for each of its events, now, active or not."""
    row = _row(call)
    started = now()
    events = json.loads(row["events"])
    taken = [send(row["url"], test_body(event, started), row["secret"], call.engine.network) for event in events]
    return enveloped({"startedAt": started, "testsRun": len(taken), "testsSucceeded": sum(taken)})


def _row(call: Call) -> dict[str, Any]:
    row = webhook_row(call.engine.store, call.project, call.name("id"))
    if row is None:
        raise not_found(f"Webhook not found for id {call.name('id')}")
    return row


def _one(call: Call, webhook_id: str) -> Answer:
    row: Optional[Mapping[str, Any]] = webhook_row(call.engine.store, call.project, webhook_id)
    if row is None:
        raise not_found(f"Webhook not found for id {webhook_id}")
    return enveloped(_shape(row))


def _shape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "url": row["url"],
        "events": json.loads(row["events"]),
        "secret": row["secret"],
        "active": bool(row["active"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _wish(body: Any, secret: str) -> Webhook:
    """A webhook as the body says; `secret` where that gives none. Raises Refusal (400)."""
    if not isinstance(body, dict):
        raise invalid('The body must be {"name", "url", "events", "secret", "active"}.')
    name, given, active = body.get("name"), body.get("secret"), body.get("active")
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_LENGTH:
        raise invalid(f"A webhook's name has 1 to {MAX_NAME_LENGTH} characters.")
    if not isinstance(given, (str, type(None))) or len(given or "") > MAX_LENGTH:
        raise invalid(f"A webhook's secret must be a text of at most {MAX_LENGTH} characters, or null.")
    if not isinstance(active, (bool, type(None))):
        raise invalid('"active" must be true or false.')
    return Webhook(name, _url(body.get("url")), _events(body.get("events")), given or secret, bool(active))


def _url(url: Any) -> str:
    refusal = invalid("A webhook's url must be https://… without a user name (http only to this computer itself).")
    if not isinstance(url, str) or len(url) > MAX_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise refusal
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal from None
    allowed = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not allowed or not parts.hostname or port == 0 or "@" in parts.netloc:
        raise refusal
    return url


def _events(events: Any) -> list[str]:
    if not isinstance(events, list) or not events or any(event not in EVENTS for event in events):
        raise invalid(f"A webhook's events must be one or more of {', '.join(EVENTS)}.")
    return sorted(set(events))


_WEBHOOKS = "/workspaces/{ws}/webhooks"

ROUTES = [
    Route("GET", "/webhooks/events", list_events),
    Route("GET", _WEBHOOKS, list_webhooks),
    Route("POST", _WEBHOOKS, post_webhook),
    Route("GET", f"{_WEBHOOKS}/{{id}}", get_webhook),
    Route("PUT", f"{_WEBHOOKS}/{{id}}", put_webhook),
    Route("DELETE", f"{_WEBHOOKS}/{{id}}", remove_webhook),
    Route("POST", f"{_WEBHOOKS}/{{id}}/tests", test_webhook),
]
