"""What the dock shows where a Python package is missing: which one, and the one command that mends it.

Imports nothing of ours that needs those packages.
"""

from __future__ import annotations

import sys
from typing import Optional

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QWidget

from .ui_files import set_up


class MissingPackages(QWidget):
    """Emits `look_again` when the user has installed it."""

    look_again = pyqtSignal()

    def __init__(self, problem: Exception, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "missing_packages")
        package = (getattr(problem, "name", None) or "").partition(".")[0]
        if package in ("shapely", "requests"):
            text = self.tr("UP42 Jobs needs the Python package “{package}”, which this QGIS does not have. {how}")
            self.missingLabel.setText(text.format(package=package, how=self._how()))
            self.commandEdit.setText(install_command(package, sys.platform))
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


def install_command(package: str, platform: str) -> str:
    """The command that installs `package` for the Python of QGIS; `platform` as `sys.platform`."""
    if platform == "win32":
        return f"python3 -m pip install {package}"
    if platform == "darwin":
        return f'"{sys.prefix}/bin/python3" -m pip install {package}'
    return f"sudo apt install python3-{package}"
