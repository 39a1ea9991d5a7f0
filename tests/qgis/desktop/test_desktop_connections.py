"""Servers in the options and in the dock: set up, tested, broken and mended, against the real engine as a server."""

from __future__ import annotations

from typing import Callable, Iterator

import pytest
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsSettings
from qgis.PyQt.QtWidgets import QApplication

from up42_jobs.plugin.desktop.dock import DockContent
from up42_jobs.plugin.desktop.options_factory import PAGE, OptionsFactory
from up42_jobs.plugin.desktop.options_page import OptionsPage
from up42_jobs.plugin.host.journey import Journey
from up42_jobs.plugin.host.parts import Parts
from up42_jobs.plugin.host.servers import KEY, Login, Server, read_servers, write_servers
from up42_jobs.plugin.host.settings import Settings
from up42_jobs.tests.qgis.remote_engine import PROJECT_ID, RemoteEngine
from up42_jobs.tests.qgis.vault_in_tests import MASTER, SECRET, Asked

from .window import Window


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteEngine]:
    """A server that runs."""
    engine = RemoteEngine(tmp_path_factory.mktemp("remote") / "data")
    engine.start(SECRET)
    yield engine
    engine.stop()


@pytest.fixture(autouse=True)
def no_servers(qgis_app: object) -> Iterator[None]:
    """Settings without servers and caps, before and after."""
    keys = (KEY, *(f"up42_jobs/{name}" for name in ("job_cap", "month_cap", "collect_policy", "make_overviews")))
    folder = Settings().output_folder
    for key in (*keys, "up42_jobs/last_connection"):
        QgsSettings().remove(key)
    yield
    for key in (*keys, "up42_jobs/last_connection"):
        QgsSettings().remove(key)
    Settings().output_folder = folder


@pytest.fixture
def page(qgis_app: object, qtbot) -> Iterator[OptionsPage]:
    """The options page as QGIS makes it, in a window."""
    accepted: list[int] = []
    factory = OptionsFactory(lambda: accepted.append(1))
    page = factory.createWidget(None)
    page.accepted_times = accepted
    qtbot.addWidget(page)
    page.apply()
    assert accepted == []  # another page's change is none of ours
    page.show()
    qtbot.waitUntil(lambda: page.spending is not None)
    assert page.objectName() == PAGE
    yield page


@pytest.fixture
def dock(window: Window, journey: Journey, parts: Parts, qtbot) -> Iterator[Callable[[], DockContent]]:
    """Make the dock's content, as when QGIS has started with it open."""
    made: list[DockContent] = []

    def make() -> DockContent:
        content = DockContent(window, journey, parts.settings)
        qtbot.addWidget(content)
        content.show()
        content.build()
        made.append(content)
        return content

    yield make
    for content in made:
        content.stop()


def dialog_of(page: OptionsPage):
    return page.connections._dialog


def findings(dialog) -> str:
    return dialog.findingsView.toPlainText()


def try_it(dialog, qtbot) -> str:
    """Press Test Connection, and wait for what it finds."""
    dialog.tryButton.click()
    qtbot.waitUntil(lambda: dialog.tryButton.isEnabled() and bool(findings(dialog)), timeout=20_000)
    assert not dialog.tryProgress.isVisible()
    return findings(dialog)


def settled(content: DockContent, qtbot) -> str:
    """Wait until a connection is open, or the notice says why not; gives the notice."""
    qtbot.waitUntil(lambda: not content._building._steps, timeout=10_000)

    def is_settled() -> bool:
        told = not content.noticeRow.isHidden() and not content.tryAgainButton.isHidden()
        return told or (content.noticeRow.isHidden() and content.form.isEnabled())

    qtbot.waitUntil(is_settled, timeout=30_000)
    return content.noticeLabel.text()


def choose(content: DockContent, title: str, qtbot) -> str:
    combo = content.header.connectionCombo
    index = combo.findText(title)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)
    qtbot.wait(1)
    return settled(content, qtbot)


def change_login(authcfg: str, secret: str) -> None:
    manager = QgsApplication.authManager()
    _, config = manager.loadAuthenticationConfig(authcfg, QgsAuthMethodConfig(), True)
    config.setConfig("password", secret)
    assert manager.updateAuthenticationConfig(config)


def test_a_server_is_set_up_tested_and_kept_only_when_the_options_are_accepted(
    page: OptionsPage, engine: RemoteEngine, keep_login: Callable[..., str], qtbot
) -> None:
    authcfg = keep_login(user=PROJECT_ID)
    page.connections.addConnectionButton.click()
    dialog = dialog_of(page)
    dialog.buttonBox.accepted.emit()
    assert "Give the connection a name" in findings(dialog) and "https://" in findings(dialog)
    assert dialog.isVisible()
    dialog.nameEdit.setText("Company")
    dialog.urlEdit.setText(engine.url + "/")
    dialog.urlEdit.textEdited.emit(engine.url + "/")
    dialog.authSelect.setConfigId(authcfg)
    text = try_it(dialog, qtbot)
    for part in ("accepts the login", "Practice (play credits)", "AOI 0.1–100 km²", "10,000 credits left"):
        assert part in text
    dialog.buttonBox.accepted.emit()
    qtbot.waitUntil(lambda: page.connections.connectionTree.topLevelItemCount() == 1)
    assert read_servers() == [] and page.accepted_times == []
    page.apply()
    (server,) = read_servers()
    assert (server.name, server.url, server.authcfg, server.login) == (
        "Company",
        engine.url,
        authcfg,
        Login.PROJECT_KEY,
    )
    assert page.accepted_times == [1]
    assert SECRET not in str(QgsSettings().value(KEY))


def test_edit_duplicate_remove(page: OptionsPage, keep_login: Callable[..., str], qtbot) -> None:
    tab = page.connections
    assert not tab.editConnectionButton.isEnabled() and not tab.removeConnectionButton.isEnabled()
    tab.servers.append(Server("One", "https://one.example.org", authcfg=keep_login(), id="server-1"))
    tab._show(0)
    tab.duplicateConnectionButton.click()
    dialog_of(page).buttonBox.accepted.emit()
    assert [server.name for server in tab.servers] == ["One", "One (copy)"]
    assert tab.servers[0].id != tab.servers[1].id
    tab.editConnectionButton.click()
    dialog = dialog_of(page)
    dialog.nameEdit.setText("one")
    dialog.buttonBox.accepted.emit()
    assert "already" in findings(dialog)
    dialog.nameEdit.setText("Two")
    dialog.buttonBox.accepted.emit()
    assert [server.name for server in tab.servers] == ["One", "Two"]
    tab.connectionTree.setCurrentItem(tab.connectionTree.topLevelItem(0))
    tab.removeConnectionButton.click()
    page.apply()
    assert [server.name for server in read_servers()] == ["Two"]


def test_the_closed_interface_is_told_while_its_address_is_typed(page: OptionsPage, qtbot) -> None:
    page.connections.addConnectionButton.click()
    dialog = dialog_of(page)
    for typed, told in (("api.up42.co", False), ("api.up42.com", True), ("https://api.up42.com/", True)):
        dialog.urlEdit.setText(typed)
        dialog.urlEdit.textEdited.emit(typed)
        assert ("15 May 2024" in findings(dialog)) is told
    dialog.tryButton.click()
    assert "This Computer" in findings(dialog) and dialog.tryButton.isEnabled()
    dialog.reject()


def test_stop_ends_a_test_at_a_silent_server(page: OptionsPage, keep_login: Callable[..., str], qtbot) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        page.connections.addConnectionButton.click()
        dialog = dialog_of(page)
        dialog.nameEdit.setText("Silent")
        dialog.urlEdit.setText(f"http://127.0.0.1:{silent.getsockname()[1]}")
        dialog.authSelect.setConfigId(keep_login())
        dialog.tryButton.click()
        connection, _ = silent.accept()
        assert dialog.tryProgress.isVisible() and not dialog.tryButton.isEnabled()
        dialog.stopTryButton.click()
        assert dialog.tryButton.isEnabled() and not dialog.tryProgress.isVisible() and findings(dialog) == ""
        connection.settimeout(10)
        while connection.recv(4096):
            continue  # until it is hung up
        connection.close()
        dialog.reject()


def test_outputs_and_spending(page: OptionsPage, tmp_path) -> None:
    spending, outputs = page.spending, page.outputs
    assert spending.jobCapSpin.text() == "No cap" and spending.jobCapEur.text() == ""
    assert outputs.collectCombo.currentData() == "always" and outputs.overviewsCheck.isChecked()
    page.apply()
    assert Settings().job_cap is None and Settings().month_cap is None
    spending.jobCapSpin.setValue(1250)
    assert spending.jobCapEur.text() == "12.50 EUR"
    spending.monthCapSpin.setValue(0)
    outputs.collectCombo.setCurrentIndex(1)
    outputs.overviewsCheck.setChecked(False)
    outputs.folderWidget.setFilePath(str(tmp_path))
    page.apply()
    settings = Settings()
    assert (settings.job_cap, settings.month_cap) == (1250.0, 0.0)
    assert (settings.collect_policy, settings.make_overviews) == ("ask", False)
    assert settings.output_folder == str(tmp_path)
    spending.jobCapSpin.clear()
    assert spending.jobCapEur.text() == ""
    page.apply()
    assert Settings().job_cap is None


def test_a_cap_with_decimals_stays_as_it_is_until_it_is_changed(page: OptionsPage, qtbot) -> None:
    Settings().job_cap = 12.5
    again = OptionsFactory(lambda: None).createWidget(None)
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(lambda: again.spending is not None)
    again.apply()
    assert Settings().job_cap == 12.5
    again.spending.jobCapSpin.setValue(20)
    again.apply()
    assert Settings().job_cap == 20.0


def test_the_dock_opens_a_server_it_breaks_and_is_mended(
    dock, engine: RemoteEngine, keep_login: Callable[..., str], qtbot
) -> None:
    authcfg = keep_login(user=PROJECT_ID)
    write_servers([Server("Company", engine.url, Login.PROJECT_KEY, authcfg, (), "server-1")])
    content = dock()
    assert settled(content, qtbot) == ""
    assert content.model.catalogue.connection.title == "This Computer"
    assert choose(content, "Company", qtbot) == ""
    catalogue = content.model.catalogue
    assert catalogue.project.id == PROJECT_ID and catalogue.workflows
    header = content.header
    assert not header.projectRow.isVisible()
    assert header.limitsLabel.text() == "AOI 0.1–100 km² · up to 10 scenes · 10 jobs at a time"
    assert header.balanceLabel.text() == "10,000 credits"

    change_login(authcfg, "another-key-of-the-test")
    content.open_connection()
    assert "did not accept the project ID and project key" in settled(content, qtbot)
    change_login(authcfg, SECRET)
    content.tryAgainButton.click()
    assert settled(content, qtbot) == ""

    engine.stop()
    content.open_connection()
    assert "refused the connection" in settled(content, qtbot)
    write_servers([*read_servers(), Server("UP42", "https://api.up42.com", authcfg=authcfg, id="server-2")])
    content.connections_changed()
    assert "15 May 2024" in choose(content, "UP42", qtbot)
    assert not header.limitsLabel.isVisible() and not header.balanceLabel.isVisible()  # those of another connection
    choose(content, "Company", qtbot)
    engine.start(SECRET)
    content.tryAgainButton.click()
    assert settled(content, qtbot) == ""
    assert content.form.isEnabled()


def test_the_projects_of_an_account_are_chosen_and_remembered(
    dock, engine: RemoteEngine, keep_login: Callable[..., str], qtbot
) -> None:
    ids = (PROJECT_ID, engine.free_project_id)
    authcfg = keep_login(user=engine.user, secret=engine.password)
    write_servers([Server("Account", engine.url, Login.ACCOUNT, authcfg, ids, "server-1")])
    content = dock()
    settled(content, qtbot)
    assert choose(content, "Account", qtbot) == ""
    combo = content.header.projectCombo
    assert content.header.projectRow.isVisible()
    assert [combo.itemData(row) for row in range(combo.count())] == list(ids)
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    assert settled(content, qtbot) == ""
    qtbot.waitUntil(lambda: content.model.catalogue.project.id == engine.free_project_id, timeout=20_000)
    assert {workflow.project_id for workflow in content.model.catalogue.workflows} == {engine.free_project_id}
    content._ask_for_balance()
    content.open_connection()
    assert settled(content, qtbot) == ""
    assert content.model.catalogue.project.id == engine.free_project_id


def test_at_start_a_locked_vault_is_told_and_nobody_is_asked(
    dock, engine: RemoteEngine, keep_login: Callable[..., str], vault: Asked, parts: Parts, qtbot
) -> None:
    write_servers([Server("Company", engine.url, Login.PROJECT_KEY, keep_login(user=PROJECT_ID), (), "server-1")])
    parts.settings.last_connection = "server-1"
    QgsApplication.authManager().clearMasterPassword()
    content = dock()
    assert "locked" in settled(content, qtbot)
    assert vault.threads == []
    content.tryAgainButton.click()  # refused
    assert "stayed locked" in settled(content, qtbot)
    assert vault.threads
    vault.answer = MASTER
    content.tryAgainButton.click()
    assert settled(content, qtbot) == ""
    assert content.model.catalogue.connection.id == "server-1"


def test_the_options_are_opened_from_the_dock_and_what_was_changed_there_is_shown(
    dock, window: Window, engine: RemoteEngine, keep_login: Callable[..., str], qtbot
) -> None:
    server = Server("Company", engine.url, Login.PROJECT_KEY, keep_login(user=PROJECT_ID), (), "server-1")
    write_servers([server])
    content = dock()
    content.connections_changed()  # before it is built: it opens nothing yet
    settled(content, qtbot)
    assert choose(content, "Company", qtbot) == ""
    combo = content.header.connectionCombo
    assert combo.itemText(combo.count() - 1) == "Manage Connections…"
    combo.activated.emit(combo.count() - 1)
    qtbot.waitUntil(lambda: window.options_opened == [PAGE])
    assert content.header.connection.id == "server-1" and combo.currentText() == "Company"

    other = keep_login(user=PROJECT_ID)
    write_servers([Server("Company", engine.url, server.login, other, (), "server-1")])
    content.connections_changed()
    assert settled(content, qtbot) == ""
    followed = [watch.connection for watch in content._journey._tracker._watches.values()]
    assert [c.authcfg for c in followed if c.id == "server-1"] == [other]  # jobs are asked for with the new login

    write_servers([Server("Firm", engine.url + "/nothing", server.login, server.authcfg, (), "server-1")])
    content.connections_changed()
    assert combo.currentText() == "Firm"
    assert settled(content, qtbot) != ""
    write_servers([])
    content.connections_changed()
    assert settled(content, qtbot) == ""
    assert content.model.catalogue.connection.title == combo.currentText() == "This Computer"
    QApplication.processEvents()


def test_a_dead_project_does_not_keep_a_connection_from_opening(
    dock, engine: RemoteEngine, keep_login: Callable[..., str], qtbot
) -> None:
    authcfg = keep_login(user=PROJECT_ID)
    ids = ("dead-and-gone", PROJECT_ID)
    write_servers([Server("Company", engine.url, Login.PROJECT_KEY, authcfg, ids, "server-1")])
    content = dock()
    settled(content, qtbot)
    assert choose(content, "Company", qtbot) == ""
    assert [project.id for project in content.model.catalogue.projects] == [PROJECT_ID]
    assert content.model.catalogue.workflows
    label = content.header.limitsLabel
    assert "Without the projects that can’t be opened (dead-and-gone)" in label.text()
    assert "10 jobs at a time" in label.text()
    assert "the project dead-and-gone" in label.toolTip()
