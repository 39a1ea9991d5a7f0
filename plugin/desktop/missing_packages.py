"""What the dock shows where a Python package is missing: which one, and the one command that mends it.

Imports nothing of ours that needs those packages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Optional, Sequence

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QWidget

from ..host.local_engine_python import linux_family
from .ui_files import set_up

FLATPAK = Path("/.flatpak-info")  # is there inside a Flatpak, and only there


class MissingPackages(QWidget):
    """Emits `look_again` when the user has installed it."""

    look_again = pyqtSignal()

    def __init__(self, problem: Exception, parent: Optional[QWidget] = None, for_what: str = "UP42 Jobs") -> None:
        """`for_what`: what can't be had without the package."""
        super().__init__(parent)
        set_up(self, "missing_packages")
        package = (getattr(problem, "name", None) or "").partition(".")[0]
        if package in ("shapely", "requests"):
            text = self.tr("{what} needs the Python package “{package}”, which this QGIS does not have. {how}")
            self.missingLabel.setText(text.format(what=for_what, package=package, how=self._how()))
            self.commandEdit.setText(install_command(package, sys.platform, linux_family(), FLATPAK.exists()))
        else:
            text = self.tr("UP42 Jobs could not be loaded: {problem}. Installing the plugin anew may mend it.")
            self.missingLabel.setText(text.format(problem=problem))
            self.commandEdit.hide()
            self.copyCommandButton.hide()
        self.copyCommandButton.clicked.connect(lambda: QApplication.clipboard().setText(self.commandEdit.text()))
        self.lookAgainButton.clicked.connect(self.look_again)

    def _how(self) -> str:
        if sys.platform == "win32":
            return self.tr("Open the OSGeo4W Shell from the start menu, run this command, then choose Look Again.")
        return self.tr("Run this command in a terminal, then choose Look Again.")


def install_command(package: str, platform: str, family: Sequence[str] = (), in_flatpak: bool = False) -> str:
    """The command that installs `package` for the Python of QGIS.

    `platform` as `sys.platform`; `family`: the words of ID and ID_LIKE in Linux's os-release.
    """
    if platform == "win32":
        return f"python3 -m pip install {package}"
    if platform == "darwin":
        return f'"{sys.prefix}/bin/python3" -m pip install {package}'
    if in_flatpak:
        return f"flatpak run --command=pip3 org.qgis.qgis install --user {package}"
    for name, command in LINUX_COMMANDS.items():
        if name in family:
            return command.format(package=package)
    return f"python3 -m pip install --user {package}"


LINUX_COMMANDS = {
    "debian": "sudo apt install python3-{package}",
    "ubuntu": "sudo apt install python3-{package}",
    "fedora": "sudo dnf install python3-{package}",
    "rhel": "sudo dnf install python3-{package}",
    "suse": "sudo zypper install python3-{package}",
    "opensuse": "sudo zypper install python3-{package}",
    "arch": "sudo pacman -S python-{package}",
}
