"""*Show Parameters…*: what a job was started with, as JSON."""

from __future__ import annotations

import json
from typing import Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import QApplication, QDialog, QWidget

from ..host.records import JobRecord
from .job_words import job_title
from .ui_files import set_up


class ParametersDialog(QDialog):
    """Not modal; deleted when closed."""

    def __init__(self, record: JobRecord, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "parameters_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Parameters of {job}").format(job=job_title(record)))
        self.parametersText.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.parametersText.setPlainText(json.dumps(dict(record.job.inputs), indent=2, ensure_ascii=False))
        self.copyParametersButton.clicked.connect(
            lambda: QApplication.clipboard().setText(self.parametersText.toPlainText())
        )
        self.closeParametersButton.clicked.connect(self.close)
