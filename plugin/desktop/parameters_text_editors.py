"""Widgets for one parameter that is typed: text, lines of text, JSON; and the base of all such widgets.

What is being typed is never rewritten while it says the same as the value. Text that is no JSON yet goes out as it
is, as a draft. An empty field is null: *not set*.
"""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from ..host.words import tr
from ..jobs import json_text
from ..jobs.workflow import Parameter

LINES = 3  # of a field with several
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
        if draft is not None or not (value is None or is_lines(value)):
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


def _says(text: str, value: Any) -> bool:
    if not text.strip():
        return value is None
    parsed = json_text.parse(text)
    return not parsed.problems and json_text.same(parsed.value, value)


def _one_line(text: str) -> bool:
    return text.isprintable() and not any("\ud800" <= character <= "\udfff" for character in text)


def is_lines(value: Any) -> bool:
    """True for a list of texts that can be edited one a line."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, str) and item and item.strip() == item and _one_line(item) for item in value)
