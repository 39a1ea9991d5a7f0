"""The parameters, as JSON and as a form: two views of one value, with every problem marked and listed in words."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QResizeEvent
from qgis.PyQt.QtWidgets import QListWidgetItem, QWidget

from ..host.settings import Settings
from ..jobs.problem import Problem
from .json_editor import JsonMarks, prepare, replace_text
from .json_find import FindBar
from .parameters_form import ParametersForm
from .parameters_words import help_text, sentence
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
        prepare(self.parametersEditor)
        self._marks = JsonMarks(self.parametersEditor, sentence)
        self.find_bar = FindBar(self.parametersEditor)
        self.findPlace.addWidget(self.find_bar)
        self.form = ParametersForm(model)
        self.form.tab_after = self.parametersMenuButton
        self.formPlace.addWidget(self.form)
        self.form.json_wanted.connect(self._show_first_problem)
        self.setCollapsed(True)
        soften(self.parametersHint)
        self.parameterProblems.hide()
        self._replacing = False
        self._workflow: Optional[str] = None
        self.parametersEditor.textChanged.connect(self._typed)
        self.parametersEditor.cursorPositionChanged.connect(lambda *_: self._show_hint())
        self.parameterProblems.itemActivated.connect(self._go_to_item)
        self.parameterProblems.itemClicked.connect(self._go_to_item)
        self.resetParametersButton.clicked.connect(model.reset_parameters)
        self.formViewButton.toggled.connect(self.show_form)
        self.formViewButton.setChecked(Settings().parameters_view == "form")
        self.jsonViewButton.setChecked(not self.formViewButton.isChecked())
        self.show_form(self.formViewButton.isChecked())
        model.changed.connect(self._show)
        self.collapsedStateChanged.connect(self._unfolded)

    def _unfolded(self, collapsed: bool) -> None:
        """Unfolding shows all that is within: what is to be hidden is hidden again."""
        if not collapsed:
            self.show_form(self.formViewButton.isChecked())
            self.parameterProblems.setVisible(self.parameterProblems.count() > 0)

    def show_form(self, form: bool) -> None:
        """Show the form, or the JSON; the same one is shown the next time."""
        self.jsonPage.setVisible(not form)
        self.form.setVisible(form)
        Settings().parameters_view = "form" if form else "json"
        self._show_hint()

    def go_to(self, problem: Problem) -> None:
        """Unfold, and put the keyboard where the problem is: in the form where it is shown and has its place."""
        if self.isCollapsed():  # where it is unfolded already, QGIS would only show all that is within
            self.setCollapsed(False)
        if self.formViewButton.isChecked() and self.form.go_to(problem):
            return
        self.jsonViewButton.setChecked(True)
        line, column = (problem.line or 1) - 1, (problem.column or 1) - 1
        self.parametersEditor.ensureLineVisible(line)
        self.parametersEditor.setCursorPosition(line, column)
        self.parametersEditor.ensureCursorVisible()
        self.parametersEditor.setFocus()

    def find(self) -> None:
        """Search the JSON."""
        self.jsonViewButton.setChecked(True)
        self.find_bar.open_bar()

    def stop(self) -> None:
        """For unload."""
        self.form.stop()

    def _show_first_problem(self) -> None:
        problems = self._problems()
        if problems:
            self.go_to(problems[0])

    def _problems(self) -> list[Problem]:
        return [problem for problem in self._model.problems if problem.where == "parameters"]

    def _help_at(self, line: int, column: int) -> str:
        """What the parameter at a place of the text is for."""
        path = self._model.views.at(line, column)
        parameter = self._model.views.known(*path) if path else None
        words = help_text(parameter) if parameter else ""
        return f"{parameter.name}: {words}" if parameter and words else ""

    def _show_hint(self) -> None:
        words = ""
        if self.jsonViewButton.isChecked():
            line, column = self.parametersEditor.getCursorPosition()
            words = self._help_at(line + 1, column + 1)
        self.parametersHint.setText(words or self.tr("The AOI is added when the job is sent."))

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
        self._show_text()
        problems = self._problems()
        self._marks.show(problems)
        self.parameterProblems.clear()
        for problem in problems:
            item = QListWidgetItem(theme_icon("mIconWarning"), sentence(problem))
            item.setData(Qt.ItemDataRole.UserRole, problem)
            self.parameterProblems.addItem(item)
        self.parameterProblems.setVisible(bool(problems))
        self._fit_list()
        self._show_hint()
        count = len(problems)
        self.setTitle(self.tr("Parameters (Problems: %n)", "", count) if count else self.tr("Parameters"))

    def _show_text(self) -> None:
        self._replacing = True  # it is taken out and put in: what is there in between is nobody's text
        try:
            replace_text(self.parametersEditor, self._model.text)
        finally:
            self._replacing = False
        workflow = self._model.workflow.id if self._model.workflow else None
        if workflow != self._workflow:
            self._workflow = workflow
            self.parametersEditor.SendScintilla(self.parametersEditor.SCI_EMPTYUNDOBUFFER)  # another's texts
