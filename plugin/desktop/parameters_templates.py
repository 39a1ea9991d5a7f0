"""*Manage Templates…*: rename, favour and delete the templates of a workflow."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QDialog, QTreeWidgetItem, QWidget

from ..host.parameter_shelf import Kept, ParameterShelf
from .ui_files import set_up

KEPT = Qt.ItemDataRole.UserRole


class TemplatesDialog(QDialog):
    """A tick makes a favourite; F2 or a double click renames."""

    def __init__(self, shelf: ParameterShelf, tasks: tuple[str, ...], parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "parameters_templates")
        self._shelf, self._tasks = shelf, tasks
        self.templatesTree.itemChanged.connect(self._changed)
        self.templatesTree.itemSelectionChanged.connect(self._choice_changed)
        self.deleteTemplateButton.clicked.connect(self._delete)
        self.closeTemplatesButton.clicked.connect(self.accept)
        self._fill()

    def _fill(self) -> None:
        tree = self.templatesTree
        tree.blockSignals(True)
        tree.clear()
        for kept in self._shelf.templates(self._tasks):
            item = QTreeWidgetItem([kept.name])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked if kept.favourite else Qt.CheckState.Unchecked)
            item.setData(0, KEPT, kept)
            tree.addTopLevelItem(item)
        tree.blockSignals(False)
        if tree.topLevelItemCount():
            tree.setCurrentItem(tree.topLevelItem(0))
        self._choice_changed()

    def _choice_changed(self) -> None:
        self.deleteTemplateButton.setEnabled(bool(self.templatesTree.selectedItems()))

    def _changed(self, item: QTreeWidgetItem) -> None:
        kept: Kept = item.data(0, KEPT)
        if item.text(0) != kept.name:
            self._shelf.rename(kept, item.text(0))
        else:
            self._shelf.set_favourite(kept, item.checkState(0) == Qt.CheckState.Checked)
        QTimer.singleShot(0, self._fill)  # not while the tree is still at it

    def _delete(self) -> None:
        for item in self.templatesTree.selectedItems():
            self._shelf.delete(item.data(0, KEPT))
        self._fill()
