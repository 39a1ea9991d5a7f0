"""The header line: connection, project where there are several, balance where there is one."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..host.connections import Connection
from ..host.words import number
from .request_model import RequestModel
from .ui_files import set_up


class Header(QWidget):
    """Chooses where jobs run; what is there to choose comes from outside."""

    connection_chosen = pyqtSignal(object)  # Connection

    def __init__(self, model: RequestModel, connections: list[Connection], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "header")
        self._model = model
        for connection in connections:
            self.connectionCombo.addItem(connection.title, connection)
            hint_role = Qt.ItemDataRole.ToolTipRole
            self.connectionCombo.setItemData(self.connectionCombo.count() - 1, connection.hint, hint_role)
        self.connectionCombo.activated.connect(lambda _index: self._chosen())
        self.projectLabel.hide()
        self.balanceLabel.hide()
        model.changed.connect(self._show)

    @property
    def connection(self) -> Connection:
        """The chosen connection."""
        return self.connectionCombo.currentData()

    def choose(self, connection_id: Optional[str]) -> None:
        """Show that connection as the chosen one, if there is such."""
        for index in range(self.connectionCombo.count()):
            if self.connectionCombo.itemData(index).id == connection_id:
                self.connectionCombo.setCurrentIndex(index)
        self.connectionCombo.setToolTip(self.connection.hint)

    def _chosen(self) -> None:
        self.connectionCombo.setToolTip(self.connection.hint)
        self.connection_chosen.emit(self.connection)

    def _show(self) -> None:
        catalogue = self._model.catalogue
        if catalogue is None:
            return
        self.projectLabel.setText(catalogue.project.name)
        self.projectLabel.setVisible(len(catalogue.projects) > 1)
        self.balanceLabel.setVisible(catalogue.balance is not None)
        if catalogue.balance is not None:
            self.balanceLabel.setText(self.tr("{balance} credits").format(balance=number(catalogue.balance)))
