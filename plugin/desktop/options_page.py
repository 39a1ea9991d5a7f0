"""UP42 Jobs in QGIS's own options: connections, outputs, spending. Nothing is kept before the options are accepted."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.gui import QgsOptionsPageWidget
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from ..host.settings import Settings
from .connection_list import ConnectionList
from .options_factory import PAGE
from .options_outputs import OutputOptions
from .options_spending import SpendingOptions
from .ui_files import set_up


class OptionsPage(QgsOptionsPageWidget):
    """Three tabs. `accepted` is called when the user has accepted them and they are kept."""

    def __init__(self, accepted: Callable[[], None], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(PAGE)
        self._accepted = accepted
        settings = Settings()
        self.connections = ConnectionList()
        self.outputs = OutputOptions(settings)
        self.spending = SpendingOptions(settings)
        body = QWidget()
        set_up(body, "options_page")
        self.tabs = body.optionsTabs
        self.tabs.addTab(self.connections, self.tr("Connections"))
        self.tabs.addTab(self.outputs, self.tr("Outputs"))
        self.tabs.addTab(self.spending, self.tr("Spending"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(body)

    def apply(self) -> None:
        """Keep what was changed; QGIS calls this when the options are accepted."""
        for tab in (self.connections, self.outputs, self.spending):
            tab.apply()
        self._accepted()
