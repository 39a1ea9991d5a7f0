"""Algorithms on a connection whose login is in the locked vault: the desktop asks its user, nobody else is asked."""

from __future__ import annotations

import threading
from typing import Any, Callable

import pytest
import qgis.utils
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsSettings

from up42_jobs.plugin.algorithms.list_workflows import ListWorkflows
from up42_jobs.plugin.host.servers import KEY, Login, Server, write_servers
from up42_jobs.tests.qgis.test_connections_vault import on_a_thread
from up42_jobs.tests.qgis.vault_in_tests import MASTER, Asked
from up42_jobs.tests.unit.up42_jobs_server import PROJECT, JobsServer, data


class Told(QgsProcessingFeedback):
    """Keeps what was reported."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def reportError(self, error: str, fatalError: bool = False) -> None:
        self.errors.append(error)


@pytest.fixture
def run(keep_login: Callable[..., str], vault: Asked, monkeypatch):
    """Run List Workflows on a server whose login is in the vault, which is locked. `desktop`: with windows."""
    with JobsServer() as web:
        web.on("GET", f"/projects/{PROJECT}", data({"id": PROJECT, "name": "Dams"}))
        web.on("GET", f"/projects/{PROJECT}/settings", data([]))
        web.on("GET", f"/projects/{PROJECT}/workflows", data([]))
        write_servers([Server("Company", web.url, Login.PROJECT_KEY, keep_login(), (), "server-1")])
        QgsApplication.authManager().clearMasterPassword()

        def do(desktop: bool) -> Any:
            monkeypatch.setattr(qgis.utils, "iface", object() if desktop else None)
            told = Told()
            parameters = {"CONNECTION": "Company", "OUTPUT": "memory:"}
            _results, ok = ListWorkflows().create().run(parameters, QgsProcessingContext(), told, {}, False)
            return ok, " ".join(told.errors), len(web.requests)

        yield do
    QgsSettings().remove(KEY)


def test_the_user_of_the_desktop_is_asked_and_may_refuse(run, vault: Asked):
    ok, told, requests = run(desktop=True)
    assert (ok, requests) == (False, 0)
    assert "stayed locked" in told
    assert set(vault.threads) == {threading.main_thread()}
    vault.answer = MASTER
    ok, _told, requests = run(desktop=True)
    assert ok and requests > 0


def test_without_a_desktop_nobody_is_asked_and_a_sentence_says_what_to_do(run, vault: Asked):
    vault.answer = MASTER
    with pytest.raises(QgsProcessingException, match="QGIS_AUTH_PASSWORD_FILE"):
        run(desktop=False)
    assert vault.threads == []


def test_a_step_of_a_model_on_a_worker_thread_asks_nobody(run, vault: Asked):
    vault.answer = MASTER
    told = on_a_thread(lambda: run(desktop=True))
    assert isinstance(told, QgsProcessingException) and "locked" in str(told)
    assert vault.threads == []
