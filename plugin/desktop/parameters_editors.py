"""One widget for one parameter, by its descriptor. Each shows a value or says that it can't, and tells what is edited.

What is being typed is never rewritten while it says the same as the value. Text that is no JSON yet goes out as it
is, as a draft. An empty field is null: *not set*.
"""

from __future__ import annotations

from typing import Any, Optional

from qgis.gui import QgsDateEdit
from qgis.PyQt.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..host.words import tr
from ..jobs import json_text
from ..jobs.workflow import Parameter
from .parameters_dates import DatePair, dates_menu
from .ui_files import theme_icon

LINES = 3  # of a field with several
MOST_BOXES = 12  # check boxes of one list; more are edited as text
LISTS_OF_TEXTS = ("ids", "asset_ids", "order_ids", "time_series", "osm_tags", "imagery_layers", "filenames", "stats")
NARROW = 60  # pixels: a field gets narrower before the dock gets wider


class Editor(QWidget):
    """The base: `edited` carries a value, `drafted` the JSON text of one."""

    edited = pyqtSignal(object)
    drafted = pyqtSignal(str)

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self._showing = False
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)

    def show_value(self, value: Any, draft: Optional[str]) -> bool:
        """Show it; False where this editor has no way to. Nothing is emitted."""
        self._showing = True
        try:
            return self._show(value, draft)
        finally:
            self._showing = False

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        raise NotImplementedError

    def _tell(self, value: Any) -> None:
        if not self._showing:
            self.edited.emit(value)

    def _hold(self, field: QWidget) -> None:
        field.setObjectName("parameterField")
        field.setMinimumWidth(NARROW)
        self._row.addWidget(field, 1)
        self.setFocusProxy(field)


class JsonLine(Editor):
    """A number, or any other value on one line. Up and Down count."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(tr("not set"))
        self._hold(self.field)
        self.field.textEdited.connect(lambda text: self.drafted.emit(text if text.strip() else "null"))
        self.field.installEventFilter(self)

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        text = self.field.text()
        if draft is None:
            if not _says(text, value):
                self.field.setText("" if value is None else json_text.dumps(value))
        elif text != draft:
            self.field.setText(draft)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys count up and down, within the limits."""
        if event.type() == QEvent.Type.KeyPress and self.parameter.type in ("integer", "number"):
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(event.key())
            value = json_text.parse(self.field.text()).value if step else None
            if step and isinstance(value, (int, float)) and not isinstance(value, bool):
                low, high = self.parameter.minimum, self.parameter.maximum
                wanted = value + step
                if (high is None or wanted <= high or step < 0) and (low is None or wanted >= low or step > 0):
                    self._tell(wanted)
                return True
        return False


class TextLine(Editor):
    """A text. Where the default is a text, an empty field is the empty text, not null."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        self.field = QLineEdit(self)
        self._hold(self.field)
        self._empty = "" if isinstance(parameter.default, str) else None
        self.field.textEdited.connect(lambda text: self._tell(text or self._empty))

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        if draft is not None or not (value is None or (isinstance(value, str) and _one_line(value))):
            return False
        self.field.setPlaceholderText(tr("not set") if value is None else tr("empty"))
        if self.field.text() != (value or ""):
            self.field.setText(value or "")
        return True


class Lines(Editor):
    """A list of texts, one a line."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        self.field = _Area(self)
        self.field.setPlaceholderText(tr("not set; one a line"))
        self._hold(self.field)
        self.field.textChanged.connect(lambda: self._tell(self._read() or None))

    def _read(self) -> list[str]:
        return [line.strip() for line in self.field.toPlainText().split("\n") if line.strip()]

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        if draft is not None or not (value is None or _is_lines(value)):
            return False
        if self._read() != (value or []):
            self.field.setPlainText("\n".join(value or []))
        return True


class JsonArea(Editor):
    """Any value as JSON, on several lines."""

    def __init__(self, parameter: Parameter, parent: Optional[QWidget] = None) -> None:
        super().__init__(parameter, parent)
        self.field = _Area(self)
        self.field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.field.setPlaceholderText(tr("not set"))
        self._hold(self.field)
        self.field.textChanged.connect(self._typed)

    def _typed(self) -> None:
        if not self._showing:
            text = self.field.toPlainText()
            self.drafted.emit(text if text.strip() else "null")

    def _show(self, value: Any, draft: Optional[str]) -> bool:
        text = self.field.toPlainText()
        if draft is None:
            if not _says(text, value):
                self.field.setPlainText("" if value is None else json_text.dumps(value, indent=2))
        elif text != draft:
            self.field.setPlainText(draft)
        return True


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


class _Area(QPlainTextEdit):
    """A few lines; Tab goes on to the next field."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setSizeAdjustPolicy(QPlainTextEdit.SizeAdjustPolicy.AdjustIgnored)
        margins = 2 * (self.frameWidth() + int(self.document().documentMargin()))
        self.setFixedHeight(self.fontMetrics().lineSpacing() * LINES + margins)

    def sizeHint(self) -> QSize:
        """Not wider than what is around it."""
        return QSize(NARROW, self.height())


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
        texts = isinstance(parameter.default, list) and parameter.default and _is_lines(parameter.default)
        return Lines(parameter) if texts or parameter.name in LISTS_OF_TEXTS else JsonArea(parameter)
    if parameter.choices:
        return Choice(parameter)
    by_type = {"boolean": YesNo, "dateRange": Dates, "string": TextLine, "geometry": JsonArea}
    return by_type.get(parameter.type, JsonLine)(parameter)


def fallback_for(parameter: Parameter) -> Editor:
    """The widget for a value that fits no other."""
    return JsonArea(parameter)


def _says(text: str, value: Any) -> bool:
    if not text.strip():
        return value is None
    parsed = json_text.parse(text)
    return not parsed.problems and json_text.same(parsed.value, value)


def _one_line(text: str) -> bool:
    return text.isprintable() and not any("\ud800" <= character <= "\udfff" for character in text)


def _is_lines(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, str) and item and item.strip() == item and _one_line(item) for item in value)
