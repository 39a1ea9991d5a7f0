"""The parameters as JSON text, with every problem marked at its place and listed in words."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QResizeEvent
from qgis.PyQt.QtWidgets import QListWidgetItem, QWidget

from ..host.words import tell
from ..jobs.problem import Problem
from .json_editor import JsonMarks, replace_text
from .request_model import RequestModel
from .ui_files import set_up, soften, theme_icon

MOST_LISTED = 4  # without scrolling
ROOM_BELOW = 3  # pixels


class ParametersBox(QgsCollapsibleGroupBox):
    """Folded at first; the editor and the model hold the same text at all times."""

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        set_up(self, "parameters_box")
        self._model = model
        self._marks = JsonMarks(self.parametersEditor)
        self.setCollapsed(True)
        soften(self.parametersHint)
        self.parameterProblems.hide()
        self._replacing = False
        self.parametersEditor.textChanged.connect(self._typed)
        self.parameterProblems.itemActivated.connect(self._go_to_item)
        self.parameterProblems.itemClicked.connect(self._go_to_item)
        self.resetParametersButton.clicked.connect(model.reset_parameters)
        model.changed.connect(self._show)

    def go_to(self, problem: Problem) -> None:
        """Unfold, and put the cursor where the problem is."""
        self.setCollapsed(False)
        self.parametersEditor.setCursorPosition((problem.line or 1) - 1, (problem.column or 1) - 1)
        self.parametersEditor.ensureCursorVisible()
        self.parametersEditor.setFocus()

    def _fit_list(self) -> None:
        """As high as its problems, up to a few; the rest scrolls."""
        listed = self.parameterProblems
        if listed.count():
            listed.doItemsLayout()
            last = listed.visualItemRect(listed.item(min(listed.count(), MOST_LISTED) - 1))
            top = listed.visualItemRect(listed.item(0)).top()
            listed.setFixedHeight(last.bottom() - top + 2 * listed.frameWidth() + 2 * ROOM_BELOW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Narrower lines are more lines."""
        super().resizeEvent(event)
        self._fit_list()

    def _go_to_item(self, item: QListWidgetItem) -> None:
        self.go_to(item.data(Qt.ItemDataRole.UserRole))

    def _typed(self) -> None:
        if not self._replacing:
            self._model.set_text(self.parametersEditor.text())

    def _show(self) -> None:
        self._replacing = True  # it is taken out and put in: what is there in between is nobody's text
        try:
            replace_text(self.parametersEditor, self._model.text)
        finally:
            self._replacing = False
        problems = [problem for problem in self._model.problems if problem.where == "parameters"]
        self._marks.show(problems)
        self.parameterProblems.clear()
        for problem in problems:
            item = QListWidgetItem(theme_icon("mIconWarning"), sentence(problem))
            item.setData(Qt.ItemDataRole.UserRole, problem)
            self.parameterProblems.addItem(item)
        self.parameterProblems.setVisible(bool(problems))
        self._fit_list()
        count = len(problems)
        self.setTitle(self.tr("Parameters (Problems: %n)", "", count) if count else self.tr("Parameters"))


def sentence(problem: Problem) -> str:
    """The problem in words, beginning with its line where the words don't name it."""
    text = tell(problem)
    return text if problem.line is None or problem.code == "json_broken" else f"{problem.line}: {text}"
