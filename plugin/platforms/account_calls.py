"""Credits, limits and webhooks (contract 2.1, 2.8, 2.9)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Iterator, Mapping, Optional

from ..jobs.job import Job
from ..jobs.workflow import Project, Workflow
from . import paths, wire
from .calls import Calls
from .contract import Capabilities, NotAuthorised, NotFound

HISTORY_PAGE = 500  # entries asked for at once
JOB_STATUS = "job.status"
WEBHOOK = "the webhook"


@dataclass(frozen=True)
class CreditEntry:
    """One change of the balance. `kind` is the platform's word: JOB_TASK, CREDIT_PURCHASE …"""

    at: Optional[datetime]
    kind: str
    credits: float  # negative: spent
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Webhook:
    """Where the platform sends word of each change of status. `id` is "" for one to be made."""

    name: str
    url: str
    events: tuple[str, ...] = (JOB_STATUS,)
    active: bool = True
    secret: str = field(default="", repr=False)
    id: str = ""

    @property
    def wish(self) -> dict[str, Any]:
        """The body of a call that makes or changes it; no secret leaves that to the platform."""
        return {
            "name": self.name,
            "url": self.url,
            "events": list(self.events),
            "secret": self.secret or None,
            "active": self.active,
        }


class AccountCalls:
    """The part of the jobs contract that is about the account. All methods raise PlatformError, Cancelled."""

    _calls: Calls
    capabilities: Capabilities

    def balance(self, project: Project) -> Optional[int]:
        """Credits left, in whole credits; None where there are none, or where a project key may not see them."""
        return self._credits("accounts/me/credits/balance", "balance", "the credit balance")

    def credits_used(self, job: Job) -> Optional[int]:
        """What the job has cost so far, in whole credits; None where unknown."""
        return self._credits(f"{paths.of_job(job)}/credits", "creditsUsed", "the job's credits")

    def credits_spent(self, workflow: Workflow) -> Optional[int]:
        """What all jobs of the workflow have cost, in whole credits; None where unknown."""
        return self._credits(f"{paths.of_workflow(workflow)}/credits", "creditsSpent", "the workflow's credits")

    def _credits(self, path: str, name: str, what: str) -> Optional[int]:
        if not self.capabilities.credits:
            return None
        try:
            number = wire.number_of(wire.dict_of(self._calls.data("GET", path, what)).get(name))
        except (NotAuthorised, NotFound):
            return None
        return None if number is None else int(number)

    def credit_history(self) -> Iterator[CreditEntry]:
        """What changed the balance, newest first, page by page."""
        path, what = "accounts/me/credits/history", "the credit history"
        for page in itertools.count():
            params = {"page": str(page), "size": str(HISTORY_PAGE), "sort": "createdAt,desc"}
            data = wire.dict_of(self._calls.data("GET", path, what, params=params))
            entries = wire.dicts_of(data.get("content"))
            yield from map(_entry, entries)
            if not entries or data.get("last") is not False:
                return

    def change_limits(self, project: Project, limits: Mapping[str, int]) -> None:
        """Change settings of the project by their names (`wire.MAX_JOBS` …)."""
        body = {"settings": {name: str(value) for name, value in limits.items()}}
        path = f"{paths.of_project(project.id)}/settings"
        self._calls.answer("POST", path, "the project's settings", json=body, changes=True)

    def webhook_events(self) -> list[str]:
        """The events that a webhook can be told of."""
        data = self._calls.data("GET", "webhooks/events", "the webhook events")
        return [name for name in (wire.text_of(item.get("name")) for item in wire.dicts_of(data)) if name]

    def webhooks(self) -> list[Webhook]:
        """The webhooks of the workspace."""
        data = self._calls.data("GET", self._webhooks_path(), "the webhooks")
        return [_webhook(item) for item in wire.dicts_of(data) if wire.text_of(item.get("id"))]

    def create_webhook(self, webhook: Webhook) -> Webhook:
        """Make a webhook."""
        path = self._webhooks_path()
        return self._one_webhook(self._calls.data("POST", path, WEBHOOK, json=webhook.wish, changes=True))

    def change_webhook(self, webhook: Webhook) -> Webhook:
        """Replace the webhook of this id."""
        path = f"{self._webhooks_path()}/{paths.part(webhook.id)}"
        return self._one_webhook(self._calls.data("PUT", path, WEBHOOK, json=webhook.wish, changes=True))

    def delete_webhook(self, webhook: Webhook) -> None:
        """Delete a webhook."""
        path = f"{self._webhooks_path()}/{paths.part(webhook.id)}"
        self._calls.answer("DELETE", path, WEBHOOK, changes=True)

    def try_webhook(self, webhook: Webhook) -> tuple[int, int]:
        """Have test messages sent: how many were, and how many arrived."""
        path = f"{self._webhooks_path()}/{paths.part(webhook.id)}/tests"
        data = wire.dict_of(self._calls.data("POST", path, "the webhook's test", json={}, changes=True))
        run, good = wire.number_of(data.get("testsRun")), wire.number_of(data.get("testsSucceeded"))
        return int(run or 0), int(good or 0)

    def _webhooks_path(self) -> str:
        """The workspace's id is the user's (contract 1.3)."""
        what = "the user"
        workspace = wire.text_of(wire.dict_of(self._calls.data("GET", "users/me", what)).get("id"))
        if not workspace:
            raise self._calls.refusals.not_the_contract(b"", what, "it has no id")
        return f"workspaces/{paths.part(workspace)}/webhooks"

    def _one_webhook(self, data: Any) -> Webhook:
        found = _webhook(wire.dict_of(data))
        if not found.id:
            raise self._calls.refusals.not_the_contract(b"", WEBHOOK, "it has no id")
        return found


def _entry(data: Mapping[str, Any]) -> CreditEntry:
    return CreditEntry(
        at=wire.time_of(data.get("createdAt")),
        kind=wire.text_of(data.get("type")),
        credits=wire.number_of(data.get("delta")) or 0.0,
        details=wire.dict_of(data.get("details")),
    )


def _webhook(data: Mapping[str, Any]) -> Webhook:
    events = data.get("events")
    return Webhook(
        name=wire.text_of(data.get("name")),
        url=wire.text_of(data.get("url")),
        events=tuple(wire.text_of(event) for event in events) if isinstance(events, list) else (),
        active=data.get("active") is True,
        secret=wire.text_of(data.get("secret")),
        id=wire.text_of(data.get("id")),
    )
