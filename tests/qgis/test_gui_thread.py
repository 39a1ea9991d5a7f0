"""Questions to QGIS's GUI thread; and the vault, which would stand still for ever if it were read on a worker."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from up42_jobs.plugin.host import gui_thread
from up42_jobs.plugin.host.gui_thread import GuiThread
from up42_jobs.tests.qgis.gui_turns import while_gui_turns
from up42_jobs.tests.qgis.in_a_process import run_alone
from up42_jobs.tests.servers.worker import Worker


def test_the_gui_thread_answers_all_workers_and_raises_to_the_one_that_asked(
    qgis_app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gui_thread, "GUI_WAIT_SECONDS", 3600.0)  # no worker answers by itself
    gui = GuiThread()
    workers = [Worker(lambda: gui.ask(threading.current_thread)) for _ in range(4)]
    fails = Worker(lambda: gui.ask(lambda: 1 // 0))
    assert {while_gui_turns(worker) for worker in workers} == {threading.main_thread()}
    with pytest.raises(ZeroDivisionError):
        while_gui_turns(fails)
    assert gui.ask(threading.current_thread) is threading.main_thread()


def test_a_gui_thread_that_waits_for_us_is_not_waited_for(qgis_app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gui_thread, "GUI_WAIT_SECONDS", 0.1)
    gui = GuiThread()
    asked: list[threading.Thread] = []
    worker = Worker(lambda: gui.ask(lambda: asked.append(threading.current_thread())))
    worker.result()
    while_gui_turns(Worker(lambda: gui.ask(lambda: None)))  # what was put first is over by then
    assert len(asked) == 1 and asked[0] is not threading.main_thread()


LOGINS_READ_WHILE_ONE_IS_SAVED = """
    import os, threading
    from qgis.core import QgsApplication, QgsAuthMethodConfig

    application = QgsApplication([], False)
    application.initQgis()
    from up42_jobs.plugin.host.servers import Login
    from up42_jobs.plugin.host.vault import Vault

    manager = QgsApplication.authManager()
    manager.setPasswordHelperEnabled(False)
    assert manager.setMasterPassword("made up", True)
    config = QgsAuthMethodConfig("Basic")
    config.setName("Made up")
    config.setConfig("username", "somebody")
    config.setConfig("password", "made-up")
    assert manager.storeAuthenticationConfig(config)
    vault = Vault()

    def read():
        for _ in range(200):
            assert vault.credentials(config.id(), Login.ACCOUNT).user == "somebody"

    workers = [threading.Thread(target=read) for _ in range(2)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert manager.updateAuthenticationConfig(config)
        application.processEvents()
    print("all is well", flush=True)
    os._exit(0)
"""


def test_a_login_can_be_saved_while_workers_read_theirs(tmp_path: Path) -> None:
    """QGIS's manager takes its locks in opposite orders for the two: on a worker, this stood still within a second."""
    run_alone(LOGINS_READ_WHILE_ONE_IS_SAVED, tmp_path)
