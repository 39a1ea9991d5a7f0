"""Delivers to webhooks on threads of its own, so that no job ever waits for a receiver."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from .network import NetworkSettings
from .store import Store
from .stored_webhooks import JOB_STATUS, delivered, drop_old_deliveries, next_deliveries, put_off
from .webhook_message import body_of, headers_of

THREADS = 2  # one receiver that is slow does not stop the others
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
STOP_SECONDS = 1.0  # what is on its way when the engine ends is sent again by the next
STORE_PAUSE_SECONDS = 1.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_log = logging.getLogger(__name__)


def send(url: str, body: bytes, secret: str, network: NetworkSettings) -> bool:
    """POST a signed body once; True if the receiver has taken it (2xx). Follows no redirect, reads no body."""
    import requests  # takes its time to load, and most engines have no webhook

    local = urlsplit(url).hostname in LOOPBACK
    proxies = {} if local or not network.proxy else {"http": network.proxy, "https": network.proxy}
    with requests.Session() as session:
        session.trust_env = False  # no ~/.netrc, no proxy of the environment
        try:
            with session.post(
                url,
                data=body,
                headers=headers_of(body, secret),
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,
                proxies=proxies,
                verify=network.ca_file or True,
            ) as answer:
                return 200 <= answer.status_code < 300
        except (requests.RequestException, OSError, ValueError) as e:
            _log.info("A webhook was not reached: %s", type(e).__name__)  # no URL: it may hold a secret
            return False


class WebhookSender:
    """Sends what the store has to deliver, until `stop`. `project_ids`: the id of a project by its kind."""

    def __init__(self, store: Store, network: NetworkSettings, project_ids: Mapping[str, str]):
        self._store = store
        self._network = network
        self._project_ids = project_ids
        self._condition = threading.Condition()
        self._claimed: set[str] = set()  # webhooks that a thread delivers to
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True) for number in range(THREADS)
        ]

    def start(self) -> None:
        """Go on with what an earlier engine has left, then with what comes."""
        drop_old_deliveries(self._store)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something to deliver."""
        with self._condition:
            self._condition.notify_all()

    def stop(self) -> None:
        """Send no more."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while not self._stopping:
            try:
                delivery = self._next()
                if delivery is not None:
                    self._deliver(delivery)
            except sqlite3.Error as e:  # a full disk, or closed while we were sending
                if not self._stopping:
                    _log.error("Webhooks can't be delivered: %s", e)
                with self._condition:
                    self._condition.wait_for(lambda: self._stopping, STORE_PAUSE_SECONDS)

    def _next(self) -> Optional[dict[str, Any]]:
        """Wait for a delivery that is due and claim its webhook; None at the end."""
        with self._condition:
            while not self._stopping:
                waiting = [row for row in next_deliveries(self._store) if row["webhook_id"] not in self._claimed]
                if waiting and waiting[0]["due"] <= time.time():
                    self._claimed.add(waiting[0]["webhook_id"])
                    return waiting[0]
                self._condition.wait(max(0.01, waiting[0]["due"] - time.time()) if waiting else None)
            return None

    def _deliver(self, delivery: dict[str, Any]) -> None:
        try:
            body = body_of(JOB_STATUS, delivery, self._project_ids[delivery["kind"]])
            if send(delivery["url"], body, delivery["secret"], self._network):
                delivered(self._store, delivery)
            elif not put_off(self._store, delivery):
                _log.warning("Webhook %s was not told of job %s", delivery["webhook_id"], delivery["job_id"])
        finally:
            with self._condition:
                self._claimed.discard(delivery["webhook_id"])
                self._condition.notify_all()
