"""UP42 Jobs in QGIS's own options: connections, outputs, spending. Nothing is kept before the options are accepted."""

from __future__ import annotations

from typing import Callable, Optional, Union

from qgis.gui import QgsOptionsPageWidget
from qgis.PyQt.QtGui import QShowEvent
from qgis.PyQt.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ..host.settings import Settings
from .connection_list import ConnectionList
from .in_turns import InTurns
from .options_outputs import OutputOptions
from .options_spending import SpendingOptions

Tab = Union[ConnectionList, OutputOptions, SpendingOptions]


class OptionsPage(QgsOptionsPageWidget):
    """Three tabs, made when the page is first shown: QGIS makes all pages each time that any option is looked at.

    `accepted` is called when the user has accepted the options and what was changed is kept.
    """

    def __init__(self, accepted: Callable[[], None], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._accepted = accepted
        self._settings = Settings()
        self.connections: Optional[ConnectionList] = None
        self.outputs: Optional[OutputOptions] = None
        self.spending: Optional[SpendingOptions] = None
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("optionsTabs")
        self.tabs.setAccessibleName(self.tr("Options of UP42 Jobs"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self._building = InTurns([self._add_connections, self._add_outputs, self._add_spending], self)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt's word that the page is seen."""
        super().showEvent(event)
        self._building.start()

    def _add_connections(self) -> None:
        self.connections = ConnectionList()
        self.tabs.addTab(self.connections, self.tr("Connections"))

    def _add_outputs(self) -> None:
        self.outputs = OutputOptions(self._settings)
        self.tabs.addTab(self.outputs, self.tr("Outputs"))

    def _add_spending(self) -> None:
        self.spending = SpendingOptions(self._settings)
        self.tabs.addTab(self.spending, self.tr("Spending"))

    def apply(self) -> None:
        """Keep what was changed; QGIS calls this when the options are accepted, also where the page was not seen."""
        seen: list[Optional[Tab]] = [self.connections, self.outputs, self.spending]
        for tab in seen:
            if tab is not None:
                tab.apply()
        if self.connections is not None:
            self._accepted()
