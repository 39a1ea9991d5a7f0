"""The parameters as a form: a group for each task, a widget for each parameter. The other view is the JSON."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QShowEvent
from qgis.PyQt.QtWidgets import QAbstractSpinBox, QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from ..host.words import tr
from ..jobs.problem import Problem
from ..jobs.workflow import WorkflowTask, editable_parameters
from .in_turns import InTurns
from .parameters_row import ParameterRow
from .problem_line import ProblemLine
from .request_model import RequestModel
from .ui_files import as_int

SPACING = 4  # pixels between a parameter and its help


class ParametersForm(QWidget):
    """Built when it is first seen, a task at a time. While the JSON can't be read it says so and is off."""

    json_wanted = pyqtSignal()

    def __init__(self, model: RequestModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("parametersForm")
        self._model = model
        self.tab_after: Optional[QWidget] = None
        self._shape: Optional[tuple[WorkflowTask, ...]] = None  # what it was built for
        self._building: Optional[InTurns] = None
        self.groups: list[QgsCollapsibleGroupBox] = []
        self.rows: list[ParameterRow] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.unreadable = ProblemLine(self)
        self.unreadable.show_wanted.connect(self.json_wanted)
        layout.addWidget(self.unreadable)
        model.changed.connect(self._show)

    def showEvent(self, event: QShowEvent) -> None:
        """Now it is needed."""
        super().showEvent(event)
        self._show()

    def go_to(self, problem: Problem) -> bool:
        """Put the keyboard where the problem is; False where the form has no such place."""
        row = next((r for r in self.rows if (r.task, r.parameter.name) == problem.path[:2]), None)
        if row is None or not self._model.parameters_readable:
            return False
        if row.parent().isCollapsed():
            row.parent().setCollapsed(False)
        row.shown.setFocus()
        return True

    def _show(self) -> None:
        if not self.isVisible():
            return
        workflow = self._model.workflow
        shape = workflow.tasks if workflow else ()
        if shape != self._shape:
            self._shape = shape
            self._rebuild()
            return
        readable = self._model.parameters_readable
        mend = tr("The JSON can't be read, so the form can't be edited: mend it first.")
        self.unreadable.tell("" if readable else mend, with_show=True)
        for group in self.groups:
            group.setEnabled(readable)
        if readable:
            for row in self.rows:
                row.show_value()
                row.show_problems(self._model.problems)

    def _rebuild(self) -> None:
        if self._building is not None:
            self._building.stop()
        for group in self.groups:
            self.layout().removeWidget(group)
            group.deleteLater()
        self.groups, self.rows = [], []
        steps = [lambda task=task: self._add(task) for task in self._shape or ()]
        self._building = InTurns([*steps, self._order_tabs, self._show], self)
        self._building.start()

    def _order_tabs(self) -> None:
        """Built late, its fields would come after everything else: Tab goes to them after `tab_after`."""
        before = self.tab_after
        for widget in self.findChildren(QWidget) if before is not None else ():
            inner = isinstance(widget.parentWidget(), (QAbstractSpinBox, QComboBox))
            popup = widget.window() is not self.window()
            if not inner and not popup and as_int(widget.focusPolicy()) & as_int(Qt.FocusPolicy.TabFocus):
                QWidget.setTabOrder(before, widget)
                before = widget

    def _add(self, task: WorkflowTask) -> None:
        group = QgsCollapsibleGroupBox(self)
        group.setObjectName(f"parameters/{task.name}")
        group.setSaveCollapsedState(False)
        group.setTitle((task.block.display_name or task.name).replace("&", "&&"))
        group.setToolTip(task.name)
        grid = QGridLayout(group)
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(SPACING)
        known = editable_parameters(task)
        if not known:
            grid.addWidget(QLabel(tr("This block has no parameters."), group), 0, 0)
        for parameter in known.values():
            self.rows.append(ParameterRow(self._model, task.name, parameter, grid, group))
        group.collapsedStateChanged.connect(lambda _collapsed: self._show())  # unfolding shows all that is within
        self.groups.append(group)
        self.layout().addWidget(group)
        for row in self.rows:
            if row.task == task.name:
                row.show_value()

    @property
    def built(self) -> bool:
        """True where every task of the workflow has its group."""
        return self._shape is not None and len(self.groups) == len(self._shape)

    def stop(self) -> None:
        """Build no more; for unload."""
        if self._building is not None:
            self._building.stop()
