"""What QGIS asks for our page each time that its options are opened."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.gui import QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtWidgets import QWidget

from .ui_files import own_icon

TITLE = "UP42 Jobs"
PAGE = "Up42JobsOptions"  # the page's objectName, by which QGIS opens it


class OptionsFactory(QgsOptionsWidgetFactory):
    """Registered while the plugin is loaded; the page itself is imported when it is first wanted."""

    def __init__(self, accepted: Callable[[], None]) -> None:
        super().__init__()
        self.setTitle(TITLE)
        self.setIcon(own_icon("up42_jobs"))
        self._accepted = accepted

    def createWidget(self, parent: Optional[QWidget] = None) -> QgsOptionsPageWidget:
        """The page with what is kept now."""
        from .options_page import OptionsPage

        page = OptionsPage(self._accepted, parent)
        page.setObjectName(PAGE)
        return page
