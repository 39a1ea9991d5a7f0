"""QGIS's vault in tests: one master password, logins to be kept for one test, and whoever is asked to unlock it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsCredentials

from up42_jobs.tests.unit.up42_jobs_server import PROJECT

MASTER = "master of the test"
SECRET = "made-up-key.of-the-test"


class Asked(QgsCredentials):
    """Whoever asks for the master password is counted, told it or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = ""
        self.threads: list[threading.Thread] = []
        self.setInstance(self)

    def requestMasterPassword(self, password: str, stored: bool) -> Any:
        self.threads.append(threading.current_thread())
        return bool(self.answer), self.answer

    def request(self, realm: str, username: str, password: str, message: str = "") -> Any:
        return False, "", ""


asked_once: list[Asked] = []  # QGIS keeps the first one that there is


@pytest.fixture()
def vault(qgis_app: object) -> Iterator[Asked]:
    """The vault, open, with its own master password; and who is asked when it is locked."""
    if not asked_once:
        asked_once.append(Asked())
    asked_once[0].threads.clear()
    asked_once[0].answer = ""
    manager = QgsApplication.authManager()
    manager.setPasswordHelperEnabled(False)
    if not manager.masterPasswordIsSet():
        assert manager.setMasterPassword(MASTER, True)
    yield asked_once[0]
    manager.clearMasterPassword()


@pytest.fixture()
def keep_login(vault: Asked) -> Iterator[Callable[..., str]]:
    """Keep a login; the function gives its authcfg."""
    kept: list[str] = []

    def keep(user: str = PROJECT, secret: str = SECRET, method: str = "Basic") -> str:
        config = QgsAuthMethodConfig(method)
        config.setName("Made up")
        config.setConfig("username", user)
        config.setConfig("password", secret)
        assert QgsApplication.authManager().storeAuthenticationConfig(config)[0]
        kept.append(config.id())
        return config.id()

    yield keep
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword(MASTER, True)
    for authcfg in kept:
        manager.removeAuthenticationConfig(authcfg)
