"""The webhooks of a connection's workspace: list, create, test, switch, delete. Their secrets go into QGIS's vault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from qgis.core import QgsApplication, QgsAuthMethodConfig

from ..net.proxy import is_loopback
from ..platforms.account_calls import Webhook
from .connections import Connection, Connections
from .errors import explain
from .vault import BASIC
from .words import tr
from .work import Work, Works

Failed = Callable[[str], None]
NOTHING = ""


@dataclass(frozen=True)
class WebhookList:
    """What the workspace has, and the events that the platform offers."""

    webhooks: list[Webhook]
    events: list[str]


class Webhooks:
    """Nothing here blocks; `failed` gets a finished sentence."""

    def __init__(self, works: Works, connections: Connections) -> None:
        self._works, self._connections = works, connections

    def read(self, connection: Connection, done: Callable[[WebhookList], None], failed: Failed) -> Work:
        """List them, without their secrets."""

        def do(platform: Any) -> WebhookList:
            found = [replace(webhook, secret=NOTHING) for webhook in platform.webhooks()]
            return WebhookList(found, platform.webhook_events())

        return self._ask(connection, do, done, failed)

    def create(
        self, connection: Connection, webhook: Webhook, done: Callable[[Webhook], None], failed: Failed
    ) -> Work:
        """Make one; `done` gets it with its secret, the platform's where none was given."""
        return self._ask(connection, lambda platform: platform.create_webhook(webhook), done, failed)

    def switch(
        self, connection: Connection, webhook: Webhook, active: bool, done: Callable[[Any], None], failed: Failed
    ) -> Work:
        """Switch it on or off; everything else stays as the platform has it, its secret too."""

        def do(platform: Any) -> Any:
            now = next((each for each in platform.webhooks() if each.id == webhook.id), webhook)
            return platform.change_webhook(replace(now, active=active))

        return self._ask(connection, do, done, failed)

    def delete(
        self, connection: Connection, webhook: Webhook, done: Callable[[Any], None], failed: Failed
    ) -> Work:
        """Delete it."""
        return self._ask(connection, lambda platform: platform.delete_webhook(webhook), done, failed)

    def test(
        self, connection: Connection, webhook: Webhook, done: Callable[[tuple[int, int]], None], failed: Failed
    ) -> Work:
        """Have test messages sent; `done` gets how many were, and how many arrived."""
        return self._ask(connection, lambda platform: platform.try_webhook(webhook), done, failed)

    def _ask(
        self, connection: Connection, question: Callable[[Any], Any], done: Callable[[Any], None], failed: Failed
    ) -> Work:
        return self._works.start(
            tr("Webhooks"),
            lambda cancel, _progress: question(self._connections.open(connection, cancel)),
            shown=False,
            succeeded=done,
            failed=lambda error: failed(explain(error)),
        )


def url_problem(url: str) -> str:
    """Why a webhook can't have this address; "" where it can. Only https is sent to, but for this very computer."""
    place = urlsplit(url.strip())
    if not place.hostname:
        return tr("Enter the address that is to be told, beginning with https://.")
    if place.scheme == "https" or (place.scheme == "http" and is_loopback(place.hostname)):
        return ""
    return tr("The platform only sends to https addresses: what it sends must not be readable on its way.")


def keep_secret(webhook: Webhook) -> Optional[str]:
    """Store the webhook's secret in QGIS's vault, which may ask for its master password; gives the configuration's id.

    GUI thread, on the user's act only. None where the vault stays locked.
    """
    manager = QgsApplication.authManager()
    if manager.isDisabled() or not (manager.masterPasswordIsSet() or manager.setMasterPassword(True)):
        return None
    config = QgsAuthMethodConfig(BASIC)
    config.setName(tr("UP42 Jobs webhook {name}").format(name=webhook.name))
    config.setConfig("username", webhook.id)
    config.setConfig("password", webhook.secret)
    stored = manager.storeAuthenticationConfig(config)
    good = stored[0] if isinstance(stored, tuple) else stored
    return config.id() if good else None
