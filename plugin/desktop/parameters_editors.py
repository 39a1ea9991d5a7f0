"""One widget for one parameter, by its descriptor: what is chosen is here, what is typed in `parameters_text_editors`.

Each shows a value or says that it can't, and tells what is edited.
"""

from __future__ import annotations

from typing import Any, Optional

from qgis.gui import QgsDateEdit
from qgis.PyQt.QtCore import QEvent, QObject, Qt
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..host.words import tr
from ..jobs import json_text
from ..jobs.workflow import Parameter
from .parameters_dates import DatePair, dates_menu
from .parameters_text_editors import NARROW, Editor, JsonArea, JsonLine, Lines, TextLine, is_lines
from .ui_files import theme_icon

MOST_BOXES = 12  # check boxes of one list; more are edited as text
LISTS_OF_TEXTS = ("ids", "asset_ids", "order_ids", "time_series", "osm_tags", "imagery_layers", "filenames", "stats")


class Choice(Editor):
    """One of some values, or none."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        self.field = QComboBox(self)
        self.field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for choice in parameter.choices:
            self.field.addItem(choice if isinstance(choice, str) else json_text.dumps(choice), choice)
        self.field.addItem(tr("not set"), None)
        self._hold(self.field)
        self.field.installEventFilter(_NoWheel(self.field))
        self.field.activated.connect(lambda index: self._tell(self._values[index]))
        self._values = [*parameter.choices, None]

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        index = next((i for i, choice in enumerate(self._values) if json_text.same(choice, value)), -1)
        if draft is not None or index < 0:
            return False
        if self.field.currentIndex() != index:
            self.field.setCurrentIndex(index)
        return True


class SeveralChoices(Editor):
    """Any of some values; none ticked is null."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        self._row.addLayout(grid, 1)
        self.boxes = []
        for i, choice in enumerate(parameter.choices):
            box = QCheckBox(str(choice).replace("&", "&&"), self)
            box.setObjectName("parameterField")
            box.toggled.connect(lambda _on: self._tell(self._read() or None))
            grid.addWidget(box, i // 2, i % 2)
            self.boxes.append(box)
        self.setFocusProxy(self.boxes[0])

    def _read(self) -> list[Any]:
        return [choice for choice, box in zip(self.parameter.choices, self.boxes) if box.isChecked()]

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        known = self.parameter.choices
        if draft is not None or not (value is None or (isinstance(value, list) and value)):
            return False
        if value and (not all(any(json_text.same(v, c) for c in known) for v in value) or len(value) > len(known)):
            return False
        given = [json_text.dumps(v) for v in value or []]
        if len(set(given)) != len(given):
            return False
        for choice, box in zip(known, self.boxes):
            box.setChecked(json_text.dumps(choice) in given)
        return True


class YesNo(Editor):
    """True, false, and half-way where it is not set."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        self.field = QCheckBox(self)
        self._hold(self.field)
        self.field.clicked.connect(lambda on: self._tell(on if not self.field.isTristate() else self._three()))

    def _three(self) -> Optional[bool]:
        state = self.field.checkState()
        return None if state == Qt.CheckState.PartiallyChecked else state == Qt.CheckState.Checked

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        if draft is not None or not (value is None or isinstance(value, bool)):
            return False
        self.field.setTristate(value is None or self.parameter.default is None)
        state = Qt.CheckState.PartiallyChecked if value is None else None
        self.field.setCheckState(state or (Qt.CheckState.Checked if value else Qt.CheckState.Unchecked))
        self.field.setText(tr("not set") if value is None else tr("yes") if value else tr("no"))
        return True


class Dates(Editor):
    """A range of dates, with the usual ones in a menu."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        edits = [QgsDateEdit(self), QgsDateEdit(self)]
        column = QVBoxLayout()  # side by side they would be too narrow for their dates
        self._row.addLayout(column, 1)
        for edit, words in zip(edits, (tr("First day, UTC"), tr("Last day, UTC"))):
            edit.setObjectName("parameterField")
            edit.setCalendarPopup(True)
            edit.setDisplayFormat("yyyy-MM-dd")
            edit.setAccessibleName(words)
            edit.setToolTip(words)
            edit.setMinimumWidth(NARROW)
            edit.installEventFilter(_NoWheel(edit))
            column.addWidget(edit)
        self._pair = DatePair(*edits, self)
        self._pair.edited.connect(self._tell)
        button = QToolButton(self)
        button.setIcon(theme_icon("mIconFieldDate"))
        button.setToolTip(tr("Usual ranges of dates"))
        button.setAccessibleName(tr("Usual ranges of dates"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setAutoRaise(True)
        button.setMenu(dates_menu(self, self._tell, lambda _ranges: None, lambda: parameter, lambda: False))
        self._row.addWidget(button)
        self.setFocusProxy(edits[0])

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        return draft is None and self._pair.show_value(value)


class _NoWheel(QObject):
    """Turning the wheel scrolls the form; it does not change what happens to lie under the pointer."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return False


def editor_for(parameter: Parameter) -> Editor:
    """The widget that fits the descriptor."""
    if parameter.type == "array":
        if parameter.choices and len(parameter.choices) <= MOST_BOXES:
            return SeveralChoices(parameter)
        texts = isinstance(parameter.default, list) and parameter.default and is_lines(parameter.default)
        return Lines(parameter) if texts or parameter.name in LISTS_OF_TEXTS else JsonArea(parameter)
    if parameter.choices:
        return Choice(parameter)
    by_type = {"boolean": YesNo, "dateRange": Dates, "string": TextLine, "geometry": JsonArea}
    return by_type.get(parameter.type, JsonLine)(parameter)


def fallback_for(parameter: Parameter) -> Editor:
    """The widget for a value that fits no other."""
    return JsonArea(parameter)
