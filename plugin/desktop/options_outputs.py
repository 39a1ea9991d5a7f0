"""Where outputs go, and what becomes of jobs that ended while QGIS was closed."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtWidgets import QWidget

from ..host.settings import Settings
from .ui_files import set_up, soften


class OutputOptions(QWidget):
    """Shows the settings as they are, and keeps them by `apply`."""

    def __init__(self, settings: Settings, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "options_outputs")
        self._settings = settings
        soften(self.folderHint)
        self.folderWidget.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folderWidget.setDialogTitle(self.tr("Folder for Outputs"))
        self.folderWidget.setFilePath(settings.output_folder or "")
        self.folderWidget.lineEdit().setObjectName("folderEdit")
        self.folderWidget.lineEdit().setPlaceholderText(self.tr("Beside the project file"))
        self.collectCombo.addItem(self.tr("Collect Their Outputs"), "always")
        self.collectCombo.addItem(self.tr("Ask First"), "ask")
        self.collectCombo.addItem(self.tr("Leave Them on the Platform"), "never")
        self.collectCombo.setCurrentIndex(self.collectCombo.findData(settings.collect_policy))
        self.overviewsCheck.setChecked(settings.make_overviews)

    def apply(self) -> None:
        """Keep what is shown."""
        self._settings.output_folder = self.folderWidget.filePath().strip() or None
        self._settings.collect_policy = self.collectCombo.currentData()
        self._settings.make_overviews = self.overviewsCheck.isChecked()
