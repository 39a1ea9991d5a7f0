"""The list of servers in the options: add, edit, duplicate, remove. It is kept when the options are accepted."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QHeaderView, QTreeWidgetItem, QWidget

from ..host.servers import Server, read_servers, write_servers
from .connection_dialog import ConnectionDialog
from .ui_files import set_up, soften

URL_COLUMN, PROJECTS_COLUMN = 1, 2
NAME_WIDTH = 150  # pixels at first


class ConnectionList(QWidget):
    """Edits a copy of the list; `apply` keeps it."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "connection_list")
        self.servers: list[Server] = read_servers()
        self._kept = list(self.servers)
        self._dialog: Optional[ConnectionDialog] = None
        soften(self.connectionListHint)
        self.connectionTree.setColumnWidth(0, NAME_WIDTH)
        header = self.connectionTree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(URL_COLUMN, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(PROJECTS_COLUMN, QHeaderView.ResizeMode.ResizeToContents)
        self.connectionTree.itemSelectionChanged.connect(self._enable)
        self.connectionTree.itemActivated.connect(lambda _item, _column: self._edit())
        self.addConnectionButton.clicked.connect(self._add)
        self.editConnectionButton.clicked.connect(self._edit)
        self.duplicateConnectionButton.clicked.connect(self._duplicate)
        self.removeConnectionButton.clicked.connect(self._remove)
        self._show(0)

    def apply(self) -> None:
        """Keep the list as it is shown."""
        if self.servers != self._kept:
            write_servers(self.servers)
            self._kept = list(self.servers)

    @property
    def _chosen(self) -> int:
        """The row that is chosen; -1 for none."""
        return self.connectionTree.indexOfTopLevelItem(self.connectionTree.currentItem())

    def _show(self, row: int) -> None:
        self.connectionTree.clear()
        for server in self.servers:
            item = QTreeWidgetItem([server.name, server.url, str(len(server.project_ids) or 1)])
            item.setToolTip(PROJECTS_COLUMN, "\n".join(server.project_ids))
            item.setTextAlignment(PROJECTS_COLUMN, Qt.AlignmentFlag.AlignHCenter)
            self.connectionTree.addTopLevelItem(item)
        if self.servers:
            chosen = self.connectionTree.topLevelItem(min(max(row, 0), len(self.servers) - 1))
            self.connectionTree.setCurrentItem(chosen)
        self._enable()

    def _enable(self) -> None:
        for button in (self.editConnectionButton, self.duplicateConnectionButton, self.removeConnectionButton):
            button.setEnabled(self._chosen >= 0)

    def _add(self) -> None:
        self._open(None, self.tr("Add Connection"), self._append)

    def _edit(self) -> None:
        row = self._chosen
        if row >= 0:
            self._open(self.servers[row], self.tr("Edit Connection"), lambda server: self._replace(row, server))

    def _duplicate(self) -> None:
        if self._chosen >= 0:
            before = self.servers[self._chosen]
            copy = before.copy(self.tr("{name} (copy)").format(name=before.name))
            self._open(copy, self.tr("Duplicate Connection"), self._append)

    def _remove(self) -> None:
        row = self._chosen
        if row >= 0:
            del self.servers[row]
            self._show(row)

    def _append(self, server: Server) -> None:
        self.servers.append(server)
        self._show(len(self.servers) - 1)

    def _replace(self, row: int, server: Server) -> None:
        self.servers[row] = server
        self._show(row)

    def _open(self, server: Optional[Server], title: str, done: Callable[[Server], None]) -> None:
        others = [other.name for other in self.servers if server is None or other.id != server.id]
        dialog = ConnectionDialog(server, others, self)
        dialog.setWindowTitle(title)
        dialog.accepted.connect(lambda: done(dialog.server))
        self._dialog = dialog
        dialog.open()
