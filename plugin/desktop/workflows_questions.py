"""What the dialog of workflows asks: which file to read or to write, and whether to delete. None runs a loop."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFileDialog, QMessageBox, QWidget

from ..host.words import tr


def ask_for_import(parent: QWidget, chosen: Callable[[Path], None]) -> QFileDialog:
    """Which file to read."""
    dialog = QFileDialog(parent, tr("Import Workflow"), "", _files())
    dialog.setObjectName("importWorkflowDialog")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    return dialog


def ask_for_export(parent: QWidget, chosen: Callable[[Path], None]) -> QFileDialog:
    """Which file to write."""
    dialog = QFileDialog(parent, tr("Export Workflow"), "", _files())
    dialog.setObjectName("exportWorkflowDialog")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("json")
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    return dialog


def ask_to_delete(parent: QWidget, name: str, confirmed: Callable[[], None]) -> QMessageBox:
    """Whether to delete the workflow of that name; the default is Cancel."""
    box = QMessageBox(
        QMessageBox.Icon.Question,
        tr("Delete Workflow"),
        tr("Delete the workflow “{name}”? Its jobs and their outputs stay.").format(name=name),
        QMessageBox.StandardButton.Cancel,
        parent,
    )
    box.setObjectName("deleteWorkflowQuestion")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    delete = box.addButton(tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
    delete.setObjectName("reallyDeleteButton")
    delete.clicked.connect(lambda: confirmed())
    return box


def _files() -> str:
    return tr("Workflows (*.json)")
