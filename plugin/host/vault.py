"""QGIS's authentication database: the one place of secrets. It is unlocked on a user's act only, never by a worker.

Loading a configuration while the vault is locked would ask for the master password from whatever thread it is: so
that is never done. Headless, QGIS unlocks it itself by QGIS_AUTH_PASSWORD_FILE.
"""

from __future__ import annotations

from qgis.core import QgsApplication, QgsAuthMethodConfig
from qgis.PyQt.QtCore import QThread

from ..platforms.credentials import Credentials
from .errors import HostError
from .gui_thread import GuiThread
from .servers import Login
from .words import tr

BASIC = "Basic"  # QGIS's method of a user name and a password


class VaultLocked(HostError):
    """The login can't be read until the user has unlocked QGIS's authentication database; nothing was sent."""


class NoLogin(HostError):
    """The authentication is gone, of another kind or empty; the text says what to do."""


class Vault:
    """Reads logins, on the GUI thread alone.

    QGIS's own manager takes its two locks in one order to read a login and in the other to change one (3.22 to at least
    3.22.16): read on a worker while the user saves a login, QGIS would stand still for ever.
    """

    def __init__(self) -> None:
        self._gui_thread = GuiThread()

    def unlock(self, authcfg: str) -> None:
        """Have the vault open, asking the user for the master password where that is needed. GUI thread only.

        Only for what the user has just done. Raises VaultLocked where it stays locked, NoLogin where `authcfg` is not
        in it, for which no password need be asked.
        """
        manager = QgsApplication.authManager()
        if QThread.currentThread() != QgsApplication.instance().thread():
            raise RuntimeError("the master password is asked for on the GUI thread only")
        self._check_known(authcfg)
        if manager.masterPasswordIsSet():
            return
        if not manager.setMasterPassword(True):
            manager.clearMasterPassword()  # a wrong one would be taken for a right one
            raise VaultLocked(
                tr(
                    "QGIS’s authentication database stayed locked, so the connection can’t sign in: try again, and"
                    " enter QGIS’s master password."
                )
            )

    def credentials(self, authcfg: str, login: Login, project_id: str = "") -> Credentials:
        """The login of a configuration, for any thread; asks nobody. Raises VaultLocked, NoLogin.

        `project_id` stands in for a user name that was left empty beside a project key.
        """
        return self._gui_thread.ask(lambda: self._read(authcfg, login, project_id))

    def _read(self, authcfg: str, login: Login, project_id: str) -> Credentials:
        self._check_known(authcfg)
        manager = QgsApplication.authManager()
        if not manager.masterPasswordIsSet():
            raise VaultLocked(
                tr(
                    "The login of this connection is in QGIS’s authentication database, which is locked: open the"
                    " connection in the dock, or choose Try Again there, and enter QGIS’s master password."
                    " (qgis_process takes it from the file that QGIS_AUTH_PASSWORD_FILE names.)"
                )
            )
        read, config = manager.loadAuthenticationConfig(authcfg, QgsAuthMethodConfig(), True)
        if not read:
            raise NoLogin(_gone())
        if config.method() != BASIC:
            text = tr("The authentication “{name}” is of the kind {kind}: choose one of the kind Basic.")
            raise NoLogin(text.format(name=config.name(), kind=config.method()))
        return _credentials(config, login, project_id)

    @staticmethod
    def _check_known(authcfg: str) -> None:
        manager = QgsApplication.authManager()
        if manager.isDisabled():
            text = tr("QGIS’s authentication system is switched off ({reason}), so no connection can sign in.")
            raise NoLogin(text.format(reason=manager.disabledMessage().strip() or "?"))
        if authcfg not in manager.configIds():
            raise NoLogin(_gone())


def _credentials(config: QgsAuthMethodConfig, login: Login, project_id: str) -> Credentials:
    user, secret = config.config("username").strip(), config.config("password")
    if login is Login.PROJECT_KEY:
        user = user or project_id
        if not user or not secret:
            text = tr("The authentication “{name}” must hold the project ID as user name and its key as password.")
            raise NoLogin(text.format(name=config.name()))
        return Credentials.project(user, secret.strip())
    if not user or not secret:
        text = tr("The authentication “{name}” must hold the account’s user name and its password.")
        raise NoLogin(text.format(name=config.name()))
    return Credentials.account(user, secret)


def _gone() -> str:
    return tr(
        "The authentication of this connection is not in QGIS’s authentication database (any more): choose another one"
        " in Manage Connections."
    )
