"""The plugin's icon, on the provider and on each algorithm."""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtGui import QIcon

PATH = Path(__file__).parents[2] / "resources" / "icons" / "up42_jobs.svg"


def icon() -> QIcon:
    """The icon; made anew, because an application must be there first."""
    return QIcon(str(PATH))
