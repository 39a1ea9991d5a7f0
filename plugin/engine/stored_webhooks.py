"""Webhooks and what is to be delivered to them, in the store.

Deliveries are written by triggers (store.py) in the same transaction as the change of status that they tell of, so a
killed engine forgets none; each stays until it has arrived or is given up.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Optional, Sequence

from .projects import Project
from .store import Store, new_id, now

JOB_STATUS = "job.status"
ORDER_STATUS = "order.status"
EVENTS = (JOB_STATUS, ORDER_STATUS)  # contract 2.9
RETRY_SECONDS = (0.5, 2.0, 8.0, 30.0)  # after each try that failed; then it is given up
OLDEST_SECONDS = 24 * 3600.0  # what has waited longer, as while the engine was off, is no news any more


@dataclass(frozen=True)
class Webhook:
    """What a caller wishes: where to send what, signed with what."""

    name: str
    url: str
    events: Sequence[str]
    secret: str
    active: bool


def webhook_rows(store: Store, project: Project) -> list[dict[str, Any]]:
    """The webhooks of a project's workspace, most recent first."""
    return store.rows("SELECT * FROM webhooks WHERE kind = ? ORDER BY seq DESC", project.kind.kind)


def webhook_row(store: Store, project: Project, webhook_id: str) -> Optional[dict[str, Any]]:
    """One webhook; None if the workspace has none of this id."""
    return store.row("SELECT * FROM webhooks WHERE kind = ? AND id = ?", project.kind.kind, webhook_id)


def add_webhook(store: Store, project: Project, webhook: Webhook) -> str:
    """Add a webhook; returns its id."""
    webhook_id, moment = new_id(), now()
    store.change(
        "INSERT INTO webhooks (id, kind, name, url, events, secret, active, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        webhook_id, project.kind.kind, webhook.name, webhook.url, json.dumps(list(webhook.events)), webhook.secret,
        webhook.active, moment, moment,
    )  # fmt: skip
    return webhook_id


def change_webhook(store: Store, webhook_id: str, webhook: Webhook) -> None:
    """Replace a webhook; one that is made inactive forgets what it was to be told."""
    with store.transaction():
        store.change(
            "UPDATE webhooks SET name = ?, url = ?, events = ?, secret = ?, active = ?, updated_at = ? WHERE id = ?",
            webhook.name, webhook.url, json.dumps(list(webhook.events)), webhook.secret, webhook.active, now(),
            webhook_id,
        )  # fmt: skip
        if not webhook.active:
            store.change("DELETE FROM webhook_deliveries WHERE webhook_id = ?", webhook_id)


def delete_webhook(store: Store, webhook_id: str) -> None:
    """Delete a webhook and what it was to be told."""
    store.change("DELETE FROM webhooks WHERE id = ?", webhook_id)


def next_deliveries(store: Store) -> list[dict[str, Any]]:
    """The first delivery that waits of each webhook, with its webhook and its job; one webhook gets them in order."""
    return store.rows(
        "SELECT d.seq, d.webhook_id, d.job_id, d.task_id, d.status, d.created_at, d.tries, d.due, w.url, w.secret, "
        "j.kind, j.name AS job_name, j.mode, j.workflow_id, j.workflow_name, t.name AS task_name "
        "FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id JOIN jobs j ON j.id = d.job_id "
        "LEFT JOIN job_tasks t ON t.id = d.task_id "
        "WHERE d.seq IN (SELECT MIN(seq) FROM webhook_deliveries GROUP BY webhook_id) ORDER BY d.due"
    )


def delivered(store: Store, delivery: dict[str, Any]) -> None:
    """It has arrived."""
    store.change("DELETE FROM webhook_deliveries WHERE seq = ?", delivery["seq"])


def put_off(store: Store, delivery: dict[str, Any]) -> bool:
    """It has not arrived: try again later. False if it is given up."""
    tries = delivery["tries"]
    if tries >= len(RETRY_SECONDS):
        delivered(store, delivery)
        return False
    store.change(
        "UPDATE webhook_deliveries SET tries = ?, due = ? WHERE seq = ?",
        tries + 1, time.time() + RETRY_SECONDS[tries], delivery["seq"],
    )  # fmt: skip
    return True


def drop_old_deliveries(store: Store) -> None:
    """Forget what is no news any more."""
    store.change("DELETE FROM webhook_deliveries WHERE due < ?", time.time() - OLDEST_SECONDS)
