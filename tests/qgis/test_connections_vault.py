"""The vault: logins are read on any thread while it is open; while it is locked nobody is asked and nothing is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from qgis.core import QgsApplication, QgsSettings

from up42_jobs.plugin.host.connections import Connections, Kind
from up42_jobs.plugin.host.errors import HostError
from up42_jobs.plugin.host.network import make_session
from up42_jobs.plugin.host.servers import KEY, Login, Server, write_servers
from up42_jobs.plugin.host.vault import NoLogin, Vault, VaultLocked
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.tests.qgis.gui_turns import while_gui_turns
from up42_jobs.tests.qgis.vault_in_tests import MASTER, SECRET, Asked
from up42_jobs.tests.servers.worker import Worker
from up42_jobs.tests.unit.up42_jobs_server import PROJECT, JobsServer, data


def on_a_thread(do: Callable[[], Any]) -> Any:
    """What `do` gives or raises on another thread."""
    try:
        return while_gui_turns(Worker(do))
    except Exception as e:
        return e


def test_a_login_is_read_on_any_thread_and_never_shown(keep_login: Callable[..., str]) -> None:
    authcfg = keep_login()
    here = Vault().credentials(authcfg, Login.PROJECT_KEY)
    there = on_a_thread(lambda: Vault().credentials(authcfg, Login.ACCOUNT))
    assert (here.user, here.secret, here.is_account) == (PROJECT, SECRET, False)
    assert (there.user, there.secret, there.is_account) == (PROJECT, SECRET, True)
    assert SECRET not in repr(here) + str(there)


def test_the_project_id_stands_in_for_an_empty_user_name(keep_login: Callable[..., str]) -> None:
    assert Vault().credentials(keep_login(user=""), Login.PROJECT_KEY, "my-project").user == "my-project"


@pytest.mark.parametrize(
    ("kept", "login"),
    [
        ({"user": ""}, Login.PROJECT_KEY),
        ({"secret": ""}, Login.PROJECT_KEY),
        ({"user": ""}, Login.ACCOUNT),
        ({"secret": ""}, Login.ACCOUNT),
    ],
)
def test_half_a_login_is_told(keep_login: Callable[..., str], kept: dict[str, str], login: Login) -> None:
    with pytest.raises(NoLogin, match="“Made up” must hold") as told:
        Vault().credentials(keep_login(**kept), login)
    assert SECRET not in str(told.value)


def test_another_kind_of_authentication_is_told(keep_login: Callable[..., str]) -> None:
    with pytest.raises(NoLogin, match="EsriToken"):
        Vault().credentials(keep_login(method="EsriToken"), Login.ACCOUNT)


def test_an_authentication_that_is_gone_is_told_without_asking_for_a_password(vault: Asked) -> None:
    QgsApplication.authManager().clearMasterPassword()
    with pytest.raises(NoLogin, match="Manage Connections"):
        Vault().unlock("gone123")
    with pytest.raises(NoLogin, match="Manage Connections"):
        Vault().credentials("gone123", Login.ACCOUNT)
    assert vault.threads == []


def test_a_worker_asks_nobody_while_the_vault_is_locked(vault: Asked, keep_login: Callable[..., str]) -> None:
    authcfg = keep_login()
    QgsApplication.authManager().clearMasterPassword()
    for _ in range(3):
        told = on_a_thread(lambda: Vault().credentials(authcfg, Login.PROJECT_KEY))
        assert isinstance(told, VaultLocked)
        assert "Try Again" in str(told)
    assert vault.threads == []


def test_the_user_is_asked_on_the_gui_thread_and_may_refuse_and_try_again(
    vault: Asked, keep_login: Callable[..., str]
) -> None:
    authcfg = keep_login()
    QgsApplication.authManager().clearMasterPassword()
    with pytest.raises(VaultLocked, match="master password"):
        Vault().unlock(authcfg)
    assert vault.threads and set(vault.threads) == {threading.current_thread()}
    vault.answer = "not it"
    with pytest.raises(VaultLocked, match="master password"):
        Vault().unlock(authcfg)
    assert isinstance(on_a_thread(lambda: Vault().credentials(authcfg, Login.PROJECT_KEY)), VaultLocked)
    vault.answer = MASTER
    Vault().unlock(authcfg)
    assert on_a_thread(lambda: Vault().credentials(authcfg, Login.PROJECT_KEY)).secret == SECRET


def test_a_worker_can_not_unlock(vault: Asked, keep_login: Callable[..., str]) -> None:
    authcfg = keep_login()
    QgsApplication.authManager().clearMasterPassword()
    assert isinstance(on_a_thread(lambda: Vault().unlock(authcfg)), RuntimeError)
    assert vault.threads == []


class NoEngine:
    """No local engine: these connections need none."""

    def release(self) -> None:
        """Nothing is held."""


@pytest.fixture()
def connections(qgis_app: object) -> Iterator[Connections]:
    """Connections without a server, before and after."""
    QgsSettings().remove(KEY)
    connections = Connections(NoEngine(), make_session)  # type: ignore[arg-type]
    yield connections
    connections.close()
    QgsSettings().remove(KEY)


def test_a_server_is_a_connection_that_signs_in_with_what_the_vault_holds(
    connections: Connections, keep_login: Callable[..., str]
) -> None:
    with JobsServer() as web:
        web.on("GET", f"/projects/{PROJECT}", data({"id": PROJECT, "name": "Dams"}))
        web.on("GET", f"/projects/{PROJECT}/settings", data([{"name": "JOB_QUERY_MAX_AOI_SIZE", "value": "50"}]))
        write_servers([Server("Company", web.url, Login.PROJECT_KEY, keep_login(), (), "server-1")])
        connection = connections.by_id("server-1")
        assert connection is not None and connection.kind is Kind.SERVER and not connection.is_local
        connections.unlock(connection)
        (project,) = on_a_thread(lambda: connections.open(connection, Cancel()).projects())
        assert (project.id, project.name, project.aoi_limits.max_km2) == (PROJECT, "Dams", 50)
        assert SECRET not in repr(connection) + repr(connections.all()) + str(QgsSettings().value(KEY))


def test_while_the_vault_is_locked_a_server_is_not_asked(
    connections: Connections, keep_login: Callable[..., str], vault: Asked
) -> None:
    with JobsServer() as web:
        write_servers([Server("Company", web.url, Login.PROJECT_KEY, keep_login(), (), "server-1")])
        QgsApplication.authManager().clearMasterPassword()
        connection = connections.by_id("server-1")
        told = on_a_thread(lambda: connections.open(connection, Cancel()))
        assert isinstance(told, VaultLocked)
        assert web.requests == [] and vault.threads == []


@pytest.mark.parametrize("host", ["api.up42.com", "API.UP42.com.", "api.up42.dev", "up42.com"])
def test_the_closed_interface_answers_with_the_truth_and_is_not_asked(connections: Connections, host: str) -> None:
    write_servers([Server("UP42", f"https://{host}", Login.PROJECT_KEY, "whatever", (), "server-1")])
    connection = connections.by_id("server-1")
    assert connection is not None
    connections.unlock(connection)  # asks for nothing: there is nothing to sign in to
    with pytest.raises(HostError, match="15 May 2024") as told:
        connections.open(connection, Cancel())
    assert "This Computer" in str(told.value)
    assert connections._session is None


def test_what_is_no_address_any_more_is_told(connections: Connections) -> None:
    write_servers([Server("Odd", "http://jobs.example.org", Login.PROJECT_KEY, "whatever", (), "server-1")])
    connection = connections.by_id("server-1")
    assert connection is not None
    with pytest.raises(HostError, match="not encrypted"):
        connections.open(connection, Cancel())
