"""News for the user go to QGIS's message bar: nothing pops up."""

from __future__ import annotations

import html

from qgis.core import Qgis
from qgis.gui import QgsMessageBar

TITLE = "UP42 Jobs"
LEVELS = {
    "info": Qgis.MessageLevel.Info,
    "success": Qgis.MessageLevel.Success,
    "warning": Qgis.MessageLevel.Warning,
    "critical": Qgis.MessageLevel.Critical,
}
SECONDS = {"info": 8, "success": 8, "warning": 20, "critical": 0}  # 0: until it is closed


class Messages:
    """Shows sentences of the journey with their level."""

    def __init__(self, bar: QgsMessageBar) -> None:
        self._bar = bar

    def tell(self, level: str, text: str) -> None:
        """`level`: info, success, warning or critical. Names from elsewhere in `text` are never taken for HTML."""
        self._bar.pushMessage(TITLE, html.escape(text, quote=False), LEVELS[level], SECONDS[level])
