"""One sentence about what is wrong, with the warning sign of QGIS beside it."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from .ui_files import set_up, theme_icon

ICON_SIZE = 16


class ProblemLine(QWidget):
    """Hidden while there is nothing to say."""

    show_wanted = pyqtSignal()  # the place of the problem

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "problem_line")
        self.problemIcon.setPixmap(theme_icon("mIconWarning").pixmap(ICON_SIZE, ICON_SIZE))
        self.showProblemButton.clicked.connect(self.show_wanted)
        self.hide()

    def tell(self, text: str, with_show: bool = False) -> None:
        """Show `text`, with a button to the problem's place if wanted; "" hides the line."""
        self.showProblemButton.setVisible(with_show)
        self.problemText.setText(text)
        self.problemText.setAccessibleName(text)
        self.setVisible(bool(text))
