"""A connection to a server in the real QGIS, by mouse and keyboard: set up, tested, broken and mended."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
from qgis_desktop import Desktop
from test_desktop_journey import open_dock

from up42_jobs.tests.qgis.remote_engine import PROJECT_ID, RemoteEngine

MASTER = "masterword"
KEY, NEW_KEY = "first-made-up-key", "second-made-up-key"
FINDINGS = "find('findingsView').toPlainText()"
NOTICE = "plugin._content.noticeLabel.text()"
OPEN = "plugin._content.form.isEnabled() and plugin._content.model.catalogue.connection.title == 'Company'"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RemoteEngine]:
    """The real engine as a server elsewhere would be."""
    engine = RemoteEngine(tmp_path / "remote")
    engine.start(KEY)
    yield engine
    engine.stop()


def keep_logins(desktop: Desktop) -> None:
    """Two keys in QGIS's authentication database, which is locked then."""
    desktop.do(
        "manager = QgsApplication.authManager()\nmanager.setPasswordHelperEnabled(False)\n"
        f"assert manager.setMasterPassword({MASTER!r}, True)\n"
        f"for name, key in (('A Key', {KEY!r}), ('B Key', {NEW_KEY!r})):\n"
        "    config = QgsAuthMethodConfig('Basic')\n    config.setName(name)\n"
        f"    config.setConfig('username', {PROJECT_ID!r})\n    config.setConfig('password', key)\n"
        "    manager.storeAuthenticationConfig(config)\n"
        "manager.clearMasterPassword()"
    )


def manage_connections(desktop: Desktop) -> None:
    desktop.click("connectionCombo")
    desktop.key("End", "Return")
    desktop.wait("find('addConnectionButton') is not None")
    desktop.watch_pauses()  # anew: QGIS itself takes its time to build all pages of its options


def choose_login(desktop: Desktop, name: str) -> None:
    """In QGIS's own box of authentications."""
    desktop.click("cmbConfigSelect")
    desktop.xdotool("type", name)
    desktop.key("Return")
    desktop.wait(f"find('cmbConfigSelect').currentText().startswith({name!r})")


def accept(desktop: Desktop) -> None:
    """OK in the dialog, OK in the options."""
    desktop.click("connectionOkButton")
    desktop.wait("find('ConnectionDialog') is None")
    desktop.do(
        "from qgis.PyQt.QtWidgets import QDialogButtonBox\n"
        "box = find('Up42JobsOptions').window().findChild(QDialogButtonBox, 'buttonBox')\n"
        "box.button(QDialogButtonBox.StandardButton.Ok).setObjectName('optionsOkButton')"
    )
    desktop.click("optionsOkButton")
    desktop.wait("find('Up42JobsOptions') is None")
    desktop.watch_pauses()  # anew: QGIS itself takes its time to save its options and to load all algorithms again


def unlock(desktop: Desktop) -> None:
    """Type the master password where QGIS asks for it."""
    desktop.wait("find('QgsCredentialDialog') is not None")
    desktop.xdotool("type", MASTER)
    desktop.key("Return")
    desktop.wait("find('QgsCredentialDialog') is None")


def test_a_server_is_set_up_tested_broken_and_mended(desktop: Desktop, server: RemoteEngine) -> None:
    keep_logins(desktop)
    open_dock(desktop)
    assert desktop.get("not manager.masterPasswordIsSet()")
    manage_connections(desktop)
    desktop.click("addConnectionButton")
    desktop.click("nameEdit")
    desktop.xdotool("type", "Company")
    desktop.key("Tab")
    desktop.xdotool("type", "api.up42.com")
    desktop.wait(f"'15 May 2024' in {FINDINGS}")
    desktop.key("ctrl+a")
    desktop.xdotool("type", server.url)
    choose_login(desktop, "A Key")

    desktop.click("tryButton")
    desktop.wait("find('QgsCredentialDialog') is not None")
    desktop.key("Escape")
    desktop.wait(f"'stayed locked' in {FINDINGS}")
    desktop.click("tryButton")
    unlock(desktop)
    desktop.wait(f"'credits left' in {FINDINGS}")
    accept(desktop)

    desktop.click("connectionCombo")
    desktop.xdotool("type", "Company")
    desktop.key("Return")
    desktop.wait(OPEN)
    assert desktop.get("find('limitsLabel').text()") == "AOI 0.1–100 km² · up to 10 scenes · 10 jobs at a time"
    assert desktop.get("find('balanceLabel').text()") == "10000 credits"  # in the locale C

    server.stop()
    desktop.click("connectionCombo")
    desktop.xdotool("type", "Company")
    desktop.key("Return")
    desktop.wait(f"'refused the connection' in {NOTICE}")
    server.start(NEW_KEY)
    desktop.click("tryAgainButton")
    desktop.wait(f"'did not accept the project ID and project key' in {NOTICE}")

    manage_connections(desktop)
    desktop.click("editConnectionButton")
    desktop.click("tryButton")
    desktop.wait(f"'did not accept the project ID and key' in {FINDINGS}")
    choose_login(desktop, "B Key")
    desktop.click("tryButton")
    desktop.wait(f"'credits left' in {FINDINGS}")
    accept(desktop)
    desktop.wait(OPEN)

    profile = desktop.folder / "profiles"
    for path in profile.rglob("*"):
        if path.is_file() and path.suffix != ".pyc" and "up42_jobs" not in path.parts[:-1]:
            assert KEY.encode() not in path.read_bytes() and NEW_KEY.encode() not in path.read_bytes(), path
