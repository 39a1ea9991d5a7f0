"""One parameter in the form: name, widget, a button back to the default, help, and what is wrong with it."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from ..host.words import tell, tr
from ..jobs.problem import Problem
from ..jobs.workflow import Parameter
from .parameters_editors import Dates, editor_for, fallback_for
from .parameters_text_editors import Editor
from .parameters_words import default_text, help_text
from .problem_line import ProblemLine
from .request_model import RequestModel
from .ui_files import soften, theme_icon


class ParameterRow(QObject):
    """Speaks to the model and to no other row."""

    def __init__(self, model: RequestModel, task: str, parameter: Parameter, grid: QGridLayout, parent: QWidget):
        """Adds itself below what is in `grid`, which has three columns."""
        super().__init__(parent)
        self._model, self.task, self.parameter, self._parent = model, task, parameter, parent
        self._grid, self._at = grid, grid.rowCount()
        self.main = self._connect(editor_for(parameter))
        self.fallback: Optional[Editor] = None
        self.shown = self.main
        self._label = QLabel(parameter.name, parent)
        self._label.setObjectName(f"{task}/{parameter.name}/label")
        self._label.setBuddy(self.main)
        self._label.setToolTip(parameter.name)
        grid.addWidget(self._label, self._at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.main, self._at, 1)
        self.reset_button = self._add_reset()
        self._add_help()
        self.problem = ProblemLine(parent)
        grid.addWidget(self.problem, self._at + 2, 0, 1, 3)

    def _add_reset(self) -> QToolButton:
        button = QToolButton(self._parent)
        button.setObjectName("resetParameterButton")
        button.setIcon(theme_icon("mActionUndo"))
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        parameter = self.parameter
        words = tr("Back to the default") if parameter.has_default or parameter.required else tr("Leave it out")
        button.setToolTip(f"{words}: {default_text(parameter)}" if parameter.has_default else words)
        button.setAccessibleName(f"{parameter.name}: {words}")
        button.clicked.connect(lambda: self._model.reset_parameter(self.task, parameter.name))
        self._grid.addWidget(button, self._at, 2, Qt.AlignmentFlag.AlignTop)
        return button

    def _add_help(self) -> None:
        words = help_text(self.parameter)
        if not words:
            return
        label = QLabel(words, self._parent)
        label.setObjectName(f"{self.task}/{self.parameter.name}/help")
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        soften(label)
        self._grid.addWidget(label, self._at + 1, 0, 1, 3)
        self.main.setAccessibleDescription(words)

    def _connect(self, editor: Editor) -> Editor:
        name = self.parameter.name
        editor.setObjectName(f"{self.task}/{name}")
        editor.edited.connect(lambda value: self._set(value))
        editor.drafted.connect(lambda text: self._model.draft_parameter(self.task, name, text))
        return editor

    def _set(self, value: Any) -> None:
        """A range of dates takes the place of several: a block takes either."""
        values = {self.parameter.name: value}
        given = self._model.views.values.get(self.task, {})
        if isinstance(self.main, Dates) and self.parameter.name == "time" and given.get("time_series") is not None:
            values["time_series"] = None
        self._model.set_parameters(self.task, values)

    def show_value(self) -> None:
        """Show what the model has."""
        name, views = self.parameter.name, self._model.views
        value = views.values.get(self.task, {}).get(name)
        draft = views.drafts.get((self.task, name))
        typing = self.shown is self.fallback and self.fallback is not None and self.fallback.field.hasFocus()
        fits = not typing and self.main.show_value(value, draft)
        self._choose(self.main if fits else self._fallback())
        if not fits:
            self.shown.show_value(value, draft)
        self.reset_button.setEnabled(not views.is_default(self.task, name))

    def show_problems(self, problems: list[Problem]) -> None:
        """Say what is wrong with this one."""
        mine = [p for p in problems if p.path[:2] == (self.task, self.parameter.name)]
        self.problem.tell("\n".join(tell(problem) for problem in mine))

    def _fallback(self) -> Editor:
        if self.fallback is None:
            self.fallback = self._connect(fallback_for(self.parameter))
            self._grid.addWidget(self.fallback, self._at, 1)
            QWidget.setTabOrder(self._last_of(self.main), self.fallback.field)
            QWidget.setTabOrder(self.fallback.field, self.reset_button)
        return self.fallback

    @staticmethod
    def _last_of(editor: Editor) -> QWidget:
        return editor.focusProxy() or editor

    def _choose(self, editor: Editor) -> None:
        self.shown = editor
        for other in (self.main, self.fallback):
            if other is not None and other.isHidden() != (other is not editor):
                other.setVisible(other is editor)
        self._label.setBuddy(editor)
