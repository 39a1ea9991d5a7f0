"""Pictures of connections to servers: the dock's head, what is told when one can't be opened, the options."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from qgis_desktop import REPOSITORY

from up42_jobs.tests.qgis.remote_engine import PROJECT_ID, RemoteEngine

if TYPE_CHECKING:
    from take_screenshots import Photographer

OUT = REPOSITORY / "build" / "screenshots"
MASTER = "masterword"
TABS = ("connections", "outputs", "spending")


def photograph_servers(photographer: Photographer) -> None:
    """All of them, with the real engine as the server."""
    photographer.open()
    with tempfile.TemporaryDirectory() as folder:
        engine = RemoteEngine(Path(folder) / "remote")
        engine.start("made-up-key-of-the-pictures")
        try:
            _set_up(photographer, engine)
            _dock(photographer)
            _options(photographer)
        finally:
            engine.stop()


def _set_up(photographer: Photographer, engine: RemoteEngine) -> None:
    photographer.desktop.do(
        "from up42_jobs.plugin.host.servers import Login, Server, write_servers\n"
        "manager = QgsApplication.authManager()\nmanager.setPasswordHelperEnabled(False)\n"
        f"assert manager.setMasterPassword({MASTER!r}, True)\n"
        "config = QgsAuthMethodConfig('Basic')\nconfig.setName('Company')\n"
        f"config.setConfig('username', {engine.user!r})\nconfig.setConfig('password', {engine.password!r})\n"
        "manager.storeAuthenticationConfig(config)\n"
        f"ids = ({PROJECT_ID!r}, {engine.free_project_id!r})\n"
        f"servers = [Server('Company', {engine.url!r}, Login.ACCOUNT, config.id(), ids, 'server-1'),\n"
        "    Server('UP42', 'https://api.up42.com', Login.PROJECT_KEY, config.id(), (), 'server-2')]\n"
        "write_servers(servers)\nplugin._content.connections_changed()"
    )


def _dock(photographer: Photographer) -> None:
    desktop = photographer.desktop
    header = "plugin._content.header"
    desktop.do(f"{header}.choose('server-2')\nplugin._content.open_connection()")
    desktop.wait("plugin._content.tryAgainButton.isVisible()")
    photographer.picture("c1-closed-interface")
    desktop.do(f"manager.clearMasterPassword()\n{header}.choose('server-1')")
    desktop.do("plugin._content.open_connection(asked_for=False)")
    desktop.wait("'locked' in plugin._content.noticeLabel.text() and plugin._content.tryAgainButton.isVisible()")
    photographer.picture("c2-vault-locked")
    desktop.do(f"assert manager.setMasterPassword({MASTER!r}, True)")
    desktop.click("tryAgainButton")
    desktop.wait("plugin._content.form.isEnabled()")
    photographer.picture("c3-server-with-projects")


def _options(photographer: Photographer) -> None:
    desktop = photographer.desktop
    desktop.do("plugin._content.header.manage_wanted.emit()")
    desktop.wait("find('jobCapLabel') is not None or find('connectionTree') is not None")
    page = "find('Up42JobsOptions')"
    desktop.wait(f"{page}.spending is not None")
    desktop.do(f"options = {page}\noptions.spending.jobCapSpin.setValue(500)")
    for number, tab in enumerate(TABS):
        desktop.do(f"options.tabs.setCurrentIndex({number})")
        photographer.settle()
        desktop.shot(OUT / f"{photographer.name}-c4-options-{tab}.png")
    desktop.do("options.tabs.setCurrentIndex(0)")
    desktop.click("editConnectionButton")
    desktop.click("tryButton")
    desktop.wait("find('tryButton').isEnabled() and find('findingsView').toPlainText()")
    photographer.settle()
    desktop.shot(OUT / f"{photographer.name}-c5-connection-tested.png")
    desktop.key("Escape")
    desktop.wait("find('ConnectionDialog') is None")
    desktop.do("options.window().reject()")
    desktop.wait(f"{page} is None")
