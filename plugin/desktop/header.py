"""The head of the dock: connection, balance where there is one, project where there are several, its limits."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import QSignalBlocker, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from ..host.connections import Connection
from ..host.limits import limits_line
from ..host.records import Catalogue
from ..host.words import number
from .request_model import RequestModel
from .ui_files import set_up, soften, theme_icon, tooltip


class Header(QWidget):
    """Chooses where jobs run; what is there to choose comes from outside."""

    connection_chosen = pyqtSignal(object)  # Connection
    project_chosen = pyqtSignal(str)  # project id
    manage_wanted = pyqtSignal()

    def __init__(self, model: RequestModel, connections: Sequence[Connection], parent: Optional[QWidget] = None):
        super().__init__(parent)
        set_up(self, "header")
        self._model = model
        self._connections: list[Connection] = []
        self._chosen: Optional[Connection] = None
        soften(self.limitsLabel)
        self.set_connections(connections)
        self.connectionCombo.activated.connect(self._activated)
        self.projectCombo.activated.connect(lambda _index: self.project_chosen.emit(self.projectCombo.currentData()))
        model.changed.connect(self._show)

    @property
    def connection(self) -> Connection:
        """The chosen connection."""
        return self._chosen or self._connections[0]

    def set_connections(self, connections: Sequence[Connection]) -> None:
        """List these. The chosen one stays chosen by its id; where it is gone, the first one is."""
        chosen_id = self._chosen.id if self._chosen else None
        self._connections = list(connections)
        self.connectionCombo.clear()
        for connection in self._connections:
            self.connectionCombo.addItem(connection.title, connection.id)
            last, role = self.connectionCombo.count() - 1, Qt.ItemDataRole.ToolTipRole
            self.connectionCombo.setItemData(last, tooltip(connection.hint), role)
        self.connectionCombo.insertSeparator(self.connectionCombo.count())
        self.connectionCombo.addItem(theme_icon("mActionOptions"), self.tr("Manage Connections…"))
        self._chosen = self._connections[0]
        self.choose(chosen_id)

    def choose(self, connection_id: Optional[str]) -> None:
        """Show that connection as the chosen one, if there is such."""
        self._chosen = next((c for c in self._connections if c.id == connection_id), self.connection)
        self.connectionCombo.setCurrentIndex(self._connections.index(self._chosen))
        self.connectionCombo.setToolTip(tooltip(self._chosen.hint))
        self._show()

    def _activated(self, index: int) -> None:
        if index < len(self._connections):
            self.choose(self._connections[index].id)
            self.connection_chosen.emit(self.connection)
        else:
            self.choose(self.connection.id)
            self.manage_wanted.emit()

    def _show(self) -> None:
        catalogue = self._model.catalogue
        if catalogue is None or catalogue.connection.id != self.connection.id:  # not open (yet)
            for widget in (self.projectRow, self.limitsLabel, self.balanceLabel):
                widget.hide()
            return
        self.projectRow.setVisible(len(catalogue.projects) > 1)
        with QSignalBlocker(self.projectCombo):
            self.projectCombo.clear()
            for project in catalogue.projects:
                self.projectCombo.addItem(project.name, project.id)
            self.projectCombo.setCurrentIndex(self.projectCombo.findData(catalogue.project.id))
        self._show_limits(catalogue)
        self.limitsLabel.show()
        self.balanceLabel.setVisible(catalogue.balance is not None)
        if catalogue.balance is not None:
            self.balanceLabel.setText(self.tr("{balance} credits").format(balance=number(catalogue.balance)))

    def _show_limits(self, catalogue: Catalogue) -> None:
        """The chosen project's limits; and which projects of the connection are not to be had, with the reasons."""
        lines = [limits_line(catalogue.project)]
        if catalogue.refused:
            text = self.tr("Without the projects that can’t be opened ({ids}): see Manage Connections")
            lines.append(text.format(ids=", ".join(catalogue.refused)))
        self.limitsLabel.setText("\n".join(lines))
        lines_of_tip = list(catalogue.refused.values()) or [self.tr("What the project allows, by its settings there")]
        self.limitsLabel.setToolTip(tooltip("\n".join(lines_of_tip)))
